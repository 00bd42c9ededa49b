"""What an app's `inputs` say: constants, what is known with each question, and what members are asked for.

language = "English"                                 the same for everybody
customer = { from = "asker.name", else = "guest" }   known with the question, or else this
ticket = { ask = true }                              filled in by who asks, once in each thread
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.configuring.document import Document, Problem
from bridge.configuring.lines import Path as Place
from bridge.forms_api import FIELD_NAME_CHARS
from bridge.inputs import Source, Sourced, Value

WANTED = 'a text, a number, true or false, { from = "asker.name" } or { ask = true }'
SOURCES = ", ".join(f'"{source.value}"' for source in Source)

_KEYS = ("from", "else", "ask")


@dataclass(slots=True)
class WrittenInputs:
    constants: dict[str, Value] = field(default_factory=dict)
    sourced: dict[str, Sourced] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)


def read_inputs(table: Mapping[str, object], place: Place, document: Document) -> WrittenInputs:
    """`place`: of the table. No value is told in a problem, since it may be a secret."""
    found = WrittenInputs()
    for name, written in table.items():
        here = (*place, name)
        spelled = ".".join(map(str, here))
        if _is_value(written):
            found.constants[name] = _value(written)
        elif isinstance(written, dict):
            for where, words in _read_table(name, written, found):
                found.problems.append(document.say((*here, *where), f"{spelled}{words}"))
        else:
            found.problems.append(document.say(here, f"{spelled} must be {WANTED}."))
    return found


def _read_table(name: str, table: Mapping[str, object], found: WrittenInputs) -> list[tuple[Place, str]]:
    """Where within it something is wrong, and what."""
    wrong: list[tuple[Place, str]] = [
        ((key,), f".{key} is not known; there are {', '.join(_KEYS)}.") for key in table if key not in _KEYS
    ]
    source = _source(table.get("from"))
    if "from" in table and source is None:
        wrong.append((("from",), f".from must be one of {SOURCES}."))
    if "else" in table and not _is_value(table["else"]):
        wrong.append((("else",), ".else must be a text, a number, true or false."))
    elif "else" in table and "from" not in table:
        wrong.append((("else",), ".else says what holds where `from` is not known, and there is no `from`."))
    elif "else" in table and "ask" in table:
        wrong.append((("else",), ".else and .ask contradict each other; remove one of them."))
    if "ask" in table and table["ask"] is not True:
        wrong.append((("ask",), ".ask must be true, or left out."))
    elif "ask" in table and len(name) > FIELD_NAME_CHARS:
        wrong.append((("ask",), f" cannot be asked for: its name is longer than {FIELD_NAME_CHARS} characters."))
    if not table:
        wrong.append(((), f" must be {WANTED}."))
    if wrong:
        return wrong
    if source is not None:
        found.sourced[name] = Sourced(source=source, fallback=_value(table["else"]) if "else" in table else None)
    if "ask" in table:
        found.asked.add(name)
    return []


def _source(written: object) -> Source | None:
    return next((source for source in Source if source.value == written), None)


def _is_value(written: object) -> bool:
    return isinstance(written, str | int) or (isinstance(written, float) and math.isfinite(written))


def _value(written: object) -> Value:
    if isinstance(written, bool | int | float | str):
        return written
    raise TypeError("looked at before")
