"""Settings: what is on, how Slack is heard, and sentences for what people get wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.slack.installs.scopes import AppFeature
from adapters.slack.settings import DmSessions, Mode, Settings

ID, CLIENT_SECRET, URL = "1.2", "abcdef", "https://bot.example.com"
MANY = f"SLACK_CLIENT_ID={ID}\nSLACK_CLIENT_SECRET={CLIENT_SECRET}\nSLACK_PUBLIC_URL={URL}\n"
BOT, APP, SECRET = "xoxb-1-2-abc", "xapp-1-A1-2-abc", "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def read(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / ".env"
    file.write_text(text, encoding="utf-8")
    return Settings(_env_file=file)


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ValidationError) as wrong:
        read(tmp_path, text)
    return "\n".join(error["msg"] for error in wrong.value.errors())


def test_without_tokens_slack_is_off(tmp_path: Path) -> None:
    settings = read(tmp_path, "DISCORD_TOKEN=x\nSLACK_BOT_TOKEN=\nSLACK_APP_TOKEN=  \nSLACK_SIGNING_SECRET=\n")
    assert not settings.enabled
    assert settings.slack_api_url == "https://slack.com/api/"


def test_an_app_token_means_socket_mode_even_beside_a_signing_secret(tmp_path: Path) -> None:
    settings = read(tmp_path, f"SLACK_BOT_TOKEN={BOT}\nSLACK_APP_TOKEN={APP}\nSLACK_SIGNING_SECRET={SECRET}\n")
    assert settings.enabled
    assert settings.mode is Mode.SOCKET


def test_a_signing_secret_alone_means_http(tmp_path: Path) -> None:
    assert read(tmp_path, f"SLACK_BOT_TOKEN={BOT}\nSLACK_SIGNING_SECRET={SECRET}\n").mode is Mode.HTTP


@pytest.mark.parametrize(
    ("hearing", "mode"), [(f"SLACK_APP_TOKEN={APP}", Mode.SOCKET), (f"SLACK_SIGNING_SECRET={SECRET}", Mode.HTTP)]
)
def test_an_app_of_many_workspaces_is_heard_either_way(tmp_path: Path, hearing: str, mode: Mode) -> None:
    settings = read(tmp_path, f"{MANY}{hearing}\n")
    assert settings.enabled
    assert settings.many
    assert settings.needs_encryption
    assert settings.mode is mode


def test_one_workspace_needs_nothing_of_oauth(tmp_path: Path) -> None:
    settings = read(tmp_path, f"SLACK_BOT_TOKEN={BOT}\nSLACK_APP_TOKEN={APP}\nSLACK_PUBLIC_URL={URL}/bridge/\n")
    assert not settings.many
    assert not settings.needs_encryption
    assert settings.slack_public_url == f"{URL}/bridge"


def test_features_and_the_prefix_of_commands_are_read_as_people_write_them(tmp_path: Path) -> None:
    settings = read(tmp_path, "SLACK_FEATURES= Agent, files,\nSLACK_COMMAND_PREFIX=/dify-\n")
    assert settings.slack_features == {AppFeature.AGENT, AppFeature.FILES}
    assert settings.slack_command_prefix == "dify-"
    assert read(tmp_path, "SLACK_FEATURES=\n").slack_features == set(AppFeature)


def test_direct_messages_are_a_conversation_for_each_thread_or_one_altogether(tmp_path: Path) -> None:
    assert read(tmp_path, "").slack_dm_sessions is DmSessions.THREAD
    assert read(tmp_path, "SLACK_DM_SESSIONS=\n").slack_dm_sessions is DmSessions.THREAD
    assert read(tmp_path, "SLACK_DM_SESSIONS= Single\n").slack_dm_sessions is DmSessions.SINGLE
    assert "'thread' or 'single'" in problem(tmp_path, "SLACK_DM_SESSIONS=rolling\n")


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", f" {BOT}\n")
    monkeypatch.setenv("SLACK_APP_TOKEN", APP)
    settings = Settings()
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == BOT


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (f"SLACK_BOT_TOKEN={BOT}", ["SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"]),
        (f"SLACK_APP_TOKEN={APP}", ["SLACK_BOT_TOKEN is not", "OAuth & Permissions"]),
        (f"SLACK_BOT_TOKEN={APP}\nSLACK_APP_TOKEN={APP}", ["SLACK_BOT_TOKEN looks like an app-level token", "xoxb-"]),
        (f"SLACK_BOT_TOKEN=xoxp-1\nSLACK_APP_TOKEN={APP}", ["SLACK_BOT_TOKEN looks like a user token"]),
        (f"SLACK_BOT_TOKEN=hello\nSLACK_APP_TOKEN={APP}", ["SLACK_BOT_TOKEN does not look like a bot token"]),
        (f"SLACK_BOT_TOKEN={BOT}\nSLACK_APP_TOKEN={BOT}", ["SLACK_APP_TOKEN looks like a bot token"]),
        (f"SLACK_BOT_TOKEN={BOT}\nSLACK_SIGNING_SECRET={APP}", ["SLACK_SIGNING_SECRET looks like an app-level token"]),
        (f"SLACK_BOT_TOKEN='xoxb-1 2'\nSLACK_APP_TOKEN={APP}", ["SLACK_BOT_TOKEN has a space"]),
        ("SLACK_API_URL=slack.com/api", ["SLACK_API_URL", "https://"]),
        (f"SLACK_CLIENT_ID={ID}", ["SLACK_CLIENT_SECRET is not", "remove SLACK_CLIENT_ID"]),
        (f"SLACK_CLIENT_SECRET={CLIENT_SECRET}", ["SLACK_CLIENT_ID is not"]),
        (f"{MANY}SLACK_PUBLIC_URL=\nSLACK_APP_TOKEN={APP}", ["SLACK_PUBLIC_URL is not", "/slack/install"]),
        (MANY, ["how to hear Slack", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"]),
        (f"{MANY}SLACK_BOT_TOKEN={BOT}\nSLACK_SIGNING_SECRET={SECRET}", ["SLACK_BOT_TOKEN is for one workspace"]),
        (f"{MANY}SLACK_CLIENT_ID={BOT}", ["SLACK_CLIENT_ID must be two numbers"]),
        (f"{MANY}SLACK_CLIENT_SECRET={BOT}", ["SLACK_CLIENT_SECRET looks like a bot token", "Client Secret"]),
        ("SLACK_PUBLIC_URL=http://bot.example.com", ["SLACK_PUBLIC_URL must begin with https://"]),
        ("SLACK_PUBLIC_URL=bot.example.com", ["SLACK_PUBLIC_URL must be an address"]),
        ("SLACK_PUBLIC_URL=https://bot.example.com/?a=b", ["SLACK_PUBLIC_URL must be an address"]),
        ("SLACK_FEATURES=agent,hats", ["SLACK_FEATURES has hats in it", "shortcut"]),
        ("SLACK_COMMAND_PREFIX=My Bot", ["SLACK_COMMAND_PREFIX", "lower-case"]),
        ("SLACK_COMMAND_PREFIX=my_", ["SLACK_COMMAND_PREFIX", "lower-case"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(tmp_path: Path, lines: str, words: list[str]) -> None:
    said = problem(tmp_path, lines)
    for word in words:
        assert word in said


def test_a_wrong_token_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as wrong:
        read(
            tmp_path,
            "SLACK_BOT_TOKEN=xoxp-very-secret\nSLACK_APP_TOKEN=also-secret\nSLACK_CLIENT_SECRET=xoxb-third-secret\n",
        )
    assert all(secret not in str(wrong.value) for secret in ("very-secret", "also-secret", "third-secret"))
    assert "very-secret" not in repr(read(tmp_path, f"SLACK_BOT_TOKEN=xoxb-very-secret\nSLACK_APP_TOKEN={APP}\n"))


def test_the_address_of_a_stand_in_ends_in_a_slash(tmp_path: Path) -> None:
    assert read(tmp_path, "SLACK_API_URL=http://127.0.0.1:1/api\n").slack_api_url == "http://127.0.0.1:1/api/"


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
