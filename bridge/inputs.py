"""What an app wants to know besides the question: where each of its input variables comes from, and whether a value will do.
Pure: values in, values out.

For each variable the operator's constant goes first, then what is known of the asker and the place, then what a member has filled
in, and at last what the app itself takes for granted.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.forms_api import FIELD_NAME_CHARS, NO, YES, FieldKind, Form, FormField, choose, find_problem
from bridge.messages import Author, Inputs, ReplyTarget
from bridge.variables_api import InputKind, InputVariable

Value = str | int | float | bool

FIELDS = {
    InputKind.TEXT: FieldKind.TEXT,
    InputKind.PARAGRAPH: FieldKind.PARAGRAPH,
    InputKind.NUMBER: FieldKind.NUMBER,
    InputKind.SELECT: FieldKind.SELECT,
    InputKind.CHECKBOX: FieldKind.CHECKBOX,
}
"""What people can be asked for in a chat."""

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class Source(StrEnum):
    """What is known with every question. The values stand in `bridge.toml`."""

    ASKER_ID = "asker.id"
    ASKER_NAME = "asker.name"
    ASKER_LOCALE = "asker.locale"
    """Such as "en-US". Not every event tells it."""
    CHANNEL_ID = "channel.id"
    THREAD_ID = "thread.id"
    """Not where a whole channel is one conversation."""
    WORKSPACE_ID = "workspace.id"
    """Of the workspace or server."""
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A variable whose value is known with the question."""

    source: Source
    fallback: Value | None = None
    """Where the platform does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the inputs of one question are made from."""

    constants: Inputs = field(default_factory=dict)
    sourced: Mapping[str, Sourced] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    """Variables that a member is asked for although the app could do without them."""
    author: Author | None = None
    target: ReplyTarget | None = None
    kept: Inputs = field(default_factory=dict)
    """What was filled in for this conversation; an empty text: it was left empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A value of the operator's that the app would refuse."""

    name: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    inputs: Inputs
    missing: Sequence[InputVariable] = ()
    """What a member has to be asked for, in the order of the app's form."""
    wrong: Sequence[Wrong] = ()


def settle_inputs(variables: Sequence[InputVariable] | None, known: Known) -> Settled:
    """`variables` is None where it is not known what the app wants: then it gets all there is."""
    told = {name: _tell(one, known) for name, one in known.sourced.items()}
    if variables is None:
        kept = {name: value for name, value in known.kept.items() if value != ""}
        first = {name: values[0] for name, values in told.items() if values}
        return Settled(inputs={**kept, **first, **known.constants})
    # What the app does not know it drops; saying so is the affair of `check`.
    inputs: dict[str, Value] = dict(known.constants)
    missing: list[InputVariable] = []
    wrong: list[Wrong] = []
    for variable in variables:
        found = _find(variable, known, told)
        if isinstance(found, Wrong):
            wrong.append(found)
        elif found is not None:
            if found != "" or variable.name in known.constants:
                inputs[variable.name] = found
        elif wants_asking(variable, known):
            missing.append(variable)
    return Settled(inputs=inputs, missing=missing, wrong=wrong)


def _find(variable: InputVariable, known: Known, told: Mapping[str, Sequence[Value]]) -> Value | Wrong | None:
    """None: nothing is known. An empty text: it is known to be left empty."""
    name = variable.name
    if name in known.constants:
        return convert(variable, known.constants[name]) if known.constants[name] != "" else ""
    # What is known of somebody may be none of the options: then it is as if it were not known.
    for value in told.get(name, ()):
        converted = convert(variable, _cut(variable, value))
        if not isinstance(converted, Wrong):
            return converted
    if name in known.kept and (kept := _kept(variable, known.kept[name])) is not None:
        return kept
    if variable.required and variable.default not in (None, "") and not wants_asking(variable, known):
        # Servers differ in whether they take their own default for granted.
        default = convert(variable, variable.default if variable.default is not None else "")
        return None if isinstance(default, Wrong) else default
    return None


