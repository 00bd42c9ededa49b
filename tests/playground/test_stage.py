"""The stage: stand-ins, an ordinary bridge between them, restarts on the same memory, faults, and the command."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Required, TypedDict, Unpack

import pytest

from bridge.clock import SystemClock
from bridge.errors import SettingsError, StoreInUse
from bridge.playground.bodies import BadBody, React, Turn
from bridge.playground.bodies import Post as PostBody
from bridge.playground.dify import DifyServer
from bridge.playground.slack import Message
from bridge.playground.stage import Stage, play
from tests.fakes.ports import free_port

PATIENCE = 15.0


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("DIFY_", "SLACK_", "DISCORD_", "DATABASE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


class How(TypedDict, total=False):
    database: Required[Path]
    env_file: Path
    keep_database: bool


class Database:
    """The file that the command uses, seen from the working directory."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exists(self) -> bool:
        return self._path.is_file()

    def write(self, text: str) -> None:
        self._path.parent.mkdir()
        self._path.write_text(text)

    def read(self) -> str:
        return self._path.read_text()


@pytest.fixture
def default_database(tmp_path: Path) -> Database:
    return Database(tmp_path / "data" / "playground.db")


@asynccontextmanager
async def raised(**how: Unpack[How]) -> AsyncIterator[Stage]:
    """A stage that hears both platforms, and whose Dify answers at once."""
    stage = Stage(grace=5.0, **how)
    await stage.start()
    try:
        assert await stage.connected(), (await stage.picture())["bridge"]
        if stage.dify is not None:
            stage.dify.first_token = stage.dify.per_token = 0.0
        yield stage
    finally:
        await stage.stop(kill=True)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with raised(database=tmp_path / "playground.db") as stage:
        yield stage


def dify_of(stage: Stage) -> DifyServer:
    assert stage.dify is not None
    return stage.dify


async def until(stage: Stage, condition: Callable[[], bool]) -> None:
    """Looks again whenever anything on the stage changes."""
    changed = asyncio.Event()
    stage.on_change(changed.set)
    async with asyncio.timeout(PATIENCE):
        while not condition():
            changed.clear()
            await stage.clock.wait(changed, 0.2)


def answers(stage: Stage) -> list[Message]:
    return [one for one in stage.slack.messages("C0GENERAL") if one.is_bot]


async def ask(stage: Stage, text: str, thread: str | None = None) -> str:
    return await stage.post("slack", PostBody(channel="C0GENERAL", thread=thread, person="U0ADA", text=text))


async def react(stage: Stage, message: Message, emoji: str, *, add: bool = True) -> None:
    await stage.react("slack", React(channel="C0GENERAL", message=message.ts, person="U0ADA", emoji=emoji, add=add))


async def rating_shown(stage: Stage) -> object:
    picture = await stage.picture()
    match picture["slack"]:
        case {"channels": [{"messages": [{"thread": {"messages": [{"rating": rating}, *_]}}, *_]}, *_]}:
            return rating
    return "no answer"


async def until_rated(stage: Stage, wanted: str | None) -> None:
    async with asyncio.timeout(PATIENCE):
        while await rating_shown(stage) != wanted:
            await stage.clock.sleep(0.02)


async def test_a_question_is_answered_and_its_rating_comes_back_to_the_picture(stage: Stage) -> None:
    await ask(stage, "@bot hello")
    await until(stage, lambda: bool(answers(stage)) and bool(dify_of(stage).requests[0].ended))
    assert await rating_shown(stage) is None
    for emoji, add, rating in (("👍", True, "like"), ("👍", False, "none"), ("👎", True, "dislike")):
        await react(stage, answers(stage)[0], emoji, add=add)
        await until_rated(stage, rating)


async def test_a_restart_keeps_the_conversation_and_the_rating_of_earlier_answers(stage: Stage) -> None:
    root = await ask(stage, "@bot first")
    await until(stage, lambda: bool(dify_of(stage).requests) and bool(dify_of(stage).requests[0].ended))
    before = stage.app
    await stage.restart_bridge()
    assert stage.app is not before
    assert (await stage.readiness())[0]
    await react(stage, answers(stage)[0], "👍")
    await until_rated(stage, "like")
    await ask(stage, "second", thread=root)
    await until(stage, lambda: len(answers(stage)) == 2)
    first, second = dify_of(stage).requests
    assert second.conversation_id in dify_of(stage).conversations
    assert second.user == first.user


async def test_killed_in_the_middle_the_next_bridge_finishes_the_answer_in_the_same_message(stage: Stage) -> None:
    dify_of(stage).per_token = 0.02
    await ask(stage, "@bot a long answer")
    await until(stage, lambda: bool(answers(stage)) and len(answers(stage)[0].history) > 1)
    dify_of(stage).per_token = 0.0
    await stage.restart_bridge(kill=True)
    await until(stage, lambda: len(dify_of(stage).requests) == 2)
    await until(stage, lambda: all(block["type"] != "actions" for block in answers(stage)[0].blocks))
    assert len(answers(stage)) == 1
    assert len(dify_of(stage).stops) == 1, "the run that nobody listened to was ended"


async def test_what_was_asked_while_the_bridge_was_away_is_answered(stage: Stage) -> None:
    restarting = asyncio.create_task(stage.restart_bridge())
    await until(stage, lambda: stage.slack.open_sockets == 0)
    await ask(stage, "@bot still there?")
    await restarting
    await until(stage, lambda: bool(answers(stage)))


