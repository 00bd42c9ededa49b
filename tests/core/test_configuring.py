"""`bridge.toml`: apps and routes as an operator writes them, and every mistake with its line and its fix."""

import os
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge import registry
from bridge.backends.dify.settings import Settings as DifySettings
from bridge.configuring.schema import AppTable, RouteTable
from bridge.errors import SettingsError
from bridge.messages import AppName, ChannelId, InstallationId, PersonId, PlatformName
from bridge.registry import Configuration
from bridge.routing import DEFAULT_APP, Access, AppPolicy, Everywhere, Follow, Place, Recover, Routes
from tests.architecture.sources import ROOT

SUPPORT, SALES = AppName("support"), AppName("sales")
APP = '[apps.support]\napi_key_env = "SUPPORT_KEY"\n'
SECOND = '[apps.sales]\napi_key_env = "SALES_KEY"\n'


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("SLACK_", "DISCORD_", "DIFY_", "DATABASE_", "RECOVER", "MOST_", "BRIDGE_CONFIG")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-2-abc")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-2-abc")
    monkeypatch.setenv("SUPPORT_KEY", "app-support")
    monkeypatch.setenv("SALES_KEY", "app-sales")


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


# What is right


def test_an_app_has_its_own_key_limits_and_policy() -> None:
    configuration = load(
        APP
        + 'base_url = "http://dify.example.com"\nmax_concurrent = 4\nidle_timeout = 30.5\napp_type = "chatflow"\n'
        + 'recover = "fetch"\ncontext_turns = 3\nmost_waiting = 5\nmost_queued = 50\n'
        + 'inputs = { language = "en", formal = true, level = 3, heat = 0.5 }\n'
    )
    settings = dify(configuration, SUPPORT)
    assert settings.api_key == "app-support"
    assert settings.dify_base_url == "http://dify.example.com/v1"
    assert (settings.dify_max_concurrent, settings.dify_idle_timeout) == (4, 30.5)
    policy = configuration.routes.apps[SUPPORT]
    assert policy == AppPolicy(
        name=SUPPORT,
        recover=Recover.FETCH,
        context_turns=3,
        most_waiting=5,
        most_queued=50,
        inputs={"language": "en", "formal": True, "level": 3, "heat": 0.5},
    )
    assert [type(value) for value in policy.inputs.values()] == [str, bool, int, float]


def test_the_only_app_answers_everywhere_when_there_are_no_routes() -> None:
    assert load(APP).routes == Everywhere(app=AppPolicy(name=SUPPORT))


def test_what_an_app_does_not_say_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_MAX_CONCURRENT", "3")
    monkeypatch.setenv("MOST_WAITING", "7")
    configuration = load(
        APP + "idle_timeout = 20\n", "DIFY_IDLE_TIMEOUT=30\nDIFY_BASE_URL=http://ours/v1\nRECOVER=fetch\n"
    )
    settings = dify(configuration, SUPPORT)
    assert (settings.dify_max_concurrent, settings.dify_idle_timeout) == (3, 20)
    assert settings.dify_base_url == "http://ours/v1"
    policy = configuration.routes.apps[SUPPORT]
    assert (policy.recover, policy.most_waiting) == (Recover.FETCH, 7)


def test_keys_may_stand_in_the_env_file_under_any_name() -> None:
    assert dify(load('[apps.x]\napi_key_env = "DIFY_X_KEY"\n', "DIFY_X_KEY=app-x\n"), AppName("x")).api_key == "app-x"


def test_the_environment_goes_before_the_env_file_for_keys_too() -> None:
    assert dify(load(APP, "SUPPORT_KEY=app-older\n"), SUPPORT).api_key == "app-support"


def test_two_apps_know_nothing_of_each_other() -> None:
    configuration = load(APP + "max_concurrent = 2\n" + SECOND + '[[routes]]\napp = "support"\n')
    assert (dify(configuration, SUPPORT).api_key, dify(configuration, SALES).api_key) == ("app-support", "app-sales")
    assert (dify(configuration, SUPPORT).dify_max_concurrent, dify(configuration, SALES).dify_max_concurrent) == (2, 8)


