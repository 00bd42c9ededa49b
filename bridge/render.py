"""The command `render`: what would be sent for a text, for operators and bug reports. Sends nothing and reads no settings."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from bridge.errors import SettingsError
from bridge.markdown.dialect import Dialect
from bridge.registry import dialect as dialect_of
from bridge.registry import fallback_limit as fallback_limit_of
from bridge.splitting import Splitter, split

LEAST_LIMIT = 60
"""The splitter's promises hold from here on: less is taken up by what a cut must close and open again."""

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderOptions:
    platform: str
    limit: int | None = None
    """None: the platform's own, in the dialect's measure."""
    fallback: bool = False
    stream: bool = False
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One message as it would be sent."""

    length: int
    limit: int
    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class _Step:
    """The messages after so many deltas."""

    parts: Sequence[Part]
    delta: int | None = None
    final: bool = True


@dataclass(frozen=True, slots=True)
class _Input:
    name: str
    text: str
    deltas: Sequence[str] = ()


def render_files(files: Sequence[str], options: RenderOptions) -> None:
    """Prints what each of `files` becomes. Raises `SettingsError` with everything that is wrong, before anything is printed."""
    dialect, fallback_limit = _choose_form(options)
    inputs = _read_all(files, stream=options.stream)
    measure = _usual if fallback_limit is None else _Fallback(fallback_limit)
    show = _Lines() if options.as_json else _Pages(options.platform)
    if isinstance(sys.stdout, TextIOWrapper):
        # A terminal that cannot show a letter is no reason to end.
        sys.stdout.reconfigure(errors="backslashreplace")
    for one in inputs:
        for step in _steps(one, dialect, measure, stream=options.stream):
            show(one.name, step)


def _choose_form(options: RenderOptions) -> tuple[Dialect, int | None]:
    """The dialect with its limit, and the limit of its other form when that one is wanted."""
    if options.limit is not None and options.limit < LEAST_LIMIT:
        raise SettingsError([f"--limit: {options.limit} is too small; at least {LEAST_LIMIT} is needed."])
    dialect = dialect_of(options.platform)
    if not options.fallback:
        return (dialect if options.limit is None else dialect.within(options.limit)), None
    most = fallback_limit_of(options.platform)
    if most is None:
        raise SettingsError([f"--fallback: {options.platform} has one form only."])
    most = min(most, options.limit or most)
    return dialect.within(most), most


# Input


def _read_all(files: Sequence[str], *, stream: bool) -> list[_Input]:
    if files.count(STANDARD_INPUT) > 1:
        raise SettingsError(["Standard input (-) can be read only once."])
    inputs, problems = [], []
    for file in files:
        name = "standard input" if file == STANDARD_INPUT else file if file.isprintable() else repr(file)
        try:
            text = _read(file, name)
            inputs.append(_Input(file, "", _read_deltas(text, name)) if stream else _Input(file, text))
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return inputs


def _read(file: str, name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except IsADirectoryError:
        raise SettingsError([f"{name} is a directory."]) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise SettingsError([f"{name} cannot be read: {reason}."]) from error
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise SettingsError([f"{name} is not UTF-8: byte {error.start} cannot be read."]) from error


def _read_deltas(text: str, name: str) -> list[str]:
    """One JSON string a line; empty lines are left out."""
    deltas = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            delta = json.loads(line)
        except (ValueError, RecursionError):
            delta = None
        if not isinstance(delta, str):
            raise SettingsError([f"{name}, line {number}: not a JSON string."])
        deltas.append(delta)
    return deltas


# What would be sent


_Measured = Callable[[str, Dialect], list[Part]]
"""A message's source as it would be sent: one message, or several when it is too long in that form."""


def _usual(source: str, dialect: Dialect) -> list[Part]:
    return [Part(dialect.render(source).length, dialect.limit, dialect.payload(source))]


class _Fallback:
    """In the form for when the usual one was refused. It may be longer, so that a message may have to be cut again."""

    def __init__(self, limit: int) -> None:
        """`limit`: most UTF-8 bytes of one message."""
        self._limit = limit

    def __call__(self, source: str, dialect: Dialect) -> list[Part]:
        payload = dialect.payload(source, fallback=True)
        length = len(str(payload["text"]).encode())
        usual = dialect.render(source).length
        if length <= self._limit or usual <= LEAST_LIMIT:
            # An empty code block has no other form.
            return [Part(length, self._limit, payload)] if str(payload["text"]).strip() else []
        smaller = dialect.within(max(min(usual, dialect.limit) // 2, LEAST_LIMIT))
        return [part for piece in split(source, smaller) for part in self(piece, smaller)]


def _steps(one: _Input, dialect: Dialect, measure: _Measured, *, stream: bool) -> Iterator[_Step]:
    splitter = Splitter(dialect)

    def parts(text: str, *, final: bool) -> list[Part]:
        return [part for source in splitter.feed(text, final=final) for part in measure(source, dialect)]

    if not stream:
        yield _Step(parts(one.text, final=True))
        return
    text, last = "", len(one.deltas)
    for number, delta in enumerate(one.deltas, 1):
        text += delta
        yield _Step(parts(text, final=number == last), number, number == last)
    if not last:
        yield _Step([], 0)


# Output


class _Lines:
    """For programs: one line of JSON each time."""

    def __call__(self, name: str, step: _Step) -> None:
        line: dict[str, object] = {"file": name}
        if step.delta is not None:
            line["delta"] = step.delta
        line["parts"] = [{"length": part.length, "limit": part.limit, "payload": part.payload} for part in step.parts]
        if step.delta is not None and step.final:
            line["final"] = True
        sys.stdout.write(json.dumps(line) + "\n")


class _Pages:
    """For people: every text exactly as it would be sent, under a line that says how long it is."""

    def __init__(self, platform: str) -> None:
        from rich.console import Console

        self._platform = platform
        self._console = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)

    def __call__(self, name: str, step: _Step) -> None:
        when = "" if step.delta is None else f", after delta {step.delta}{' (the last)' if step.final else ''}"
        count = len(step.parts)
        shown = name if name.isprintable() else repr(name)
        self._head(f"{shown}{when}: {count} message{'' if count == 1 else 's'} on {self._platform}", "bold")
        for number, part in enumerate(step.parts, 1):
            self._head(f"--- {number} of {count}, {part.length}/{part.limit}", "cyan")
            body, beside = _texts(part.payload)
            self._text(body)
            if beside:
                self._head(f"--- {number} of {count}, text for notifications", "cyan")
                self._text(beside)
        self._console.print()

    def _head(self, line: str, style: str) -> None:
        self._console.print(line, style=style)

    def _text(self, text: str) -> None:
        # Past rich, which turns tabs into spaces.
        self._console.file.write(text + "\n")


def _texts(payload: dict[str, object]) -> tuple[str, str]:
    """The text that people see, and the one that stands beside it where the platform shows no blocks."""
    beside = "\n".join(str(text) for name, text in payload.items() if name != "blocks")
    blocks = payload.get("blocks")
    if not isinstance(blocks, list):
        return beside, ""
    return "\n".join(str(block["text"]) for block in blocks), beside
