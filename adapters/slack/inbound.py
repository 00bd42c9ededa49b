"""Slack's event payloads in, `InboundEvent`s out. Pure: nothing here calls Slack, and nothing here decides who is answered.

One post that mentions the bot comes twice, as `app_mention` and as `message`, with different event ids and in any order. Both
become the same event (same `MessageRef`, `mentions_bot` read from the text), so that whichever is claimed first will do.

`message_changed` comes for edits, and for link previews, threads that grow, translations and our own edits as well. It is an edit
where a person's words or files differ from before; the rest is nobody's business.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.slack.addresses import (
    SLACK,
    Place,
    edit_group,
    message_ref,
    post_group,
    read_action_id,
    write_address,
)
from adapters.slack.markup import mentioned, readable
from bridge.events import ButtonPressed, InboundEvent, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from bridge.messages import (
    Attachment,
    Author,
    ChannelId,
    ConversationKey,
    EventId,
    InstallationId,
    NamedPerson,
    Origin,
    PersonId,
    ReplyTarget,
    ThreadId,
)

Json = Mapping[str, object]
"""Untrusted JSON: every value is looked at before it is believed."""

ANSWERED_SUBTYPES = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes by which a person says something. All others report that something happened."""

_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
"""A mention of a person in raw text (Slack's page on formatting text; ids of people begin with U, on Enterprise Grid with W).
What somebody merely typed that way has "<" as an entity."""

SLACKS_OWN_USERS = frozenset({"USLACK", "USLACKBOT"})

BUTTON_PRESS = "block_actions"
"""Type of the payload for a press of a button (Slack's page on block_actions)."""

