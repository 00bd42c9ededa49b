"""The seam by which members fill in forms: what a form is, how a platform asks for one, and what is wrong with what came back.

A form opens when somebody presses a `ButtonAction.FORM` button under a message of ours. Platforms show it as the immediate answer
to that press, so they ask for it themselves instead of handing the press in (see `OffersForms`). What was filled in comes as
`events.FormSubmitted`. Forms that a platform has by itself (such as why an answer is bad) have nothing to do with this.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bridge.messages import Author, ChannelId, MessageRef, ReplyTarget

FORM_ID_CHARS = 40
"""Most characters of a form's id, all of them letters, digits, ":", "-" or "_". It is a button's `value`."""

FIELD_NAME_CHARS = 80
"""Most characters of a field's name, likewise."""

YES, NO = "yes", "no"

_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})", re.ASCII)


class FieldKind(StrEnum):
    TEXT = "text"
    """One line."""
    PARAGRAPH = "paragraph"
    NUMBER = "number"
    SELECT = "select"
    """One of `options`."""
    CHECKBOX = "checkbox"
    """Yes or no; not ticked is no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    name: str
    """Unique in its form."""
    label: str
    """Plain text of one line. Cut where a platform has less room for it."""
    kind: FieldKind = FieldKind.TEXT
    required: bool = True
    options: tuple[str, ...] = ()
    """Of `SELECT`, each once and not empty. A platform that cannot offer so many has one of them typed."""
    most: int | None = None
    """Most characters; None: as many as the platform takes."""
    default: str = ""
    """Stands there already, spelled as a value (see `FormSubmitted.values`)."""
    hint: str = ""
    """A plain sentence below it; cut where there is less room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    id: str
    title: str
    """A few words of plain text; cut where a platform has less room (Slack: 24 characters)."""
    fields: tuple[FormField, ...]
    """At least one. A platform that has no room for all shows the first ones: what was submitted tells which, and whoever wants
    the others shows a button for them."""
    intro: str = ""
    """Plain text above the fields."""
    submit: str = "Send"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRequest:
    """Somebody wants to fill in a form, or has just done so."""

    form: str
    """The button's `value`: the form's id."""
    message: MessageRef
    """The message of ours that the button stands under."""
    author: Author
    target: ReplyTarget
    """The thread that the message stands in."""
    category: ChannelId = ChannelId("")
    """As of `events.MessageReceived`."""
    is_external: bool = False


FindForm = Callable[[FormRequest], Awaitable[Form | str]]
"""The form as it is to be shown to this person now, or a plain sentence for them alone: it is not theirs to fill in, it is filled
in already, its time is up. Asked when the button is pressed, and once more when the form is sent. Quick: it looks into the store
at most, since platforms wait three seconds. Raises `StoreUnavailable`, and nothing else."""


@runtime_checkable
class OffersForms(Protocol):
    """The platform has forms, and shows `ButtonAction.FORM`. Only asked to do so where `capabilities.buttons`.

    What was filled in it looks at with `find_problems`; with problems in it, nothing is handed in, and who filled it in is told,
    within the form where the platform can.
    """

    def offer_forms(self, find: FindForm) -> None:
        """Called once, before `run`."""
        ...


def find_problems(form: Form, values: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong, by name of the field, in a sentence for whoever filled it in. Fields that are not in `values` were not
    shown. Empty: all is well."""
    problems: dict[str, str] = {}
    for field in form.fields:
        if field.name in values and (problem := find_problem(field, values[field.name])):
            problems[field.name] = problem
    return problems


def find_problem(field: FormField, value: str) -> str:
    """As `find_problems`, of one field; "" where all is well."""
    value = value.strip()
    if not value:
        return "Please fill this in." if field.required and field.kind is not FieldKind.CHECKBOX else ""
    if field.most is not None and len(value) > field.most and field.kind in (FieldKind.TEXT, FieldKind.PARAGRAPH):
        return f"This is too long: at most {field.most} characters, and these are {len(value)}."
    match field.kind:
        case FieldKind.NUMBER if _NUMBER.fullmatch(value) is None:
            return "Please write a number, such as 3 or 2.5."
        case FieldKind.SELECT if choose(field, value) is None:
            return f"Please choose one of: {', '.join(field.options)}."
        case FieldKind.CHECKBOX if value not in (YES, NO):
            return "Please answer yes or no."
        case FieldKind.TEXT if "\n" in value:
            return "Please write this in one line."
        case _:
            return ""


def choose(field: FormField, value: str) -> str | None:
    """The option that was meant, also where it was typed; None: none of them."""
    value = " ".join(value.split())
    exact = [option for option in field.options if " ".join(option.split()) == value]
    alike = exact or [option for option in field.options if " ".join(option.split()).casefold() == value.casefold()]
    return alike[0] if alike else None
