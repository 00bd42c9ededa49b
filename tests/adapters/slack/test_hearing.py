"""Socket Mode with the real slack-bolt: what is heard, when it is acknowledged, and how a lost connection comes back. With one
connection; what several do for each other stands in `test_sockets`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from adapters.slack.adapter import SlackPlatform
from adapters.slack.transport import MOST_SOCKETS, Link, Pauses, SocketEntrance
from bridge.errors import NotAllowed
from bridge.events import MessageDeleted, MessageEdited
from bridge.messages import NamedPerson, Origin, PersonId
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import Bridge, make_platform, question, until
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import bare_socket

MENTION = "<@U0BRIDGE>"


@pytest.fixture
async def platform(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    platform = make_platform(server, slack_sockets=1)
    yield platform
    await platform.close()


async def test_both_events_of_one_mention_are_the_same_message(bridge: Bridge) -> None:
    ts = await bridge.server.post_as("U0ADA", "C0GENERAL", f"{MENTION} what is up?")
    first, second = await bridge.heard(2)
    assert first.event_id != second.event_id
    assert first.ref == second.ref
    assert (first.mentions_bot, second.mentions_bot) == (True, True)
    assert first.target == second.target
    assert first.text == second.text == "what is up?"
    assert first.ref.address == f"{bridge.server.team_id}/C0GENERAL/{ts}"


async def test_an_event_is_acknowledged_only_after_the_inbox_returned(bridge: Bridge) -> None:
    bridge.server.ack_timeout = 5
    bridge.inbox.gate.clear()
    await bridge.server.post_as("U0ADA", "C0GENERAL", "just talking")
    await until(lambda: bridge.inbox.entered == 1)
    assert bridge.server.deliveries[0].acked_at is None
    bridge.inbox.gate.set()
    await bridge.server.idle(5)
    assert bridge.server.deliveries[0].outcome == "acked"
    assert bridge.server.deliveries[0].attempts == 1


async def test_what_the_store_did_not_take_is_delivered_again(bridge: Bridge) -> None:
    bridge.inbox.fail = 2
    await bridge.server.post_as("U0ADA", "C0GENERAL", "once more, please")
    await bridge.server.idle(5)
    assert bridge.server.deliveries[0].attempts == 3
    assert bridge.server.deliveries[0].outcome == "acked"
    assert [message.text for message in bridge.inbox.messages] == ["once more, please"]


async def test_an_inbox_that_takes_too_long_does_not_get_its_event_acknowledged(server: SlackServer) -> None:
    platform = make_platform(server, slack_accept_timeout=0.1)
    async with Bridge(server, platform) as bridge:
        bridge.inbox.gate.clear()
        await server.post_as("U0ADA", "C0GENERAL", "anybody there?")
        await until(lambda: bridge.inbox.entered >= 2)
        bridge.inbox.gate.set()
        await server.idle(5)
        assert server.deliveries[0].attempts >= 2
        assert server.deliveries[0].outcome == "acked"
    await platform.close()


async def test_messages_of_one_channel_reach_the_inbox_one_after_the_other(bridge: Bridge) -> None:
    bridge.server.ack_timeout = 5
    bridge.inbox.gate.clear()
    for number in range(5):
        await bridge.server.post_as("U0ADA", "C0GENERAL", f"number {number}")
    await bridge.server.post_as("U0ADA", "C0SUPPORT", "elsewhere")
    await until(lambda: bridge.inbox.entered == 2)
    bridge.inbox.gate.set()
    await bridge.server.idle(5)
    here = [message.text for message in bridge.inbox.messages if message.target.conversation.channel == "C0GENERAL"]
    assert here == [f"number {number}" for number in range(5)]


async def test_events_that_nobody_uses_are_acknowledged(bridge: Bridge) -> None:
    server = bridge.server
    server.workspace.emit(
        {"type": "app_home_opened", "user": "U0ADA", "channel": "D0ADA", "channel_type": "im"}, server.channels["D0ADA"]
    )
    await server.idle(5)
    assert server.deliveries[-1].outcome == "acked"
    assert server.deliveries[-1].attempts == 1
    assert bridge.inbox.events == []


async def test_a_reaction_on_our_answer_is_heard_and_one_on_a_persons_message_is_not(bridge: Bridge) -> None:
    server = bridge.server
    ts = await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
    (asked, *_) = await bridge.heard(1)
    ref = await bridge.platform.send(asked.target, question("hello"))
    answer = ref.address.split("/")[-1]
    await server.react("U0ADA", "C0GENERAL", ts, "thumbsup")
    await server.react("U0ADA", "C0GENERAL", answer, "+1::skin-tone-3")
    await server.unreact("U0ADA", "C0GENERAL", answer, "+1::skin-tone-3")
    await until(lambda: len(bridge.inbox.reactions) == 2)
    added, removed = sorted(bridge.inbox.reactions, key=lambda reaction: reaction.revision)
    assert (added.emoji, added.added, added.message, added.person) == ("+1", True, ref, "U0ADA")
    assert (removed.emoji, removed.added, removed.message) == ("+1", False, ref)


async def test_our_own_answer_comes_back_as_our_own(bridge: Bridge) -> None:
    await bridge.server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
    (asked, *_) = await bridge.heard(1)
    await bridge.platform.send(asked.target, question("hello"))
    await until(lambda: any(message.origin is Origin.SELF for message in bridge.inbox.messages))


async def test_an_edit_is_heard_and_previews_and_our_own_edits_are_not(bridge: Bridge) -> None:
    server = bridge.server
    ts = await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} see <https://x.example>")
    asked, _ = await bridge.heard(2)
    await server.unfurl("C0GENERAL", ts, "https://x.example")
    ref = await bridge.platform.send(asked.target, question("half"))
    await bridge.platform.edit(asked.target, ref, question("whole"))
    await server.edit_as("U0ADA", "C0GENERAL", ts, f"{MENTION} ask <@U0GRACE>")
    await server.edit_as("U0ADA", "C0GENERAL", ts, f"{MENTION} never mind")
    await server.idle(5)
    first, second = (event for event in bridge.inbox.events if isinstance(event, MessageEdited))
    assert (first.now.ref, first.now.text, second.now.text) == (asked.ref, "ask @Grace", "never mind")
    assert first.now.target == asked.target
    assert first.revision < second.revision
    assert {delivery.outcome for delivery in server.deliveries} == {"acked"}


async def test_a_deletion_is_heard_with_and_without_replies_below(bridge: Bridge) -> None:
    server = bridge.server
    roots = [await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} {number}") for number in range(2)]
    questions = {one.ref: one for one in await bridge.heard(4)}
    refs = list(questions)
    own = await bridge.platform.send(questions[refs[0]].target, question("an answer"))
    for root in roots:
        await server.delete_as("U0ADA", "C0GENERAL", root)
    server.workspace.delete(server.message("C0GENERAL", own.address.split("/")[-1]))
    await server.idle(5)
    gone = [event for event in bridge.inbox.events if isinstance(event, MessageDeleted)]
    assert [event.ref for event in gone] == refs
    assert {event.installation for event in gone} == {server.team_id}


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_what_slack_delivers_again_is_welcome_each_time(bridge: Bridge, times: int) -> None:
    server = bridge.server
    bridge.inbox.fail = 2 * times
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} after all")
    await server.idle(5)
    assert len({one.event_id for one in bridge.inbox.questions}) == 2
    assert {delivery.outcome for delivery in server.deliveries} == {"acked"}
    assert sum(delivery.attempts for delivery in server.deliveries) == 2 + 2 * times
    assert await server.redeliver(server.deliveries[0].event_id)
    assert len(bridge.inbox.questions) == 3


async def test_people_who_are_mentioned_are_spelled_by_name(bridge: Bridge) -> None:
    await bridge.server.post_as("U0ADA", "C0GENERAL", f"{MENTION} ask <@U0GRACE> about it")
    first, second = await bridge.heard(2)
    assert first.text == second.text == "ask @Grace about it"
    assert first.named == second.named == (NamedPerson(id=PersonId("U0GRACE"), name="Grace"),)
    assert [call.method for call in bridge.server.calls].count("users.info") == 1


async def test_a_name_that_does_not_come_in_time_is_spelled_by_id(server: SlackServer) -> None:
    platform = make_platform(server, slack_name_wait=0.05)
    server.faults.fail_next["users.info"] = [Fault.slow(0.3)]
    async with Bridge(server, platform) as bridge:
        await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} ask <@U0GRACE>")
        first, _ = await bridge.heard(2)
        assert first.text == "ask @U0GRACE"
        assert [person.id for person in first.named] == ["U0GRACE"]
    await platform.close()


async def test_without_the_scope_for_names_slack_is_asked_only_once(bridge: Bridge) -> None:
    server = bridge.server
    server.scopes = [scope for scope in server.scopes if scope != "users:read"]
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} ask <@U0GRACE>")
    await bridge.heard(2)
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} ask <@U0LINUS>")
    assert (await bridge.heard(4))[-1].text == "ask @U0LINUS"
    assert [call.method for call in server.calls].count("users.info") == 1


async def test_talk_that_is_not_for_the_bot_costs_no_call(bridge: Bridge) -> None:
    await bridge.server.post_as("U0ADA", "C0GENERAL", "<@U0GRACE> lunch?")
    (heard,) = await bridge.heard(1)
    assert heard.text == "@U0GRACE lunch?"
    assert "users.info" not in [call.method for call in bridge.server.calls]


async def test_a_direct_message_is_a_conversation_with_that_person(bridge: Bridge) -> None:
    await bridge.server.post_as("U0ADA", "D0ADA", "just us")
    (heard,) = await bridge.heard(1)
    assert heard.is_direct
    assert heard.target.conversation.person == PersonId("U0ADA")


async def test_a_refreshed_connection_is_opened_before_the_old_one_is_closed(bridge: Bridge) -> None:
    seen: list[int] = []
    bridge.server.sockets.disconnect_grace = 2
    make_ticket = bridge.server.sockets.make_ticket

    def watch() -> str:
        seen.append(bridge.server.open_sockets)
        return make_ticket()

    bridge.server.sockets.make_ticket = watch  # type: ignore[method-assign]
    await bridge.server.disconnect_sockets("refresh_requested")
    await until(lambda: bridge.server.open_sockets == 1 and bridge.platform.health().hearing and seen == [1])
    await bridge.server.post_as("U0ADA", "C0GENERAL", "still there?")
    await bridge.heard(1)
    assert bridge.server.deliveries[0].attempts == 1


@pytest.mark.parametrize("times", [1, 3])
async def test_a_connection_that_breaks_comes_back(bridge: Bridge, times: int) -> None:
    for number in range(times):
        opened = _connections_opened(bridge.server)
        bridge.server.drop_sockets()
        await until(lambda before=opened: _connections_opened(bridge.server) == before + 1)  # type: ignore[misc]
        await until(lambda: bridge.server.open_sockets == 1 and bridge.platform.health().hearing)
        await bridge.server.post_as("U0ADA", "C0GENERAL", f"back {number}")
        await bridge.heard(number + 1)


async def test_an_event_of_a_lost_connection_is_heard_on_the_next_one(bridge: Bridge) -> None:
    bridge.server.retry_schedule = (0.05,) * 40
    bridge.server.refuse_sockets = True
    bridge.server.drop_sockets()
    await until(lambda: not bridge.platform.health().connected)
    await bridge.server.post_as("U0ADA", "C0GENERAL", "while you were away")
    await until(lambda: "reached" in bridge.platform.health().detail)
    bridge.server.refuse_sockets = False
    await bridge.heard(1)
    assert bridge.platform.health().hearing
    assert bridge.platform.health().detail == ""


async def test_socket_mode_that_was_switched_off_is_reported(bridge: Bridge) -> None:
    bridge.server.refuse_sockets = True
    await bridge.server.disconnect_sockets("link_disabled")
    await until(lambda: not bridge.platform.health().connected)
    assert "Socket Mode is switched off" in bridge.platform.health().detail


async def test_when_slack_allows_no_more_connections_an_operator_is_told_what_to_do(
    server: SlackServer,
) -> None:
    with capture_logs() as logged:
        await _when_all_connections_are_taken(server)
    assert any("SLACK_APP_TOKEN" in one.get("trouble", "") for one in logged if one["event"] == "socket_not_opened")


async def _when_all_connections_are_taken(server: SlackServer) -> None:
    async with AsyncExitStack() as others:
        for _ in range(MOST_SOCKETS):
            await others.enter_async_context(bare_socket(server))
        platform = make_platform(server)
        async with Bridge(server, platform, wait=False) as bridge:
            await until(lambda: "Socket Mode connections" in platform.health().detail)
            health = platform.health()
            assert (health.connected, health.hearing) == (False, False)
            assert "SLACK_APP_TOKEN" in health.detail
            assert server.open_sockets == MOST_SOCKETS
            await others.aclose()
            await until(lambda: platform.health().hearing and platform.health().detail == "")
            await server.post_as("U0ADA", "C0GENERAL", "at last")
            await bridge.heard(1)
        await platform.close()


async def test_the_last_free_connection_is_taken_and_renewed_with_a_warning(
    server: SlackServer,
) -> None:
    server.sockets.disconnect_grace = 5
    async with AsyncExitStack() as others:
        logged = others.enter_context(capture_logs())
        for _ in range(MOST_SOCKETS - 1):
            await others.enter_async_context(bare_socket(server))
        platform = make_platform(server)
        async with Bridge(server, platform):
            ours = server.sockets._links[-1]
            opened = _connections_opened(server)
            # Now every place is taken, so that the new connection finds one only after the old one has gone.
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.sockets._disconnect(ours, "refresh_requested"))
                await until(lambda: ours.gone.is_set() and platform.health().hearing)
            assert _connections_opened(server) >= opened + 2
            assert server.open_sockets == MOST_SOCKETS
            assert "SLACK_APP_TOKEN" in next(one["fix"] for one in logged if one["event"] == "sockets_all_taken")
        await platform.close()


async def test_a_connection_on_which_nothing_comes_any_more_is_not_hearing() -> None:
    clock = FakeClock()

    async def never() -> Link:
        raise AssertionError("not opened here")

    entrance = SocketEntrance(never, sockets=1, ping_interval=10, longest_pause=60, clock=clock)
    assert (entrance.connected, entrance.hearing) == (False, False)
    entrance._seats[0]._link = cast("Link", SimpleNamespace(alive=True, heard_at=0.0))
    await clock.advance(39)
    assert (entrance.connected, entrance.hearing, entrance.silence) == (True, True, 39)
    await clock.advance(1)
    assert (entrance.connected, entrance.hearing) == (True, False)


async def test_pauses_grow_up_to_the_longest_and_obey_what_slack_asks_for() -> None:
    slept: list[float] = []

    class Recording(FakeClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    pauses = Pauses(8, Recording())
    for at_least in (0, 0, 0, 0, 0, 0, 0, 30):
        await pauses.wait(at_least)
    for length, whole in zip(slept, (0, 0.5, 1, 2, 4, 8, 8, 30), strict=True):
        assert whole * 0.75 <= length <= whole
    pauses.reset()
    await pauses.wait()
    assert slept[-1] == 0


async def test_how_long_slack_has_been_silent_is_told(bridge: Bridge) -> None:
    age = bridge.platform.health().heartbeat_age
    assert age is not None
    assert timedelta(0) <= age < timedelta(seconds=10)


async def test_a_server_that_answers_no_heartbeat_is_left(bridge: Bridge) -> None:
    """The socket stands but nothing comes back on it: a dead peer behind a load balancer."""
    (link,) = bridge.server.sockets._links
    assert link.transport is not None
    link.transport.pause_reading()
    await until(lambda: bridge.server.open_sockets == 2 and bridge.platform.health().hearing)


async def test_a_slack_that_cannot_be_reached_at_first_is_tried_again(server: SlackServer) -> None:
    platform = make_platform(server)
    server.faults.html_error = True
    async with Bridge(server, platform, wait=False) as bridge:
        await until(lambda: "cannot be reached" in platform.health().detail)
        assert not platform.health().connected
        server.faults.html_error = False
        await until(lambda: platform.health().hearing)
        assert not bridge.ended
    await platform.close()


@pytest.mark.parametrize("wrong", ["bot", "app"])
async def test_refused_credentials_end_the_run(server: SlackServer, wrong: str) -> None:
    bot = wrong == "bot"
    platform = (
        make_platform(server, slack_bot_token="xoxb-wrong")
        if bot
        else make_platform(server, slack_app_token="xapp-wrong")
    )
    with pytest.raises(NotAllowed):
        await platform.run(Bridge(server, platform).inbox)
    assert not platform.health().connected
    await platform.close()


async def test_after_cancelling_nothing_is_heard_but_sending_works(bridge: Bridge) -> None:
    server = bridge.server
    ts = await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
    (asked, *_) = await bridge.heard(2)
    await bridge.cancel()
    assert server.open_sockets == 0
    await server.post_as("U0ADA", "C0GENERAL", "too late")
    ref = await bridge.platform.send(asked.target, question("good bye"))
    await bridge.platform.edit(asked.target, ref, question("good bye!"))
    assert server.messages("C0GENERAL", ts)[-1].visible_text == "good bye!"
    assert len(bridge.inbox.questions) == 2


async def test_an_event_that_is_being_stored_is_still_acknowledged_when_the_run_is_cancelled(bridge: Bridge) -> None:
    bridge.server.ack_timeout = 5
    bridge.inbox.gate.clear()
    await bridge.server.post_as("U0ADA", "C0GENERAL", "last one")
    await until(lambda: bridge.inbox.entered == 1)
    bridge.begin_cancelling()
    await until(lambda: not bridge.platform.health().connected)
    bridge.inbox.gate.set()
    await bridge.server.idle(5)
    assert bridge.server.deliveries[0].outcome == "acked"


def _connections_opened(server: SlackServer) -> int:
    return sum(call.method == "apps.connections.open" for call in server.calls)