TOMBSTONE = "tombstone"
"""What is left of a deleted root that has replies (a message of this subtype), and of a deleted file (its mode)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are in one workspace. Parts that are not known yet are empty and match nothing."""

    team: str
    user: str
    bot: str = ""
    app: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Not for the core. The reason names types, never content."""

    reason: str


def identity_in(payload: Json, known: Identity | None) -> Identity | None:
    """Us in the workspace that this event was sent for. None when neither the payload nor `known` tells.

    `authorizations[0]` names the installation; the payload's own `team_id` may be another workspace in shared channels. A
    press has none, and names in `team` where the app is installed.
    """
    if payload.get("type") == BUTTON_PRESS:
        installed = _text(_object(payload, "team"), "id")
        return known or (Identity(team=installed, user="") if installed else None)
    first = next(iter(_items(payload, "authorizations")), {})
    team = _text(first, "team_id") or _text(payload, "team_id") or (known.team if known else "")
    user = _text(first, "user_id") if first.get("is_bot") is True else ""
    if known is not None and known.team == team:
        return Identity(
            team=team, user=user or known.user, bot=known.bot, app=known.app or _text(payload, "api_app_id")
        )
    if not team or not user:
        return known
    return Identity(team=team, user=user, app=_text(payload, "api_app_id"))


def channel_in(payload: Json) -> str:
    """Where it happened, for keeping events of one channel in order. Empty when the event says nothing of the kind."""
    event = _object(payload, "event")
    return _text(event, "channel") or _text(_object(event, "item"), "channel")


def people_in(payload: Json) -> tuple[str, ...]:
    """Ids of the people mentioned in the message, or in what it was edited to."""
    event = _object(payload, "event")
    return mentioned(_text(event, "text") or _text(_object(event, "message"), "text"))


def read_event(payload: Json, me: Identity, names: Mapping[str, str]) -> InboundEvent | Ignored:
    """One payload of `event_callback` or `block_actions`. `names` spells people by id as far as they are known."""
    if payload.get("type") == BUTTON_PRESS:
        return _read_press(payload, me)
    event = _object(payload, "event")
    event_id = _text(payload, "event_id")
    match kind := _text(event, "type"):
        case "message" | "app_mention":
            return _read_what_happened(event, event_id, me, names)
        case "reaction_added" | "reaction_removed":
            return _read_reaction(event, event_id, me, added=kind == "reaction_added")
        case _:
            return Ignored(reason=f"event type {kind or 'missing'} is not used")


def _read_what_happened(
    event: Json, event_id: str, me: Identity, names: Mapping[str, str]
) -> MessageReceived | MessageEdited | MessageDeleted | Ignored:
    match subtype := _text(event, "subtype"):
        case "message_changed" if _text(_object(event, "message"), "subtype") == TOMBSTONE:
            return _read_deletion(event, event_id, me, _text(_object(event, "message"), "ts"))
        case "message_changed":
            return _read_edit(event, event_id, me, names)
        case "message_deleted":
            return _read_deletion(event, event_id, me, _text(event, "deleted_ts"))
    if subtype == "message_replied" or event.get("hidden") is True:
        return Ignored(reason=f"message subtype {subtype or 'hidden'} is about an older message")
    return _read_message(event, event_id, me, names)


def _read_edit(event: Json, event_id: str, me: Identity, names: Mapping[str, str]) -> MessageEdited | Ignored:
    now, before = _object(event, "message"), _object(event, "previous_message")
    # Of the two, `edited.ts` is the coarser: it counts whole seconds, in which one person may edit twice.
    revision = _microseconds(_text(event, "event_ts") or _text(event, "ts") or _text(_object(now, "edited"), "ts"))
    origin = _origin_of(now, _text(now, "subtype"), me)
    if origin is not Origin.PERSON:
        return Ignored(reason=f"edit of a message by {origin.value}")
    if not _says_something_else(now, before):
        return Ignored(reason="message changed in something else than words or files")
    if revision is None:
        return Ignored(reason="edit without a time")
    # What the channel is stands beside the message, not in it.
    where = {name: event[name] for name in ("channel", "channel_type") if name in event}
    read = _read_message({**now, **where}, event_id, me, names)
    return read if isinstance(read, Ignored) else MessageEdited(event_id=read.event_id, now=read, revision=revision)


def _says_something_else(now: Json, before: Json) -> bool:
    edited = bool(_object(now, "edited"))
    if not before:
        return edited
    return (edited and _text(now, "text") != _text(before, "text")) or _file_ids(now) != _file_ids(before)


def _read_deletion(event: Json, event_id: str, me: Identity, ts: str) -> MessageDeleted | Ignored:
    channel, before = _text(event, "channel"), _object(event, "previous_message")
    if not (event_id and channel.isalnum() and _moment(ts)):
        return Ignored(reason="deletion without event id, channel or time")
    origin = _origin_of(before, _text(before, "subtype"), me)
    if origin in (Origin.SELF, Origin.BOT):
        return Ignored(reason=f"deletion of a message by {origin.value}")
    return MessageDeleted(
        event_id=EventId(event_id),
        ref=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        installation=InstallationId(me.team),
    )


def _read_message(event: Json, event_id: str, me: Identity, names: Mapping[str, str]) -> MessageReceived | Ignored:
    subtype = _text(event, "subtype")
    channel, ts = _text(event, "channel"), _text(event, "ts")
    root = _text(event, "thread_ts") or ts
    sent_at = _moment(ts)
    if not (event_id and channel.isalnum() and sent_at and _moment(root)):
        return Ignored(reason="message without event id, channel or time")
    text = _text(event, "text")
    person = PersonId(_text(event, "user") or _text(event, "bot_id") or "unknown")
    is_direct = _text(event, "channel_type") == "im"
    origin = _origin_of(event, subtype, me)
    ref = message_ref(Place(team=me.team, channel=channel, ts=ts))
    thread = Place(team=me.team, channel=channel, ts=root)
    key = ConversationKey(
        platform=SLACK,
        installation=InstallationId(me.team),
        channel=ChannelId(channel),
        thread=ThreadId(root),
        person=person if is_direct else PersonId(""),
    )
    return MessageReceived(
        event_id=EventId(event_id),
        ref=ref,
        target=ReplyTarget(
            platform=SLACK,
            conversation=key,
            address=write_address(thread),
            post_group=post_group(thread),
            edit_group=edit_group(thread),
        ),
        author=Author(
            platform=SLACK,
            id=person,
            display_name=names.get(person) or _text(event, "username") or person,
            is_bot=origin in (Origin.SELF, Origin.BOT),
        ),
        origin=origin,
        text=readable(text, bot_user=me.user, names=names),
        mentions_bot=me.user in mentioned(text),
        is_direct=is_direct,
        in_thread=root != ts,
        replies_to_bot=root != ts and _text(event, "parent_user_id") == me.user,
        attachments=tuple(_read_file(file) for file in _files(event)),
        named=tuple(_named(text, me, names)),
        sent_at=sent_at,
    )


def _origin_of(event: Json, subtype: str, me: Identity) -> Origin:
    user, bot, app = _text(event, "user"), _text(event, "bot_id"), _text(event, "app_id")
    if (user and user == me.user) or (bot and bot == me.bot) or (app and app == me.app):
        return Origin.SELF
    if bot or app or subtype == "bot_message" or user in SLACKS_OWN_USERS:
        return Origin.BOT
    if subtype in ANSWERED_SUBTYPES and user:
        return Origin.PERSON
    return Origin.SYSTEM


def _read_reaction(event: Json, event_id: str, me: Identity, *, added: bool) -> ReactionChanged | Ignored:
    item = _object(event, "item")
    if _text(item, "type") != "message":
        return Ignored(reason=f"reaction on {_text(item, 'type') or 'nothing'}")
    if _text(event, "item_user") != me.user:
        return Ignored(reason="reaction on somebody else's message")
    channel, ts, user = _text(item, "channel"), _text(item, "ts"), _text(event, "user")
    revision = _microseconds(_text(event, "event_ts"))
    emoji = _text(event, "reaction").partition("::")[0]
    if not (event_id and channel.isalnum() and _moment(ts) and user and emoji and revision is not None):
        return Ignored(reason="reaction with a part missing")
    # Slack does not say whether another reacting user is a bot.
    others = Origin.BOT if user in SLACKS_OWN_USERS else Origin.PERSON
    return ReactionChanged(
        event_id=EventId(event_id),
        message=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        person=PersonId(user),
        origin=Origin.SELF if user == me.user else others,
        emoji=emoji,
        added=added,
        revision=revision,
    )


def _read_press(payload: Json, me: Identity) -> ButtonPressed | Ignored:
    """Slack has no id for a press that tells a second one apart, so it is put together from what does."""
    for pressed in _items(payload, "actions"):
        action = read_action_id(_text(pressed, "action_id"))
        if action is not None:
            break
    else:
        return Ignored(reason="interaction with something else than our buttons")
    container = _object(payload, "container")
    channel, ts = _text(container, "channel_id"), _text(container, "message_ts")
    person, at = _text(_object(payload, "user"), "id"), _text(pressed, "action_ts")
    if not (channel.isalnum() and _moment(ts) and person and _moment(at)):
        return Ignored(reason="button without message, person or time")
    return ButtonPressed(
        event_id=EventId(f"press/{channel}/{ts}/{action.value}/{person}/{at}"),
        message=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        installation=InstallationId(me.team),
        person=PersonId(person),
        action=action,
    )


def _named(text: str, me: Identity, names: Mapping[str, str]) -> Iterator[NamedPerson]:
    """The people whom raw text mentions, each once, spelled as `readable` spells them."""
    for user, mention in {found[1]: found[0] for found in _PERSON.finditer(text)}.items():
        if user != me.user and user not in SLACKS_OWN_USERS:
            spelled = readable(mention, bot_user="", names=names).removeprefix("@")
            yield NamedPerson(id=PersonId(user), name=spelled)


def _files(message: Json) -> list[Json]:
    return [file for file in _items(message, "files") if _text(file, "mode") != TOMBSTONE]


def _file_ids(message: Json) -> set[str]:
    return {_text(file, "id") for file in _files(message)}


def _read_file(file: Json) -> Attachment:
    return Attachment(name=_text(file, "name") or _text(file, "title") or "file", media_type=_text(file, "mimetype"))


def _microseconds(ts: str) -> int | None:
    """Slack's timestamps are seconds with six decimals; a float would lose the last of them."""
    seconds, _, fraction = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return None
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        return None
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _moment(ts: str) -> datetime | None:
    micros = _microseconds(ts)
    return (
        None
        if micros is None
        else datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    )


def _text(source: Json, name: str) -> str:
    value = source.get(name)
    return value if isinstance(value, str) else ""


def _object(source: Json, name: str) -> Json:
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def _items(source: Json, name: str) -> list[Json]:
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
