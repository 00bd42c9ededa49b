"""An app on a server with OpenAI's API, asked in Slack and in Discord, through the whole bridge."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.registry import Configuration, backend
from bridge.routing import DEFAULT_APP
from tests.fakes.openai_server import Fault, Kind, OpenAIServer, Reply, Trouble
from tests.integration import discord_world, slack_world
from tests.integration.slack_world import ADA, GENERAL, GRACE

PROMPT = "You are the helpful bot of Acme."


def with_model(configuration: Configuration, server: OpenAIServer) -> Configuration:
    app = backend(
        "openai",
        openai_model="stand-in",
        openai_api_key=server.key,
        openai_base_url=server.base_url,
        openai_system_prompt=PROMPT,
        openai_idle_timeout=2,
        openai_progress_timeout=3,
    )
    return replace(configuration, apps={DEFAULT_APP: app})


class SlackWorld(slack_world.World):
    def __init__(self, folder: Path, server: OpenAIServer) -> None:
        super().__init__(folder)
        self.server = server

    def _configuration(self) -> Configuration:
        return with_model(super()._configuration(), self.server)


class DiscordWorld(discord_world.World):
    def __init__(self, folder: Path, server: OpenAIServer) -> None:
        super().__init__(folder)
        self.server = server

    def _configuration(self) -> Configuration:
        return with_model(super()._configuration(), self.server)


@pytest.fixture(params=list(Kind))
async def server(request: pytest.FixtureRequest) -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(request.param) as server:
        yield server


@pytest.fixture
async def openai() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


@pytest.fixture
async def slack(openai: OpenAIServer, tmp_path: Path) -> AsyncIterator[SlackWorld]:
    world = SlackWorld(tmp_path, openai)
    async with slack_world.living(world):
        yield world


async def test_a_conversation_in_slack_goes_on_after_a_restart(server: OpenAIServer, tmp_path: Path) -> None:
    world = SlackWorld(tmp_path, server)
    async with slack_world.living(world):
        root = await world.ask("My name is Ada.")
        await world.answered(GENERAL, root, "You said: My name is Ada.")
        await world.restart(kill=True)
        await world.ask("Who am I?", thread=root)
        await world.answered(GENERAL, root, "You said: Who am I?", count=2)
        await world.settled()

    assert server.asked[-1].said == [
        ("system", PROMPT),
        ("user", "My name is Ada."),
        ("assistant", "You said: My name is Ada."),
        ("user", "Who am I?"),
    ]
    assert len(server.asked) == 2


async def test_a_conversation_in_discord_goes_on_after_a_restart(openai: OpenAIServer, tmp_path: Path) -> None:
    world = DiscordWorld(tmp_path, openai)
    async with discord_world.living(world):
        thread = await world.mention("My name is Ada.")
        await world.answered(thread, "You said: My name is Ada.")
        await world.restart(kill=True)
        await world.mention("Who am I?", thread)
        await world.answered(thread, "You said: Who am I?")
        await world.settled()

    assert [text for _, text in openai.asked[-1].said] == [
        PROMPT,
        "My name is Ada.",
        "You said: My name is Ada.",
        "Who am I?",
    ]


async def test_conversations_in_two_threads_know_nothing_of_each_other(slack: SlackWorld) -> None:
    first = await slack.ask("My name is Ada.")
    await slack.answered(GENERAL, first, "Ada.")
    second = await slack.ask("Who am I?", person=GRACE)
    await slack.answered(GENERAL, second, "Who am I?")

    assert slack.server.asked[-1].said == [("system", PROMPT), ("user", "Who am I?")]


async def test_a_killed_bridge_asks_again_and_shows_one_answer(slack: SlackWorld) -> None:
    slack.server.script = lambda text: Reply(tokens=["word "] * 200, pause=0.05)
    root = await slack.ask("Tell me a story")
    await slack.until(lambda: any("word word" in text for text in slack.texts(GENERAL, root)), "it grows")
    await slack.stop_bridge(kill=True)
    slack.server.script = lambda text: Reply(tokens=["The ", "end."])
    await slack.start_bridge()
    await slack.answered(GENERAL, root, "The end.")
    await slack.settled()

    assert [one.ended for one in slack.server.asked] == ["client_closed", "finished"]
    assert slack.server.asked[1].said == [("system", PROMPT), ("user", "Tell me a story")]


async def test_stop_closes_the_connection_and_the_next_question_knows_what_came(slack: SlackWorld) -> None:
    slack.server.script = lambda text: Reply(tokens=["word "] * 500, pause=0.05)
    root = await slack.ask("Tell me a story")
    await slack.until(lambda: any("word word" in text for text in slack.texts(GENERAL, root)), "it grows")
    assert await slack.slack.stop_session(ADA, GENERAL, root), "a stream was stopped"
    await slack.answered(GENERAL, root, "(Stopped.)")
    await slack.server.until(lambda: slack.server.asked[0].ended == "client_closed")
    slack.server.script = lambda text: Reply(tokens=["ok"])
    await slack.ask("And then?", thread=root)
    await slack.answered(GENERAL, root, "ok", count=2)

    roles = [role for role, _ in slack.server.asked[1].said]
    assert roles == ["system", "user", "assistant", "user"]
    assert slack.server.asked[1].said[2][1].startswith("word word")


async def test_a_rating_is_kept_without_a_call(slack: SlackWorld) -> None:
    root = await slack.ask("Rate me")
    (answer,) = await slack.answered(GENERAL, root, "Rate me")
    await slack.press(answer, "like", ADA)
    assert slack.app is not None
    metrics = slack.app.parts.metrics
    await slack.until(
        lambda: metrics.read("bridge_votes_total", platform="slack", rating="like") == 1, "the rating is counted"
    )
    store, clock = slack.app.parts.store, slack.app.parts.clock
    async with asyncio.timeout(slack_world.PATIENCE):
        while await store.due_ratings(clock.now() + timedelta(days=1), 10):
            await clock.sleep(slack_world.LOOK_AGAIN)
    await slack.settled()

    assert slack.server.called == ["GET /v1/models", "POST /v1/chat/completions"], (
        "the check at start, and the question"
    )


async def test_after_a_reset_the_model_knows_nothing_of_before(slack: SlackWorld) -> None:
    root = await slack.ask("My name is Ada.")
    await slack.answered(GENERAL, root, "Ada.")
    await slack.ask("/reset", thread=root)
    await slack.settled()
    await slack.ask("Who am I?", thread=root)
    await slack.server.until(lambda: len(slack.server.asked) == 2)

    assert slack.server.asked[1].said == [("system", PROMPT), ("user", "Who am I?")]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            Reply(tokens=["half"], finish="length"),
            "(The answer was cut off here: it reached the longest that the model may say.)",
        ),
        (Reply(tokens=["half ", "never"], trouble=Trouble.EVENT, at=1), "The app's model failed while answering."),
        (
            Reply(tokens=["half ", "never"], trouble=Trouble.CUT, at=1),
            "The connection to the app broke off, so this answer is incomplete.",
        ),
        (Reply(trouble=Trouble.SILENT), "The app fell silent before it had answered."),
    ],
    ids=["length", "failed", "cut", "silent"],
)
async def test_an_answer_that_is_not_whole_says_so(slack: SlackWorld, reply: Reply, told: str) -> None:
    slack.server.script = lambda text: reply
    root = await slack.ask("Tell me")
    (answer,) = await slack.answered(GENERAL, root, "")
    await slack.until(lambda: told in answer.visible_text, f"it says {told!r}; has {answer.visible_text!r}")

    assert "half" in answer.visible_text or reply.trouble is Trouble.SILENT


async def test_a_server_that_is_busy_for_a_moment_is_asked_again(slack: SlackWorld) -> None:
    slow = {"error": {"message": "Rate limit reached", "type": "requests", "code": "rate_limit_exceeded"}}
    slack.server.faults = [Fault(status=429, body=slow, headers=(("Retry-After", "1"),))]
    root = await slack.ask("Hello")
    await slack.answered(GENERAL, root, "You said: Hello")

    assert len(slack.server.asked) == 2
