"""A channel whose bucket is smaller than usual: progress leaves its last edit to the end of the answer."""

import asyncio

import pytest

from adapters.discord.adapter import DiscordPlatform
from bridge.answers import AnswerWriter, WriterLimits
from bridge.backend_api import TextDelta
from bridge.clock import SystemClock
from bridge.drafts import AnswerDraft
from bridge.messages import AnswerState, Outcome, ReplyTarget
from bridge.pacing import Pacer
from bridge.platform_api import TellsRoom
from bridge.playground.discord import DiscordServer, Message, limits
from tests.adapters.discord.conftest import Inbox, ask, hearing, until
from tests.core.test_answers import Records
from tests.fakes import values

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"

WINDOW = 4.0
"""Seconds in which Discord takes two edits of the channel."""


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> ReplyTarget:
    async with hearing(platform, inbox):
        return await ask(server, inbox)


def answer(server: DiscordServer) -> Message | None:
    return next((each for each in reversed(server.messages(server.general)) if each.is_bot), None)


def says(server: DiscordServer, text: str) -> bool:
    message = answer(server)
    return message is not None and message.content == text


async def test_the_end_comes_at_once_though_the_bucket_is_small(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(platform, TellsRoom)
    monkeypatch.setitem(limits.BUCKETS, EDIT, limits.Window(limit=2, seconds=WINDOW))
    clock, draft, never = SystemClock(), AnswerDraft(), asyncio.Event()
    with Pacer(clock).answering(question, platform.capabilities) as pace:
        writer = AnswerWriter(
            platform=platform,
            pace=pace,
            clock=clock,
            target=question,
            recorder=Records(),
            nonce_seed="q1",
            question=values.question().ref,
            limits=WriterLimits(),
        )
        writing = asyncio.create_task(writer.run(draft))
        draft.fold(TextDelta(text="One "))
        await until(lambda: says(server, "One"), "for the first text")
        draft.fold(TextDelta(text="two "))
        await until(lambda: says(server, "One two"), "for an edit")
        draft.fold(TextDelta(text="three "))
        await clock.wait(never, WINDOW / 2)  # long enough for the usual pace
        assert says(server, "One two"), "one edit is left, and that is for the end"
        began = clock.monotonic()
        draft.conclude(Outcome(state=AnswerState.DONE, text="One two three four"))
        await until(lambda: says(server, "One two three four"), "for the end")
        assert clock.monotonic() - began < 1
        assert await writing
    assert all(call.status != 429 for call in server.calls)
