"""`bridge.toml`: apps and routes as an operator writes them, beside what the environment says."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge import registry
from bridge.backends.dify.settings import Settings as DifySettings
from bridge.backends.openai.prompting import fill_in
from bridge.backends.openai.settings import Settings as OpenAISettings
from bridge.configuring.schema import AppTable, RouteTable
from bridge.errors import SettingsError
from bridge.messages import AppName, ChannelId, InstallationId, PersonId, PlatformName
from bridge.quotas import Quotas, read_quota
from bridge.routing import (
    DEFAULT_APP,
    Access,
    Answers,
    AppPolicy,
    Everywhere,
    External,
    Follow,
    Guests,
    MayAnswer,
    Place,
    Recover,
    Resolution,
    Routes,
)
from tests.architecture.sources import ROOT
from tests.configuring.files import APP, SALES, SECOND, SUPPORT, dify, load, problem

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


def test_a_workflow_app_may_name_the_input_for_the_question() -> None:
    settings = dify(load(APP + 'app_type = "workflow"\nquery_input = "text"\n'), SUPPORT)
    assert (settings.dify_app_type, settings.dify_query_input) == ("workflow", "text")


@pytest.mark.parametrize(
    ("written", "may"),
    [
        ("", MayAnswer(people=frozenset({"U9"}))),
        ('human_input = "anyone"\n', MayAnswer(asker=False, anyone=True, people=frozenset({"U9"}))),
        ('human_input_people = ["U1", 2]\n', MayAnswer(people=frozenset({"U1", "2"}))),
        (
            'human_input = "people"\nhuman_input_people = ["U1"]\n',
            MayAnswer(asker=False, people=frozenset({"U1"})),
        ),
    ],
)
def test_who_may_answer_an_app_that_waits_for_people_is_its_own_or_the_environments(
    written: str, may: MayAnswer
) -> None:
    assert load(APP + written, "HUMAN_INPUT_PEOPLE=U9\n").routes.apps[SUPPORT].may_answer == may


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


def test_a_key_of_the_environment_that_the_file_puts_aside_is_told() -> None:
    configuration = load('[apps.default]\napi_key_env = "SUPPORT_KEY"\n', "DIFY_API_KEY=app-env\n")
    assert dify(configuration, DEFAULT_APP).api_key == "app-support"
    assert configuration.notices == (
        "DIFY_API_KEY in the environment is not used: apps.default names another variable.",
    )


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


def test_the_setting_is_followed_also_when_another_setting_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "set.toml").write_text("[apps.x]\nmax_concurrent = 0\n")
    monkeypatch.setenv("BRIDGE_CONFIG", "set.toml")
    monkeypatch.setenv("HTTP_PORT", "eighty")
    with pytest.raises(SettingsError) as caught:
        registry.load(None)
    assert any(problem.startswith("set.toml line 2: ") for problem in caught.value.problems)


@pytest.mark.parametrize("by_option", [True, False])
def test_a_file_that_is_not_there_is_named(by_option: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_API_KEY", "app-env")
    if not by_option:
        monkeypatch.setenv("BRIDGE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError) as caught:
        registry.load(None, Path("nowhere.toml") if by_option else None)
    assert caught.value.problems == [f"{'--config' if by_option else 'BRIDGE_CONFIG'}: nowhere.toml is not a file."]


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


def test_the_example_of_a_model_on_another_server_can_be_loaded() -> None:
    text = (ROOT / "bridge.toml.example").read_text(encoding="utf-8")
    lines = [line.removeprefix("#   ") for line in text.splitlines() if line.startswith("#   ")]
    configuration = load("\n".join(lines), "LOCAL_KEY=sk-local\n")
    settings = configuration.apps[AppName("local")].settings
    assert isinstance(settings, OpenAISettings)
    policy = configuration.routes.apps[AppName("local")]
    assert fill_in(settings.openai_system_prompt, policy.inputs).strip() == (
        "You answer questions of Support at Acme, in English. Be brief."
    )


def test_the_example_shows_every_key() -> None:
    lines = uncommented((ROOT / "bridge.toml.example").read_text(encoding="utf-8")).splitlines()
    shown = {line.partition("=")[0].strip() for line in lines if "=" in line}
    limits = {name.removeprefix("dify_") for name in DifySettings.model_fields} - {"api_key"}
    assert {*AppTable.model_fields, *RouteTable.model_fields, *limits, "api_key_env"} - shown == set()


# Guests


SLACK_C1 = Place(platform=PlatformName("slack"), installation=InstallationId("T1"), channel=ChannelId("C1"))


def guests(text: str, env: str = "") -> Guests:
    resolver = load(text, env).routes
    assert resolver is not None
    return resolver.resolve(SLACK_C1).guests


def bots(*ids: str) -> frozenset[PersonId]:
    return frozenset(PersonId(one) for one in ids)


def test_what_guests_get_is_said_by_the_route_and_else_by_the_environment() -> None:
    env = "EXTERNAL_CHANNELS=on\nALLOWED_BOTS=B1,B2\n"
    route = APP + '[[routes]]\napp = "support"\n'
    assert guests(APP) == guests(route) == Guests()
    assert guests(APP, env) == guests(route, env) == Guests(external=External.ON, bots=bots("B1", "B2"))
    own = route + 'external = "mention"\nbots = ["B3"]\n'
    assert guests(own, env) == Guests(external=External.MENTION, bots=bots("B3"))
    assert guests(route + "bots = []\n", env) == Guests(external=External.ON)


def test_a_bot_that_a_route_names_is_let_in_beside_its_people_and_one_of_the_environment_is_not() -> None:
    route = APP + '[[routes]]\napp = "support"\nusers = ["U1"]\n'
    for text, admitted in ((route, bots("U1")), (route + 'bots = ["B3"]\n', bots("U1", "B3"))):
        resolver = load(text, "ALLOWED_BOTS=B1\n").routes
        assert resolver is not None
        assert resolver.resolve(SLACK_C1).access == Access(users=admitted)
    everybody = load(APP + '[[routes]]\napp = "support"\nbots = ["B3"]\n').routes
    assert everybody is not None
    assert everybody.resolve(SLACK_C1).access == Access()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('external = "off"', 'routes.external must be "deny", "mention" or "on", but it is \'off\'.'),
        ("external = true", 'routes.external must be "deny", "mention" or "on", but it is true.'),
        ('bots = "B1"', "routes.bots must be a list of ids of bots"),
        ('bots = ["@robot"]', "routes.bots must be a list of ids of bots"),
    ],
)
def test_a_wrong_word_about_guests_is_told_with_its_line(line: str, words: str) -> None:
    told = problem(APP + '[[routes]]\napp = "support"\n' + line + "\n")
    assert told.startswith("bridge.toml line 5: ")
    assert words in told


# Where answers stand, and how many


def at_c1(text: str, env: str = "") -> Resolution:
    resolver = load(text, env).routes
    assert resolver is not None
    return resolver.resolve(SLACK_C1)


def test_answers_stand_in_threads_unless_a_route_wants_replies() -> None:
    route = APP + '[[routes]]\napp = "support"\n'
    assert at_c1(APP).answers is at_c1(route).answers is Answers.THREAD
    assert at_c1(route + 'answers = "reply"\n').answers is Answers.REPLY


def test_quotas_are_said_by_the_route_and_else_by_the_environment() -> None:
    env = "QUESTIONS_PER_PERSON=20/10m\nQUESTIONS_PER_CHANNEL=100/1h\n"
    both = Quotas(per_person=read_quota("20/10m"), per_channel=read_quota("100/1h"))
    route = APP + '[[routes]]\napp = "support"\n'
    assert at_c1(APP).quotas == at_c1(route).quotas == Quotas()
    assert at_c1(APP, env).quotas == at_c1(route, env).quotas == both
    own = route + 'questions_per_person = "5/1d"\nquestions_per_channel = "none"\n'
    assert at_c1(own, env).quotas == Quotas(per_person=read_quota("5/1d"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('answers = "channel"', 'routes.answers must be "thread" or "reply", but it is \'channel\'.'),
        ('questions_per_person = "many"', "routes.questions_per_person must be so many questions in a while"),
        ("questions_per_channel = 20", "routes.questions_per_channel must be so many questions in a while"),
        ('questions_per_persons = "20/10m"', "Did you mean questions_per_person?"),
    ],
)
def test_a_wrong_word_about_answers_or_quotas_is_told_with_its_line(line: str, words: str) -> None:
    told = problem(APP + '[[routes]]\napp = "support"\n' + line + "\n")
    assert told.startswith("bridge.toml line 5: ")
    assert words in told


def test_a_wrong_quota_in_the_environment_is_told() -> None:
    told = problem(APP, "QUESTIONS_PER_CHANNEL=20 a day\n")
    assert told.startswith("QUESTIONS_PER_CHANNEL: must be a number of questions and a while, such as 20/10m")


# Apps of other backends


def test_an_app_on_a_server_with_openais_api_needs_a_model_and_may_need_no_key() -> None:
    configuration = load(
        '[apps.local]\nbackend = "openai"\nmodel = "llama3.2"\nbase_url = "http://localhost:11434/v1"\n'
        'temperature = 0.2\nmax_tokens = 500\nmost_images = 2\nsystem_prompt = """\nYou are {who}.\n"""\n'
        'inputs = { who = "Acme\'s bot" }\n'
    )
    app = configuration.apps[AppName("local")]
    settings = app.settings
    assert isinstance(settings, OpenAISettings)
    assert app.name == "openai"
    assert (settings.openai_model, settings.openai_base_url, settings.api_key) == (
        "llama3.2",
        "http://localhost:11434/v1",
        "",
    )
    assert (settings.openai_temperature, settings.openai_max_tokens, settings.openai_most_images) == (0.2, 500, 2)
    assert settings.openai_system_prompt.strip() == "You are {who}."


def test_such_an_app_has_a_key_of_its_own_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-program")
    text = '[apps.local]\nbackend = "openai"\nmodel = "m"\n'
    own = load(text + 'api_key_env = "SUPPORT_KEY"\n').apps[AppName("local")].settings
    none = load(text).apps[AppName("local")].settings
    assert isinstance(own, OpenAISettings)
    assert isinstance(none, OpenAISettings)
    assert (own.api_key, none.api_key) == ("app-support", "")


def test_the_environment_makes_one_app_and_says_which_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_MODEL", "m")
    alone = registry.load(None)
    assert (alone.apps[DEFAULT_APP].name, alone.notices) == ("openai", ())
    monkeypatch.setenv("DIFY_API_KEY", "app-1")
    both = registry.load(None)
    assert both.apps[DEFAULT_APP].name == "dify"
    (notice,) = both.notices
    assert notice.startswith("The environment sets up an app of openai, too, which is not used")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", 'bridge.toml line 1: apps.local needs model = "...".'),
        (
            'model = "m"\ntemperature = "warm"\n',
            "bridge.toml line 4: apps.local.temperature must be a number, without quotes.",
        ),
        (
            'model = "m"\nmax_tokens = 0.5\n',
            "bridge.toml line 4: apps.local.max_tokens must be a whole number, without quotes.",
        ),
        ('model = "m"\napi_key = "sk-1"\n', "bridge.toml line 4: apps.local.api_key must not stand in this file"),
        ('model = "m"\nsystem = "x"\n', "bridge.toml line 4: apps.local.system is not known. Did you mean"),
    ],
)
def test_a_mistake_in_such_an_app_is_told_with_its_line(written: str, sentence: str) -> None:
    assert problem(f'[apps.local]\nbackend = "openai"\n{written}').startswith(sentence)
