"""Stream, else post and edit, else one post: each step down is made once, is told, expires, and posts nothing twice."""

import pytest
from structlog.testing import capture_logs

from adapters.slack.adapter import SlackPlatform
from adapters.slack.writing.ladder import MOST_STEPS, Feature, Ladder
from bridge.errors import NotAllowed, PlatformUnavailable, RateLimited
from bridge.messages import ReplyTarget
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import target_under
from tests.adapters.slack.writing.said import (
    APPEND,
    POST,
    RATINGS,
    START,
    STOP,
    STOP_BUTTON,
    UPDATE,
    calls,
    final,
    live,
    methods,
    texts,
)
from tests.fakes.clock import FakeClock


def reasons(platform: SlackPlatform) -> list[str]:
    return platform._outbound.ladder.reasons()  # what an operator is told


@pytest.mark.parametrize(
    "code", ["unknown_method", "method_deprecated", "feature_not_enabled", "missing_scope", "not_allowed_token_type"]
)
async def test_a_workspace_without_streams_is_asked_once_an_hour(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock, code: str
) -> None:
    server.faults.fail_next[START] = [Fault.refuse(code)]
    with capture_logs() as logged:
        ref = await platform.send(target, live("one two "))
        await platform.edit(target, ref, live("one two three"))
        await platform.edit(target, ref, final("one two three four"))
        await platform.send(target, live("five", nonce="n2"))
    assert texts(server, root) == ["one two three four", "five"]
    assert methods(server) == [START, POST, UPDATE, UPDATE, POST]
    assert not platform.is_growing(ref)
    told = [one for one in logged if one["event"] == "stepped_down"]
    assert [(one["feature"], one["code"], one["channel"]) for one in told] == [("streams", code, "")]
    assert reasons(platform) == [f"no streams in {server.team_id} ({code}): answers are posted and edited"]
    await clock.advance(3_601)
    assert reasons(platform) == []
    assert platform.is_growing(await platform.send(target, live("six seven", nonce="n3")))


@pytest.mark.parametrize("code", ["channel_type_not_supported", "access_denied", "missing_recipient_team_id"])
async def test_a_channel_without_streams_does_not_speak_for_the_others(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, code: str
) -> None:
    server.faults.fail_next[START] = [Fault.refuse(code)]
    for nonce in ("n1", "n2"):
        await platform.send(target, live("one two ", nonce=nonce))
    assert methods(server) == [START, POST, POST]
    other = await server.post_as("U0ADA", "C0SUPPORT", "another question")
    ref = await platform.send(target_under(server, "C0SUPPORT", other), live("one two ", nonce="n3"))
    assert platform.is_growing(ref)


@pytest.mark.parametrize("fault", [Fault.rate_limit(30), Fault.refuse("user_not_found"), Fault.refuse("something_new")])
async def test_a_start_that_fails_for_now_costs_this_message_its_stream_and_nothing_else(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock, fault: Fault
) -> None:
    server.faults.fail_next[START] = [fault]
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, final("one two three"))
    assert texts(server, root) == ["one two three"]
    assert reasons(platform) == []
    await clock.advance(30)
    assert platform.is_growing(await platform.send(target, live("four five", nonce="n2")))


