"""The sorting desk: an event and what is known about it in, a decision out. Pure.

What an order said in words means is read in `words`; whether somebody is let in is decided here, for everything that tells who
did it.
"""

from dataclasses import replace
from typing import assert_never

from bridge.admitting import NO_APP, SHARED_CHANNEL, find_refusal, outside_of, turn_away
from bridge.decisions import (
    Ask,
    Comment,
    Decision,
    FillIn,
    Greet,
    Ignore,
    Obey,
    Pick,
    Rate,
    Refuse,
    Retry,
    Revise,
    Speak,
    Stop,
    Withdraw,
    answer_form,
)
from bridge.events import (
    ButtonPressed,
    ChatOpened,
    Command,
    CommandInvoked,
    CommentGiven,
    FormSubmitted,
    HomeOpened,
    InboundEvent,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    ReactionChanged,
    StopRequested,
)
from bridge.facts import Facts, Policy
from bridge.messages import (
    AskedQuestion,
    ButtonAction,
    Origin,
    Rating,
)
from bridge.routing import Answers, External, Follow, Resolution
from bridge.store import Again
from bridge.votes import Vote
from bridge.words import find_command, says_stop, words_behind

_FOR_ONE = frozenset({Command.HELP, Command.APP, Command.HISTORY, Command.FORGET})
"""What they come to is told in private, where that can be."""

BUTTON = "button"
"""As `Vote.source`: all buttons are one, so that pressing the other one changes a mind."""


def question_in(message: MessageReceived) -> AskedQuestion:
    is_bot = message.origin is Origin.BOT
    return AskedQuestion(
        ref=message.ref,
        author=replace(message.author, is_bot=True) if is_bot else message.author,
        text=message.text,
        target=message.target,
        attachments=message.attachments,
        named=message.named,
        in_thread=message.in_thread,
        unseen=message.unseen,
        about=message.about,
        sent_at=message.sent_at,
    )


def is_addressed(message: MessageReceived) -> bool:
    """Whether it is said to the bot, as the message alone tells."""
    if message.origin is Origin.BOT:
        # Two bots that reply to each other would never come to an end for want of anybody meaning it.
        return message.mentions_bot
    return message.is_direct or message.mentions_bot or message.replies_to_bot or message.unseen


def wants_thread(message: MessageReceived, resolution: Resolution, policy: Policy) -> bool:
    """Whether `decide` needs `Facts.thread`. Most messages in a busy channel cost no look into the store."""
    if not message.in_thread or resolution.app is None or _why_not_heard(message, resolution):
        return False
    if _mute_word(message, policy) is not None:
        return is_addressed(message) or _outside(message, resolution) is External.ON
    return not is_addressed(message) and _follow(message, resolution) is not Follow.MENTION


def wants_muted(message: MessageReceived, facts: Facts, policy: Policy) -> bool:
    """Whether `decide` needs `Facts.muted`, once it has the rest."""
    addressed = is_addressed(message) or facts.replied is not None
    return facts.thread is not None and not addressed and _mute_word(message, policy) is None


def wants_replied(message: MessageReceived, resolution: Resolution) -> bool:
    """Whether `decide` needs `Facts.replied`."""
    return message.origin is Origin.PERSON and message.reply_to is not None and resolution.app is not None


def wants_asked(message: MessageReceived, resolution: Resolution) -> bool:
    """Whether `decide` needs `Facts.asked`: to join the chain of replies, or not to tell the app what it was asked before."""
    if message.reply_to is None or resolution.app is None:
        return False
    return message.about is not None or (resolution.answers is Answers.REPLY and not message.in_thread)


def decide(event: InboundEvent, facts: Facts, policy: Policy, resolution: Resolution) -> Decision:
    """`resolution` is about the place of the event, as far as the event tells where that is."""
    match event:
        case MessageReceived():
            return _decide_message(event, facts, policy, resolution)
        case MessageEdited():
            return _decide_edit(event, policy)
        case MessageDeleted():
            if not policy.follow_deletions:
                return Ignore(reason="deletions are not followed")
            return Withdraw(event_id=event.event_id, message=event.ref)
        case ReactionChanged():
            return _decide_reaction(event, policy)
        case ButtonPressed():
            return _decide_button(event, resolution)
        case StopRequested():
            return _decide_stop(event, resolution)
        case CommandInvoked():
            return _decide_command(event, resolution)
        case CommentGiven():
            return Comment(given=event)
        case FormSubmitted():
            return _refuse_press(event, resolution) or FillIn(submitted=event)
        case HomeOpened() | ChatOpened():
            return Greet(event=event)
        case _:
            assert_never(event)


