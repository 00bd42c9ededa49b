"""The sorting desk: an event and what is known about it in, a decision out. Pure."""

import re
from dataclasses import dataclass, replace
from typing import assert_never

from bridge.events import ButtonPressed, InboundEvent, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from bridge.messages import AskedQuestion, ButtonAction, ConversationId, EventId, MessageRef, Origin, Rating, Vote
from bridge.routing import AppPolicy, Follow, Resolution

NO_APP = "No app is set up to answer here. Please ask whoever runs this bot."
NOT_ADMITTED = "You may not use this bot here. Please ask whoever runs it if you think that you should."

_ONLY_STOP = re.compile(r"[\W_]*stop[\W_]*", re.IGNORECASE)
"""The word alone, whatever punctuation or emphasis people put around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator chose for every place."""

    like: frozenset[str]
    """Emoji (Slack short names or Unicode) that mean a thumbs up."""
    dislike: frozenset[str]
    stop: frozenset[str] = frozenset()
    """Emoji that end the answer they are put on."""
    retry: frozenset[str] = frozenset()
    """Emoji that have the question of a failed or stopped answer asked again."""
    follow_edits_waiting: bool = True
    """An edited question that waits is replaced. Without it no edit is followed at all."""
    follow_edits_running: bool = True
    """An edited question that is being answered is asked anew."""
    follow_deletions: bool = True
    """A deleted question is not answered, or no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store knows about an event's surroundings."""

    thread: ConversationId | None = None
    """The conversation that this thread already is."""
    replied: ConversationId | None = None
    """The conversation of the message that is replied to, when that message is one of our answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    message: MessageReceived
    app: AppPolicy
    join: ConversationId | None = None
    """Continue this conversation although the message stands elsewhere (a reply to one of its answers)."""
    may_stop: bool = False
    """It says nothing but "stop": it ends what is being answered in its conversation, and is a question only where nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    vote: Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The answer that this message of ours is part of shall end."""

    event_id: EventId
    answer: MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The question that this message of ours failed to answer shall be asked again."""

    event_id: EventId
    answer: MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """If this was taken as a question, it reads like this now. If it was not, `message` may be one now (see `is_addressed`)."""

    message: MessageReceived
    """As it reads now, under the id of the event that says so."""
    revision: int
    running: bool
    """Also when it is being answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """If this was a question, it is none any more."""

    event_id: EventId
    message: MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Somebody expects an answer here and gets none; `notice` tells them so."""

    message: MessageReceived
    reason: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    reason: str


Decision = Ask | Rate | Stop | Retry | Revise | Withdraw | Refuse | Ignore


def question_in(message: MessageReceived) -> AskedQuestion:
    return AskedQuestion(
        ref=message.ref,
        author=message.author,
        text=message.text,
        target=message.target,
        attachments=message.attachments,
        named=message.named,
        sent_at=message.sent_at,
    )


def is_addressed(message: MessageReceived) -> bool:
    """Whether it is said to the bot, as the message alone tells."""
    return message.is_direct or message.mentions_bot or message.replies_to_bot


def wants_thread(message: MessageReceived, resolution: Resolution) -> bool:
    """Whether `decide` needs `Facts.thread`. Most messages in a busy channel cost no look into the store."""
    return (
        message.origin is Origin.PERSON
        and message.in_thread
        and not is_addressed(message)
        and resolution.app is not None
        and resolution.follow is Follow.THREAD
    )


def wants_replied(message: MessageReceived, resolution: Resolution) -> bool:
    """Whether `decide` needs `Facts.replied`."""
    return message.origin is Origin.PERSON and message.reply_to is not None and resolution.app is not None


def decide(event: InboundEvent, facts: Facts, policy: Policy, resolution: Resolution) -> Decision:
    """`resolution` is about the place of a message; other events do not depend on it."""
    match event:
        case MessageReceived():
            return _decide_message(event, facts, resolution)
        case MessageEdited():
            return _decide_edit(event, policy)
        case MessageDeleted():
            if not policy.follow_deletions:
                return Ignore(reason="deletions are not followed")
            return Withdraw(event_id=event.event_id, message=event.ref)
        case ReactionChanged():
            return _decide_reaction(event, policy)
        case ButtonPressed():
            return _decide_button(event)
        case _:
            assert_never(event)


def _decide_message(event: MessageReceived, facts: Facts, resolution: Resolution) -> Decision:
    if event.origin is not Origin.PERSON:
        return Ignore(reason=f"written by {event.origin.value}")
    addressed = is_addressed(event) or facts.replied is not None
    if not addressed:
        unheard = _why_not_followed(event, facts, resolution)
        if unheard:
            return Ignore(reason=unheard)
    if resolution.app is None:
        reason = " ".join(("no app answers here.", *resolution.because))
        return Refuse(message=event, reason=reason, notice=NO_APP) if addressed else Ignore(reason=reason)
    if not resolution.access.admits(event.author):
        reason = "the author is not admitted here"
        return Refuse(message=event, reason=reason, notice=NOT_ADMITTED) if addressed else Ignore(reason=reason)
    return Ask(
        message=event,
        app=resolution.app,
        # Inside a thread the thread is the conversation, whichever of its messages is replied to.
        join=None if event.in_thread else facts.replied,
        may_stop=not event.attachments and _ONLY_STOP.fullmatch(event.text) is not None,
    )


def _why_not_followed(event: MessageReceived, facts: Facts, resolution: Resolution) -> str:
    """Why a message that is not said to the bot is left alone; empty when this place wants it answered all the same."""
    if resolution.follow is Follow.EVERYTHING or (resolution.follow is Follow.THREAD and facts.thread is not None):
        # A sticker in a thread is not asking anything, and nobody waits for an answer to it.
        return "" if event.text.strip() or event.attachments else "says nothing"
    if event.in_thread:
        return "in a thread, without a mention" if resolution.follow is Follow.MENTION else "in a thread of others"
    return "not addressed to the bot"


def _decide_edit(event: MessageEdited, policy: Policy) -> Decision:
    if event.now.origin is not Origin.PERSON:
        return Ignore(reason=f"edit by {event.now.origin.value}")
    if not policy.follow_edits_waiting:
        return Ignore(reason="edits are not followed")
    message = replace(event.now, event_id=event.event_id)
    return Revise(message=message, revision=event.revision, running=policy.follow_edits_running)


def _decide_reaction(event: ReactionChanged, policy: Policy) -> Decision:
    if event.origin is not Origin.PERSON:
        return Ignore(reason=f"reaction by {event.origin.value}")
    if event.emoji in policy.like:
        rating = Rating.LIKE
    elif event.emoji in policy.dislike:
        rating = Rating.DISLIKE
    elif event.emoji in policy.stop | policy.retry:
        if not event.added:
            return Ignore(reason="taken away, which takes nothing back")
        kind = Stop if event.emoji in policy.stop else Retry
        return kind(event_id=event.event_id, answer=event.message)
    else:
        return Ignore(reason="emoji means nothing here")
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


def _decide_button(event: ButtonPressed) -> Decision:
    match event.action:
        case ButtonAction.STOP:
            return Stop(event_id=event.event_id, answer=event.message)
        case ButtonAction.RETRY:
            return Retry(event_id=event.event_id, answer=event.message)
        case _:
            assert_never(event.action)