def test_a_route_says_where_for_whom_and_how_eagerly() -> None:
    configuration = load(
        APP + '[[routes]]\napp = "support"\nplatform = "discord"\nserver = 1059199\nchannel = "77"\ncategory = "78"\n'
        'follow = "everything"\nusers = ["1", 2]\nroles = ["3"]\n'
    )
    assert isinstance(configuration.routes, Routes)
    place = Place(
        platform=PlatformName("discord"),
        installation=InstallationId("1059199"),
        channel=ChannelId("77"),
        category=ChannelId("78"),
    )
    resolution = configuration.routes.resolve(place)
    assert resolution.app is not None
    assert resolution.app.name == SUPPORT
    assert resolution.follow is Follow.EVERYTHING
    assert resolution.access == Access(users=frozenset({PersonId("1"), PersonId("2")}), roles=frozenset({"3"}))
    assert "line 3 (discord, workspace or server 1059199, category 78, channel 77)" in resolution.because[0]


def test_workspace_and_server_are_two_words_for_the_same() -> None:
    found = [load(APP + f'[[routes]]\napp = "support"\n{word} = "T1"\n').routes for word in ("workspace", "server")]
    assert found[0] == found[1]


# The environment's own app


def test_the_environment_alone_is_one_app_named_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_API_KEY", "app-env")
    monkeypatch.setenv("CONTEXT_TURNS", "2")
    configuration = registry.load(None)
    assert configuration.routes == Everywhere(app=AppPolicy(name=DEFAULT_APP, context_turns=2))
    assert dify(configuration, DEFAULT_APP).api_key == "app-env"
    assert (configuration.config_file, configuration.notices) == ("", ())


def test_routes_may_lead_to_the_app_of_the_environment() -> None:
    configuration = load('[[routes]]\napp = "default"\nplatform = "slack"\n', "DIFY_API_KEY=app-env\n")
    assert isinstance(configuration.routes, Routes)
    assert configuration.routes.resolve(Place(platform=PlatformName("discord"))).app is None
    assert configuration.notices == ()


def test_the_app_of_the_environment_stands_beside_those_of_the_file_and_that_is_told() -> None:
    configuration = load(APP + '[[routes]]\napp = "support"\n', "DIFY_API_KEY=app-env\n")
    assert set(configuration.apps) == {SUPPORT, DEFAULT_APP}
    assert configuration.apps.keys() == configuration.routes.apps.keys()
    assert "DIFY_API_KEY in the environment is an app too" in configuration.notices[0]
    assert "No route leads to the app default" in configuration.notices[1]


def test_an_app_of_the_file_never_takes_the_key_of_the_environment() -> None:
    text = '[apps.x]\nmax_concurrent = 2\n[[routes]]\napp = "x"\n'
    assert problem(text, "DIFY_API_KEY=app-env\n") == (
        'bridge.toml line 1: apps.x needs api_key_env = "...": the name of a variable in the environment or in .env.'
    )


def test_the_app_named_default_may_say_more_about_the_app_of_the_environment() -> None:
    configuration = load('[apps.default]\nmax_concurrent = 2\nrecover = "fetch"\n', "DIFY_API_KEY=app-env\n")
    settings = dify(configuration, DEFAULT_APP)
    assert (settings.api_key, settings.dify_max_concurrent) == ("app-env", 2)
    assert configuration.routes == Everywhere(app=AppPolicy(name=DEFAULT_APP, recover=Recover.FETCH))
    assert configuration.notices == ()


def test_several_apps_without_routes_are_refused() -> None:
    text = problem(APP, "DIFY_API_KEY=app-env\n")
    assert "default, support (`default` is the one of the environment), and no [[routes]]" in text


def test_a_file_without_apps_and_an_environment_without_key_say_what_to_set() -> None:
    assert "set DIFY_API_KEY to the API key" in problem("# nothing yet\n")


# Where the file is


def test_the_option_goes_before_the_setting_and_that_before_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bridge.toml", "set.toml", "option.toml"):
        (tmp_path / name).write_text(f'[apps.{name.partition(".")[0]}]\napi_key_env = "SUPPORT_KEY"\n')
    assert set(registry.load(None).apps) == {"bridge"}
    monkeypatch.setenv("BRIDGE_CONFIG", "set.toml")
    assert set(registry.load(None).apps) == {"set"}
    assert set(registry.load(None, Path("option.toml")).apps) == {"option"}


