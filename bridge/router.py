"""The sorting desk: an event and what is known about it in, a decision out. Pure."""

from dataclasses import dataclass
from typing import assert_never

from bridge.messages import ConversationId, InboundEvent, MessageReceived, Origin, Rating, ReactionChanged, Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator chose."""

    like: frozenset[str]
    """Emoji (Slack short names or Unicode) that mean a thumbs up."""
    dislike: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store knows about an event's surroundings."""

    thread: ConversationId | None = None
    """The conversation that this thread already is."""
    replied: ConversationId | None = None
    """The conversation of the message that is replied to, when that message is one of our answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    join: ConversationId | None = None
    """Continue this conversation although the message stands elsewhere (a reply to one of its answers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    reason: str


Decision = Ask | Rate | Ignore


def wants_facts(event: MessageReceived) -> bool:
    """Whether `decide` needs the store for this message. Most messages in a busy channel do not."""
    return event.origin is Origin.PERSON and (event.reply_to is not None or event.in_thread)


def decide(event: InboundEvent, facts: Facts, policy: Policy) -> Decision:
    match event:
        case MessageReceived():
            return _decide_message(event, facts)
        case ReactionChanged():
            return _decide_reaction(event, policy)
        case _:
            assert_never(event)


def _decide_message(event: MessageReceived, facts: Facts) -> Decision:
    if event.origin is not Origin.PERSON:
        return Ignore(reason=f"written by {event.origin.value}")
    if facts.replied is not None and not event.in_thread:
        # Inside a thread the thread is the conversation, whichever of its messages is replied to.
        return Ask(join=facts.replied)
    if event.is_direct or event.mentions_bot or event.replies_to_bot or facts.thread is not None:
        return Ask()
    return Ignore(reason="in a thread of others" if event.in_thread else "not addressed to the bot")


def _decide_reaction(event: ReactionChanged, policy: Policy) -> Decision:
    if event.origin is not Origin.PERSON:
        return Ignore(reason=f"reaction by {event.origin.value}")
    if event.emoji in policy.like:
        rating = Rating.LIKE
    elif event.emoji in policy.dislike:
        rating = Rating.DISLIKE
    else:
        return Ignore(reason="emoji is not a rating")
    return Rate(
        vote=Vote(
            message=event.message,
            person=event.person,
            source=event.emoji,
            rating=rating,
            active=event.added,
            revision=event.revision,
        )
    )