async def test_two_restarts_at_once_are_refused(stage: Stage) -> None:
    first = asyncio.create_task(stage.restart_bridge())
    await asyncio.sleep(0)
    with pytest.raises(BadBody, match="being started or stopped already"):
        await stage.restart_bridge()
    await first


async def test_the_picture_says_how_the_bridge_is(stage: Stage) -> None:
    assert (await stage.picture())["bridge"] == {
        "starts": 1,
        "state": "ready",
        "words": "The bridge hears both platforms",
    }
    stage.slack.refuse_sockets = True
    stage.slack.drop_sockets()
    async with asyncio.timeout(PATIENCE):
        while (shown := (await stage.picture())["bridge"]) and "degraded" not in str(shown):
            await stage.clock.sleep(0.02)
    assert "Slack" in str(shown)
    assert "discord" not in str(shown)


async def test_every_fault_can_be_switched_and_unknown_ones_are_refused(stage: Stage) -> None:
    def switches(picture: object) -> dict[str, bool]:
        assert isinstance(picture, list)
        return {one["name"]: one["on"] for one in picture if one["kind"] == "switch"}

    names = list(switches((await stage.picture())["faults"]))
    assert {name.partition("_")[0] for name in names} == {"dify", "slack", "discord"}
    for name in names:
        for on in (True, False):
            await stage.turn(Turn(name=name, on=on))
            assert switches((await stage.picture())["faults"])[name] is on
    with pytest.raises(BadBody, match="There is no fault named “fire”"):
        await stage.turn(Turn(name="fire", on=True))


async def test_a_fault_for_the_next_call_is_used_up_by_it(stage: Stage) -> None:
    await stage.turn(Turn(name="slack_broken", on=True))
    await ask(stage, "@bot hello")
    await until(stage, lambda: bool(answers(stage)))
    assert [one.status for one in stage.slack.calls if one.method == "chat.postMessage"] == [500, 200]
    faults = (await stage.picture())["faults"]
    assert isinstance(faults, list)
    assert not any(one["on"] for one in faults)


async def test_platform_tokens_and_databases_of_the_environment_are_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tmp_path / ".env"
    env.write_text("SLACK_BOT_TOKEN=nonsense\nDISCORD_TOKEN=nonsense\nDATABASE_URL=nonsense\nHTTP_PORT=1\n")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/")
    async with raised(database=tmp_path / "own.db", env_file=env) as stage:
        await ask(stage, "@bot hello")
        await until(stage, lambda: bool(answers(stage)))


async def test_each_start_begins_empty_unless_it_is_told_not_to(tmp_path: Path) -> None:
    database = tmp_path / "deep" / "playground.db"

    def rows() -> int:
        with closing(sqlite3.connect(database)) as connection:
            return int(connection.execute("SELECT count(*) FROM conversation").fetchone()[0])

    for keep, found in ((False, 0), (True, 1), (False, 0)):
        async with raised(database=database, keep_database=keep) as stage:
            assert rows() == found
            if not found:
                await ask(stage, "@bot hello")
                await until(stage, lambda: bool(answers(stage)))  # awaited before the loop goes on


async def test_with_a_dify_configured_that_one_is_asked_and_witnessed(tmp_path: Path) -> None:
    real = DifyServer(SystemClock())
    await real.start()
    real.first_token = real.per_token = 0.0
    env = tmp_path / "my.env"
    env.write_text(f"DIFY_BASE_URL={real.base_url}\nDIFY_API_KEY={real.api_key}\n")
    try:
        async with raised(database=tmp_path / "playground.db", env_file=env) as stage:
            assert stage.dify is None
            await ask(stage, "@bot hello")
            await until(stage, lambda: bool(answers(stage)))
            await react(stage, answers(stage)[0], "👎")
            await until_rated(stage, "dislike")
            match (await stage.picture())["dify"]:
                case {"stand_in": False, "requests": [request]}:
                    assert request["question"] == "hello"
                    assert request["conversation"] in real.conversations
                    assert request["rating"] == "dislike"
                case other:
                    raise AssertionError(other)
        assert [one.rating for one in real.ratings.values()] == ["dislike"]
    finally:
        await real.stop()


async def test_the_command_says_where_it_is_and_ends_on_a_signal(
    capsys: pytest.CaptureFixture[str], default_database: Database
) -> None:
    port = free_port()
    playing = asyncio.create_task(play(host="127.0.0.1", port=port, env_file=None, open_browser=False))
    said = ""
    async with asyncio.timeout(PATIENCE):
        while "Ctrl-C" not in said:
            await asyncio.wait({playing}, timeout=0.02)
            assert not playing.done(), await playing
            said += capsys.readouterr().out
    assert f"The playground is at http://127.0.0.1:{port}/" in said
    assert default_database.exists()
    os.kill(os.getpid(), signal.SIGTERM)
    assert await playing == 0


async def test_a_taken_port_is_named_and_costs_nobody_a_database(default_database: Database) -> None:
    default_database.write("somebody else's")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} on 127.0.0.1 is taken by another program"):
            await play(host="127.0.0.1", port=port, env_file=None, open_browser=False)
    assert default_database.read() == "somebody else's"


async def test_another_playground_keeps_its_database(stage: Stage, tmp_path: Path) -> None:
    other = Stage(database=tmp_path / "playground.db")
    with pytest.raises(StoreInUse, match="Another playground is running on"):
        await other.start()
    await ask(stage, "@bot still there?")
    await until(stage, lambda: bool(answers(stage)))
    await react(stage, answers(stage)[0], "👍")
    await until_rated(stage, "like")