@pytest.mark.parametrize("by_option", [True, False])
def test_a_file_that_is_not_there_is_named(by_option: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_API_KEY", "app-env")
    if not by_option:
        monkeypatch.setenv("BRIDGE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError) as caught:
        registry.load(None, Path("nowhere.toml") if by_option else None)
    assert caught.value.problems == [f"{'--config' if by_option else 'BRIDGE_CONFIG'}: nowhere.toml is not a file."]


# What is wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[apps.x]\nbase_url = dify\n", "line 2, column 12: what stands after the equals sign is not a value"),
        ('[apps.x]\na = "x\nb = 1\n', "line 2, column 7: a text is not closed with its quotes"),
        ("[apps.x]\n\n[apps.x]\n", "line 3, column 8: this table is written a second time"),
        ("[apps.x]\na = 1\na = 2\n", "line 3, column 6: this is written a second time"),
        ("[[routes]]\napp 'x'\n", "line 2, column 5: there must be an equals sign"),
        ("[[routes]\n", "line 1, column 9: the closing brackets of [[routes]] are missing"),
        ("[apps.x\n", "line 1, column 8: the closing bracket of a table"),
        ("a = 1\nusers = [\n  'a',\n", "line 3: what stands after the equals sign is not a value"),
        ("users = ['a' 'b']\n", "line 1, column 14: a list is not closed with ]"),
        (
            "inputs = { a = 1\n}\n",
            "line 1, column 17: braces are not closed with }; what stands in braces must stand in one",
        ),
        ('path = "C:\\dify"\n', "line 1, column 13: a backslash in double quotes"),
        ("apps\n", "line 1, column 5: there must be an equals sign"),
        ("?\n", "line 1, column 1: this is neither a table"),
        ('a = "x" y\n', "line 1, column 9: there is something left over behind the value"),
        ("a = { b = 1, b = 2 }\n", "line 1, column 19: a name is written a second time within the braces"),
        ("a = { b = 1, }\n", "line 1, column 14: a name is missing here"),
        ('a = """x\n', "line 1: a text is not closed with its quotes"),
    ],
)
def test_what_is_not_toml_is_told_in_plain_words_with_the_line(text: str, words: str) -> None:
    assert problem(text).startswith(f"bridge.toml {words}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\naps = 1\n", "line 2: aps is not known here; there are only [apps.NAME] and [[routes]]."),
        ("apps = 1\n", "line 1: apps must be tables: write [apps.NAME] and what the app needs below it."),
        ("[apps]\nx = 1\n", "line 2: apps.x must be a table: write [apps.x]."),
        ("[apps.X]\n", "line 1: apps.X: the name of an app must be lower-case letters"),
        (f"[apps.{'x' * 41}]\n", f"line 1: apps.{'x' * 41}: the name of an app must be"),
        ("[routes]\n", "line 1: routes must be tables in a list: write [[routes]], with two brackets."),
        ("routes = ['x']\n", "line 1: routes must be tables in a list"),
        (
            "[[routes]]\n[[routes]]\nchannel='C1'\n",
            "line 1: routes.app is missing; it must be the name of an app in quotes.",
        ),
    ],
)
def test_what_stands_in_a_wrong_form_is_told_with_its_line(text: str, sentence: str) -> None:
    assert any(one.startswith(f"bridge.toml {sentence}") for one in problems(text, "DIFY_API_KEY=app-env\n"))


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("max_concurent = 4", "apps.support.max_concurent is not known. Did you mean max_concurrent?"),
        ("dify_max_concurrent = 4", "apps.support.dify_max_concurrent is not known. Did you mean max_concurrent?"),
        ("DIFY_BASE_URL = 'x'", "apps.support.DIFY_BASE_URL is not known. Did you mean base_url?"),
        ("context_turn = 1", "apps.support.context_turn is not known. Did you mean context_turns?"),
        ("zzz = 1", "apps.support.zzz is not known."),
        ("max_concurrent = '4'", "apps.support.max_concurrent must be a whole number, without quotes."),
        ("max_concurrent = true", "apps.support.max_concurrent must be a whole number, without quotes."),
        ("max_concurrent = 1.5", "apps.support.max_concurrent must be a whole number, without quotes."),
        ("max_concurrent = 0", "apps.support.max_concurrent must be a whole number from 1 up to 1000, but it is '0'."),
        ("idle_timeout = '60'", "apps.support.idle_timeout must be a number, without quotes."),
        ("base_url = 3", "apps.support.base_url must be a text in quotes."),
        ("base_url = 'dify'", "apps.support.base_url must be an http:// or https:// address"),
        ("app_type = 'workflow'", "apps.support.app_type is 'workflow', but such an app cannot hold a conversation"),
        ("recover = 'never'", 'apps.support.recover must be "fetch", "reask" or "apologise", but it is \'never\'.'),
        ("recover = 1", 'apps.support.recover must be "fetch", "reask" or "apologise", but it is 1.'),
        ("context_turns = 21", "apps.support.context_turns must be a whole number from 0 up to 20, but it is 21."),
        ("context_turns = true", "apps.support.context_turns must be a whole number from 0 up to 20, but it is true."),
        ("most_waiting = 0", "apps.support.most_waiting must be a whole number from 1 up to 1000, but it is 0."),
        ("most_queued = '9'", "apps.support.most_queued must be a whole number from 1 up to 100000, but it is '9'."),
        ("inputs = 'x'", "apps.support.inputs must be a table of texts, numbers and true or false"),
        ("inputs = { a = 1979-05-27 }", "apps.support.inputs must be a table of texts, numbers and true or false"),
        ("inputs = { a = nan }", "apps.support.inputs must be a table of texts, numbers and true or false"),
        ("backend = 'difi'", "apps.support.backend must be dify, but it is 'difi'. Did you mean dify?"),
        ("backend = 3", "apps.support.backend must be the name of a backend in quotes, but it is 3."),
    ],
)
def test_a_wrong_line_of_an_app_is_told_with_its_fix(written: str, sentence: str) -> None:
    assert problem(f"# about\n{APP}\n{written}\n").startswith(f"bridge.toml line 5: {sentence}")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("chanel = 'C1'", "routes.chanel is not known. Did you mean channel?"),
        ("channel = '#support'", 'routes.channel must be the id of a channel in quotes, such as "C0123", not its name'),
        ("channel = ''", "routes.channel must be the id of a channel"),
        (
            "channel = 1.5",
            'routes.channel must be the id of a channel in quotes, such as "C0123", not its name, but it is 1.5.',
        ),
        ("channel = -1", "routes.channel must be the id of a channel"),
        ("channel = true", "routes.channel must be the id of a channel"),
        (
            "server = ['1']",
            'routes.server must be the id of a server, such as "1059199", not its name, but it is a list.',
        ),
        ("platform = 'slak'", "routes.platform must be discord or slack, but it is 'slak'. Did you mean slack?"),
        ("follow = 'all'", 'routes.follow must be "mention", "thread" or "everything", but it is \'all\'.'),
        ("direct = false", "routes.direct must be true, or left out"),
        ("direct = 1", "routes.direct must be true, or left out"),
        ("users = 'U1'", "routes.users must be a list of ids of people"),
        (
            "users = []",
            'routes.users must be a list of ids of people, such as ["U0123"], not their names, but it is empty.',
        ),
        ("roles = ['@admins']", "routes.roles must be a list of ids of roles"),
        ("workspace = 'T1'\nserver = 'T1'", "routes.server and routes.workspace mean the same; remove one of them."),
        ("direct = true\ncategory = '7'", "this route can never win: direct messages stand in no category"),
    ],
)
def test_a_wrong_line_of_a_route_is_told_with_its_fix(written: str, sentence: str) -> None:
    line = 5 + written.count("\n")
    assert problem(f'{APP}[[routes]]\napp = "support"\n{written}\n').startswith(f"bridge.toml line {line}: {sentence}")


