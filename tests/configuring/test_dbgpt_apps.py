"""An app of DB-GPT in `bridge.toml`: everything of it stands in its table."""

from bridge.backends.dbgpt.modes import ChatMode, Kind
from bridge.backends.dbgpt.settings import Settings
from tests.configuring.files import load, problem

SHOP = """[apps.shop]
backend = "dbgpt"
base_url = "http://dbgpt.example:5670"
chat_mode = "chat_data"
chat_param = "sqlite_shop"
"""


def test_an_app_of_dbgpt_needs_no_key() -> None:
    configuration = load(f'{SHOP}temperature = 0.3\nchoices = "models, datasources"\n')

    (part,) = configuration.apps.values()
    settings = part.settings
    assert isinstance(settings, Settings)
    assert (settings.dbgpt_chat_mode, settings.dbgpt_chat_param) == (ChatMode.DATA, "sqlite_shop")
    assert settings.dbgpt_choices == {Kind.MODEL, Kind.DATASOURCE}
    assert (settings.dbgpt_temperature, settings.api_key) == (0.3, "")


def test_an_app_without_an_address_is_told_what_it_needs() -> None:
    words = problem('[apps.shop]\nbackend = "dbgpt"\n')

    assert 'apps.shop needs base_url = "http://localhost:5670"' in words


def test_a_wrong_mode_is_told_with_its_line() -> None:
    words = problem(SHOP.replace("chat_data", "chat_database"))

    assert words.startswith("bridge.toml line 4: apps.shop.chat_mode must be one of chat_normal, chat_knowledge")
