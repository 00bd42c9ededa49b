"""Reads request bodies as strictly as Discord does: narrows untrusted JSON or raises a `Refusal`."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.playground.discord import limits
from bridge.playground.discord.components import Rows, read_rows
from bridge.playground.discord.mentions import AllowedMentions, read_allowed
from bridge.playground.discord.model import FLAG_SUPPRESS_EMBEDS, FLAG_SUPPRESS_NOTIFICATIONS, Attachment, Json
from bridge.playground.discord.refusals import empty_message, invalid_form

_UNSUPPORTED = ("embeds", "sticker_ids", "poll")
"""Real features that this stand-in does not show. Refused rather than accepted and lost."""

_SENDABLE_FLAGS = FLAG_SUPPRESS_EMBEDS | FLAG_SUPPRESS_NOTIFICATIONS


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


def read_new_message(body: Json, files: Mapping[int, Attachment]) -> NewMessage:
    _refuse_unsupported(body)
    attachments = _read_attachments(body, files)
    content = _read_content(body)
    allowed = read_allowed(body)
    nonce = _read_nonce(body)
    flags = read_int(body, "flags") or 0
    if flags & ~_SENDABLE_FLAGS:
        raise invalid_form(
            "flags", "FLAGS_INVALID", "Only SUPPRESS_EMBEDS and SUPPRESS_NOTIFICATIONS are possible here."
        )
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


def read_edit(body: Json) -> Edit:
    _refuse_unsupported(body)
    if "attachments" in body:
        raise invalid_form("attachments", "PLAYGROUND_UNSUPPORTED", "This stand-in changes no files.")
    allowed = read_allowed(body)
    rows = read_rows(body)
    if "content" not in body:
        return Edit(content=None, allowed=allowed, rows=rows)
    content = _read_content(body)
    if not content:
        raise empty_message()
    return Edit(content=content, allowed=allowed, rows=rows)


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


def is_snowflake(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20


def _read_content(body: Json) -> str:
    """Trimmed, as Discord stores it; the limit counts what was sent."""
    content = read_text(body, "content") or ""
    if len(content) > limits.MAX_CONTENT:
        raise invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.MAX_CONTENT} or fewer in length.")
    return content.strip()


def _read_attachments(body: Json, files: Mapping[int, Attachment]) -> tuple[Attachment, ...]:
    """The files, by their order in `attachments` where that is sent; each must then be one of those that came."""
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