def _decide_message(event: MessageReceived, facts: Facts, policy: Policy, resolution: Resolution) -> Decision:
    unheard = _why_not_heard(event, resolution)
    if unheard:
        return Ignore(reason=unheard)
    addressed = is_addressed(event) or facts.replied is not None
    order = _find_order(event, facts, policy, addressed=addressed)
    if not addressed:
        if order is not None and _outside(event, resolution) is not External.ON:
            order = None
        unheard = _why_not_followed(event, facts, resolution) if order is None else ""
        if unheard:
            return Ignore(reason=unheard)
    refusal = find_refusal(resolution, _outside(event, resolution), event.author)
    if refusal is not None:
        if not addressed or event.origin is not Origin.PERSON:
            # Who is not waiting for an answer is not told that there is none, and bots would answer.
            return Ignore(reason=refusal.reason)
        # In a shared channel the others shall not read it either.
        elsewhere = None if refusal.notice == SHARED_CHANNEL else event.target
        refuse = turn_away(refusal, event.event_id, event.target.conversation, event.author, event.private or elsewhere)
        return replace(refuse, awaited=event.unseen)
    assert resolution.app is not None  # noqa: S101  # else it is refused
    # Inside a thread the thread is the conversation, whichever of its messages is replied to.
    asked = facts.asked if resolution.answers is Answers.REPLY else None
    join = None if event.in_thread else facts.replied or asked
    if order is not None:
        return Obey(
            order=_invoke(event, order),
            app=resolution.app,
            resolution=resolution,
            said=event,
            conversation=facts.thread or join,
        )
    may_stop = event.origin is Origin.PERSON and not event.attachments and says_stop(event.text)
    return Ask(
        message=event,
        app=resolution.app,
        join=join,
        may_stop=may_stop,
        about_question_in=facts.asked,
        quotas=resolution.quotas,
    )


def _why_not_heard(event: MessageReceived, resolution: Resolution) -> str:
    """Empty when whoever wrote it is somebody who may be answered at all."""
    if event.origin is Origin.PERSON:
        return ""
    if event.origin is Origin.BOT and event.author.id in resolution.guests.bots:
        return ""
    which = f" {event.author.id}, which is not on the list of those that are answered" if event.author.id else ""
    return f"written by {event.origin.value}{which if event.origin is Origin.BOT else ''}"


def _find_order(event: MessageReceived, facts: Facts, policy: Policy, *, addressed: bool) -> Command | None:
    if event.origin is not Origin.PERSON or event.attachments or event.unseen:
        return None
    command = find_command(event.text) if addressed else None
    if command is None and facts.thread is not None:
        # Where nobody ever asked anything there is nothing to mute, and the word may mean anything.
        command = _mute_word(event, policy)
    return command


def _mute_word(event: MessageReceived, policy: Policy) -> Command | None:
    # In direct messages everything is said to the bot.
    if event.origin is not Origin.PERSON or not event.in_thread or event.is_direct or event.attachments:
        return None
    return policy.words.find(event.text)


def _invoke(event: MessageReceived, command: Command) -> CommandInvoked:
    return CommandInvoked(
        event_id=event.event_id,
        command=command,
        target=event.target,
        author=event.author,
        is_direct=event.is_direct,
        is_external=event.is_external,
        in_thread=event.in_thread,
        # What changes for everybody in a thread is said to everybody, as it was asked for before everybody.
        private=event.private if command in _FOR_ONE else None,
        words=words_behind(event.text),
    )


def _why_not_followed(event: MessageReceived, facts: Facts, resolution: Resolution) -> str:
    """Why a message that is not said to the bot is left alone; empty when this place wants it answered all the same."""
    if facts.muted:
        return "in a thread that is muted"
    follow = _follow(event, resolution)
    # A bot is followed only where people asked before: it would find the bot in every channel.
    everywhere = follow is Follow.EVERYTHING and event.origin is Origin.PERSON
    if everywhere or (follow is not Follow.MENTION and facts.thread is not None):
        # A sticker in a thread is not asking anything, and nobody waits for an answer to it.
        return "" if event.text.strip() or event.attachments else "says nothing"
    if event.in_thread:
        return "in a thread, without a mention" if follow is Follow.MENTION else "in a thread of others"
    return "not addressed to the bot"


def _follow(event: MessageReceived, resolution: Resolution) -> Follow:
    return resolution.follow if _outside(event, resolution) is External.ON else Follow.MENTION


