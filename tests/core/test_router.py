"""What is answered, what counts as a rating, and what is left alone."""

import pytest

from bridge.messages import ConversationId, Origin, Rating
from bridge.router import Ask, Decision, Facts, Ignore, Policy, Rate, decide, wants_facts
from tests.fakes import values

POLICY = Policy(like=frozenset({"👍", "+1"}), dislike=frozenset({"👎", "-1"}))
KNOWN = ConversationId(7)


def ignored(decision: Decision) -> str:
    assert isinstance(decision, Ignore)
    return decision.reason


def test_a_mention_in_a_channel_is_a_question() -> None:
    assert decide(values.message(), Facts(), POLICY) == Ask()


def test_a_direct_message_needs_no_mention() -> None:
    assert decide(values.message(mentions_bot=False, is_direct=True), Facts(), POLICY) == Ask()


def test_a_follow_up_in_a_known_thread_needs_no_mention() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert decide(event, Facts(thread=KNOWN), POLICY) == Ask()


def test_a_message_in_a_thread_of_others_is_left_alone() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert ignored(decide(event, Facts(), POLICY)) == "in a thread of others"


def test_a_mention_claims_a_thread_of_others() -> None:
    assert decide(values.message(in_thread=True), Facts(), POLICY) == Ask()


def test_unaddressed_talk_in_a_channel_is_left_alone() -> None:
    assert ignored(decide(values.message(mentions_bot=False), Facts(), POLICY)) == "not addressed to the bot"


def test_a_reply_to_one_of_our_answers_joins_its_conversation() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True)
    assert decide(event, Facts(replied=KNOWN), POLICY) == Ask(join=KNOWN)


def test_a_reply_to_the_bot_whose_answer_is_forgotten_starts_anew() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True)
    assert decide(event, Facts(), POLICY) == Ask()


def test_inside_a_thread_the_thread_counts_and_not_the_message_replied_to() -> None:
    event = values.message(mentions_bot=False, in_thread=True, reply_to=values.ref("a1"))
    assert decide(event, Facts(thread=KNOWN, replied=ConversationId(8)), POLICY) == Ask()


@pytest.mark.parametrize("origin", [Origin.SELF, Origin.BOT, Origin.SYSTEM])
def test_only_people_are_answered(origin: Origin) -> None:
    event = values.message(origin=origin, is_direct=True)
    assert origin.value in ignored(decide(event, Facts(thread=KNOWN, replied=KNOWN), POLICY))


def test_busy_channels_do_not_cost_a_look_into_the_store() -> None:
    assert not wants_facts(values.message(mentions_bot=False))
    assert not wants_facts(values.message(in_thread=True, origin=Origin.BOT))
    assert wants_facts(values.message(in_thread=True, mentions_bot=False))
    assert wants_facts(values.message(reply_to=values.ref("a1")))


@pytest.mark.parametrize(
    ("emoji", "rating"), [("👍", Rating.LIKE), ("+1", Rating.LIKE), ("👎", Rating.DISLIKE), ("-1", Rating.DISLIKE)]
)
def test_configured_emoji_are_ratings(emoji: str, rating: Rating) -> None:
    decision = decide(values.reaction("a1", emoji, revision=5), Facts(), POLICY)
    assert isinstance(decision, Rate)
    assert (decision.vote.rating, decision.vote.source, decision.vote.revision) == (rating, emoji, 5)
    assert decision.vote.active


def test_taking_a_reaction_away_is_a_vote_too() -> None:
    decision = decide(values.reaction("a1", added=False), Facts(), POLICY)
    assert isinstance(decision, Rate)
    assert not decision.vote.active


def test_other_emoji_and_bots_do_not_rate() -> None:
    assert ignored(decide(values.reaction("a1", "🎉"), Facts(), POLICY)) == "emoji is not a rating"
    assert "bot" in ignored(decide(values.reaction("a1", origin=Origin.BOT), Facts(), POLICY))
