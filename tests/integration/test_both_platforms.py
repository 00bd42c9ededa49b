"""The whole path on each platform: real SDK clients over real sockets, the real bridge, a stand-in Dify over real HTTP."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.playground.dify.faults import conversation_missing, cut, error_event, html_503, rate_limited
from bridge.playground.dify.script import Reply
from tests.integration.seats import Play, Seat, playing

TOKENS = [f"word{number} " for number in range(200)]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    async with playing(tmp_path) as started:
        yield started


@pytest.fixture(params=["slack", "discord"])
def seat(request: pytest.FixtureRequest, play: Play) -> Seat:
    return play.seats[request.param]


def say(*tokens: str, per_token: float = 0.0, first_token: float = 0.0) -> Reply:
    return Reply(tokens=list(tokens), per_token=per_token, first_token=first_token)


async def test_an_answer_grows_in_the_thread_and_arrives_whole(play: Play, seat: Seat) -> None:
    play.dify.script = lambda _: say(*TOKENS, per_token=0.02)
    thread = await seat.ask("Tell me a lot")
    await play.answered(seat, thread, "word199")
    growth = seat.growth(thread)
    assert len(growth) >= 3, "seen while it grew"
    assert all(later.startswith(earlier.rstrip()) for earlier, later in pairwise(growth))
    assert seat.answers(thread) == ["".join(TOKENS).strip()]
    assert (seat.rejected(), seat.pings()) == (0, 0)


async def test_a_mention_is_one_question_however_often_it_is_delivered(play: Play, seat: Seat) -> None:
    play.stage.slack.faults.duplicate_events = True
    play.stage.discord.faults.duplicate_dispatches = True
    thread = await seat.ask("Only once, please")
    await play.answered(seat, thread, "Only once, please")
    await play.stage.slack.idle(5)
    assert len(play.dify.requests) == 1
    assert len(seat.answers(thread)) == 1


async def test_a_follow_up_in_the_thread_continues_the_conversation_without_a_mention(play: Play, seat: Seat) -> None:
    thread = await seat.ask("My name is Ada")
    await play.answered(seat, thread, "My name is Ada")
    await seat.say(thread, "What is my name?")
    await play.answered(seat, thread, "question 2 in this conversation", count=2)
    first, second = play.dify.requests
    assert [second.conversation_id] == list(play.dify.conversations)
    assert first.user == second.user
    assert second.body["auto_generate_name"] is False


async def test_another_thread_is_another_conversation(play: Play, seat: Seat) -> None:
    one = await seat.ask("first thread")
    other = await seat.ask("second thread")
    await play.answered(seat, one, "first thread")
    await play.answered(seat, other, "second thread")
    assert len(play.dify.conversations) == 2
    assert len({request.user for request in play.dify.requests}) == 2


async def test_a_direct_message_is_answered_with_the_person_as_user(play: Play, seat: Seat) -> None:
    place = await seat.tell("just between us")
    await play.answered(seat, place, "just between us")
    person = {"slack": "U0ADA", "discord": play.stage.discord.ada}[seat.name]
    assert play.dify.requests[0].user.endswith(f":{person}")


async def test_questions_of_one_thread_are_answered_in_order(play: Play, seat: Seat) -> None:
    play.dify.script = lambda query: say("re: ", query, per_token=0.3)
    thread = await seat.ask("one")
    await play.until(lambda: bool(seat.answers(thread)), "the thread is open")
    for text in ("two", "three"):
        await seat.say(thread, text)
    await play.answered(seat, thread, "re: three", count=3)
    assert seat.answers(thread) == ["re: one", "re: two", "re: three"]


async def test_a_long_answer_is_whole_in_several_messages(play: Play, seat: Seat) -> None:
    lines = [f"Line {number}: " + "x" * 80 + "\n" for number in range(80 if seat.name == "discord" else 200)]
    play.dify.script = lambda _: say(*lines)
    thread = await seat.ask("everything")
    await play.answered(seat, thread, lines[-1].strip(), count=2)
    seen = "\n".join(seat.answers(thread))
    assert [line.strip() for line in seen.split("\n") if line] == [line.strip() for line in lines]
    assert seat.files(thread) == []
    assert seat.rejected() == 0


async def test_the_rest_of_a_very_long_answer_is_attached_as_one_file(play: Play, seat: Seat) -> None:
    much = 40 if seat.name == "slack" else 10
    lines = [f"Line {number}: " + "word " * 200 + "<!channel> @everyone\n\n" for number in range(much * 2)]
    play.dify.script = lambda _: say(*lines, per_token=8 / len(lines))
    thread = await seat.ask("more than everything")
    await play.until(lambda: bool(seat.files(thread)), "the file is there")
    texts = await play.answered(seat, thread, "rest of the answer", count=6)
    await play.until(lambda: "in the attached file" in seat.answers(thread)[4], "the message before it says so")
    ((name, content),) = seat.files(thread)
    assert name == "answer.md"
    seen = "\n".join([*texts[:4], content.decode()]).replace("\u200b", "")
    found = re.findall(r"Line \d+:", seen)
    assert found == [f"Line {number}:" for number in range(much * 2)]
    assert seen.count("word") == much * 2 * 200
    assert content.decode().endswith("<!channel> @everyone\n\n")
    assert (seat.pings(), seat.rejected()) == (0, 0)


async def test_where_files_are_not_allowed_the_rest_comes_as_messages(play: Play) -> None:
    from bridge.playground.discord import Fault

    seat = play.seats["discord"]
    route = "POST /channels/{channel_id}/messages"
    lines = [f"Line {number}: " + "word " * 100 + "\n\n" for number in range(24)]
    play.dify.script = lambda _: say(*lines, per_token=0.4)
    thread = await seat.ask("everything")
    await play.until(lambda: len(seat.answers(thread)) == 5, "the file is announced")
    play.stage.discord.faults.fail_next[route] = [Fault(status=403, code=50013)]
    await play.answered(seat, thread, "Line 23", count=6)
    seen = "\n".join(seat.answers(thread))
    assert re.findall(r"Line \d+:", seen) == [f"Line {number}:" for number in range(24)]
    assert "file" not in seen
    assert seat.files(thread) == []


async def test_nobody_is_pinged_by_what_a_model_writes(play: Play, seat: Seat) -> None:
    thread = await seat.ask("mention everybody")
    await play.answered(seat, thread, "nobody should have been pinged")
    assert seat.pings() == 0


async def test_hidden_thoughts_stay_hidden(play: Play, seat: Seat) -> None:
    thread = await seat.ask("think hard")
    texts = await play.answered(seat, thread, "I have thought about it")
    assert "Still thinking" not in texts[0]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [(html_503(), "cannot be reached"), (rate_limited(), "too many questions")],
)
async def test_when_dify_refuses_the_member_is_told_in_plain_words(
    play: Play, seat: Seat, fault: object, sentence: str
) -> None:
    play.dify.faults.fail_next = [fault] * 5  # type: ignore[list-item]  # a union in the stand-in
    thread = await seat.ask("hello?")
    texts = await play.answered(seat, thread, "(Reference ")
    assert sentence in texts[0] or "failed" in texts[0]
    assert "503" not in texts[0]
    assert "html" not in texts[0].lower()


@pytest.mark.parametrize("fault", [cut(at=3), error_event(at=3)])
async def test_a_broken_answer_keeps_what_arrived_and_says_that_it_is_incomplete(
    play: Play, seat: Seat, fault: object
) -> None:
    play.dify.script = lambda _: Reply(
        tokens=["Half ", "of ", "the ", "answer ", "is ", "lost"],
        per_token=0.03,
        fault=fault,  # type: ignore[arg-type]  # a union in the stand-in
    )
    thread = await seat.ask("hello?")
    texts = await play.answered(seat, thread, "incomplete")
    assert texts[0].startswith("Half of the")
    assert "(Reference " in texts[0]


async def test_a_conversation_that_dify_lost_heals_itself_and_says_so(play: Play, seat: Seat) -> None:
    thread = await seat.ask("first")
    await play.answered(seat, thread, "first")
    play.dify.faults.fail_next = [conversation_missing()]
    await seat.say(thread, "second")
    texts = await play.answered(seat, thread, "starts a new one", count=2)
    assert "second" in texts[1]


async def test_reactions_become_the_rating_that_dify_keeps(play: Play, seat: Seat) -> None:
    thread = await seat.ask("rate me")
    await play.answered(seat, thread, "rate me")
    message = play.dify.requests[0].message_id

    def rated(expected: str | None) -> bool:
        known = play.dify.ratings.get(message)
        return (known.rating if known else None) == expected

    await seat.react(thread, up=True)
    await play.until(lambda: rated("like"), "liked")
    assert play.dify.ratings[message].user == play.dify.requests[0].user
    await seat.react(thread, up=False, who=1)
    await play.until(lambda: rated(None), "a tie")
    await seat.react(thread, up=False, who=2)
    await play.until(lambda: rated("dislike"), "disliked by most")
    await seat.react(thread, up=False, who=1, remove=True)
    await seat.react(thread, up=False, who=2, remove=True)
    await play.until(lambda: rated("like"), "the first vote counts again")


async def test_a_restart_forgets_nothing(play: Play, seat: Seat) -> None:
    thread = await seat.ask("remember me")
    await play.answered(seat, thread, "remember me")
    await play.stage.restart_bridge()
    await seat.say(thread, "who am I?")
    await play.answered(seat, thread, "question 2 in this conversation", count=2)
    await seat.react(thread, up=True)
    await play.until(lambda: bool(play.dify.ratings), "rated after the restart")
    assert next(iter(play.dify.ratings)) == play.dify.requests[0].message_id


async def test_killed_in_the_middle_the_answer_is_asked_for_once_more_and_stands_in_the_same_message(
    play: Play, seat: Seat
) -> None:
    play.dify.script = lambda _: say(*TOKENS, per_token=0.05)
    thread = await seat.ask("a slow one")
    await play.until(lambda: bool(seat.answers(thread)) and len(seat.growth(thread)) >= 2, "it grows")
    play.dify.script = lambda _: say("All of it.")
    await play.stage.restart_bridge(kill=True)
    texts = await play.answered(seat, thread, "All of it.")
    assert texts == ["All of it."]
    assert len(play.dify.requests) == 2, "asked once more and not more often"
    play.dify.script = None
    await seat.say(thread, "go on")
    await play.answered(seat, thread, "go on", count=2)


async def test_a_gentle_stop_lets_the_answer_finish(play: Play, seat: Seat) -> None:
    play.dify.script = lambda _: say(*TOKENS[:60], per_token=0.03)
    thread = await seat.ask("finish this")
    await play.until(lambda: bool(seat.answers(thread)), "it began")
    await play.stage.restart_bridge()
    assert seat.answers(thread)[0].endswith("word59")


async def test_platform_trouble_delays_an_answer_and_loses_nothing(play: Play, seat: Seat) -> None:
    if seat.name == "slack":
        from bridge.playground.slack import Fault as SlackFault

        play.stage.slack.faults.fail_next["chat.postMessage"] = [SlackFault.rate_limit(1)]
        play.stage.slack.faults.fail_next["chat.update"] = [SlackFault.http(500), SlackFault.rate_limit(1)]
    else:
        await play.stage.discord.drop_gateways()
    play.dify.script = lambda _: say(*TOKENS, per_token=0.01)
    thread = await seat.ask("through the storm")
    await play.answered(seat, thread, "word199")
    assert seat.answers(thread) == ["".join(TOKENS).strip()]


async def test_a_post_whose_answer_was_lost_on_the_way_is_found_again_and_not_repeated(play: Play, seat: Seat) -> None:
    if seat.name == "slack":
        from bridge.playground.slack import Fault as SlackFault

        play.stage.slack.faults.fail_next["chat.postMessage"] = [SlackFault.effect_then_drop()]
    else:
        from bridge.playground.discord import Fault as DiscordFault

        route = "POST /channels/{channel_id}/messages"
        play.stage.discord.faults.fail_next[route] = [DiscordFault(kind="effect_then_drop")]
    play.dify.script = lambda _: say(*TOKENS, per_token=0.01)
    thread = await seat.ask("once and whole")
    await play.answered(seat, thread, "word199")
    assert seat.answers(thread) == ["".join(TOKENS).strip()]


async def test_an_event_is_not_acknowledged_while_the_store_is_locked_and_comes_again(play: Play) -> None:
    seat = play.seats["slack"]
    assert play.stage.app is not None
    store = play.stage.app.parts.store
    blocker = sqlite3.connect(play.database, isolation_level=None)
    try:
        blocker.execute("BEGIN IMMEDIATE")
        thread = await seat.ask("kept waiting")
        async with asyncio.timeout(10):
            while not play.stage.slack.deliveries or play.stage.slack.deliveries[-1].attempts < 1:
                await play.stage.clock.sleep(0.02)
        assert play.stage.slack.deliveries[-1].acked_at is None
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    await store.ping()
    await play.answered(seat, thread, "kept waiting")
    await play.stage.slack.idle(15)
    assert len(play.dify.requests) == 1
