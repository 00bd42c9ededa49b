"""Threads that begin with a message of ours, and lines that one person reads."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from adapters.slack.adapter import SlackPlatform
from adapters.slack.addresses import write_opening, write_private
from bridge.errors import MessageRefused, NotAllowed, PlatformError, PlatformUnavailable
from bridge.messages import PersonId, ReplyTarget, ThreadId
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.writing.said import POST, calls, final, methods
from tests.fakes.clock import FakeClock

HISTORY, EPHEMERAL = "conversations.history", "chat.postEphemeral"


@pytest.fixture
def opening(server: SlackServer, target: ReplyTarget, clock: FakeClock) -> ReplyTarget:
    server.calls.clear()
    return replace(
        target,
        conversation=replace(target.conversation, thread=ThreadId("!k1")),
        address=write_opening(server.team_id, "C0GENERAL", "k1", clock.now().timestamp()),
        opens_thread=True,
    )


def roots(server: SlackServer) -> list[str]:
    return [message.visible_text for message in server.messages("C0GENERAL") if message.is_bot]


async def test_a_thread_begins_with_the_question_to_the_letter_and_is_answered_in(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget
) -> None:
    opened = await platform.open_thread(opening, "Ada asks: is *this* <b> & <!channel> @here ok?")
    assert methods(server) == [POST]
    assert [text.replace("\u200b", "") for text in roots(server)] == ["Ada asks: is *this* <b> & <!channel> @here ok?"]
    assert calls(server, POST)[0].args["mrkdwn"] is False
    assert server.pings == []
    ts = server.messages("C0GENERAL")[-1].ts
    assert (opened.address, opened.conversation.thread) == (f"{server.team_id}/C0GENERAL/{ts}", ts)
    assert not opened.opens_thread
    await platform.send(opened, final("yes"))
    assert [message.visible_text for message in server.messages("C0GENERAL", ts)][1:] == ["yes"]


async def test_rolling_direct_messages_stay_one_conversation(platform: SlackPlatform, opening: ReplyTarget) -> None:
    rolling = replace(opening.conversation, thread=ThreadId(""), person=PersonId("U0ADA"))
    opened = await platform.open_thread(replace(opening, conversation=rolling), "hi")
    assert opened.conversation == rolling


async def test_a_thread_that_is_there_already_needs_nothing(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    assert await platform.open_thread(target, "hi") == target


@pytest.mark.parametrize("who", ["the same process", "another one, later"])
async def test_a_beginning_of_which_nobody_heard_is_found(
    server: SlackServer,
    platform: SlackPlatform,
    heir: SlackPlatform,
    opening: ReplyTarget,
    clock: FakeClock,
    who: str,
) -> None:
    server.faults.fail_next[POST] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.open_thread(opening, "hi")
    if who != "the same process":
        await clock.advance(60)
        platform = heir
    opened = await platform.open_thread(opening, "hi")
    assert roots(server) == ["hi"]
    assert opened.conversation.thread == server.messages("C0GENERAL")[-1].ts


async def test_a_question_that_waited_long_still_gets_its_thread(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget, clock: FakeClock
) -> None:
    await clock.advance(3_600)
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    await platform.open_thread(opening, "hi")
    assert (roots(server), methods(server)) == (["hi"], [HISTORY, POST])


@pytest.fixture
async def hook(server: SlackServer, platform: SlackPlatform) -> AsyncIterator[list[object]]:
    """What was said by the address that came with the command "k1"."""
    said: list[object] = []

    async def take(request: web.Request) -> web.Response:
        said.append(await request.json())
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/commands/1", take)
    async with TestServer(app) as host:
        privately = platform._outbound.privately
        privately._api = host.make_url("/api/")  # as if the stand-in answered there
        privately.keep("k1", str(host.make_url("/commands/1")))
        yield said


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found"])
async def test_where_the_bot_may_not_write_the_asker_is_told_alone(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget, hook: list[object], code: str
) -> None:
    server.faults.fail_next[POST] = [Fault.refuse(code)]
    with pytest.raises(NotAllowed) as caught:
        await platform.open_thread(opening, "hi")
    assert caught.value.code == code
    (said,) = hook
    assert isinstance(said, dict)
    assert "Invite me" in str(said["text"])
    assert (said["response_type"], said["replace_original"]) == ("ephemeral", False)


# Private


@pytest.fixture
async def private(server: SlackServer, target: ReplyTarget, root: str) -> ReplyTarget:
    """In a thread that somebody has begun."""
    await server.post_as("U0ADA", "C0GENERAL", "a reply", thread_ts=root)
    server.calls.clear()
    return replace(target, address=write_private(server.team_id, "C0GENERAL", "U0ADA", root, "k1"), private=True)


async def test_one_person_reads_it_in_the_thread(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, root: str
) -> None:
    ref = await platform.send(private, final("not **here** <!channel>"))
    (seen,) = server.workspace.ephemerals
    assert (seen.channel, seen.person, seen.thread_ts) == ("C0GENERAL", "U0ADA", root)
    assert seen.visible_text.replace("\u200b", "") == "not *here* <!channel>"
    assert methods(server) == [EPHEMERAL]
    with pytest.raises(NotAllowed):
        await platform.edit(private, ref, final("else"))


async def test_an_address_that_came_with_the_command_is_used_while_it_lasts(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, hook: list[object], clock: FakeClock
) -> None:
    for number in range(6):
        await platform.send(private, final(f"line {number}"))
    assert (len(hook), len(server.workspace.ephemerals)) == (5, 1)
    privately = platform._outbound.privately
    privately.keep("k2", str(privately._api.join(URL("/commands/1"))))
    await clock.advance(30 * 60)
    address = write_private(server.team_id, "C0GENERAL", "U0ADA", key="k2")
    await platform.send(replace(private, address=address), final("late"))
    assert server.workspace.ephemerals[-1].visible_text == "late"
    assert len(hook) == 5


@pytest.mark.parametrize(
    "url",
    ["http://hooks.slack.com/x", "https://slack.com.evil.example/x", "https://me@hooks.slack.com/x", "nonsense", ""],
)
async def test_nothing_is_told_to_an_address_that_is_not_slacks(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, url: str
) -> None:
    platform._outbound.privately.keep("k1", url)
    await platform.send(private, final("secret"))
    assert methods(server) == [EPHEMERAL]


@pytest.mark.parametrize(("code", "kind"), [("user_not_in_channel", NotAllowed), ("not_in_channel", NotAllowed)])
async def test_what_one_person_cannot_be_told_is_an_error(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, code: str, kind: type[PlatformError]
) -> None:
    server.faults.fail_next[EPHEMERAL] = [Fault.refuse(code)]
    with pytest.raises(kind):
        await platform.send(private, final("hi"))
    with pytest.raises(MessageRefused):
        await platform.send(private, final(""))
