"""What is answered, what counts as a rating, an order or a change, and what is left alone."""

from dataclasses import replace

import pytest

from bridge.events import MessageReceived
from bridge.messages import Attachment, ButtonAction, ConversationId, EventId, Origin, PersonId, Rating
from bridge.router import (
    NO_APP,
    NOT_ADMITTED,
    Ask,
    Decision,
    Facts,
    Ignore,
    Policy,
    Rate,
    Refuse,
    Retry,
    Revise,
    Stop,
    Withdraw,
    decide,
    wants_replied,
    wants_thread,
)
from bridge.routing import Access, AppPolicy, Follow, Resolution
from tests.fakes import values
from tests.fakes.events import deleted, edited, pressed

POLICY = Policy(
    like=frozenset({"👍", "+1"}),
    dislike=frozenset({"👎", "-1"}),
    stop=frozenset({"🛑", "octagonal_sign"}),
    retry=frozenset({"🔁", "repeat"}),
)
KNOWN = ConversationId(7)
APP = AppPolicy(name=values.APP)
THREAD = Resolution(app=APP)
MENTION = Resolution(app=APP, follow=Follow.MENTION)
EVERYTHING = Resolution(app=APP, follow=Follow.EVERYTHING)
NOBODY = Resolution(app=None, because=("No route matches.",))
ONLY_GRACE = Resolution(app=APP, access=Access(users=frozenset({PersonId("grace")}), roles=frozenset({"staff"})))


def judged(event: MessageReceived, facts: Facts | None = None, resolution: Resolution = THREAD) -> Decision:
    return decide(event, facts or Facts(), POLICY, resolution)


def asked(decision: Decision) -> Ask:
    assert isinstance(decision, Ask)
    return decision


def ignored(decision: Decision) -> str:
    assert isinstance(decision, Ignore)
    return decision.reason


def refused(decision: Decision) -> str:
    assert isinstance(decision, Refuse)
    return decision.notice


# Who is heard


@pytest.mark.parametrize("resolution", [THREAD, MENTION, EVERYTHING])
def test_mentions_replies_and_direct_messages_are_questions_wherever_an_app_answers(resolution: Resolution) -> None:
    for event in (
        values.message(),
        values.message(in_thread=True),
        values.message(mentions_bot=False, is_direct=True),
        values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True),
        values.message(mentions_bot=False, in_thread=True, reply_to=values.ref("a1"), replies_to_bot=True),
    ):
        decision = asked(judged(event, resolution=resolution))
        assert (decision.message, decision.app, decision.join, decision.may_stop) == (event, APP, None, False)


def test_a_reply_that_only_the_store_knows_as_a_reply_to_us_is_a_question_too() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"))
    assert asked(judged(event, Facts(replied=KNOWN), MENTION)).join == KNOWN


def test_a_follow_up_in_a_known_thread_needs_no_mention() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert asked(judged(event, Facts(thread=KNOWN))).join is None


def test_a_message_in_a_thread_of_others_is_left_alone() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert ignored(judged(event)) == "in a thread of others"


def test_where_mentions_are_asked_for_a_known_thread_needs_one_each_time() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert ignored(judged(event, Facts(thread=KNOWN), MENTION)) == "in a thread, without a mention"


@pytest.mark.parametrize("in_thread", [True, False])
def test_where_everything_is_followed_whatever_a_person_writes_is_a_question(in_thread: bool) -> None:
    asked(judged(values.message(mentions_bot=False, in_thread=in_thread), resolution=EVERYTHING))


@pytest.mark.parametrize("resolution", [THREAD, MENTION])
def test_unaddressed_talk_in_a_channel_is_left_alone(resolution: Resolution) -> None:
    assert ignored(judged(values.message(mentions_bot=False), resolution=resolution)) == "not addressed to the bot"


