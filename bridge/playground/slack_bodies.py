"""What the page may send that only Slack has: commands, shortcuts, modals, the Home tab, Slack's own Stop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.playground.bodies import LONGEST_TEXT, BadBody, read_fields, read_optional, read_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    person: str
    channel: str
    thread: str | None
    name: str
    """With its slash."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Chosen in the menu of a message."""

    person: str
    channel: str
    message: str
    shortcut: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PressInView:
    person: str
    view: str
    button: str
    value: str | None
    """The option of a menu, or which of several buttons with one id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    person: str
    view: str
    values: dict[str, dict[str, str]]
    """block_id and action_id to what was entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    person: str
    view: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Somebody opens the bot's Home tab, or their direct messages with it."""

    person: str
    tab: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSession:
    """Slack's own Stop, beside an agent that works."""

    person: str
    channel: str
    thread: str


SlackAct = Command | Shortcut | PressInView | Submit | Close | Look | StopSession


def _read_command(body: bytes) -> Command:
    fields = read_fields(body)
    text = fields.get("text", "")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise BadBody(f"The field “text” must be a text of at most {LONGEST_TEXT:,} characters.")
    return Command(
        person=read_word(fields, "person"),
        channel=read_word(fields, "channel"),
        thread=read_optional(fields, "thread"),
        name=read_word(fields, "name"),
        text=text,
    )


def _read_shortcut(body: bytes) -> Shortcut:
    fields = read_fields(body)
    return Shortcut(
        person=read_word(fields, "person"),
        channel=read_word(fields, "channel"),
        message=read_word(fields, "message"),
        shortcut=read_word(fields, "shortcut"),
    )


def _read_press(body: bytes) -> PressInView:
    fields = read_fields(body)
    return PressInView(
        person=read_word(fields, "person"),
        view=read_word(fields, "view"),
        button=read_word(fields, "button"),
        value=read_optional(fields, "value"),
    )


def _read_submit(body: bytes) -> Submit:
    fields = read_fields(body)
    values: dict[str, dict[str, str]] = {}
    match fields.get("values"):
        case dict(blocks):
            for block_id, entered in blocks.items():
                values[block_id] = _read_entries(entered)
        case _:
            raise BadBody("The field “values” must be an object.")
    return Submit(person=read_word(fields, "person"), view=read_word(fields, "view"), values=values)


def _read_entries(entered: object) -> dict[str, str]:
    if not isinstance(entered, dict) or not all(isinstance(one, str) for one in entered.values()):
        raise BadBody("What was entered must be texts by their field.")
    return entered


def _read_close(body: bytes) -> Close:
    fields = read_fields(body)
    return Close(person=read_word(fields, "person"), view=read_word(fields, "view"))


def _read_look(body: bytes) -> Look:
    fields = read_fields(body)
    return Look(person=read_word(fields, "person"), tab=read_word(fields, "tab"))


def _read_stop(body: bytes) -> StopSession:
    fields = read_fields(body)
    return StopSession(
        person=read_word(fields, "person"), channel=read_word(fields, "channel"), thread=read_word(fields, "thread")
    )


SLACK_ACTS: Mapping[str, Callable[[bytes], SlackAct]] = {
    "command": _read_command,
    "shortcut": _read_shortcut,
    "press-in-view": _read_press,
    "submit": _read_submit,
    "close": _read_close,
    "look": _read_look,
    "stop": _read_stop,
}
"""By the last word of the address that they are posted to."""
