"""What the documents tell people to type exists."""

import re
from collections.abc import Sequence

import pytest
from pydantic_settings import BaseSettings

from adapters.discord.installs.permissions import COMMANDS as DISCORD_COMMANDS
from adapters.discord.installs.permissions import PERMISSIONS, Use, needed_permissions, sum_of
from adapters.discord.settings import AppSettings as DiscordAppSettings
from adapters.discord.settings import Settings as DiscordSettings
from adapters.slack.installs.scopes import EVENTS, SCOPES, AppFeature, Need
from adapters.slack.settings import Settings as SlackSettings
from bridge import registry
from bridge.cli import cli
from bridge.settings import Settings, isolated
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


def section(document: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    return read(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


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


def test_the_document_on_discord_names_every_permission_that_is_asked_for_and_no_other() -> None:
    named = re.findall(
        r"^\| ([A-Z][A-Za-z ]+) \|[^|]*\|$", section("docs/discord.md", "The app at Discord"), re.MULTILINE
    )
    assert [name for name in named if name not in ("Permission", "Setting")] == [need.name for need in PERMISSIONS]


def test_the_document_on_discord_says_which_permission_only_a_setting_asks_for() -> None:
    rows = re.findall(r"^\| ([A-Z][A-Za-z ]+) \|([^|]*)\|$", read("docs/discord.md"), re.MULTILINE)
    assert {name for name, text in rows if "DISCORD_SOLVED_TAG" in text} == {
        need.name for need in PERMISSIONS if need.use is Use.SOLVED
    }


@pytest.mark.parametrize("document", ["README.md", "docs/discord.md", "CHANGELOG.md"])
def test_every_sum_of_permissions_named_is_that_of_an_invitation(document: str) -> None:
    sums = {
        str(sum_of(needed_permissions(isolated(DiscordAppSettings, discord_solved_tag=tag)))) for tag in ("", "Solved")
    }
    named = set(re.findall(r"\b3\d{11}\b", read(document)))
    assert named
    assert named <= sums


def test_the_document_on_discord_names_every_command() -> None:
    told = read("docs/discord.md")
    spelled = {f"`/{name}`" if name.islower() else f"*{name}*" for name in DISCORD_COMMANDS}
    assert {name for name in spelled if name not in told} == set()


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


def test_every_variable_of_discord_is_in_the_documents_for_operators() -> None:
    variables = {name.upper() for name in DiscordSettings.model_fields}
    told = read("README.md") + read("docs/discord.md")
    rare = {
        *("DISCORD_API_URL", "DISCORD_GATEWAY_URL", "DISCORD_CDN_URL", "DISCORD_INBOX_LIMIT"),
        *("DISCORD_CALL_TIMEOUT", "DISCORD_RATELIMIT_TIMEOUT", "DISCORD_LOOKUP_TIMEOUT", "DISCORD_ACTIVITY_TIMEOUT"),
        *("DISCORD_RECONNECT_FIRST", "DISCORD_RECONNECT_MAX", "DISCORD_IDENTIFY_GAP", "DISCORD_DEAF_TIMEOUT"),
        *("DISCORD_CLOSE_TIMEOUT", "DISCORD_STORE_PATIENCE", "DISCORD_STORE_RETRY_MAX", "DISCORD_PRESS_PATIENCE"),
        "DISCORD_CATCH_UP_RETRY",
    }
    assert rare <= variables
    assert sorted(name for name in variables - rare if f"`{name}`" not in told) == []


def test_the_two_commands_of_a_stranger_are_in_the_readme() -> None:
    assert {"playground", "test"} <= set(re.findall(r"make ([a-z][\w-]*)", code("README.md")))
