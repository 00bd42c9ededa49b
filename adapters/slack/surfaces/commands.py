"""Slash commands: what somebody typed becomes a question, an order, or a line of help at once. Pure.

Slack has no commands in threads, so that a question asked by one begins a thread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.slack.addresses import Place, message_ref
from adapters.slack.hearing.payloads import Reply
from adapters.slack.markup import mentioned, readable
from adapters.slack.reading.fields import Ignored, Json, is_id, text_in
from adapters.slack.reading.messages import named_in
from adapters.slack.reading.people import Identity, author_of, home_of
from adapters.slack.reading.presses import digest
from adapters.slack.reading.spots import for_one, in_new_thread, is_direct_channel, key_of
from bridge.events import Command, CommandInvoked, MessageReceived
from bridge.messages import EventId, Origin

ASK, RESET, APP, HELP, HISTORY, FORGET = "ask", "reset", "app", "help", "history", "forget"
_ORDERS = {
    RESET: Command.RESET,
    APP: Command.APP,
    HISTORY: Command.HISTORY,
    FORGET: Command.FORGET,
    HELP: Command.HELP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command as it was typed."""

    event: MessageReceived | CommandInvoked | Reply
    key: str = ""
    """By which who typed it can be told something privately, for a while."""


def people_in_command(payload: Json) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*mentioned(text_in(payload, "text")), text_in(payload, "user_id"))))


def read_command(
    payload: Json, me: Identity, names: Mapping[str, str], *, prefix: str, rolling: bool, now: datetime
) -> Typed | Ignored:
    """`prefix`: stands before the name of each command. `now`: commands tell no time."""
    channel, person, trigger = (text_in(payload, name) for name in ("channel_id", "user_id", "trigger_id"))
    if not (is_id(channel) and is_id(person) and trigger):
        return Ignored(reason="command without channel, person or id")
    typed = text_in(payload, "command").removeprefix("/")
    name = typed.removeprefix(prefix) if typed.startswith(prefix) else ""
    if name not in {ASK, *_ORDERS}:
        return Typed(event=privately(f"I do not know `/{_inert(typed)}`. {describe(prefix)}"))
    key, event_id = digest("command", trigger), EventId(f"command/{trigger}")
    raw, is_direct = text_in(payload, "text"), is_direct_channel(channel)
    home = home_of(text_in(payload, "team_id"), me, text_in(payload, "enterprise_id"))
    author = author_of(person, names, fallback=text_in(payload, "user_name"), home=home)
    text = readable(raw, bot_user=me.user, names=names)
    if name in _ORDERS:
        place = key_of(me.team, channel, "", person, is_direct=is_direct, rolling=True)
        target = for_one(place, person, key=key)
        order = CommandInvoked(
            event_id=event_id,
            command=_ORDERS[name],
            target=target,
            author=author,
            is_direct=is_direct,
            is_external=bool(home),
            private=target,
            words=" ".join(text.split()),
        )
        return Typed(event=order, key=key)
    if not text:
        return Typed(event=privately(f"Write your question behind it, for example `/{prefix}{ASK} What can you do?`"))
    target = in_new_thread(me.team, channel, person, key, now.timestamp(), is_direct=is_direct, rolling=rolling)
    question = MessageReceived(
        event_id=event_id,
        ref=message_ref(Place(team=me.team, channel=channel, ts=f"!{key}")),
        target=target,
        author=author,
        origin=Origin.PERSON,
        text=text,
        mentions_bot=True,
        is_direct=is_direct,
        in_thread=False,
        named=tuple(named_in(raw, me, names)),
        is_external=bool(home),
        unseen=True,
        private=for_one(target.conversation, person, key=key),
        sent_at=now,
    )
    return Typed(event=question, key=key)


def describe(prefix: str) -> str:
    """Which commands there are."""
    return (
        f"`/{prefix}{ASK}` and a question asks me, `/{prefix}{APP}` tells which app answers you and lets you choose, where "
        f"there are several, `/{prefix}{RESET}` has me begin our direct messages anew, `/{prefix}{HISTORY}` brings an "
        f"earlier conversation back into them, `/{prefix}{FORGET}` "
        f"has me delete what was said in them, and `/{prefix}{HELP}` explains me."
    )


def privately(text: str) -> Reply:
    """Goes back with the acknowledgement, at once, to who typed it."""
    return Reply(body={"response_type": "ephemeral", "text": text})


def _inert(typed: str) -> str:
    return "".join(letter for letter in typed if letter.isalnum() or letter in "-_")[:32]
