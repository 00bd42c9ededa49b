"""What the documents tell people to type exists."""

import re
from collections.abc import Sequence

import pytest
from pydantic_settings import BaseSettings

from adapters.slack.installs.scopes import EVENTS, SCOPES, AppFeature, Need
from adapters.slack.settings import Settings as SlackSettings
from bridge import registry
from bridge.cli import cli
from bridge.settings import Settings
from bridge.storage.settings import Settings as DatabaseSettings
from tests.architecture.sources import ROOT

DOCUMENTS = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "DESIGN.md"),
    *sorted(f"docs/{document.name}" for document in (ROOT / "docs").glob("*.md")),
)
COMMANDS = {command.name or getattr(command.callback, "__name__", "") for command in cli.registered_commands}
OTHER_VARIABLES = {
    "BRIDGE_MIGRATIONS": "says where an installed package finds its migrations; read before any settings are",
    "FILES_URL": "a setting of Dify itself, which DIFY_FILES_URL repeats",
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


def sections(text: str) -> set[str]:
    """Headings, spelled as links to them are."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


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
    named = set(re.findall(r"dify-chat-bridge ([a-z][\w-]*)", code(document)))
    assert named - COMMANDS == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_variable_named_exists(document: str) -> None:
    known = {name.upper() for kind in settings_classes() for name in kind.model_fields} | set(OTHER_VARIABLES)
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]\b", read(document)))
    assert named - known == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_and_section_linked_exists(document: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", read(document))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    broken = []
    for link in local:
        name, _, section = link.partition("#")
        file = (ROOT / document).parent / name if name else ROOT / document
        if not file.exists() or (section and section not in sections(file.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


def test_the_document_on_slack_names_what_each_feature_asks_for_and_nothing_else() -> None:
    rows = re.findall(r"^\| (?:`(\w+)`|\(always\)) \|([^|]*)\|([^|]*)\|", read("docs/slack.md"), re.MULTILINE)
    told = {
        name: (set(re.findall(r"`([^`]+)`", scopes)), set(re.findall(r"`([^`]+)`", events)))
        for name, scopes, events in rows
    }

    def asked(needs: Sequence[Need], feature: AppFeature | None) -> set[str]:
        return {
            need.name
            for need in needs
            if not need.many and (feature in need.features if feature else not need.features)
        }

    assert told == {
        (feature or ""): (asked(SCOPES, feature), asked(EVENTS, feature)) for feature in (None, *AppFeature)
    }


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"dify-chat-bridge {command}" in code("README.md")


def test_every_variable_of_slack_is_in_the_documents_for_operators() -> None:
    variables = {name.upper() for name in SlackSettings.model_fields}
    told = read("README.md") + read("docs/slack.md")
    rare = {
        *("SLACK_API_URL", "SLACK_CALL_TIMEOUT", "SLACK_ACCEPT_TIMEOUT", "SLACK_NAME_WAIT", "SLACK_FILE_WAIT"),
        *("SLACK_PING_INTERVAL", "SLACK_RECONNECT_LONGEST"),
    }
    assert sorted(name for name in variables - rare if f"`{name}" not in told) == []


def test_the_two_commands_of_a_stranger_are_in_the_readme() -> None:
    assert {"playground", "test"} <= set(re.findall(r"make ([a-z][\w-]*)", code("README.md")))
