"""What people get wrong in DBGPT_... is told in a sentence with the way out."""

import pytest
from pydantic import ValidationError

from bridge.backends.dbgpt.settings import Settings

URL = "http://localhost:5670"


def settings(**values: object) -> Settings:
    return Settings.model_validate({"dbgpt_base_url": URL, **values})


def problem(**values: object) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    (error,) = caught.value.errors()
    return str(error["msg"]).removeprefix("Value error, ")


def test_nothing_is_switched_on_without_an_address() -> None:
    assert not Settings.model_validate({}).enabled
    assert not Settings.model_validate({"dbgpt_api_key": "x", "dbgpt_base_url": " "}).enabled
    assert settings().enabled


@pytest.mark.parametrize(
    "written",
    [URL, f"{URL}/", f"{URL}/api/v2", f"{URL}/api/v2/chat/completions", f" {URL}/api/v1/ ", f"{URL}/api"],
)
def test_the_address_may_be_copied_with_its_path(written: str) -> None:
    assert settings(dbgpt_base_url=written).base_url == URL


def test_a_path_before_the_api_is_kept() -> None:
    assert settings(dbgpt_base_url="https://acme.example/dbgpt/api/v2").base_url == "https://acme.example/dbgpt"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dbgpt_base_url": "localhost:5670"}, "DBGPT_BASE_URL must be an http:// or https:// address"),
        ({"dbgpt_base_url": "http://a:b@x"}, "DBGPT_BASE_URL must not contain a user name or password"),
        ({"dbgpt_base_url": "http://x?a=b"}, "DBGPT_BASE_URL must not contain '?' or '#'"),
        (
            {"dbgpt_base_url": "http://x:8100/api/v1"},
            "DBGPT_BASE_URL names port 8100, which is that of DB-GPT's model API",
        ),
        ({"dbgpt_api_key": "Bearer x"}, "DBGPT_API_KEY must be the key alone"),
        ({"dbgpt_chat_mode": "chat"}, "DBGPT_CHAT_MODE must be one of chat_normal, chat_knowledge, chat_data"),
        ({"dbgpt_chat_mode": "chat_app"}, "DBGPT_CHAT_PARAM must be the code of the app, because"),
        ({"dbgpt_chat_mode": "chat_data"}, "DBGPT_CHAT_PARAM must be the name of the data source, because"),
        ({"dbgpt_chat_param": "x"}, "DBGPT_CHAT_PARAM is set, but chat_normal asks nothing but the model"),
        ({"dbgpt_choices": "models,spaces"}, "DBGPT_CHOICES may name knowledge, datasources, apps, flows, models"),
        ({"dbgpt_temperature": "3"}, "DBGPT_TEMPERATURE must be a number from 0 up to 2, but it is '3'."),
        (
            {"dbgpt_max_concurrent": "0"},
            "DBGPT_MAX_CONCURRENT must be a whole number from 1 up to 1000, but it is '0'.",
        ),
        ({"dbgpt_idle_timeout": 700}, "DBGPT_PROGRESS_TIMEOUT (600) must not be shorter than DBGPT_IDLE_TIMEOUT (700)"),
    ],
)
def test_a_wrong_value_is_told_with_its_fix(values: dict[str, object], sentence: str) -> None:
    assert problem(**values).startswith(sentence)


def test_a_key_is_in_no_text_of_the_settings() -> None:
    assert "a-secret" not in repr(settings(dbgpt_api_key="a-secret"))
