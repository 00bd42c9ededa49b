"""Settings: from the environment and `.env`, refused by name with the fix, secrets never shown."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bridge import registry
from bridge.app import assemble, limits_of
from bridge.errors import SettingsError
from bridge.events import Command
from bridge.feedback import aggregate
from bridge.routing import AppPolicy, Everywhere, External, Recover
from bridge.settings import Settings, isolated, read
from tests.core import doings
from tests.core.test_home import HomelyPlatform
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE
from tests.fakes.store import FakeStore

NAMES = (
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "SLACK_SIGNING_SECRET",
    "SLACK_API_URL",
    "DISCORD_TOKEN",
    "DISCORD_API_URL",
    "DISCORD_GATEWAY_URL",
    "DIFY_API_KEY",
    "DIFY_BASE_URL",
    "DIFY_APP_TYPE",
    "DATABASE_URL",
    "HTTP_PORT",
    "HTTP_HOST",
)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # whoever works here may have a bridge.toml
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("number", [0, 21])
def test_an_answer_has_one_to_twenty_messages(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSWER_MESSAGES", str(number))
    with pytest.raises(SettingsError, match="ANSWER_MESSAGES must be a whole number from 1 on and up to 20"):
        read(Settings, None)


def test_the_number_of_messages_reaches_who_writes_them() -> None:
    app = assemble(
        isolated(Settings, answer_messages=7),
        FakeClock(),
        FakeStore(aggregate),
        {},
        {values.APP: FakeBackend(FakeClock())},
        Everywhere(app=AppPolicy(name=values.APP)),
    )
    assert app.parts.turns._limits.writer.most_messages == 7


class Example(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore")

    secret_token: SecretStr = Field(SecretStr("long enough"), min_length=8, description="A secret.")
    count: int = Field(1, ge=1, description="A number.")


def test_a_wrong_number_is_named_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "many")
    with pytest.raises(SettingsError) as caught:
        read(Example, None)
    assert caught.value.problems[0] == "COUNT must be a whole number from 1 on, but it is 'many'."


def test_a_wrong_secret_is_named_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    with pytest.raises(SettingsError) as caught:
        read(Example, None)
    assert "SECRET_TOKEN" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("HTTP_PORT=9001\nHTTP_HOST=0.0.0.0\n")
    monkeypatch.setenv("HTTP_PORT", "9002")
    settings = read(Settings, file)
    assert (settings.http_port, settings.http_host) == (9002, "0.0.0.0")  # noqa: S104  # a value, not a socket


def test_isolated_settings_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "9002")
    assert isolated(Settings).http_port == 8080


def test_emoji_lists_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_LIKE_EMOJI", " 👍 , :tada:,❤️ ,")
    assert read(Settings, None).feedback_like_emoji == {"👍", "tada", "❤"}


def test_skin_tones_in_emoji_lists_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_LIKE_EMOJI", "👍🏽,:+1::skin-tone-2:")
    assert read(Settings, None).feedback_like_emoji == {"👍", "+1"}


def test_the_log_level_may_be_written_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "info")
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    settings = read(Settings, None)
    assert (settings.log_level, settings.log_format) == ("INFO", "json")


def test_a_file_that_is_not_utf_8_is_named_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"# Schl\xfcssel\n")
    with pytest.raises(SettingsError) as caught:
        registry.load(file)
    assert [problem for problem in caught.value.problems if "UTF-8" in problem] == [
        f"{file} is not UTF-8 text; save it again with the encoding UTF-8."
    ]


def test_a_misspelt_name_in_the_file_is_told_with_the_name_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("DIFY_APIKEY=app-x\nSLACK_BOT_TOKN=x\nHTTP_PROXY=http://proxy\nOTHER=1\n")
    with pytest.raises(SettingsError) as caught:
        registry.load(file)
    text = "\n".join(caught.value.problems)
    assert "did you mean DIFY_API_KEY?" in text
    assert "did you mean SLACK_BOT_TOKEN?" in text
    assert "HTTP_PROXY" not in text
    assert "OTHER" not in text


@pytest.mark.parametrize(
    "name", [name.upper() for name in Settings.model_fields if not name.startswith(("http_", "log_"))]
)
def test_no_setting_can_be_misspelt_at_its_end_without_a_word(name: str, tmp_path: Path) -> None:
    """A limit or a list that is not read is worse than a bridge that does not start."""
    file = tmp_path / ".env"
    file.write_text(f"{name}X=1\n")
    with pytest.raises(SettingsError) as caught:
        registry.load(file)
    assert any(f"did you mean {name}?" in problem for problem in caught.value.problems)


def test_an_emoji_cannot_mean_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDBACK_DISLIKE_EMOJI", "👍")
    with pytest.raises(SettingsError, match="both contain 👍"):
        read(Settings, None)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("STOP_EMOJI", "FEEDBACK_LIKE_EMOJI"),
        ("RETRY_EMOJI", "FEEDBACK_DISLIKE_EMOJI"),
        ("RETRY_EMOJI", "STOP_EMOJI"),
    ],
)
def test_no_emoji_can_mean_two_things(name: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, ":tada:,🎉")
    monkeypatch.setenv(other, "🎉,x")
    with pytest.raises(SettingsError) as caught:
        read(Settings, None)
    (problem,) = caught.value.problems
    assert problem in {
        f"{one} and {two} both contain 🎉: remove it from one of them." for one, two in ((name, other), (other, name))
    }


def test_every_overlap_of_emoji_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOP_EMOJI", "👍")
    monkeypatch.setenv("RETRY_EMOJI", "👍,👎")
    with pytest.raises(SettingsError) as caught:
        read(Settings, None)
    for names in (
        "FEEDBACK_LIKE_EMOJI and STOP_EMOJI",
        "STOP_EMOJI and RETRY_EMOJI",
        "FEEDBACK_DISLIKE_EMOJI and RETRY_EMOJI",
    ):
        assert f"{names} both contain" in str(caught.value)


def test_what_is_set_of_files_threads_and_suggestions_holds_for_every_answer() -> None:
    limits = limits_of(isolated(Settings, most_file_mb=3, file_patience=7, context_messages=5, suggestions_wait=1))
    around, made = limits.surroundings, limits.producing
    assert (around.largest_file, around.file_patience, around.thread_messages) == (3_000_000, timedelta(seconds=7), 5)
    assert (made.largest, made.patience) == (3_000_000, timedelta(seconds=7))
    assert limits.prepare.suggestions == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("FILE_PATIENCE", "0", "FILE_PATIENCE must be"),
        ("MOST_FILE_MB", "201", "MOST_FILE_MB must be a whole number from 1 on and up to 200"),
        ("CONTEXT_MESSAGES", "-1", "CONTEXT_MESSAGES must be"),
        ("SUGGESTIONS_WAIT", "31", "SUGGESTIONS_WAIT must be a number from 0 on and up to 30"),
        ("CONTEXT_TURNS", "21", "CONTEXT_TURNS must be a whole number from 0 on and up to 20"),
        ("MOST_WAITING", "0", "MOST_WAITING must be a whole number from 1 on and up to 1000"),
        ("MOST_QUEUED", "0", "MOST_QUEUED must be a whole number from 1 on and up to 100000"),
        ("BUSY_PATIENCE", "-1", "BUSY_PATIENCE must be a number from 0 on and up to 3600"),
        ("RECOVER_PATIENCE", "3601", "RECOVER_PATIENCE must be a number from 0 on and up to 3600"),
        ("STOP_PATIENCE", "0", "STOP_PATIENCE must be a number from 1 on and up to 300"),
        ("WAIT_NOTICE", "x", "WAIT_NOTICE must be a number from 0 on and up to 600, but it is 'x'."),
        ("RECOVER", "never", "RECOVER: input should be 'fetch', 'reask' or 'apologise' (it is 'never')"),
        ("FOLLOW_DELETIONS", "perhaps", "FOLLOW_DELETIONS: input should be a valid boolean"),
    ],
)
def test_every_wait_and_limit_is_bounded(name: str, wrong: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(SettingsError) as caught:
        read(Settings, None)
    assert caught.value.problems[0].startswith(words)


def test_how_to_recover_may_be_written_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVER", " Fetch")
    assert read(Settings, None).recover is Recover.FETCH


def test_people_alone_may_answer_only_where_somebody_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMAN_INPUT", "People")
    with pytest.raises(SettingsError) as caught:
        read(Settings, None)
    assert caught.value.problems == [
        "HUMAN_INPUT is people, but HUMAN_INPUT_PEOPLE names nobody: write their ids there."
    ]
    monkeypatch.setenv("HUMAN_INPUT_PEOPLE", "U1, 2")
    assert read(Settings, None).human_input_people == {"U1", "2"}


def test_names_that_the_file_of_apps_reads_are_no_typing_errors(tmp_path: Path) -> None:
    env, config = tmp_path / ".env", tmp_path / "bridge.toml"
    config.write_text('[apps.x]\napi_key_env = "DIFY_SUPPORT"\n')
    env.write_text("DIFY_SUPPORT=app-x\nDIFY_SALES=app-y\nSTOP_EMOJIS=x\n")
    with pytest.raises(SettingsError) as caught:
        registry.load(env, config)
    text = "\n".join(caught.value.problems)
    assert "DIFY_SUPPORT" not in text
    assert "DIFY_SALES" in text
    assert "did you mean STOP_EMOJI?" in text


def test_nothing_configured_says_what_to_set() -> None:
    with pytest.raises(SettingsError) as caught:
        registry.load(None)
    text = "\n".join(caught.value.problems)
    assert "SLACK_BOT_TOKEN" in text
    assert "DISCORD_TOKEN" in text
    assert "DIFY_API_KEY" in text


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "abc")
    monkeypatch.setenv("DATABASE_URL", "mysql://db")
    with pytest.raises(SettingsError) as caught:
        registry.load(None)
    text = "\n".join(caught.value.problems)
    assert "HTTP_PORT" in text
    assert "DATABASE_URL" in text
    assert "DIFY_API_KEY" in text


def test_a_platform_without_credentials_is_simply_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-2-abc")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-2-abc")
    monkeypatch.setenv("DIFY_API_KEY", "app-abc")
    configuration = registry.load(None)
    assert [part.name for part in configuration.platforms] == ["slack"]
    assert {name: part.name for name, part in configuration.apps.items()} == {"default": "dify"}


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-2-verysecret")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-2-verysecret")
    monkeypatch.setenv("DIFY_API_KEY", "app-verysecret")
    assert "verysecret" not in repr(registry.load(None))


def test_the_example_lists_every_setting_with_its_meaning() -> None:
    text = registry.example()
    for name in NAMES:
        assert f"\n#{name}=" in text
    for line in text.splitlines():
        assert line == "" or line.startswith("#")


# Guests and words


def test_guests_are_kept_out_and_the_words_are_english_unless_something_else_is_set() -> None:
    settings = isolated(Settings)
    assert (settings.external_channels, settings.allowed_bots, settings.bot_turns) == (External.DENY, frozenset(), 3)
    assert (settings.mute_words, settings.unmute_words) == (frozenset({"mute"}), frozenset({"unmute"}))


def test_guests_and_words_are_read_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXTERNAL_CHANNELS", " Mention ")
    monkeypatch.setenv("ALLOWED_BOTS", "B1, U2 ,")
    monkeypatch.setenv("MUTE_WORDS", "Ruhe bitte, 静かに")
    settings = read(Settings, None)
    assert (settings.external_channels, settings.allowed_bots) == (External.MENTION, frozenset({"B1", "U2"}))
    assert settings.mute_words == frozenset({"Ruhe bitte", "静かに"})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EXTERNAL_CHANNELS", "off", "EXTERNAL_CHANNELS: input should be 'deny', 'mention' or 'on' \\(it is 'off'\\)"),
        ("BOT_TURNS", "0", "BOT_TURNS must be a whole number from 1 on and up to 50"),
        ("BOT_TURNS", "51", "BOT_TURNS must be a whole number from 1 on and up to 50"),
        ("MUTE_WORDS", "mute,!!", "MUTE_WORDS contains '!!', which is no word"),
        ("MUTE_WORDS", "x" * 41, "MUTE_WORDS contains 'x+', which is no word"),
        ("MUTE_WORDS", "Unmute!", "MUTE_WORDS and UNMUTE_WORDS both contain unmute: remove it from one of them."),
        ("UNMUTE_WORDS", "Stop", "cannot contain stop"),
    ],
)
def test_what_would_mean_two_things_or_nothing_is_refused(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=sentence):
        read(Settings, None)


async def test_words_and_turns_reach_the_desk_and_who_looks_at_the_bots_page_is_greeted() -> None:
    clock = FakeClock()
    platform = HomelyPlatform(clock)
    app = assemble(
        isolated(Settings, mute_words=frozenset({"ruhe"}), unmute_words=frozenset({"weiter"}), bot_turns=7),
        clock,
        FakeStore(aggregate),
        {FAKE: platform},
        {values.APP: FakeBackend(clock)},
        Everywhere(app=AppPolicy(name=values.APP)),
    )
    policy = app.parts.intake._policy
    assert (policy.words.mute, policy.words.unmute, policy.bot_turns) == (
        frozenset({"ruhe"}),
        frozenset({"weiter"}),
        7,
    )
    await app.parts.intake(doings.home_opened())
    await app.parts.intake(doings.command(Command.HELP))
    tasks = [asyncio.ensure_future(app.parts.front_hall.run()), asyncio.ensure_future(app.parts.notices.run())]
    await clock.settle()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert "`ruhe`" in platform.homes[0][1].help
    assert "`ruhe`" in platform.texts[0]
