"""What the page may send: JSON bodies become values, or one clear sentence about what is wrong with them."""

import json
from dataclasses import dataclass

LONGEST_TEXT = 4000
"""Characters that a person may write here. Discord takes 2,000 from people without Nitro; its stand-in says so itself."""


class BadBody(Exception):
    """`str(error)` is the sentence that the page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    channel: str
    thread: str | None
    """Message that the thread hangs under; None posts at the top of the channel."""
    person: str
    text: str


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


Act = Edit | Delete | Press
"""What a person does to a message that stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A fault to be switched."""

    name: str
    on: bool


def read_post(body: bytes) -> Post:
    fields = _fields(body)
    text = _message(fields)
    thread = None if fields.get("thread") is None else _word(fields, "thread")
    return Post(channel=_word(fields, "channel"), thread=thread, person=_word(fields, "person"), text=text)


def read_react(body: bytes) -> React:
    fields = _fields(body)
    return React(
        channel=_word(fields, "channel"),
        message=_word(fields, "message"),
        person=_word(fields, "person"),
        emoji=_word(fields, "emoji"),
        add=_yes_no(fields, "add"),
    )


def read_edit(body: bytes) -> Edit:
    fields = _fields(body)
    text = _message(fields)
    return Edit(
        channel=_word(fields, "channel"), message=_word(fields, "message"), person=_word(fields, "person"), text=text
    )


def read_delete(body: bytes) -> Delete:
    fields = _fields(body)
    return Delete(channel=_word(fields, "channel"), message=_word(fields, "message"), person=_word(fields, "person"))


def read_press(body: bytes) -> Press:
    fields = _fields(body)
    return Press(
        channel=_word(fields, "channel"),
        message=_word(fields, "message"),
        person=_word(fields, "person"),
        button=_word(fields, "button"),
    )


def read_turn(body: bytes) -> Turn:
    fields = _fields(body)
    return Turn(name=_word(fields, "name"), on=_yes_no(fields, "on"))


def read_restart(body: bytes) -> bool:
    """Whether the bridge is to be ended without letting it finish."""
    return _yes_no(_fields(body), "kill")


def _fields(body: bytes) -> dict[str, object]:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadBody("The body is not JSON.") from error
    if not isinstance(parsed, dict):
        raise BadBody("The body must be a JSON object.")
    return parsed


def _message(fields: dict[str, object]) -> str:
    text = _word(fields, "text")
    if not text.strip():
        raise BadBody("The message is empty.")
    if len(text) > LONGEST_TEXT:
        raise BadBody(f"The message has {len(text):,} characters; at most {LONGEST_TEXT:,} fit.")
    return text


def _word(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise BadBody(f"The field “{name}” must be a text that is not empty.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadBody(f"The field “{name}” contains half a character.") from error
    return value


def _yes_no(fields: dict[str, object], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise BadBody(f"The field “{name}” must be true or false.")
    return value