def test_a_wrong_item_of_a_list_over_several_lines_is_told_with_its_own_line() -> None:
    text = APP + '[[routes]]\napp = "support"\nusers = [\n  "U1", # "U0",\n\n  "two words",\n]\n'
    assert problem(text).startswith("bridge.toml line 8: routes.users must be")


def test_dotted_keys_inline_tables_and_quoted_keys_are_told_where_they_stand() -> None:
    text = 'apps.support.api_key_env = "SUPPORT_KEY"\napps."support".max_concurrent = "a"\napps.sales = { api_key = "x" }\n'
    lines = [one.partition(" must ")[0] for one in problems(text)]
    assert "bridge.toml line 2: apps.support.max_concurrent" in lines
    assert "bridge.toml line 3: apps.sales.api_key" in lines


def test_a_route_to_an_unknown_app_is_told_with_the_one_that_was_meant() -> None:
    text = APP + '[[routes]]\nchannel = "C1"\napp = "suport"\n'
    assert problem(text) == (
        "bridge.toml line 5: routes.app must be the name of an app, but there is none named 'suport'. Did you mean support?"
    )


def test_two_routes_about_the_same_places_are_refused_with_both_lines() -> None:
    text = (
        APP
        + '[[routes]]\napp = "support"\nworkspace = "T1"\n\n[[routes]]\nserver = "T1"\napp = "support"\nusers = ["U1"]\n'
    )
    assert problem(text).startswith("bridge.toml line 7: this route is about the same places as the one at line 3")


