"""What an operator can set, and every mistake with its fix."""

from pathlib import Path

import pytest

from bridge.backends.openai.settings import Settings
from bridge.errors import SettingsError
from bridge.settings import read


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return read(Settings, None)


def test_without_a_model_nobody_answers_whatever_key_lies_about(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load(monkeypatch, OPENAI_API_KEY="sk-of-another-program").enabled


def test_a_server_of_ones_own_needs_an_address_and_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, OPENAI_MODEL=" llama3.2 ", OPENAI_BASE_URL="http://localhost:11434/v1/")

    assert settings.enabled
    assert (settings.openai_model, settings.openai_base_url) == ("llama3.2", "http://localhost:11434/v1")
    assert settings.api_key == ""


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "OPENAI_BASE_URL",
            "http://x/v1/chat/completions",
            "OPENAI_BASE_URL must end in /v1, not in /chat/completions",
        ),
        ("OPENAI_BASE_URL", "localhost:11434", "OPENAI_BASE_URL must be an http:// or https:// address"),
        ("OPENAI_BASE_URL", "http://me:secret@x/v1", "OPENAI_BASE_URL must not contain a user name or password"),
        ("OPENAI_API_KEY", "Bearer sk-1", "OPENAI_API_KEY must be the key alone, without 'Bearer'"),
        ("OPENAI_TEMPERATURE", "3", "OPENAI_TEMPERATURE must be a number from 0 up to 2, but it is '3'."),
        ("OPENAI_TEMPERATURE", "warm", "OPENAI_TEMPERATURE must be a number from 0 up to 2, but it is 'warm'."),
        ("OPENAI_MAX_TOKENS", "0", "OPENAI_MAX_TOKENS must be a whole number from 1 up to 1000000, but it is '0'."),
        ("OPENAI_MODEL", "x" * 300, "OPENAI_MODEL must be the name of a model"),
        ("OPENAI_CA_FILE", "nowhere.pem", "OPENAI_CA_FILE (nowhere.pem) cannot be read"),
        ("OPENAI_PROGRESS_TIMEOUT", "10", "OPENAI_PROGRESS_TIMEOUT (10) must not be shorter than OPENAI_IDLE_TIMEOUT"),
    ],
)
def test_a_mistake_is_told_with_its_fix(monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **{name: value})

    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems
    assert "secret" not in str(caught.value)


def test_a_bare_host_means_v1_and_another_path_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (
        load(monkeypatch, OPENAI_BASE_URL="https://vllm.example.com").openai_base_url == "https://vllm.example.com/v1"
    )
    assert load(monkeypatch, OPENAI_BASE_URL="http://h:8100/api/v1").openai_base_url == "http://h:8100/api/v1"
