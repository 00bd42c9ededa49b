"""The text of `bridge.toml`, read, and sentences about it that name the line."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bridge.configuring.lines import Path as Place
from bridge.configuring.lines import find_lines, line_of
from bridge.errors import SettingsError

_WHERE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_PLAIN_WORDS = (
    ("Invalid value", "what stands after the equals sign is not a value; text must stand in quotes"),
    ("Invalid statement", "this is neither a table such as [apps.support] nor a setting such as key = value"),
    ("Expected '='", "there must be an equals sign after the name of a setting"),
    ("Expected newline", "there is something left over behind the value"),
    ("Expected ']'", "the closing bracket of a table such as [apps.support] is missing"),
    ("Expected ']]'", "the closing brackets of [[routes]] are missing"),
    (
        "Cannot declare",
        "this table is written a second time, or was begun as something else; put all of it in one place",
    ),
    ("Cannot overwrite a value", "this is written a second time, or was begun as something else"),
    ("Duplicate inline table key", "a name is written a second time within the braces"),
    ("Unclosed array", "a list is not closed with ]"),
    ("Unclosed inline table", "braces are not closed with }; what stands in braces must stand in one line"),
    ("Unterminated string", "a text is not closed with its quotes"),
    ("Illegal character '\\n'", "a text is not closed with its quotes at the end of the line"),
    ("Unescaped", "a backslash in double quotes begins a special character; write it twice, or use single quotes"),
    ("Invalid initial character for a key part", "a name is missing here (no comma may stand before a closing brace)"),
)


class Problem(NamedTuple):
    """Sorts by line."""

    line: int
    sentence: str
    """Whole, with the file and the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is written, and where."""

    name: str
    """Of the file, as the operator gave it."""
    values: Mapping[str, object]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        return line_of(place, self.lines)

    def say(self, place: Place, words: str) -> Problem:
        return self.say_at(self.line(place), words)

    def say_at(self, line: int, words: str) -> Problem:
        """`bridge.toml line 14: ` and the words."""
        return Problem(line, f"{self.name} line {line}: {words}")


def read_document(path: Path) -> Document:
    """Raises `SettingsError` when the file cannot be read or is not TOML."""
    try:
        # Editors on Windows put an invisible mark before the first character.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path} is not UTF-8 text; save it again with the encoding UTF-8."]) from error
    except OSError as error:
        raise SettingsError([f"{path} cannot be read ({error.strerror})."]) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Without the cause: a stack trace may show a line of the file, and people do write keys into it.
        raise SettingsError([_explain(path, text, str(error))]) from None
    return Document(name=str(path), values=values, lines=find_lines(text))


def _explain(path: Path, text: str, complaint: str) -> str:
    found = _WHERE.search(complaint)
    line = int(found[1]) if found and found[1] else len(text.rstrip().splitlines()) or 1
    column = f", column {found[2]}" if found and found[2] else ""
    bare = _WHERE.sub("", complaint)
    return f"{path} line {line}{column}: {_in_plain_words(bare)}."


def _in_plain_words(complaint: str) -> str:
    # The longest beginning that fits: "Expected ']]'" begins like "Expected ']'" does not, but "Expected" would.
    fitting = [(start, words) for start, words in _PLAIN_WORDS if complaint.startswith(start)]
    return max(fitting, key=lambda one: len(one[0]), default=("", complaint))[1]


def name_place(place: Iterable[str | int]) -> str:
    """`routes.users` for `("routes", 2, "users", 0)`: the line says which of them."""
    return ".".join(str(part) for part in place if not isinstance(part, int))
