"""Threads that begin with a message of ours, and lines that one person reads."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from yarl import URL

from adapters.slack.adapter import SlackPlatform
from adapters.slack.addresses import write_opening, write_private
from bridge.errors import MessageRefused, NotAllowed, PlatformError, PlatformUnavailable
from bridge.messages import PersonId, ReplyTarget, ThreadId
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from bridge.playground.slack.responses import Reply
from tests.adapters.slack.writing.said import POST, calls, final, methods
from tests.fakes.clock import FakeClock
from tests.fakes.ports import free_port

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


async def test_a_channel_that_is_gone_by_then_is_told_as_such(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget, clock: FakeClock
) -> None:
    await clock.advance(60)
    server.channels["C0GENERAL"].members.discard(server.bot_user_id)
    server.channels["C0GENERAL"].kind = "group"
    with pytest.raises(NotAllowed):
        await platform.open_thread(opening, "hi")
    assert methods(server) == [HISTORY, POST]


@pytest.mark.parametrize("letter", ["x", "&", "漢"])
async def test_a_question_longer_than_a_message_is_cut(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget, letter: str
) -> None:
    await platform.open_thread(opening, letter * 5_000)
    (shown,) = roots(server)
    assert shown.endswith("…")
    assert set(shown[:-1]) == {letter}
    assert [call.error for call in server.calls] == [""]


@pytest.fixture
def way(server: SlackServer, platform: SlackPlatform) -> str:
    """The address that came with the command "k1"."""
    reply = Reply(workspace=server.workspace, channel=server.channels["C0GENERAL"], person="U0ADA")
    url = server._responses.make(reply)  # what a command brings with it
    platform._outbound.privately.keep("k1", url)
    return url


def told(server: SlackServer) -> list[str]:
    return [seen.visible_text for seen in server.workspace.ephemerals]


@pytest.mark.parametrize("code", ["not_in_channel", "channel_not_found"])
async def test_where_the_bot_may_not_write_the_asker_is_told_alone(
    server: SlackServer, platform: SlackPlatform, opening: ReplyTarget, way: str, code: str
) -> None:
    server.faults.fail_next[POST] = [Fault.refuse(code)]
    with pytest.raises(NotAllowed) as caught:
        await platform.open_thread(opening, "hi")
    assert caught.value.code == code
    (line,) = told(server)
    assert "Invite me" in line
    assert methods(server) == [POST]


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
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, root: str, way: str, clock: FakeClock
) -> None:
    with capture_logs() as logged:
        for number in range(6):
            await platform.send(private, final(f"line {number}"))
    assert told(server) == [f"line {number}" for number in range(6)]
    assert {seen.thread_ts for seen in server.workspace.ephemerals} == {root}
    assert methods(server) == [EPHEMERAL]
    platform._outbound.privately.keep("k2", way)
    await clock.advance(30 * 60)
    address = write_private(server.team_id, "C0GENERAL", "U0ADA", key="k2")
    with capture_logs() as logged_later:
        await platform.send(replace(private, address=address), final("late"))
    assert logged == logged_later == []  # Slack was not asked in vain
    assert told(server)[-1] == "late"
    assert methods(server) == [EPHEMERAL] * 2


@pytest.mark.parametrize("reachable", [True, False])
async def test_a_line_that_the_address_does_not_take_is_told_the_other_way(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, *, reachable: bool
) -> None:
    privately = platform._outbound.privately
    if reachable:
        privately.keep("k1", server.api_url.replace("/api/", "/response/none"))
    else:
        privately._api = URL(f"http://127.0.0.1:{free_port()}/")  # nobody is there
        privately.keep("k1", str(privately._api / "response/1"))
    await platform.send(private, final("hi"))
    assert told(server) == ["hi"]
    assert methods(server) == [EPHEMERAL]


async def test_a_closed_adapter_tells_nobody_anything(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, way: str
) -> None:
    await platform.close()
    with pytest.raises(PlatformUnavailable):
        await platform.send(private, final("hi"))
    assert told(server) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://[hooks",
        "http://hooks.slack.com/x",
        "https://slack.com.evil.example/x",
        "https://me@hooks.slack.com/x",
        "nonsense",
        "",
    ],
)
async def test_nothing_is_told_to_an_address_that_is_not_slacks(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, url: str
) -> None:
    platform._outbound.privately.keep("k1", url)
    assert platform._outbound.privately._ways == {}
    await platform.send(private, final("secret"))
    assert methods(server) == [EPHEMERAL]


@pytest.mark.parametrize(("code", "kind"), [("user_not_in_channel", NotAllowed), ("not_in_channel", NotAllowed)])
async def test_what_one_person_cannot_be_told_is_an_error(
    server: SlackServer, platform: SlackPlatform, private: ReplyTarget, code: str, kind: type[PlatformError]
) -> None:
    server.faults.fail_next[EPHEMERAL] = [Fault.refuse(code)]
    with pytest.raises(kind):
        await platform.send(private, final("hi"))
    for text in ("", "x" * 5_000):
        with pytest.raises(MessageRefused):
            await platform.send(private, final(text))
    assert told(server) == []
