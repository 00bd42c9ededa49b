"""Reads request bodies as strictly as Discord does: narrows untrusted JSON or raises a `Refusal`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge.playground.discord import limits
from bridge.playground.discord.components import Rows, read_rows
from bridge.playground.discord.mentions import AllowedMentions, read_allowed
from bridge.playground.discord.model import (
    FLAG_EPHEMERAL,
    FLAG_HAS_THREAD,
    FLAG_LOADING,
    FLAG_SUPPRESS_EMBEDS,
    FLAG_SUPPRESS_NOTIFICATIONS,
    Attachment,
    Json,
    Message,
)
from bridge.playground.discord.refusals import empty_message, invalid_form, too_large

_UNSUPPORTED = ("embeds", "sticker_ids", "poll")
"""Real features that this stand-in does not show. Refused rather than accepted and lost."""

_SENDABLE_FLAGS = FLAG_SUPPRESS_EMBEDS | FLAG_SUPPRESS_NOTIFICATIONS
ANSWER_FLAGS = FLAG_SUPPRESS_EMBEDS | FLAG_SUPPRESS_NOTIFICATIONS | FLAG_EPHEMERAL
"""Those of an interaction's answers and follow-ups."""
_KEPT_FLAGS = FLAG_EPHEMERAL | FLAG_HAS_THREAD | FLAG_LOADING | FLAG_SUPPRESS_NOTIFICATIONS
"""Whether an edit repeats them or not, they stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    message_id: str
    channel_id: str | None
    fail_if_not_exists: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    content: str
    allowed: AllowedMentions
    sent_allowed: Json | None
    nonce: str | int | None
    enforce_nonce: bool
    flags: int
    reference: Reference | None
    attachments: tuple[Attachment, ...]
    rows: Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an edit changes. None: not mentioned, so it stays."""

    content: str | None
    allowed: AllowedMentions
    rows: Rows | None
    attachments: tuple[tuple[str, Attachment], ...] | None
    """All files that it has from now on; those that came with the edit without an id."""
    flags: int | None


def read_new_message(
    body: Json, files: Mapping[int, Attachment], *, most_bytes: int, flags_known: int = _SENDABLE_FLAGS
) -> NewMessage:
    """`most_bytes`: of one file. `flags_known`: those that may be sent there."""
    _refuse_unsupported(body)
    attachments = _read_attachments(body, files, most_bytes)
    content = _read_content(body)
    allowed = read_allowed(body)
    nonce = _read_nonce(body)
    flags = read_int(body, "flags") or 0
    if flags & ~flags_known:
        raise invalid_form("flags", "FLAGS_INVALID", "Some of these flags cannot be sent here.")
    reference = _read_reference(body)
    rows = read_rows(body)
    if not content and not attachments:
        raise empty_message()
    raw_allowed = body.get("allowed_mentions")
    return NewMessage(
        content=content,
        allowed=allowed,
        sent_allowed=raw_allowed if isinstance(raw_allowed, dict) else None,
        nonce=nonce,
        enforce_nonce=read_bool(body, "enforce_nonce") or False,
        flags=flags,
        reference=reference,
        attachments=attachments,
        rows=rows or (),
    )


def read_edit(body: Json, message: Message, files: Mapping[int, Attachment], *, most_bytes: int) -> Edit:
    """An edit of this message. Files that come with it and no list are added; a list says which stay (docs: resources/message,
    Edit Message)."""
    _refuse_unsupported(body)
    allowed = read_allowed(body)
    rows = read_rows(body)
    kept = _read_kept(body, message, files, most_bytes)
    content = _read_content(body) if "content" in body else None
    left = message.attachments if kept is None else kept
    if not (message.content if content is None else content) and not left:
        raise empty_message()
    flags = read_int(body, "flags")
    if flags is not None:
        if (flags ^ message.flags) & ~FLAG_SUPPRESS_EMBEDS & ~_KEPT_FLAGS:
            raise invalid_form("flags", "FLAGS_INVALID", "Only SUPPRESS_EMBEDS can be changed here.")
        flags = message.flags & ~FLAG_SUPPRESS_EMBEDS | flags & FLAG_SUPPRESS_EMBEDS
    return Edit(content=content, allowed=allowed, rows=rows, attachments=kept, flags=flags)


