"""On which line everything in a TOML file stands. The standard library reads TOML, but does not tell."""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]
"""Keys and positions from the top down: `("routes", 1, "users", 0)`."""

_SPACE = re.compile(r"(?:[ \t]|#[^\n]*)*")
_SPACE_AND_LINES = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]+")
# The closing quotes of a long text may follow up to two quotes that belong to it, so the last three count.
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")|'
    r"'''(?:.)*?'''(?!')|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)


def find_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1 on, of every key, every table and every item of an array. Only for text that `tomllib` has read.

    A table that is written in several pieces stands where its first piece does.
    """
    scanner = _Scanner(text)
    scanner.read_document()
    return scanner.lines


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of what stands there, or of the nearest thing around it that is written: what is missing stands nowhere."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text.replace("\r\n", "\n")
        self._at = 0
        self._line = 1
        self._tables: dict[Path, int] = {}
        """How many tables each array of tables has so far."""
        self.lines: dict[Path, int] = {}

    def read_document(self) -> None:
        table: Path = ()
        self._take(_SPACE_AND_LINES)
        while self._at < len(self._text):
            if self._text.startswith("[", self._at):
                table = self._read_header()
            else:
                self._read_pair(table)
            self._take(_SPACE_AND_LINES)

    def _read_header(self) -> Path:
        is_array = self._text.startswith("[[", self._at)
        line = self._line
        self._skip(2 if is_array else 1)
        *above, last = self._read_key()
        self._skip(2 if is_array else 1)
        path: Path = ()
        for key in above:
            path = self._inside((*path, key), line)
        path = (*path, last)
        if not is_array:
            self.lines.setdefault(path, line)
            return path
        self.lines.setdefault(path, line)
        self._tables[path] = self._tables.get(path, 0) + 1
        item = (*path, self._tables[path] - 1)
        self.lines[item] = line
        return item

    def _inside(self, path: Path, line: int) -> Path:
        """The table of this name; of an array of tables the last one, as TOML has it."""
        self.lines.setdefault(path, line)
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _read_pair(self, table: Path) -> None:
        line = self._line
        path = table
        for key in self._read_key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._skip(1)  # the equals sign
        self._take(_SPACE)
        self._read_value(path)

    def _read_key(self) -> list[str]:
        """A key and the dots in it: `a."b c".d`."""
        keys = []
        while True:
            self._take(_SPACE)
            quote = self._text[self._at]
            if quote in "\"'":
                written = self._take(_STRING)
                keys.append(written[1:-1] if quote == "'" else _unescape(written[1:-1]))
            else:
                keys.append(self._take(_BARE_KEY))
            self._take(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._skip(1)

    def _read_value(self, path: Path) -> None:
        match self._text[self._at]:
            case "[":
                self._read_array(path)
            case "{":
                self._read_inline_table(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_PLAIN_VALUE)

    def _read_array(self, path: Path) -> None:
        self._skip(1)
        self._take(_SPACE_AND_LINES)
        position = 0
        while not self._text.startswith("]", self._at):
            item = (*path, position)
            self.lines[item] = self._line
            self._read_value(item)
            self._to_next_item()
            position += 1
        self._skip(1)

    def _read_inline_table(self, path: Path) -> None:
        self._skip(1)
        self._take(_SPACE_AND_LINES)
        while not self._text.startswith("}", self._at):
            self._read_pair(path)
            self._to_next_item()
        self._skip(1)

    def _to_next_item(self) -> None:
        self._take(_SPACE_AND_LINES)
        if self._text.startswith(",", self._at):
            self._skip(1)
            self._take(_SPACE_AND_LINES)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        # It was valid TOML, so something is wrong with this scanner; better to say so than to go round for ever.
        if found is None:
            raise ValueError(f"cannot follow the TOML on line {self._line}")
        self._skip(len(found[0]))
        return found[0]

    def _skip(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count


_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))")


def _unescape(written: str) -> str:
    def meant(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else _ESCAPES[found[4]]

    return _ESCAPE.sub(meant, written)