def test_all_problems_of_all_files_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = (
        '[apps.x]\napi_key = "app-verysecret"\nrecover = "x"\nmax_concurent = 1\n'
        '[[routes]]\nchanel = "C1"\napp = "y"\n[[routes]]\n[nothing]\n'
    )
    found = problems(text, "HTTP_PORT=eighty\nSLACK_BOT_TOKN=1\n")
    assert [one.split(":")[0] for one in found if one.startswith("bridge.toml")] == [
        f"bridge.toml line {line}" for line in (2, 3, 4, 6, 7, 8, 9)
    ]
    assert any("HTTP_PORT" in one for one in found)
    assert any("SLACK_BOT_TOKN" in one for one in found)


# Secrets


def test_a_key_in_the_file_is_refused_with_the_fix() -> None:
    assert problem('[apps.our-help]\napi_key = "app-verysecret"\n') == (
        "bridge.toml line 2: apps.our-help.api_key must not stand in this file, because it is a secret: set it as "
        'OUR_HELP_API_KEY in the environment or in .env, and write api_key_env = "OUR_HELP_API_KEY" here.'
    )


@pytest.mark.parametrize(
    "text",
    [
        '[apps.x]\napi_key = "app-verysecret"\n',
        '[apps.x]\napi_key_env = "app-verysecret"\n',
        '[apps.x]\napi_key_env = ["app-verysecret"]\n',
        '[apps.x]\napi_key_env = "WRONG_KEY"\n',
        '[apps.x]\napikey = "app-verysecret"\n',
        '[apps.x]\napi_key_env = "app-verysecret" x\n',
        "[apps.x]\napi_key_env = app-verysecret\n",
        '[apps.x]\napi_key_env = "SUPPORT_KEY"\ninputs = { token = ["app-verysecret"] }\n',
        '[apps.x]\napi_key_env = "SUPPORT_KEY"\nbase_url = "https://me:app-verysecret@dify:70000/v1"\n',
    ],
)
def test_no_secret_stands_in_any_complaint(text: str) -> None:
    told = problems(text, "WRONG_KEY=Bearer app-verysecret\n")
    assert told
    assert "verysecret" not in "\n".join(told)


def test_no_secret_shows_when_the_configuration_is_printed() -> None:
    assert "app-support" not in repr(load(APP))


def test_a_wrong_key_is_told_under_the_name_that_the_operator_gave_it() -> None:
    assert problem('[apps.x]\napi_key_env = "X_KEY"\n', "X_KEY=Bearer app-1\n") == (
        "bridge.toml line 2: X_KEY must be the key alone, without 'Bearer', spaces or quotes around it."
    )


def test_a_variable_that_is_not_set_is_named() -> None:
    assert problem('[apps.x]\napi_key_env = "X_KEY"\n') == (
        "bridge.toml line 2: apps.x.api_key_env is X_KEY, but neither the environment nor .env has a X_KEY."
    )