def _outside(event: MessageReceived | CommandInvoked, resolution: Resolution) -> External:
    return outside_of(resolution, event.author, is_external=event.is_external)


def _decide_edit(event: MessageEdited, policy: Policy) -> Decision:
    if event.now.origin is not Origin.PERSON:
        # Bots that are answered too: many of them write by editing, and what they asked was whole when it was taken.
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
    elif event.emoji in policy.stop | policy.retry | policy.speak:
        if not event.added:
            return Ignore(reason="taken away, which takes nothing back")
        kind = Stop if event.emoji in policy.stop else Retry if event.emoji in policy.retry else Speak
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


def _decide_button(event: ButtonPressed, resolution: Resolution) -> Decision:
    if refuse := _refuse_press(event, resolution):
        return refuse
    match event.action:
        case ButtonAction.STOP:
            if event.target is None or resolution.app is None:
                return Stop(event_id=event.event_id, answer=event.message)
            key, app = event.target.conversation, resolution.app.name
            return Stop(event_id=event.event_id, answer=event.message, key=key, app=app)
        case ButtonAction.RETRY | ButtonAction.AGAIN:
            wanted = event.action is ButtonAction.AGAIN
            again = Again(by=event.person, quotas=resolution.quotas) if wanted else None
            return Retry(event_id=event.event_id, answer=event.message, again=again, private=event.private, ours=True)
        case ButtonAction.LIKE | ButtonAction.DISLIKE:
            vote = Vote(
                message=event.message,
                person=event.person,
                source=BUTTON,
                rating=Rating.LIKE if event.action is ButtonAction.LIKE else Rating.DISLIKE,
                active=True,
                revision=event.revision,
            )
            return Rate(vote=vote, target=event.target)
        case ButtonAction.APP:
            order = as_order(event, Command.APP)
            return Ignore(reason="not known who pressed it") if order is None else _decide_command(order, resolution)
        case ButtonAction.INPUT:
            return answer_form(event)
        case ButtonAction.RESUME | ButtonAction.FORGET if resolution.app is not None:
            return Pick(event=event, app=resolution.app.name)
        case ButtonAction.ASK | ButtonAction.RESET | ButtonAction.FORM | ButtonAction.RESUME | ButtonAction.FORGET:
            return Ignore(reason="told as a message, a command or a form, or no app answers there")
        case _:
            assert_never(event.action)


def as_order(event: ButtonPressed, command: Command) -> CommandInvoked | None:
    """A press that wants something of the bot itself. None: who pressed, or where, is not told."""
    if event.author is None or event.target is None:
        return None
    key = event.target.conversation
    return CommandInvoked(
        event_id=event.event_id,
        command=command,
        target=event.target,
        author=event.author,
        is_direct=bool(key.person),
        category=event.category,
        private=event.private,
        value=event.value,
    )


def _refuse_press(event: ButtonPressed | FormSubmitted, resolution: Resolution) -> Refuse | None:
    if event.author is None or event.target is None:
        return None
    refusal = find_refusal(resolution, outside_of(resolution, event.author, is_external=False), event.author)
    # What was answered while an app did answer here may be stopped, rated and tried again.
    if refusal is None or refusal.notice == NO_APP:
        return None
    refused = turn_away(refusal, event.event_id, event.target.conversation, event.author, event.private)
    return replace(refused, message=event.message)


def _decide_stop(event: StopRequested, resolution: Resolution) -> Decision:
    refusal = find_refusal(resolution, outside_of(resolution, event.author, is_external=False), event.author)
    if refusal is not None and refusal.notice != NO_APP:
        refused = turn_away(refusal, event.event_id, event.target.conversation, event.author, event.private)
        return replace(refused, awaited=True)
    return Stop(
        event_id=event.event_id,
        answer=event.message,
        key=event.target.conversation,
        app=resolution.app.name if resolution.app else None,
        tell=event.private,
    )


def _decide_command(event: CommandInvoked, resolution: Resolution) -> Decision:
    refusal = find_refusal(resolution, _outside(event, resolution), event.author)
    if refusal is not None:
        elsewhere = None if refusal.notice == SHARED_CHANNEL else event.target
        refuse = turn_away(refusal, event.event_id, event.target.conversation, event.author, event.private or elsewhere)
        return replace(refuse, awaited=True)
    assert resolution.app is not None  # noqa: S101  # else it is refused
    return Obey(order=event, app=resolution.app, resolution=resolution)