def test_stickers_are_no_questions_unless_they_are_said_to_the_bot() -> None:
    sticker = values.message(" ", mentions_bot=False, in_thread=True)
    assert ignored(judged(sticker, Facts(thread=KNOWN))) == "says nothing"
    assert ignored(judged(sticker, resolution=EVERYTHING)) == "says nothing"
    asked(judged(replace(sticker, attachments=(Attachment(name="a.pdf"),)), resolution=EVERYTHING))
    asked(judged(replace(sticker, mentions_bot=True)))


def test_a_reply_to_the_bot_whose_answer_is_forgotten_starts_anew() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True)
    assert asked(judged(event)).join is None


def test_inside_a_thread_the_thread_counts_and_not_the_message_replied_to() -> None:
    event = values.message(mentions_bot=False, in_thread=True, reply_to=values.ref("a1"))
    assert asked(judged(event, Facts(thread=KNOWN, replied=ConversationId(8)))).join is None


@pytest.mark.parametrize("origin", [Origin.SELF, Origin.BOT, Origin.SYSTEM])
def test_only_people_are_answered(origin: Origin) -> None:
    event = values.message(origin=origin, is_direct=True)
    for resolution in (EVERYTHING, NOBODY):
        assert origin.value in ignored(judged(event, Facts(thread=KNOWN, replied=KNOWN), resolution))


def test_busy_channels_do_not_cost_a_look_into_the_store() -> None:
    in_thread = values.message(in_thread=True, mentions_bot=False)
    assert wants_thread(in_thread, THREAD)
    for event, resolution in (
        (values.message(mentions_bot=False), THREAD),
        (values.message(in_thread=True), THREAD),
        (values.message(in_thread=True, mentions_bot=False, origin=Origin.BOT), THREAD),
        (in_thread, MENTION),
        (in_thread, EVERYTHING),
        (in_thread, NOBODY),
    ):
        assert not wants_thread(event, resolution)
    reply = values.message(reply_to=values.ref("a1"))
    assert wants_replied(reply, THREAD)
    assert not wants_replied(reply, NOBODY)
    assert not wants_replied(values.message(), THREAD)


# Who is refused


@pytest.mark.parametrize(("resolution", "notice"), [(NOBODY, NO_APP), (ONLY_GRACE, NOT_ADMITTED)])
def test_who_speaks_to_a_bot_that_does_not_answer_here_is_told_so(resolution: Resolution, notice: str) -> None:
    assert refused(judged(values.message(), resolution=resolution)) == notice
    assert refused(judged(values.message(mentions_bot=False, is_direct=True), resolution=resolution)) == notice
    reply = values.message(mentions_bot=False, replies_to_bot=True)
    assert refused(judged(reply, resolution=resolution)) == notice


@pytest.mark.parametrize("resolution", [NOBODY, ONLY_GRACE])
def test_who_does_not_speak_to_the_bot_is_not_bothered(resolution: Resolution) -> None:
    for follow in Follow:
        event = values.message(mentions_bot=False, in_thread=True)
        ignored(judged(event, Facts(thread=KNOWN), replace(resolution, follow=follow)))


def test_the_reason_for_silence_names_the_routes() -> None:
    decision = judged(values.message(), resolution=NOBODY)
    assert isinstance(decision, Refuse)
    assert "No route matches." in decision.reason


def test_a_user_or_a_role_on_the_list_is_enough() -> None:
    asked(judged(replace(values.message(), author=values.person("grace")), resolution=ONLY_GRACE))
    asked(judged(replace(values.message(), author=replace(values.person(), roles=("staff",))), resolution=ONLY_GRACE))


# Stop and retry


@pytest.mark.parametrize("text", ["stop", "Stop!", " STOP. ", "/stop", "!stop", "**stop**", "🛑 stop 🛑", "_stop_"])
def test_the_word_stop_alone_may_be_an_order(text: str) -> None:
    assert asked(judged(values.message(text))).may_stop


@pytest.mark.parametrize("text", ["", "!", "stop it", "please stop", "nonstop", "stop stop", "how do I stop?", "st op"])
def test_stop_among_other_words_is_a_question(text: str) -> None:
    assert not asked(judged(values.message(text))).may_stop