def test_what_is_wrong_in_the_environment_is_told_once_and_as_such() -> None:
    text = APP + SECOND + '[[routes]]\napp = "support"\n'
    assert problem(text, "DIFY_MAX_CONCURRENT=0\n").startswith("DIFY_MAX_CONCURRENT must be a whole number")


def test_limits_that_contradict_each_other_are_told_with_the_app() -> None:
    assert problem(APP + "progress_timeout = 20\n", "DIFY_IDLE_TIMEOUT=30\n") == (
        "bridge.toml line 1: apps.support.progress_timeout (20) must not be shorter than DIFY_IDLE_TIMEOUT (30): "
        "raise the one or lower the other."
    )


# Odd files


def test_a_mark_of_windows_before_the_first_line_does_not_matter() -> None:
    assert SUPPORT in load("\ufeff" + APP.replace("\n", "\r\n")).apps


def test_a_file_in_another_encoding_is_named() -> None:
    Path("bridge.toml").write_bytes(b"# Schl\xfcssel\n")
    with pytest.raises(SettingsError, match=r"bridge\.toml is not UTF-8 text"):
        registry.load(None)


# Only the routes


def test_routes_alone_can_be_read_without_a_token_or_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SUPPORT_KEY"):
        monkeypatch.delenv(name)
    Path("bridge.toml").write_text(APP + '[[routes]]\napp = "support"\n')
    assert registry.load_routes(None).resolve(Place(platform=PlatformName("slack"))).app == AppPolicy(name=SUPPORT)


def test_a_route_about_a_platform_that_is_off_is_told() -> None:
    configuration = load(APP + '[[routes]]\napp = "support"\nplatform = "discord"\n')
    assert configuration.notices == ("The route at line 3 (discord) is about discord, which is not switched on.",)


# A backend that brings its own settings


class OtherSettings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore")

    other_token: SecretStr | None = None
    other_deep: bool = False
    other_model: str = "small"

    @property
    def enabled(self) -> bool:
        return self.other_token is not None


def test_a_new_backend_needs_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    known, kind = registry.folders, registry._settings_class
    monkeypatch.setattr(
        registry, "folders", lambda package: [*known(package), *(["other"] if "back" in package else [])]
    )
    monkeypatch.setattr(registry, "_settings_class", lambda *a: OtherSettings if a[1] == "other" else kind(*a))
    configuration = load('[apps.x]\nbackend = "other"\ntoken_env = "TOKEN"\ndeep = true\n', "TOKEN=t\n")
    part = configuration.apps[AppName("x")]
    assert (part.name, part.module) == ("other", "bridge.backends.other.backend")
    assert isinstance(part.settings, OtherSettings)
    assert (part.settings.other_deep, part.settings.other_model) == (True, "small")
    assert "must be true or false, without quotes" in problem(
        '[apps.x]\nbackend = "other"\ntoken_env = "TOKEN"\ndeep = 1\n', "TOKEN=t\n"
    )


# The example


def uncommented(text: str) -> str:
    """With every line that shows a default, too."""
    return "\n".join(line[1:] if line.startswith("#") and line[1:2].isalpha() else line for line in text.splitlines())


@pytest.mark.parametrize("everything", [False, True])
def test_the_example_can_be_loaded(everything: bool) -> None:
    text = (ROOT / "bridge.toml.example").read_text(encoding="utf-8")
    if everything:
        certificates = ROOT / "tests/backends/dify/certificates/ca.pem"
        text = uncommented(text).replace("certificates/our-own.pem", str(certificates))
        assert "max_event_bytes = " in text
    configuration = load(text, "DISCORD_TOKEN=abc.def.ghi\n")
    assert configuration.notices == ()
    assert set(configuration.apps) == {SUPPORT, SALES}


def test_the_example_shows_every_key() -> None:
    lines = uncommented((ROOT / "bridge.toml.example").read_text(encoding="utf-8")).splitlines()
    shown = {line.partition("=")[0].strip() for line in lines if "=" in line}
    limits = {name.removeprefix("dify_") for name in DifySettings.model_fields} - {"api_key"}
    assert {*AppTable.model_fields, *RouteTable.model_fields, *limits, "api_key_env"} - shown == set()