async def test_while_slack_wants_no_starts_none_is_tried(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    server.faults.fail_next[START] = [Fault.rate_limit(30)]
    for nonce in ("n1", "n2", "n3"):
        await platform.send(target, live("one two ", nonce=nonce))
    assert methods(server) == [START, POST, POST, POST]


async def test_what_hinders_posting_too_is_told_as_ever(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    server.channels["C0GENERAL"].members.discard(server.bot_user_id)
    server.scopes = [scope for scope in server.scopes if scope != "chat:write.public"]
    with pytest.raises(NotAllowed):
        await platform.send(target, live("one two "))


async def test_a_post_that_stands_for_a_stream_that_was_refused_is_not_posted_twice(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next[START] = [Fault.refuse("unknown_method")]
    server.faults.fail_next[POST] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, live("one two "))
    await platform.send(target, live("one two three"))
    assert texts(server, root) == ["one two three"]


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
async def test_where_nothing_may_be_edited_the_rest_follows_in_one_post(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, code: str
) -> None:
    server.lacks["streaming"] = "unknown_method"
    ref = await platform.send(target, live("one **two** "))
    server.faults.fail_next[UPDATE] = [Fault.refuse(code)] * 9
    await platform.edit(target, ref, final("one **two** three", STOP_BUTTON))
    await platform.edit(target, ref, final("one **two** three four", STOP_BUTTON))
    server.faults.fail_next[POST] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.edit(target, ref, final("one **two** three four\n\nfive", *RATINGS))
    await platform.edit(target, ref, final("one **two** three four\n\nfive", *RATINGS))
    assert texts(server, root)[0] == "one **two**"
    assert texts(server, root)[1].startswith("three four\n\nfive")
    assert len(texts(server, root)) == 2
    assert bool(reasons(platform)[1:]) is (code == "edit_window_closed")


async def test_a_stream_that_can_neither_go_on_nor_be_edited_goes_on_in_a_post(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, live("one two three four"))
    await clock.advance(301)
    server.faults.fail_next[UPDATE] = [Fault.refuse("edit_window_closed")]
    await platform.edit(target, ref, live("one two three four five"))
    await platform.edit(target, ref, final("one two three four five", *RATINGS))
    assert [text.strip() for text in texts(server, root)] == ["one two three", "four five"]


async def test_a_post_that_was_found_whole_where_nothing_may_be_edited_is_left_as_it_is(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    platform._outbound.ladder.step_down(Feature.EDITS, "edit_window_closed", server.team_id)
    server.faults.fail_next[POST] = [Fault.effect_then_drop()]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, final("one", *RATINGS))
    await platform.send(target, final("one", *RATINGS))
    assert methods(server) == [POST, "conversations.replies"]
    assert texts(server, root) == ["one"]


async def test_where_nobody_can_look_an_answer_is_rather_posted_twice_than_not_at_all(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next[POST] = [Fault.drop()]
    server.scopes = [scope for scope in server.scopes if not scope.endswith(":history")]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, final("one"))
    await platform.send(target, final("one"))
    assert texts(server, root) == ["one"]


async def test_a_message_that_cannot_be_edited_and_of_which_nothing_is_known_says_so(
    server: SlackServer, platform: SlackPlatform, heir: SlackPlatform, target: ReplyTarget
) -> None:
    ref = await platform.send(target, final("one"))
    server.faults.fail_next[UPDATE] = [Fault.refuse("edit_window_closed")]
    with pytest.raises(NotAllowed):
        await heir.edit(target, ref, final("two"))


async def test_a_limit_on_one_method_holds_for_no_other_and_for_no_other_workspace(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, clock: FakeClock
) -> None:
    clients = platform._outbound.clients
    server.faults.fail_next["users.info"] = [Fault.rate_limit(30)]
    for _ in range(2):
        with pytest.raises(RateLimited) as caught:
            await clients.ask("T0", "users.info", lambda client: client.users_info(user="U0ADA"))
        await clock.advance(10)
    assert caught.value.retry_after.total_seconds() == 20
    await clients.ask("T1", "users.info", lambda client: client.users_info(user="U0ADA"))
    await clients.ask("T0", "auth.test", lambda client: client.auth_test())
    assert len(calls(server, "users.info")) == 2


async def test_every_call_asks_for_its_workspaces_own_token_and_once_more_when_that_was_renewed(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    clients = platform._outbound.clients
    tokens = {server.team_id: "xoxb-old"}
    asked: list[str] = []

    async def token_of(team: str) -> str:
        asked.append(team)
        return tokens[team]

    async def refused(team: str, token: str, code: str) -> bool:
        assert (team, token, code) == (server.team_id, "xoxb-old", "invalid_auth")
        tokens[team] = server.bot_token
        return True

    clients._token_of, clients._refused = token_of, refused
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, live("one two three four"))
    await platform.edit(target, ref, final("one two three"))
    assert texts(server, root) == ["one two three"]
    assert set(asked) == {server.team_id}
    assert methods(server).count(START) == 2
    assert [call.error for call in server.calls if call.method in (APPEND, STOP)] == ["", ""]


async def test_calls_for_an_organisations_installation_name_the_workspace(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    clients = platform._outbound.clients
    clients._team_id = lambda team: team
    await platform.send(target, final("one"))
    clients._team_id = lambda team: None
    await platform.send(target, final("two", nonce="n2"))
    assert [call.args.get("team_id") for call in calls(server, POST)] == [server.team_id, None]


async def test_a_step_that_is_made_again_is_told_once_and_lasts_from_then_on(clock: FakeClock) -> None:
    ladder = Ladder(clock, retry=100)
    with capture_logs() as logged:
        for _ in range(2):
            ladder.step_down(Feature.TASKS, "invalid_chunks", "T1")
            await clock.advance(60)
    assert len(logged) == 1
    assert not ladder.allows(Feature.TASKS, "T1")
    assert ladder.allows(Feature.TASKS, "T2")
    await clock.advance(40)
    assert ladder.allows(Feature.TASKS, "T1")


def test_only_so_many_steps_are_remembered_and_those_the_latest(clock: FakeClock) -> None:
    ladder = Ladder(clock, retry=100)
    for number in range(MOST_STEPS + 1):
        ladder.step_down(Feature.STREAMS, "access_denied", "T1", f"C{number}")
    assert ladder.allows(Feature.STREAMS, "T1", "C0")
    assert not ladder.allows(Feature.STREAMS, "T1", f"C{MOST_STEPS}")
    assert len(ladder.reasons()) == MOST_STEPS
