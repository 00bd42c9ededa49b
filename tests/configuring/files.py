"""A `bridge.toml` and a `.env` in the working directory, read as the commands read them."""

from pathlib import Path

import pytest

from bridge import registry
from bridge.backends.dify.settings import Settings as DifySettings
from bridge.errors import SettingsError
from bridge.messages import AppName
from bridge.registry import Configuration

SUPPORT, SALES = AppName("support"), AppName("sales")
APP = '[apps.support]\napi_key_env = "SUPPORT_KEY"\n'
SECOND = '[apps.sales]\napi_key_env = "SALES_KEY"\n'


def load(text: str, env: str = "") -> Configuration:
    Path("bridge.toml").write_text(text, encoding="utf-8")
    Path(".env").write_text(env, encoding="utf-8")
    return registry.load(Path(".env"))


def problems(text: str, env: str = "") -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(text, env)
    return caught.value.problems


def problem(text: str, env: str = "") -> str:
    (one,) = problems(text, env)
    return one


def dify(configuration: Configuration, app: AppName) -> DifySettings:
    settings = configuration.apps[app].settings
    assert isinstance(settings, DifySettings)
    return settings
