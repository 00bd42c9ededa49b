"""The echo says the question back, and answers only where an app of the file names it."""

from contextlib import aclosing
from pathlib import Path

import pytest

from bridge import registry
from bridge.backend_api import AnswerCompleted, AnswerStarted, Question, TextDelta
from bridge.backends.echo.backend import create
from bridge.backends.echo.settings import Settings
from bridge.clock import SystemClock
from bridge.errors import SettingsError
from bridge.messages import AppName, BackendConversationId, BackendUser, Rating
from bridge.settings import isolated
from bridge.storage.settings import Settings as DatabaseSettings

ADA = BackendUser("slack:T1:U1")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DIFY_API_KEY", "DISCORD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


async def test_the_question_comes_back_word_by_word_with_every_space_in_it() -> None:
    echo = create(isolated(Settings, echo_pause=0.0), SystemClock())
    question = Question(text="  So,  what\nnow?", user=ADA, conversation=BackendConversationId("c1"))
    async with aclosing(echo.answer(question)) as stream:
        events = [event async for event in stream]
    texts = [event.text for event in events if isinstance(event, TextDelta)]
    assert texts == ["  ", "So,  ", "what\n", "now?"]
    assert isinstance(events[0], AnswerStarted)
    assert events[0].ids.conversation == "c1"
    assert isinstance(events[-1], AnswerCompleted)


async def test_an_answer_from_before_a_restart_can_be_rated() -> None:
    settings = isolated(Settings, echo_pause=0.0)
    async with aclosing(create(settings, SystemClock()).answer(Question(text="hi", user=ADA))) as stream:
        started = await anext(stream)
    assert isinstance(started, AnswerStarted)
    again = create(settings, SystemClock())
    await again.rate(started.ids, ADA, Rating.LIKE, "")
    assert again.rating_of(started.ids) is Rating.LIKE


def test_an_app_of_the_file_can_be_an_echo_and_needs_no_key() -> None:
    Path("bridge.toml").write_text('[apps.trial]\nbackend = "echo"\npause = 0.5\n', encoding="utf-8")
    Path(".env").write_text("DISCORD_TOKEN=abc.def.ghi\n", encoding="utf-8")
    configuration = registry.load(Path(".env"))
    part = configuration.apps[AppName("trial")]
    assert part.name == "echo"
    assert isinstance(part.settings, Settings)
    assert part.settings.echo_pause == 0.5


def test_without_an_app_that_names_it_nothing_is_echoed() -> None:
    Path(".env").write_text(
        f"DISCORD_TOKEN=abc.def.ghi\nDATABASE_URL={DatabaseSettings().database_url}\n", encoding="utf-8"
    )
    with pytest.raises(SettingsError, match="DIFY_API_KEY"):
        registry.load(Path(".env"))
