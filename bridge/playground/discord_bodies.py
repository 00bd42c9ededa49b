"""What the page may send that only Discord has: commands, the menu of a message, forms, posts in forums, messages put away."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.playground.bodies import (
    LONGEST_TEXT,
    BadBody,
    SentFile,
    read_fields,
    read_files,
    read_optional,
    read_word,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    person: str
    channel: str
    thread: str | None
    name: str
    """With its slash."""
    text: str
    """Goes to the command's first option that takes a text."""
    files: tuple[SentFile, ...] = ()
    """Each goes to an option that takes a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Chosen in the menu of a message."""

    person: str
    channel: str
    message: str
    shortcut: str
    """Name of the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    person: str
    view: str
    """The form, by the interaction that it answered."""
    values: dict[str, str | list[str]]
    """custom_id to what was entered, or to what was chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    person: str
    view: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss:
    """A message that this person alone sees is put away."""

    person: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForumPost:
    person: str
    channel: str
    title: str
    text: str
    tags: tuple[str, ...]
    """By name."""
    files: tuple[SentFile, ...] = ()


DiscordAct = Command | Menu | Submit | Close | Dismiss | ForumPost


def _read_command(body: bytes) -> Command:
    fields = read_fields(body)
    return Command(
        person=read_word(fields, "person"),
        channel=read_word(fields, "channel"),
        thread=read_optional(fields, "thread"),
        name=read_word(fields, "name"),
        text=_read_text(fields),
        files=read_files(fields),
    )


def _read_menu(body: bytes) -> Menu:
    fields = read_fields(body)
    return Menu(
        person=read_word(fields, "person"),
        channel=read_word(fields, "channel"),
        message=read_word(fields, "message"),
        shortcut=read_word(fields, "shortcut"),
    )


def _read_submit(body: bytes) -> Submit:
    fields = read_fields(body)
    entered = fields.get("values")
    if not isinstance(entered, dict):
        raise BadBody("The field “values” must be an object.")
    values = {name: _read_entry(one) for name, one in entered.items()}
    return Submit(person=read_word(fields, "person"), view=read_word(fields, "view"), values=values)


def _read_entry(one: object) -> str | list[str]:
    if isinstance(one, str) or (isinstance(one, list) and all(isinstance(each, str) for each in one)):
        return one
    raise BadBody("What was entered must be texts, or lists of what was chosen, by their field.")


def _read_close(body: bytes) -> Close:
    fields = read_fields(body)
    return Close(person=read_word(fields, "person"), view=read_word(fields, "view"))


def _read_dismiss(body: bytes) -> Dismiss:
    fields = read_fields(body)
    return Dismiss(person=read_word(fields, "person"), message=read_word(fields, "message"))


def _read_forum_post(body: bytes) -> ForumPost:
    fields = read_fields(body)
    tags = fields.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(one, str) for one in tags):
        raise BadBody("The field “tags” must be a list of names.")
    return ForumPost(
        person=read_word(fields, "person"),
        channel=read_word(fields, "channel"),
        title=read_word(fields, "title"),
        text=_read_text(fields),
        tags=tuple(tags),
        files=read_files(fields),
    )


def _read_text(fields: dict[str, object]) -> str:
    """May be empty."""
    if fields.get("text", "") == "":
        return ""
    text = read_word(fields, "text")
    if len(text) > LONGEST_TEXT:
        raise BadBody(f"The text has {len(text):,} characters; at most {LONGEST_TEXT:,} fit.")
    return text


DISCORD_ACTS: Mapping[str, Callable[[bytes], DiscordAct]] = {
    "command": _read_command,
    "shortcut": _read_menu,
    "submit": _read_submit,
    "close": _read_close,
    "dismiss": _read_dismiss,
    "forum-post": _read_forum_post,
}
"""By the last word of the address that they are posted to."""
