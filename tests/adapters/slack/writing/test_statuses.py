"""That an answer is being worked on: the session's state, else the status line, else a reaction; and that it ends."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import ValidationError

from adapters.slack.adapter import SlackPlatform
from adapters.slack.addresses import write_opening
from adapters.slack.settings import Settings
from bridge.messages import Address, MessageRef, PersonId, ReplyTarget
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import make_timed_platform, target_under, until
from tests.adapters.slack.writing.said import ADA, RATINGS, answer, calls, final, live, methods
from tests.fakes.clock import FakeClock

SESSION, STATUS = "agents.sessions.setStatus", "assistant.threads.setStatus"
ADD, REMOVE = "reactions.add", "reactions.remove"


@pytest.fixture
def asked(target: ReplyTarget) -> MessageRef:
    """The question is the root of its thread."""
    return MessageRef(platform=target.platform, address=target.address)


def state(server: SlackServer, root: str) -> str:
    return server.workspace.sessions["C0GENERAL", root].status


def reactions(server: SlackServer, root: str) -> list[str]:
    return [name for name, people in server.message("C0GENERAL", root).reactions.items() if people]


async def test_an_agent_works_and_is_active_again_once_it_has_answered(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    await platform.show_activity(target, asked)
    assert state(server, root) == "processing"
    await platform.send(target, final("done"))
    assert state(server, root) == "processing"
    await platform.end_activity(target, asked)
    assert state(server, root) == "active"
    assert STATUS not in methods(server)


async def test_whoever_asks_in_a_direct_message_is_named(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    direct = replace(target, conversation=replace(target.conversation, person=PersonId("U0ADA")))
    await platform.show_activity(direct, asked)
    assert server.workspace.sessions["C0GENERAL", root].initiator == "U0ADA"


async def test_the_end_of_a_stream_that_ends_the_answer_ends_the_session_with_it(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    await platform.show_activity(target, asked)
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, final("one two three", *RATINGS))
    assert state(server, root) == "active"
    await platform.end_activity(target, asked)
    assert len(calls(server, SESSION)) == 1


async def test_an_answer_that_goes_on_in_another_message_is_still_worked_on(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    await platform.show_activity(target, asked)
    ref = await platform.send(target, live("one two "))
    await platform.edit(target, ref, final("one two three"))
    assert state(server, root) == "processing"


@pytest.mark.parametrize("agent", [True, False])
async def test_an_answer_that_is_edited_from_now_on_is_still_worked_on(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    root: str,
    asked: MessageRef,
    clock: FakeClock,
    *,
    agent: bool,
) -> None:
    await platform.show_activity(target, asked)
    ref = await platform.send(target, live("one two "))
    server.is_agent = agent  # or not any more
    await platform.edit(target, ref, live("No: something else"))
    await clock.advance(7)
    await platform.edit(target, ref, live("No: something else"))
    assert answer(server, root).visible_text == "No: something else"
    told = [call.args.get("session_status") for call in calls(server, "chat.stopStream")]
    assert told == (["processing"] if agent else ["processing", None])


async def test_an_app_that_is_no_agent_has_a_status_line_that_its_answer_ends(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    server.is_agent = False
    for _ in range(2):
        await platform.show_activity(target, asked)
    assert methods(server) == [SESSION, STATUS, STATUS]
    shown = server.statuses["C0GENERAL", root]
    assert (shown.text, len(shown.loading_messages)) == ("is thinking…", 3)
    await platform.send(target, final("done"))
    assert server.statuses == {}
    await platform.end_activity(target, asked)
    assert methods(server).count(STATUS) == 2


async def test_a_status_line_without_an_answer_is_taken_away(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, asked: MessageRef
) -> None:
    server.is_agent = False
    await platform.show_activity(target, asked)
    await platform.end_activity(target, asked)
    assert server.statuses == {}


@pytest.mark.parametrize("code", ["missing_scope", "unknown_method", "feature_not_enabled"])
async def test_where_there_is_no_status_line_a_reaction_does_it(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef, code: str
) -> None:
    server.is_agent = False
    server.faults.fail_next[STATUS] = [Fault.refuse(code)]
    for _ in range(2):
        await platform.show_activity(target, asked)
    assert methods(server) == [SESSION, STATUS, ADD, ADD]
    assert reactions(server, root) == ["eyes"]
    await platform.end_activity(target, asked)
    assert reactions(server, root) == []
    assert len(platform._outbound.ladder.reasons()) == 2  # what an operator is told


async def test_which_reaction_it_is_and_whether_there_is_one_can_be_set(
    server: SlackServer, target: ReplyTarget, root: str, asked: MessageRef, clock: FakeClock
) -> None:
    server.is_agent = False
    server.faults.fail_next[STATUS] = [Fault.refuse("missing_scope")] * 2
    for name, shown in (("none", []), (":hourglass:", ["hourglass"])):
        platform = make_timed_platform(server, clock, slack_working_emoji=name, slack_loading_messages="none")
        await platform.show_activity(target, asked)
        assert reactions(server, root) == shown
        await platform.end_activity(target, asked)
        assert reactions(server, root) == []
        await platform.close()
    assert "loading_messages" not in calls(server, STATUS)[0].args


@pytest.mark.parametrize("lacking", [(), ("agent",), ("agent", "status")])
async def test_what_an_earlier_process_showed_is_taken_away(
    server: SlackServer,
    platform: SlackPlatform,
    heir: SlackPlatform,
    target: ReplyTarget,
    root: str,
    asked: MessageRef,
    lacking: tuple[str, ...],
) -> None:
    server.is_agent = "agent" not in lacking
    if "status" in lacking:
        server.faults.fail_next[STATUS] = [Fault.refuse("missing_scope")] * 2
    await platform.show_activity(target, asked)
    await heir.end_activity(target, asked)
    if not lacking:
        assert state(server, root) == "active"
    assert (server.statuses, reactions(server, root)) == ({}, [])


async def test_ending_what_was_never_shown_harms_nobody(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, asked: MessageRef
) -> None:
    server.is_agent = False
    server.faults.fail_next[STATUS] = [Fault.refuse("missing_scope")]
    for _ in range(2):
        await platform.end_activity(target, asked)
    assert calls(server, REMOVE)[-1].error == "no_reaction"


async def test_a_question_that_nobody_sees_gets_no_reaction(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    server.is_agent = False
    server.faults.fail_next[STATUS] = [Fault.refuse("missing_scope")]
    unseen = MessageRef(platform=target.platform, address=Address(f"{server.team_id}/C0GENERAL/!press"))
    await platform.show_activity(target, unseen)
    await platform.end_activity(target, unseen)
    assert not {ADD, REMOVE} & set(methods(server))


async def test_before_there_is_a_thread_nothing_is_shown(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, asked: MessageRef
) -> None:
    opening = replace(target, address=write_opening(server.team_id, "C0GENERAL", "n", 0.0), opens_thread=True)
    await platform.show_activity(opening, asked)
    await platform.end_activity(opening, asked)
    assert server.calls == []


async def test_what_failed_by_accident_is_tried_again(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    server.faults.fail_next[SESSION] = [Fault.http(500), Fault.refuse("thread_not_found")]
    for _ in range(3):
        await platform.show_activity(target, asked)
    assert state(server, root) == "processing"


async def test_what_could_not_be_taken_away_by_accident_is_taken_away_in_the_end(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef, clock: FakeClock
) -> None:
    server.is_agent = False
    server.lacks["assistant"] = "feature_disabled"
    await platform.show_activity(target, asked)
    server.faults.fail_next["reactions.remove"] = [Fault.refuse("internal_error")]
    ending = asyncio.create_task(platform.end_activity(target, asked))
    while not ending.done():
        await clock.advance(0.1)
        await asyncio.wait({ending}, timeout=0.02)
    assert methods(server)[-2:] == ["reactions.remove", "reactions.remove"]
    assert reactions(server, root) == []


async def test_what_a_workspace_lacks_is_tried_again_after_an_hour(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef, clock: FakeClock
) -> None:
    server.is_agent = False
    await platform.show_activity(target, asked)
    await platform.end_activity(target, asked)
    server.is_agent = True
    await clock.advance(3_601)
    await platform.show_activity(target, asked)
    assert state(server, root) == "processing"


async def test_a_channel_without_a_status_line_does_not_speak_for_the_others(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    server.faults.fail_next[SESSION] = [Fault.refuse("channel_type_not_supported")]
    await platform.show_activity(target, asked)
    assert methods(server) == [SESSION, STATUS]
    other = await server.post_as("U0ADA", "C0SUPPORT", "another question")
    elsewhere = target_under(server, "C0SUPPORT", other)
    await platform.show_activity(elsewhere, MessageRef(platform=target.platform, address=elsewhere.address))
    assert server.workspace.sessions["C0SUPPORT", other].status == "processing"


async def test_each_thread_has_its_own(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    other = await server.post_as("U0GRACE", "C0GENERAL", "another question")
    elsewhere = target_under(server, "C0GENERAL", other)
    await platform.show_activity(target, asked)
    await platform.show_activity(elsewhere, MessageRef(platform=target.platform, address=elsewhere.address))
    await platform.end_activity(target, asked)
    assert (state(server, root), state(server, other)) == ("active", "processing")


@pytest.mark.parametrize("pause", [2, 60])
async def test_taking_it_away_waits_for_a_short_pause_but_not_for_a_long_one(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    root: str,
    asked: MessageRef,
    clock: FakeClock,
    pause: int,
) -> None:
    await platform.show_activity(target, asked)
    server.faults.fail_next[SESSION] = [Fault.rate_limit(pause)]
    task = asyncio.create_task(platform.end_activity(target, asked))
    await until(lambda: len(calls(server, SESSION)) == 2)
    await until(lambda: bool(clock._sleepers) or task.done())
    assert task.done() is (pause == 60)
    await clock.advance(2)
    await task
    assert state(server, root) == ("active" if pause == 2 else "processing")


async def test_a_slow_status_holds_no_answer_up_and_is_still_taken_away(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    root: str,
    asked: MessageRef,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.slack.writing.statuses.TIMEOUT", 0.05)
    server.faults.fail_next[SESSION] = [Fault.slow(30)]
    await platform.show_activity(target, asked)
    assert state(server, root) == "processing"
    monkeypatch.setattr("adapters.slack.writing.statuses.TIMEOUT", 3.0)
    await platform.end_activity(target, asked)
    assert state(server, root) == "active"
    monkeypatch.setattr("adapters.slack.writing.statuses.TIMEOUT", 0.02)
    monkeypatch.setattr("adapters.slack.writing.statuses.LONGEST_PAUSE", 0.03)
    server.faults.fail_next[SESSION] = [Fault.slow(30)]
    await platform.end_activity(target, asked)
    await clock.advance(30)


async def test_a_slow_status_line_below_an_earlier_answer_is_taken_away_too(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    asked: MessageRef,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.is_agent = False
    await platform.show_activity(target, asked)
    await platform.send(target, final("an answer"))
    monkeypatch.setattr("adapters.slack.writing.statuses.TIMEOUT", 0.05)
    server.faults.fail_next[STATUS] = [Fault.slow(30)]
    await platform.show_activity(target, asked)
    assert server.statuses != {}
    monkeypatch.setattr("adapters.slack.writing.statuses.TIMEOUT", 3.0)
    await platform.end_activity(target, asked)
    assert server.statuses == {}
    await clock.advance(30)


async def test_where_more_is_shown_than_is_remembered_all_of_it_is_taken_away(
    server: SlackServer,
    platform: SlackPlatform,
    target: ReplyTarget,
    root: str,
    asked: MessageRef,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.slack.writing.statuses.MOST_SHOWN", 1)
    other = await server.post_as("U0ADA", "C0GENERAL", "another question")
    elsewhere = target_under(server, "C0GENERAL", other)
    question = MessageRef(platform=target.platform, address=elsewhere.address)
    await platform.show_activity(target, asked)
    await platform.show_activity(elsewhere, question)
    await platform.end_activity(target, asked)
    await platform.end_activity(elsewhere, question)
    assert (state(server, root), state(server, other)) == ("active", "active")


async def test_a_rate_limit_is_kept_to(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, asked: MessageRef
) -> None:
    server.faults.fail_next[SESSION] = [Fault.rate_limit(60)]
    for _ in range(3):
        await platform.show_activity(target, asked)
    assert methods(server) == [SESSION]


async def test_what_is_shown_leaves_room_for_taking_it_away(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef, clock: FakeClock
) -> None:
    for _ in range(80):
        await platform.show_activity(target, asked)
    assert len(calls(server, SESSION)) < 45
    await platform.end_activity(target, asked)
    assert (state(server, root), server.rejected) == ("active", 0)
    await clock.advance(61)
    await platform.show_activity(target, asked)
    assert state(server, root) == "processing"
    assert sum(map(len, platform._outbound._statuses._calls.values())) == 1  # nothing older is remembered


async def test_twenty_answers_a_minute_are_all_shown_to_be_worked_on(
    server: SlackServer, platform: SlackPlatform, clock: FakeClock
) -> None:
    for number in range(44):
        asked = await server.post_as("U0ADA", "C0GENERAL", f"question {number}")
        target = target_under(server, "C0GENERAL", asked)
        question = MessageRef(platform=target.platform, address=target.address)
        await platform.show_activity(target, question)
        assert state(server, asked) == "processing"
        await clock.advance(3)
        await platform.end_activity(target, question)
        assert state(server, asked) == "active"
    assert server.rejected == 0


async def test_as_many_as_can_be_taken_away_again_are_shown_at_once(
    server: SlackServer, platform: SlackPlatform
) -> None:
    shown = []
    for number in range(40):
        asked = await server.post_as("U0ADA", "C0GENERAL", f"question {number}")
        target = target_under(server, "C0GENERAL", asked)
        shown.append((target, MessageRef(platform=target.platform, address=target.address)))
        await platform.show_activity(*shown[-1])
    assert 20 <= len(server.workspace.sessions) <= 25
    for target, question in shown:
        await platform.end_activity(target, question)
    assert {session.status for session in server.workspace.sessions.values()} == {"active"}
    assert server.rejected == 0


async def test_a_status_that_is_shown_does_not_use_up_the_answers_own_calls(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    await platform.show_activity(target, asked)
    ref = await platform.send(target, live("one two ", asker=ADA))
    assert platform.is_growing(ref)
    assert answer(server, root).visible_text == "one "


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("slack_working_emoji", "👀", "SLACK_WORKING_EMOJI is not the short name"),
        ("slack_loading_messages", "|".join("abcdefghijk"), "SLACK_LOADING_MESSAGES has more than 10"),
        ("slack_stream_longest", 300, "less than or equal to 280"),
    ],
)
def test_a_setting_that_slack_would_refuse_is_named(setting: str, value: object, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Settings.model_validate({setting: value})


async def test_an_app_that_is_no_agent_any_more_ends_its_streams_all_the_same(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, asked: MessageRef
) -> None:
    await platform.show_activity(target, asked)
    ref = await platform.send(target, live("one two "))
    server.is_agent = False
    await platform.edit(target, ref, final("one two three", *RATINGS))
    assert [call.error for call in calls(server, "chat.stopStream")] == ["feature_disabled", ""]
    assert answer(server, root).blocks[0] == {"type": "markdown", "text": "one two three"}
    assert calls(server, "chat.update") == []
