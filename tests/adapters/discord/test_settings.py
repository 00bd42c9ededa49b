"""Wrong settings are refused with a sentence that names the variable and never shows the token."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.discord.settings import Settings

GOOD = "MTMwMDAwMDAwMDAwMDAwMDAwMg.Gabcde.this-is-not-a-real-token-at-all"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_without_a_token_discord_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read(monkeypatch).enabled
    assert not read(monkeypatch, DISCORD_TOKEN="", DISCORD_GATEWAY_URL="").enabled


def test_a_token_switches_it_on_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, DISCORD_TOKEN=GOOD)
    assert settings.enabled
    assert settings.token == GOOD
    assert GOOD not in repr(settings)


def test_how_tables_are_written_is_one_of_three_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).discord_tables == "fit"
    assert read(monkeypatch, DISCORD_TABLES=" Code ").discord_tables == "code"
    with pytest.raises(ValidationError, match="discord_tables"):
        read(monkeypatch, DISCORD_TABLES="pretty")


def test_the_file_of_settings_is_named_by_the_caller(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={GOOD}\nDISCORD_MESSAGE_CONTENT=false\nSOMETHING_ELSE=1\nDISCORD_GATEWAY_URL=\n")
    settings = Settings(_env_file=file)
    assert settings.enabled
    assert not settings.discord_message_content
    assert settings.discord_gateway_url is None


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DISCORD_TOKEN", f"Bot {GOOD}", 'remove the word "Bot"'),
        ("DISCORD_TOKEN", f"{GOOD[:30]} {GOOD[30:]}", "copy the token again"),
        ("DISCORD_TOKEN", f'"{GOOD}"', "copy the token again"),
        ("DISCORD_TOKEN", "0123456789abcdef0123456789abcdef", "is not a bot token"),
        ("DISCORD_API_URL", "discord.com/api", "give an http or https address"),
        ("DISCORD_API_URL", "ftp://discord.com/api", "give an http or https address"),
        ("DISCORD_GATEWAY_URL", "https://gateway.discord.gg", "give a ws or wss address"),
        ("DISCORD_RECONNECT_FIRST", "500", "DISCORD_RECONNECT_MAX"),
    ],
)
def test_a_wrong_value_is_explained(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(monkeypatch, **{variable: value})
    (problem,) = caught.value.errors()
    assert variable in problem["msg"]
    assert sentence in problem["msg"]
    assert GOOD not in str(caught.value)


def test_a_slash_at_the_end_of_the_address_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    url = read(monkeypatch, DISCORD_API_URL="http://127.0.0.1:8/api/v10/").discord_api_url
    assert url == "http://127.0.0.1:8/api/v10"


def test_every_setting_says_what_it_is_for() -> None:
    assert all(each.description for each in Settings.model_fields.values())


def test_people_can_install_the_app_only_where_there_are_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).installs_for_people
    assert not read(monkeypatch, DISCORD_COMMANDS="false").installs_for_people
    assert not read(monkeypatch, DISCORD_COMMANDS="true", DISCORD_USER_INSTALL="false").installs_for_people