def test_stop_beside_a_file_is_a_question() -> None:
    assert not asked(judged(values.message("stop", attachments=(Attachment(name="a.pdf"),)))).may_stop


def test_configured_emoji_and_buttons_stop_and_retry_the_answer_they_stand_on() -> None:
    for emoji in ("🛑", "octagonal_sign"):
        event = values.reaction("a1", emoji)
        assert decide(event, Facts(), POLICY, NOBODY) == Stop(event_id=event.event_id, answer=values.ref("a1"))
    for emoji in ("🔁", "repeat"):
        event = values.reaction("a1", emoji)
        assert decide(event, Facts(), POLICY, NOBODY) == Retry(event_id=event.event_id, answer=values.ref("a1"))
    stop, retry = pressed(ButtonAction.STOP, "a1"), pressed(ButtonAction.RETRY, "a1")
    assert decide(stop, Facts(), POLICY, NOBODY) == Stop(event_id=stop.event_id, answer=values.ref("a1"))
    assert decide(retry, Facts(), POLICY, NOBODY) == Retry(event_id=retry.event_id, answer=values.ref("a1"))


@pytest.mark.parametrize("emoji", ["🛑", "🔁"])
def test_taking_an_order_away_or_giving_it_as_a_bot_does_nothing(emoji: str) -> None:
    ignored(decide(values.reaction("a1", emoji, added=False), Facts(), POLICY, THREAD))
    ignored(decide(values.reaction("a1", emoji, origin=Origin.BOT), Facts(), POLICY, THREAD))


# Votes


@pytest.mark.parametrize(
    ("emoji", "rating"), [("👍", Rating.LIKE), ("+1", Rating.LIKE), ("👎", Rating.DISLIKE), ("-1", Rating.DISLIKE)]
)
def test_configured_emoji_are_ratings(emoji: str, rating: Rating) -> None:
    decision = decide(values.reaction("a1", emoji, revision=5), Facts(), POLICY, THREAD)
    assert isinstance(decision, Rate)
    assert (decision.vote.rating, decision.vote.source, decision.vote.revision) == (rating, emoji, 5)
    assert decision.vote.active


def test_taking_a_reaction_away_is_a_vote_too() -> None:
    decision = decide(values.reaction("a1", added=False), Facts(), POLICY, THREAD)
    assert isinstance(decision, Rate)
    assert not decision.vote.active


def test_other_emoji_and_bots_do_not_rate() -> None:
    assert ignored(decide(values.reaction("a1", "🎉"), Facts(), POLICY, THREAD)) == "emoji means nothing here"
    assert "bot" in ignored(decide(values.reaction("a1", origin=Origin.BOT), Facts(), POLICY, THREAD))


# Edits and deletions


def test_an_edit_is_told_under_its_own_event_with_the_message_as_it_reads_now() -> None:
    event = edited(values.message("first"), "second", revision=9)
    decision = decide(event, Facts(), POLICY, THREAD)
    assert decision == Revise(message=replace(event.now, event_id=EventId("edit q1 9")), revision=9, running=True)
    assert decide(event, Facts(), replace(POLICY, follow_edits_running=False), THREAD) == replace(
        decision, running=False
    )


def test_edits_of_bots_are_left_alone_and_people_may_be_too() -> None:
    assert "bot" in ignored(decide(edited(values.message(origin=Origin.BOT)), Facts(), POLICY, THREAD))
    unfollowed = replace(POLICY, follow_edits_waiting=False)
    assert ignored(decide(edited(values.message()), Facts(), unfollowed, THREAD)) == "edits are not followed"


def test_a_deletion_withdraws_whatever_was_asked_with_it_unless_that_is_switched_off() -> None:
    event = deleted(3)
    decision = decide(event, Facts(), POLICY, NOBODY)
    assert decision == Withdraw(event_id=event.event_id, message=values.ref("q3"))
    assert "not followed" in ignored(decide(event, Facts(), replace(POLICY, follow_deletions=False), NOBODY))
