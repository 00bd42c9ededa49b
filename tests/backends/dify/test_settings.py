"""DIFY_... settings: what is completed for the operator, and what is refused with one plain sentence."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bridge.backends.dify.backend import Settings
from bridge.backends.dify.settings import AppType

CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def complaint(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(ValidationError) as caught:
        load(monkeypatch, **values)
    (problem,) = caught.value.errors()
    return problem["msg"].removeprefix("Value error, ")


def test_without_a_key_dify_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load(monkeypatch).enabled
    assert not load(monkeypatch, DIFY_API_KEY="").enabled
    assert not load(monkeypatch, DIFY_API_KEY="  ").enabled


def test_with_a_key_alone_the_cloud_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, DIFY_API_KEY=" app-1 ")

    assert settings.enabled
    assert settings.api_key == "app-1"
    assert settings.dify_base_url == "https://api.dify.ai/v1"
    assert (settings.dify_max_concurrent, settings.dify_idle_timeout, settings.dify_progress_timeout) == (8, 60, 180)


def test_settings_come_from_a_file_and_strange_lines_do_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("DIFY_API_KEY=app-2\nDIFY_CA_FILE=\nSLACK_BOT_TOKEN=xoxb-1\nDIFY_IDLE_TIMEOUT=30\n")

    settings = Settings(_env_file=file)

    assert (settings.api_key, settings.dify_idle_timeout, settings.dify_ca_file) == ("app-2", 30, None)


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "app-secret" not in repr(load(monkeypatch, DIFY_API_KEY="app-secret"))
    for key in ("Bearer app-secret", "dataset-secret", "äpp-secret"):
        assert "secret" not in complaint(monkeypatch, DIFY_API_KEY=key)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://dify.example.com", "https://dify.example.com/v1"),
        ("https://dify.example.com/", "https://dify.example.com/v1"),
        (" http://10.0.0.5:8080/v1/ ", "http://10.0.0.5:8080/v1"),
        ("https://example.com/dify/v1", "https://example.com/dify/v1"),
        ("https://example.com/mapped", "https://example.com/mapped"),
    ],
)
def test_the_address_is_completed_where_it_can_only_mean_one_thing(
    monkeypatch: pytest.MonkeyPatch, given: str, used: str
) -> None:
    assert load(monkeypatch, DIFY_BASE_URL=given).dify_base_url == used


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DIFY_BASE_URL", "dify.example.com/v1", "http:// or https://"),
        ("DIFY_BASE_URL", "ftp://dify.example.com", "http:// or https://"),
        ("DIFY_BASE_URL", "https://[broken/v1", "http:// or https://"),
        ("DIFY_BASE_URL", "https://me:pw@dify.example.com/v1", "DIFY_API_KEY"),
        ("DIFY_BASE_URL", "https://dify.example.com/v1?x=1", "'?'"),
        ("DIFY_BASE_URL", "https://dify.example.com/v1/chat-messages", "use https://dify.example.com/v1"),
        ("DIFY_API_KEY", "Bearer app-1", "Bearer"),
        ("DIFY_API_KEY", "dataset-1", "API Access"),
        ("DIFY_APP_TYPE", "bot", "agent-chat"),
        ("DIFY_QUERY_INPUT", "the text", "one input variable"),
        ("DIFY_QUERY_INPUT", "text,style", "one input variable"),
        ("DIFY_MAX_CONCURRENT", "many", "whole number from 1 up to 1000"),
        ("DIFY_MAX_CONCURRENT", "0", "whole number from 1 up to 1000"),
        ("DIFY_IDLE_TIMEOUT", "-1", "above 0 up to 3600"),
        ("DIFY_IDLE_TIMEOUT", "200", "DIFY_PROGRESS_TIMEOUT"),
        ("DIFY_PROGRESS_TIMEOUT", "soon", "above 0"),
        ("DIFY_MAX_EVENT_BYTES", "1", "from 1024"),
        ("DIFY_FILES_URL", "files.example.com", "http:// or https://"),
        ("DIFY_FILES_URL", "https://me:pw@files.example.com", "without anything secret"),
        ("DIFY_FILES_URL", "https://files.example.com/?sign=1", "FILES_URL is in Dify"),
        ("DIFY_FILE_HOSTS", "https://cdn.example.com", "names of hosts alone"),
        ("DIFY_FILE_HOSTS", "a.example.com,b.example.com/x", "b.example.com/x"),
        ("DIFY_FILE_HOSTS", "10.0.0.7", "names of hosts alone"),
        ("DIFY_FILE_HOSTS", "*.example.com", "names of hosts alone"),
        ("DIFY_FILE_TIMEOUT", "0", "above 0 up to 3600"),
        ("DIFY_SUGGESTIONS_WAIT", "long", "above 0 up to 60"),
        ("DIFY_PARAMETERS_AGE", "-1", "from 0 up to 86400"),
        ("DIFY_CA_FILE", "/nowhere/ca.pem", "cannot be read"),
        ("DIFY_CA_FILE", __file__, "PEM"),
    ],
)
def test_a_wrong_setting_is_refused_with_one_sentence_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    sentence = complaint(monkeypatch, **{name: value})

    assert name in sentence
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("chat", AppType.CHAT),
        ("agent", AppType.AGENT),
        ("agent-chat", AppType.AGENT),
        ("chatflow", AppType.CHATFLOW),
        ("Advanced-Chat", AppType.CHATFLOW),
        ("workflow", AppType.WORKFLOW),
        ("completion", AppType.COMPLETION),
        ("", None),
    ],
)
def test_app_types_are_understood_in_every_spelling(
    monkeypatch: pytest.MonkeyPatch, word: str, kind: AppType | None
) -> None:
    assert load(monkeypatch, DIFY_APP_TYPE=word).dify_app_type == kind


def test_a_certificate_authority_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    path = CERTIFICATES / "ca.pem"
    assert load(monkeypatch, DIFY_CA_FILE=str(path)).dify_ca_file == path


def test_every_setting_describes_itself() -> None:
    for name, field in Settings.model_fields.items():
        assert name.startswith("dify_")
        assert field.description
        assert field.description.endswith(".")


def test_the_address_of_files_is_kept_without_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        load(monkeypatch, DIFY_FILES_URL=" https://files.example.com/ ").dify_files_url == "https://files.example.com"
    )
    assert load(monkeypatch, DIFY_FILES_URL="").dify_files_url is None


def test_hosts_of_files_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = load(monkeypatch, DIFY_FILE_HOSTS=" CDN.example.com, files.example.com:8443 ,").dify_file_hosts

    assert hosts == {"cdn.example.com", "files.example.com:8443"}
    assert load(monkeypatch, DIFY_FILE_HOSTS="").dify_file_hosts == frozenset()


@pytest.mark.parametrize(("word", "name"), [("", ""), (" text ", "text"), ("{{ my_text }}", "my_text")])
def test_the_input_for_the_question_may_be_spelled_as_in_a_prompt(
    monkeypatch: pytest.MonkeyPatch, word: str, name: str
) -> None:
    assert load(monkeypatch, DIFY_QUERY_INPUT=word).dify_query_input == name
