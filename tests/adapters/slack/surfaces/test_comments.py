"""Ratings below an answer, and the form that asks why one is bad, over both transports."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bridge.events import ButtonPressed, CommentGiven
from bridge.messages import ButtonAction, MessageRef
from bridge.playground.slack.model import Act, Fault
from tests.adapters.slack.peer import asked, question, until
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import RATINGS, Hall

FEEDBACK = "bridge:feedback"
ANSWER = "C0GENERAL"


def ts_of(ref: MessageRef) -> str:
    return ref.address.rpartition("/")[2]


async def rate(hall: Hall, ref: MessageRef, value: str, person: str = "U0GRACE") -> Act:
    return await hall.server.press(person, ANSWER, ts_of(ref), FEEDBACK, value)


async def dislike(hall: Hall, root: str) -> MessageRef:
    ref = await hall.answer(root, *RATINGS)
    await rate(hall, ref, "dislike")
    return ref


@pytest.mark.parametrize(("value", "action"), [("like", ButtonAction.LIKE), ("dislike", ButtonAction.DISLIKE)])
async def test_a_rating_is_heard_with_whose_it_is_where_and_when(
    hall: Hall, root: str, value: str, action: ButtonAction
) -> None:
    ref = await hall.answer(root, *RATINGS)
    act = await rate(hall, ref, value)
    pressed = await hall.next(ButtonPressed)
    assert (pressed.action, pressed.message, pressed.person) == (action, ref, "U0GRACE")
    assert pressed.installation == hall.server.team_id
    assert pressed.author is not None
    assert (pressed.author.id, pressed.author.home) == ("U0GRACE", "")
    assert pressed.target is not None
    assert pressed.target.conversation.thread == root
    at = act.payload["actions"][0]["action_ts"]  # type: ignore[index]
    assert pressed.revision == int(at.replace(".", ""))


async def test_who_rates_can_be_told_something_alone_in_that_thread(hall: Hall, root: str) -> None:
    await rate(hall, await hall.answer(root, *RATINGS), "like")
    private = (await hall.next(ButtonPressed)).private
    assert private is not None
    await hall.platform.send(private, question("thanks"))
    assert [(one.person, one.thread_ts, one.visible_text) for one in hall.server.ephemerals] == [
        ("U0GRACE", root, "thanks")
    ]


async def test_a_later_rating_is_the_later_one(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *RATINGS)
    await rate(hall, ref, "like")
    await hall.next(ButtonPressed)
    await rate(hall, ref, "dislike")
    first, second = (await hall.next(ButtonPressed), await hall.next(ButtonPressed, 2))
    assert second.revision > first.revision
    assert first.event_id != second.event_id


async def test_a_good_rating_asks_nothing(hall: Hall, root: str) -> None:
    await rate(hall, await hall.answer(root, *RATINGS), "like")
    await hall.next(ButtonPressed)
    assert asked(hall.server, "views.open") == 0


async def test_a_bad_rating_is_heard_before_anybody_is_asked_why(hall: Hall, root: str) -> None:
    hall.inbox.holds = ButtonPressed
    hall.inbox.gate.clear()
    await dislike(hall, root)
    await until(lambda: hall.inbox.entered > 0 and not hall.heard(ButtonPressed))
    assert asked(hall.server, "views.open") == 0
    hall.inbox.gate.set()
    view = await hall.shown_modal()
    assert "wrong" in str(view.content["title"])
    assert len(hall.heard(ButtonPressed)) == 1


async def test_what_was_wrong_is_told_with_the_rating_that_it_belongs_to(hall: Hall, root: str) -> None:
    ref = await dislike(hall, root)
    act = await hall.submit(await hall.shown_modal(), "  the *numbers* are old & wrong ")
    comment, pressed = await hall.next(CommentGiven), await hall.next(ButtonPressed)
    assert act.outcome == "acked"
    assert (comment.message, comment.person) == (ref, "U0GRACE")
    assert comment.text == "the *numbers* are old & wrong"
    assert comment.revision == pressed.revision
    assert hall.modal() is None


@pytest.mark.parametrize("words", [None, "  \n "])
async def test_nothing_written_is_no_comment(hall: Hall, root: str, words: str | None) -> None:
    await dislike(hall, root)
    act = await hall.submit(await hall.shown_modal(), words)
    assert act.outcome == "acked"
    assert (hall.modal(), hall.heard(CommentGiven)) == (None, [])


async def test_a_comment_sent_twice_is_one_event(hall: Hall, root: str) -> None:
    """A form that comes again, since the store was away, is the same one."""
    await dislike(hall, root)
    view = await hall.shown_modal()
    hall.inbox.fail = 1
    assert (await hall.submit(view, "too long")).outcome == "failed"
    assert (await hall.submit(view, "too long")).outcome == "acked"
    (comment,) = hall.heard(CommentGiven)
    assert comment.event_id == f"form/{view.id}"


async def test_the_rating_counts_where_the_form_cannot_be_opened(hall: Hall, root: str) -> None:
    hall.server.faults.fail_next["views.open"] = [Fault.refuse("expired_trigger_id")]
    with capture_logs() as logged:
        await dislike(hall, root)
        await hall.next(ButtonPressed)
        await until(lambda: any(one["event"] == "errand_failed" for one in logged), "the failure in the log")
    (failure,) = [one for one in logged if one["event"] == "errand_failed"]
    assert (failure["errand"], failure["code"]) == ("comment_form", "expired_trigger_id")
    assert hall.server.presses[0].outcome == "acked"


async def test_a_rating_that_was_not_stored_asks_nothing(hall: Hall, root: str) -> None:
    ref = await hall.answer(root, *RATINGS)
    hall.inbox.fail = 1
    act = await rate(hall, ref, "dislike")
    await hall.settle()
    assert (act.outcome, asked(hall.server, "views.open")) == ("failed", 0)


@pytest.mark.parametrize("plain", ["like", "dislike"])
async def test_plain_buttons_where_slack_has_no_others_mean_the_same(hall: Hall, root: str, plain: str) -> None:
    hall.server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks")]
    ref = await hall.answer(root, *RATINGS)
    await hall.server.press("U0GRACE", ANSWER, ts_of(ref), f"bridge:{plain}")
    pressed = await hall.next(ButtonPressed)
    assert pressed.action.value == plain


async def test_after_a_restart_old_ratings_and_open_forms_still_work(opening: Opening, root: str) -> None:
    async with opening() as hall:
        ref = await dislike(hall, root)
        view = await hall.shown_modal()
    async with opening() as hall:
        await hall.submit(view, "it is outdated")
        comment = await hall.next(CommentGiven)
        assert (comment.message, comment.text) == (ref, "it is outdated")
        await rate(hall, ref, "like", "U0ADA")
        assert (await hall.next(ButtonPressed)).message == ref


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "not json",
        "[]",
        "{}",
        "[" * 3_000,
        '{"message":"T0PLAYGROUND/C0GENERAL/1.1","pressed":"now"}',
        '{"message":"T0PLAYGROUND/C0GENERAL/1.1","pressed":true}',
        '{"message":"T0PLAYGROUND/C0GENERAL/1.1","pressed":-1}',
        '{"message":"T0PLAYGROUND/C0GENERAL/1.1","pressed":99999999999999999999}',
        '{"message":"T0OTHER/C0GENERAL/1.1","pressed":1}',
        '{"message":"T0PLAYGROUND/C0/../1.1","pressed":1}',
        '{"message":17,"pressed":1}',
    ],
)
async def test_what_a_form_remembers_is_looked_at_before_it_is_believed(hall: Hall, root: str, forged: str) -> None:
    await dislike(hall, root)
    view = await hall.shown_modal()
    view.content["private_metadata"] = forged
    act = await hall.submit(view, "words")
    assert act.outcome == "acked"
    assert hall.heard(CommentGiven) == []


async def test_a_form_of_somebody_elses_making_is_acknowledged_and_left(hall: Hall, root: str) -> None:
    await dislike(hall, root)
    view = await hall.shown_modal()
    view.content["callback_id"] = "another"
    act = await hall.submit(view, "words")
    assert (act.outcome, hall.heard(CommentGiven)) == ("acked", [])


async def test_no_word_of_a_comment_is_logged(hall: Hall, root: str) -> None:
    await dislike(hall, root)
    view = await hall.shown_modal()
    with capture_logs() as logged:
        hall.inbox.fail = 1
        await hall.submit(view, "confidential words")
        await hall.submit(view, "confidential words")
        await hall.next(CommentGiven)
    assert "confidential" not in repr(logged)


async def test_an_answer_in_direct_messages_is_rated_there(hall: Hall) -> None:
    channel = await hall.server.open_dm("U0GRACE")
    first = await hall.server.post_as("U0GRACE", channel, "why?")
    ref = await hall.answer(first, *RATINGS, channel=channel)
    await hall.server.press("U0GRACE", channel, ts_of(ref), FEEDBACK, "dislike")
    pressed = await hall.next(ButtonPressed)
    assert pressed.target is not None
    key = pressed.target.conversation
    assert (key.channel, key.thread, key.person) == (channel, first, "U0GRACE")
    await hall.submit(await hall.shown_modal(), "no")
    assert (await hall.next(CommentGiven)).message == replace(ref)
