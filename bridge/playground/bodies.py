"""What the page may send: JSON bodies become values, or one clear sentence about what is wrong with them."""

import base64
import json
import mimetypes
from dataclasses import dataclass, field

LONGEST_TEXT = 4000
"""Characters that a person may write here. Discord takes 2,000 from people without Nitro; its stand-in says so itself."""

LARGEST_FILE = 1_000_000
"""Bytes of a file that is sent along from the page. The page says so too."""
MOST_FILES = 5
LARGEST_BODY = 64 * 1024 + MOST_FILES * LARGEST_FILE * 4 // 3
"""Bytes of a request. Files come in it as base64."""


class BadBody(Exception):
    """`str(error)` is the sentence that the page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    channel: str
    thread: str | None
    """Message that the thread hangs under; None posts at the top of the channel."""
    person: str
    text: str
    """May be empty where there are files."""
    files: tuple[SentFile, ...] = ()
    reply_to: str | None = None
    """Message in the same place that this one answers, as Discord's replies do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    channel: str
    message: str
    person: str
    emoji: str
    add: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    channel: str
    message: str
    person: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete:
    channel: str
    message: str
    person: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    channel: str
    message: str
    person: str
    button: str
    """The platform's id of it."""
    value: str | None = None
    """Which one, where several have that id."""


Act = Edit | Delete | Press
"""What a person does to a message that stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A fault to be switched."""

    name: str
    on: bool


def read_post(body: bytes) -> Post:
    fields = read_fields(body)
    files = read_files(fields)
    text = "" if files and fields.get("text") == "" else _message(fields)
    return Post(
        channel=read_word(fields, "channel"),
        thread=read_optional(fields, "thread"),
        person=read_word(fields, "person"),
        text=text,
        files=files,
        reply_to=read_optional(fields, "reply_to"),
    )


def read_react(body: bytes) -> React:
    fields = read_fields(body)
    return React(
        channel=read_word(fields, "channel"),
        message=read_word(fields, "message"),
        person=read_word(fields, "person"),
        emoji=read_word(fields, "emoji"),
        add=_yes_no(fields, "add"),
    )


def read_edit(body: bytes) -> Edit:
    fields = read_fields(body)
    text = _message(fields)
    return Edit(
        channel=read_word(fields, "channel"),
        message=read_word(fields, "message"),
        person=read_word(fields, "person"),
        text=text,
    )


def read_delete(body: bytes) -> Delete:
    fields = read_fields(body)
    return Delete(
        channel=read_word(fields, "channel"), message=read_word(fields, "message"), person=read_word(fields, "person")
    )


def read_press(body: bytes) -> Press:
    fields = read_fields(body)
    return Press(
        channel=read_word(fields, "channel"),
        message=read_word(fields, "message"),
        person=read_word(fields, "person"),
        button=read_word(fields, "button"),
        value=read_optional(fields, "value"),
    )


def read_turn(body: bytes) -> Turn:
    fields = read_fields(body)
    return Turn(name=read_word(fields, "name"), on=_yes_no(fields, "on"))


def read_restart(body: bytes) -> bool:
    """Whether the bridge is to be ended without letting it finish."""
    return _yes_no(read_fields(body), "kill")


def read_fields(body: bytes) -> dict[str, object]:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadBody("The body is not JSON.") from error
    if not isinstance(parsed, dict):
        raise BadBody("The body must be a JSON object.")
    return parsed


def _message(fields: dict[str, object]) -> str:
    text = read_word(fields, "text")
    if not text.strip():
        raise BadBody("The message is empty.")
    if len(text) > LONGEST_TEXT:
        raise BadBody(f"The message has {len(text):,} characters; at most {LONGEST_TEXT:,} fit.")
    return text


def read_word(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadBody(f"The field “{name}” must be a text that is not empty.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadBody(f"The field “{name}” contains half a character.") from error
    return value


def read_optional(fields: dict[str, object], name: str) -> str | None:
    """None where it is missing or null."""
    return None if fields.get(name) is None else read_word(fields, name)


def read_files(fields: dict[str, object]) -> tuple[SentFile, ...]:
    listed = fields.get("files", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise BadBody("The field “files” must be a list.")
    if len(listed) > MOST_FILES:
        raise BadBody(f"At most {MOST_FILES} files go with a message.")
    return tuple(_file(one) for one in listed)


def _file(fields: dict[str, object]) -> SentFile:
    name = read_word(fields, "name")
    if fields.get("content") == "":
        raise BadBody(f"“{name}” is empty.")
    try:
        content = base64.b64decode(read_word(fields, "content"), validate=True)
    except ValueError as error:
        raise BadBody(f"“{name}” is not base64.") from error
    if len(content) > LARGEST_FILE:
        raise BadBody(f"“{name}” is too large: at most {LARGEST_FILE // 1_000_000} MB fit here.")
    return SentFile(name=name, media_type=mimetypes.guess_type(name)[0] or "application/octet-stream", content=content)


def _yes_no(fields: dict[str, object], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise BadBody(f"The field “{name}” must be true or false.")
    return value
