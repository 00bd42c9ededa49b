"""What the documents tell people to type exists."""

import re

import pytest
from pydantic_settings import BaseSettings

from bridge import registry
from bridge.cli import cli
from bridge.settings import Settings
from bridge.storage.settings import Settings as DatabaseSettings
from tests.architecture.sources import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "DESIGN.md")
OTHER_VARIABLES = {
    "BRIDGE_MIGRATIONS": "says where an installed package finds its migrations; read before any settings are",
    "SALES_KEY": "an operator's own name for the key of an app, in an example of bridge.toml",
    "SUPPORT_KEY": "another",
    "SOAK_RUNS": "how often `make soak` kills; of tests, not of the bridge",
    "PLAYGROUND_SCREENSHOTS": "where the browser tests leave their screenshots; of tests, not of the bridge",
}


def read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def code(document: str) -> str:
    """Everything in the document that is set as code."""
    text = read(document)
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`([^`]+)`", prose)])


def settings_classes() -> list[type[BaseSettings]]:
    parts = [registry.platform(name).settings for name in registry.folders("adapters")]
    parts += [registry.backend(name).settings for name in registry.folders("bridge.backends")]
    return [Settings, DatabaseSettings, *(type(part) for part in parts)]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_named_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|[\s;&])make ([a-z][\w-]*)", code(document), re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_named_exists(document: str) -> None:
    commands = {command.name or getattr(command.callback, "__name__", "") for command in cli.registered_commands}
    named = set(re.findall(r"dify-chat-bridge ([a-z][\w-]*)", code(document)))
    assert named - commands == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_variable_named_exists(document: str) -> None:
    known = {name.upper() for kind in settings_classes() for name in kind.model_fields} | set(OTHER_VARIABLES)
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b", read(document)))
    assert named - known == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_linked_exists(document: str) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", read(document))]
    local = [link for link in links if link and "://" not in link and not link.startswith("mailto:")]
    assert [link for link in local if not (ROOT / link).exists()] == []


def test_the_two_commands_of_a_stranger_are_in_the_readme() -> None:
    assert {"playground", "test"} <= set(re.findall(r"make ([a-z][\w-]*)", code("README.md")))
