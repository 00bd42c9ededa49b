"""Messages, their edits and their deletions.

One post that mentions the bot comes twice, as `app_mention` and as `message`, with different event ids and in any order. Both
become the same event (same `MessageRef`, `mentions_bot` read from the text), so that whichever is claimed first will do.

`message_changed` comes for edits, and for link previews, threads that grow, translations and our own edits as well. It is an edit
where a person's words or files differ from before; the rest is nobody's business.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from adapters.slack.addresses import Place, message_ref, write_file
from adapters.slack.markup import mentioned, readable
from adapters.slack.reading.fields import Ignored, Json, is_id, items_in, microseconds, moment, object_in, text_in
from adapters.slack.reading.people import SLACKS_OWN_USERS, Identity, author_of, home_of, origin_of
from adapters.slack.reading.spots import for_one, in_thread
from adapters.slack.reading.tables import people_in_tables, tables_in
from bridge.events import MessageDeleted, MessageEdited, MessageReceived
from bridge.messages import Address, Attachment, EventId, InstallationId, NamedPerson, Origin, PersonId

_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>\n]*)?>")
"""A mention of a person in raw text (Slack's page on formatting text; ids of people begin with U, on Enterprise Grid with W).
What somebody merely typed that way has "<" as an entity."""

TOMBSTONE = "tombstone"
"""What is left of a deleted root that has replies (a message of this subtype), and of a deleted file (its mode)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What counts for every message of a delivery."""

    event_id: str
    me: Identity
    names: Mapping[str, str]
    """Spells people by id as far as they are known."""
    rolling: bool
    """All direct messages with one person are one conversation."""
    shared: bool | None = None
    """Another organisation is in the channel; None where the delivery does not tell."""
    enterprise: str = ""
    """The organisation that our workspace belongs to."""


def around(payload: Json, me: Identity, names: Mapping[str, str], *, rolling: bool) -> Around:
    shared = payload.get("is_ext_shared_channel")
    first = next(iter(items_in(payload, "authorizations")), {})
    return Around(
        event_id=text_in(payload, "event_id"),
        me=me,
        names=names,
        rolling=rolling,
        shared=shared if isinstance(shared, bool) else None,
        enterprise=text_in(first, "enterprise_id") or text_in(payload, "context_enterprise_id"),
    )


def read_message_event(event: Json, here: Around) -> MessageReceived | MessageEdited | MessageDeleted | Ignored:
    match subtype := text_in(event, "subtype"):
        case "message_changed" if text_in(object_in(event, "message"), "subtype") == TOMBSTONE:
            return _read_deletion(event, here, text_in(object_in(event, "message"), "ts"))
        case "message_changed":
            return _read_edit(event, here)
        case "message_deleted":
            return _read_deletion(event, here, text_in(event, "deleted_ts"))
    if subtype == "message_replied" or event.get("hidden") is True:
        return Ignored(reason=f"message subtype {subtype or 'hidden'} is about an older message")
    return read_message(event, here)


def people_in_message(event: Json) -> tuple[str, ...]:
    """Ids of the people whom the message, or what it was edited to, mentions."""
    message = event if text_in(event, "text") else object_in(event, "message") or event
    return tuple(dict.fromkeys((*mentioned(text_in(message, "text")), *people_in_tables(message))))


def words_of(message: Json, me: Identity, names: Mapping[str, str]) -> str:
    """What somebody wrote and pasted, readable, without our own mention in front."""
    parts = (readable(text_in(message, "text"), bot_user=me.user, names=names), tables_in(message, names))
    return "\n\n".join(part for part in parts if part)


def named_in(text: str, me: Identity, names: Mapping[str, str]) -> Iterator[NamedPerson]:
    """The people whom raw text mentions, each once, spelled as `readable` spells them."""
    for user, mention in {found[1]: found[0] for found in _PERSON.finditer(text)}.items():
        if user != me.user and user not in SLACKS_OWN_USERS:
            spelled = readable(mention, bot_user="", names=names).removeprefix("@")
            yield NamedPerson(id=PersonId(user), name=spelled)


def read_message(event: Json, here: Around) -> MessageReceived | Ignored:
    me, names = here.me, here.names
    channel, ts = text_in(event, "channel"), text_in(event, "ts")
    root = text_in(event, "thread_ts") or ts
    sent_at = moment(ts)
    if not (here.event_id and is_id(channel) and sent_at and moment(root)):
        return Ignored(reason="message without event id, channel or time")
    text = text_in(event, "text")
    person = text_in(event, "user") or text_in(event, "bot_id") or "unknown"
    is_direct = text_in(event, "channel_type") == "im"
    origin = origin_of(event, text_in(event, "subtype"), me)
    home = _home(event, here)
    author = author_of(person, names, fallback=text_in(event, "username"), home=home)
    thread = Place(team=me.team, channel=channel, ts=root)
    target = in_thread(thread, person, is_direct=is_direct, rolling=here.rolling)
    alone = origin is Origin.PERSON and not is_direct and is_id(person)
    return MessageReceived(
        event_id=EventId(here.event_id),
        ref=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        target=target,
        author=replace(author, is_bot=origin in (Origin.SELF, Origin.BOT)),
        origin=origin,
        text=words_of(event, me, names),
        mentions_bot=me.user in mentioned(text),
        is_direct=is_direct,
        in_thread=root != ts,
        replies_to_bot=root != ts and text_in(event, "parent_user_id") == me.user,
        attachments=attached_to(event, me.team),
        named=tuple(named_in(text, me, names)),
        is_external=bool(here.shared or home),
        private=for_one(target.conversation, person, thread=root if root != ts else "") if alone else None,
        sent_at=sent_at,
    )


def attached_to(message: Json, team: str) -> tuple[Attachment, ...]:
    return tuple(_read_file(file, team) for file in _files(message))


def _home(event: Json, here: Around) -> str:
    """Where the author belongs, when that is not here. In an organisation with several workspaces a colleague may belong to
    another one of them [?]: such a one is no stranger where Slack says that no other organisation is in the channel. In a channel
    that is shared, whoever is not of our workspace counts as one."""
    team = text_in(event, "user_team") or text_in(event, "source_team")
    if here.enterprise and here.shared is False:
        return ""
    return home_of(team, here.me, here.enterprise)


def _read_edit(event: Json, here: Around) -> MessageEdited | Ignored:
    now, before = object_in(event, "message"), object_in(event, "previous_message")
    # Of the two, `edited.ts` is the coarser: it counts whole seconds, in which one person may edit twice.
    revision = microseconds(
        text_in(event, "event_ts") or text_in(event, "ts") or text_in(object_in(now, "edited"), "ts")
    )
    origin = origin_of(now, text_in(now, "subtype"), here.me)
    if origin is not Origin.PERSON:
        return Ignored(reason=f"edit of a message by {origin.value}")
    if not _says_something_else(now, before):
        return Ignored(reason="message changed in something else than words or files")
    if revision is None:
        return Ignored(reason="edit without a time")
    # What the channel is stands beside the message, not in it.
    where = {name: event[name] for name in ("channel", "channel_type") if name in event}
    read = read_message({**now, **where}, here)
    return read if isinstance(read, Ignored) else MessageEdited(event_id=read.event_id, now=read, revision=revision)


def _says_something_else(now: Json, before: Json) -> bool:
    edited = bool(object_in(now, "edited"))
    if not before:
        return edited
    words = text_in(now, "text") != text_in(before, "text") or tables_in(now, {}) != tables_in(before, {})
    return (edited and words) or _file_ids(now) != _file_ids(before)


def _read_deletion(event: Json, here: Around, ts: str) -> MessageDeleted | Ignored:
    channel, before = text_in(event, "channel"), object_in(event, "previous_message")
    if not (here.event_id and is_id(channel) and moment(ts)):
        return Ignored(reason="deletion without event id, channel or time")
    origin = origin_of(before, text_in(before, "subtype"), here.me)
    if origin in (Origin.SELF, Origin.BOT):
        return Ignored(reason=f"deletion of a message by {origin.value}")
    return MessageDeleted(
        event_id=EventId(here.event_id),
        ref=message_ref(Place(team=here.me.team, channel=channel, ts=ts)),
        installation=InstallationId(here.me.team),
    )


def _files(message: Json) -> list[Json]:
    return [file for file in items_in(message, "files") if text_in(file, "mode") != TOMBSTONE]


def _file_ids(message: Json) -> set[str]:
    return {text_in(file, "id") for file in _files(message)}


def _read_file(file: Json, team: str) -> Attachment:
    """In shared channels Slack tells the id and nothing else; whoever fetches the file asks for the rest."""
    size, number = file.get("size"), text_in(file, "id")
    return Attachment(
        name=text_in(file, "name") or text_in(file, "title") or "file",
        media_type=text_in(file, "mimetype"),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None,
        address=write_file(team, number) if is_id(number) else Address(""),
    )