def _read_kept(
    body: Json, message: Message, files: Mapping[int, Attachment], most_bytes: int
) -> tuple[tuple[str, Attachment], ...] | None:
    own = dict(message.attachments)
    listed = body.get("attachments")
    if listed is None:
        _check_sizes(files.values(), most_bytes)
        kept = [*message.attachments, *(("", files[number]) for number in sorted(files))]
        return tuple(kept) if files or "attachments" in body else None
    if not isinstance(listed, list):
        raise invalid_form("attachments", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    kept = []
    for one in listed:
        number = str(one.get("id")) if isinstance(one, dict) else ""
        if number in own:
            kept.append((number, own[number]))
        elif number.isdecimal() and int(number) in files:
            kept.append(("", files[int(number)]))
        else:
            raise invalid_form("attachments", "ATTACHMENT_NOT_FOUND", "No such file.")
    if len(kept) > limits.MAX_FILES:
        raise invalid_form("attachments", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
    _check_sizes((file for number, file in kept if not number), most_bytes)
    return tuple(kept)


def _check_sizes(files: Iterable[Attachment], most_bytes: int) -> None:
    if any(one.size > most_bytes for one in files):
        raise too_large()


def read_thread_name(body: Json) -> str:
    """A channel's or thread's name, trimmed."""
    name = (read_text(body, "name") or "").strip()
    if not 1 <= len(name) <= limits.MAX_THREAD_NAME:
        raise invalid_form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return name


def read_archive_minutes(body: Json) -> int | None:
    minutes = read_int(body, "auto_archive_duration")
    if minutes is not None and minutes not in limits.AUTO_ARCHIVE_MINUTES:
        raise invalid_form(
            "auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of (60, 1440, 4320, 10080)."
        )
    return minutes


def read_text(body: Json, key: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise invalid_form(key, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    return value


def read_bool(body: Json, key: str) -> bool | None:
    value = body.get(key)
    if value is not None and not isinstance(value, bool):
        raise invalid_form(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return value


def read_int(body: Json, key: str) -> int | None:
    value = body.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise invalid_form(key, "NUMBER_TYPE_COERCE", "Value is not int.")
    return value


def read_snowflake(body: Json, key: str) -> str | None:
    value = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not is_snowflake(str(value)):
        raise invalid_form(key, "NUMBER_TYPE_COERCE", "Value is not snowflake.")
    return str(value)


def read_snowflakes(body: Json, key: str) -> tuple[str, ...] | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise invalid_form(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    ids = [read_snowflake({key: one}, key) for one in value]
    return tuple(dict.fromkeys(one for one in ids if one is not None))


def is_snowflake(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20


def _read_content(body: Json) -> str:
    """Trimmed, as Discord stores it; the limit counts what was sent."""
    content = read_text(body, "content") or ""
    if len(content) > limits.MAX_CONTENT:
        raise invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.MAX_CONTENT} or fewer in length.")
    return content.strip()


def _read_attachments(body: Json, files: Mapping[int, Attachment], most_bytes: int) -> tuple[Attachment, ...]:
    """The files, by their order in `attachments` where that is sent; each must then be one of those that came."""
    _check_sizes(files.values(), most_bytes)
    listed = body.get("attachments")
    if listed is None:
        return tuple(files[number] for number in sorted(files))
    if not isinstance(listed, list):
        raise invalid_form("attachments", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    chosen: list[Attachment] = []
    for one in listed:
        number = str(one.get("id")) if isinstance(one, dict) else ""
        if not number.isdecimal() or int(number) not in files:
            raise invalid_form("attachments", "ATTACHMENT_NOT_FOUND", "No such uploaded file.")
        chosen.append(files[int(number)])
    return tuple(chosen)


def _read_nonce(body: Json) -> str | int | None:
    nonce = body.get("nonce")
    if nonce is None:
        return None
    if isinstance(nonce, bool) or not isinstance(nonce, str | int):
        raise invalid_form("nonce", "NONCE_TYPE_INVALID", "Only strings and integers may be a nonce.")
    if len(str(nonce)) > limits.MAX_NONCE:
        raise invalid_form("nonce", "NONCE_TYPE_TOO_LONG", f"Must be {limits.MAX_NONCE} or fewer in length.")
    return nonce


def _read_reference(body: Json) -> Reference | None:
    raw = body.get("message_reference")
    if raw is None:
        return None
    if not isinstance(raw, dict):
        raise invalid_form("message_reference", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if raw.get("type") not in (None, 0):
        raise invalid_form("message_reference.type", "BASE_TYPE_CHOICES", "Only replies (type 0) are possible here.")
    message_id = read_snowflake(raw, "message_id")
    if message_id is None:
        raise invalid_form("message_reference.message_id", "BASE_TYPE_REQUIRED", "This field is required")
    fail = read_bool(raw, "fail_if_not_exists")
    return Reference(
        message_id=message_id,
        channel_id=read_snowflake(raw, "channel_id"),
        fail_if_not_exists=True if fail is None else fail,
    )


def _refuse_unsupported(body: Json) -> None:
    for key in _UNSUPPORTED:
        if body.get(key):
            raise invalid_form(key, "PLAYGROUND_UNSUPPORTED", "This stand-in shows text only.")
