"""Every mistake in `bridge.toml` is told with its line and its fix, all at once, and without a secret."""

from pathlib import Path

import pytest

from bridge import registry
from bridge.errors import SettingsError
from tests.configuring.files import APP, SECOND, SUPPORT, load, problem, problems

BACKENDS = " or ".join(registry.folders("bridge.backends"))


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
        ("app_type = 'bot'", "apps.support.app_type must be chat, agent-chat, advanced-chat, completion or workflow"),
        ("query_input = 'the text'", "apps.support.query_input must be the name of one input variable"),
        ("recover = 'never'", 'apps.support.recover must be "fetch", "reask" or "apologise", but it is \'never\'.'),
        ("recover = 1", 'apps.support.recover must be "fetch", "reask" or "apologise", but it is 1.'),
        ("human_input = 'all'", 'apps.support.human_input must be "asker", "anyone" or "people", but it is \'all\'.'),
        (
            "human_input = 'people'",
            'apps.support.human_input is "people", but human_input_people names nobody; write their ids there.',
        ),
        (
            "human_input_people = 'U1'",
            "apps.support.human_input_people must be a list of ids of people or of Discord roles",
        ),
        ("human_input_people = ['@ada']", "apps.support.human_input_people must be a list of ids"),
        ("context_turns = 21", "apps.support.context_turns must be a whole number from 0 up to 20, but it is 21."),
        ("context_turns = true", "apps.support.context_turns must be a whole number from 0 up to 20, but it is true."),
        ("most_waiting = 0", "apps.support.most_waiting must be a whole number from 1 up to 1000, but it is 0."),
        ("most_queued = '9'", "apps.support.most_queued must be a whole number from 1 up to 100000, but it is '9'."),
        ("inputs = 'x'", "apps.support.inputs must be a table of texts, numbers and true or false"),
        ("inputs = { a = 1979-05-27 }", "apps.support.inputs.a must be a text, a number, true or false, { from ="),
        ("inputs = { a = nan }", "apps.support.inputs.a must be a text, a number, true or false, { from ="),
        (
            "backend = 'difi'",
            f"apps.support.backend must be {BACKENDS}, but it is 'difi'. Did you mean dify?",
        ),
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


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            'apps = ["support", "sails"]',
            "routes.apps must be a list of names of apps, but there is none named 'sails'. Did",
        ),
        ('apps = ["support", "support"]', "routes.apps names 'support' twice; remove one of them."),
        (
            'apps = ["sales"]\napp = "support"',
            "routes.apps must have routes.app in it, but 'support' is missing, which answers",
        ),
        ("apps = []", "routes.apps must be a list of names of apps in quotes, such as"),
        ('apps = "support"', "routes.apps must be a list of names of apps in quotes, such as"),
        ("apps = [3]", "routes.apps must be a list of names of apps in quotes, such as"),
        ('channel = "C1"', "routes.app is missing; it must be the name of an app in quotes."),
    ],
)
def test_what_is_wrong_about_apps_to_choose_from_is_told_with_its_line(written: str, sentence: str) -> None:
    text = f"{APP}{SECOND}[[routes]]\n{written}\n"
    line = 5 if "missing; it" in sentence else 6
    found = [one for one in problems(text) if "routes" in one]
    assert found[0].startswith(f"bridge.toml line {line}: {sentence}")


def test_two_routes_about_the_same_places_are_refused_with_both_lines() -> None:
    text = (
        APP
        + '[[routes]]\napp = "support"\nworkspace = "T1"\n\n[[routes]]\nserver = "T1"\napp = "support"\nusers = ["U1"]\n'
    )
    assert problem(text).startswith("bridge.toml line 7: this route is about the same places as the one at line 3")


def test_a_route_with_a_mistake_is_not_taken_for_the_twin_of_what_is_left_of_it() -> None:
    text = APP + '[[routes]]\napp = "support"\n[[routes]]\napp = "support"\nchannel = "#help"\n'
    assert problem(text).startswith("bridge.toml line 7: routes.channel must be")


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


def test_a_route_to_the_app_of_an_environment_that_is_wrong_is_no_mistake() -> None:
    text = '[[routes]]\napp = "default"\n'
    assert problem(text, "DIFY_API_KEY=app-env\nDIFY_MAX_CONCURRENT=0\n").startswith("DIFY_MAX_CONCURRENT must be")


def test_a_file_that_is_not_toml_does_not_hide_what_is_wrong_in_the_environment() -> None:
    told = problems("apps", "DIFY_MAX_CONCURRENT=0\n")
    assert {one.split(" ")[0] for one in told} == {"DIFY_MAX_CONCURRENT", "bridge.toml"}


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
