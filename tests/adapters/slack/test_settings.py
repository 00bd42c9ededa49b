"""Settings: what is on, how Slack is heard, and sentences for what people get wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.slack.settings import Mode, Settings

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
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(tmp_path: Path, lines: str, words: list[str]) -> None:
    said = problem(tmp_path, lines)
    for word in words:
        assert word in said


def test_a_wrong_token_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as wrong:
        read(tmp_path, "SLACK_BOT_TOKEN=xoxp-very-secret\nSLACK_APP_TOKEN=also-secret\n")
    assert "secret" not in str(wrong.value).replace("SecretStr", "")
    assert "very-secret" not in repr(read(tmp_path, f"SLACK_BOT_TOKEN=xoxb-very-secret\nSLACK_APP_TOKEN={APP}\n"))


def test_the_address_of_a_stand_in_ends_in_a_slash(tmp_path: Path) -> None:
    assert read(tmp_path, "SLACK_API_URL=http://127.0.0.1:1/api\n").slack_api_url == "http://127.0.0.1:1/api/"


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())