def wants_asking(variable: InputVariable, known: Known) -> bool:
    """Whether a member has to be asked for it, when nothing else is known."""
    if variable.kind not in FIELDS or len(variable.name) > FIELD_NAME_CHARS:
        return False
    return variable.name in known.asked or (
        variable.required and not variable.hidden and variable.default in (None, "")
    )


def convert(variable: InputVariable, value: Value) -> Value | Wrong:
    """The value as the app wants it."""
    match variable.kind:
        case InputKind.TEXT | InputKind.PARAGRAPH | InputKind.SELECT if isinstance(value, bool):
            return Wrong(name=variable.name, problem="must be a text, not true or false")
        case InputKind.TEXT | InputKind.PARAGRAPH:
            text = str(value)
            if variable.most is not None and len(text) > variable.most:
                return Wrong(name=variable.name, problem=f"is longer than {variable.most} characters")
            return text
        case InputKind.SELECT if not _options(variable):
            return str(value)
        case InputKind.SELECT:
            options = ", ".join(variable.options)
            found = choose(field_for(variable), str(value))
            return Wrong(name=variable.name, problem=f"must be one of: {options}") if found is None else found
        case InputKind.NUMBER:
            number = to_number(str(value)) if not isinstance(value, bool) else None
            return Wrong(name=variable.name, problem="must be a number") if number is None else number
        case InputKind.CHECKBOX:
            word = str(value).strip().lower()
            if word in _TRUE or word in _FALSE:
                return word in _TRUE
            return Wrong(name=variable.name, problem="must be true or false")
        case _:
            return value


def to_number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) and abs(number) < 2**53 else number


def form_for(form_id: str, title: str, variables: Sequence[InputVariable]) -> Form:
    """Asks a member for these, all of which people can be asked for."""
    return Form(id=form_id, title=title, fields=tuple(field_for(variable) for variable in variables))


def field_for(variable: InputVariable) -> FormField:
    options = _options(variable)
    kind = FIELDS.get(variable.kind, FieldKind.TEXT)
    return FormField(
        name=variable.name,
        label=variable.label,
        # Without options there is nothing to choose from, and no value would do.
        kind=FieldKind.TEXT if kind is FieldKind.SELECT and not options else kind,
        required=variable.required,
        options=options,
        most=variable.most,
        default=_spell(variable.default),
    )


def filled_in(field: FormField, written: str) -> Value | None:
    """What a member wrote, as it is kept; "" for a field that was left empty; None: it will not do."""
    if find_problem(field, written):
        return None
    written = written.strip()
    if field.kind is FieldKind.CHECKBOX:
        return written == YES
    if not written:
        return ""
    match field.kind:
        case FieldKind.NUMBER:
            return to_number(written)
        case FieldKind.SELECT:
            return choose(field, written)
        case _:
            return written


def _kept(variable: InputVariable, value: Value) -> Value | None:
    """None: what was filled in will not do any more, since the app's author has changed the form."""
    if value == "":
        return None if variable.required else ""
    converted = convert(variable, value)
    return None if isinstance(converted, Wrong) else converted


def _tell(sourced: Sourced, known: Known) -> Sequence[Value]:
    """What is known, and what holds instead."""
    found: list[Value] = []
    author, target = known.author, known.target
    if author is not None and target is not None:
        told = {
            Source.ASKER_ID: author.id,
            # A platform that does not tell names puts the id there.
            Source.ASKER_NAME: author.display_name if author.display_name != author.id else "",
            Source.ASKER_LOCALE: author.locale,
            Source.CHANNEL_ID: target.conversation.channel,
            Source.THREAD_ID: target.conversation.thread,
            Source.WORKSPACE_ID: target.conversation.installation,
            Source.PLATFORM: target.platform,
        }[sourced.source]
        found += [told] if told else []
    return found if sourced.fallback is None else [*found, sourced.fallback]


def _options(variable: InputVariable) -> tuple[str, ...]:
    return tuple(dict.fromkeys(option for option in variable.options if option.strip()))


def _cut(variable: InputVariable, value: Value) -> Value:
    """Nobody can be asked for a shorter name."""
    return value[: variable.most] if isinstance(value, str) and variable.most is not None else value


def _spell(value: Value | None) -> str:
    if isinstance(value, bool):
        return YES if value else NO
    return "" if value is None else str(value)
