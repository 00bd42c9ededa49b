"""What a workflow ends with, as Markdown: its outputs by name, whatever they are made of, and the files among them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.producing import keep_different, name_file, read_file
from bridge.backends.dify.shaping import shape
from bridge.markdown.characters import literally
from bridge.messages import ProducedFile
from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

_FILE_MARK = "__dify__file__"
_DEEPEST = 50
"""Levels of an output that are looked into. Dify's own limit is far below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    text: str
    files: tuple[ProducedFile, ...] = ()


def show_outputs(outputs: Json, own: OwnFiles) -> Shown:
    """One that is alone stands for itself; several are told apart by their names. Those without anything in them are left out."""
    files: list[ProducedFile] = []
    told: dict[str, str] = {}
    for name, value in outputs.items():
        text, found = shape(_write(_take_files(value, files, _DEEPEST)), own)
        files += found
        if text.strip():
            told[name] = text
    if len(told) == 1:
        (text,) = told.values()
    else:
        text = "\n\n".join(_entitle(name, one) for name, one in told.items())
    return Shown(text=text, files=keep_different(files))


def _entitle(name: str, text: str) -> str:
    title = f"**{literally(make_plain(name)) or '?'}**"
    text = text.strip("\n").rstrip()
    alone = "\n" in text or text.startswith(("#", ">", "-", "*", "+", "|", "```", "~~~", "    ", "1."))
    return f"{title}\n\n{text}" if alone else f"{title}: {text}"


class _Filed:
    """Stands where a file was."""

    def __init__(self, name: str) -> None:
        self.name = name


def _take_files(value: object, files: list[ProducedFile], depth: int) -> object:
    """The value with each file in it replaced by its name: a file's address is signed, and nobody may read it."""
    if depth <= 0:
        return "…"
    if isinstance(value, dict):
        if value.get("dify_model_identity") == _FILE_MARK:
            return _take_file(value, files)
        return {key: _take_files(one, files, depth - 1) for key, one in value.items()}
    if isinstance(value, list):
        return [_take_files(one, files, depth - 1) for one in value]
    return value


def _take_file(value: Json, files: list[ProducedFile]) -> _Filed:
    file = read_file(value)
    if file is None:
        # A member's own, handed back.
        return _Filed(name_file(text_of(value, "filename"), "", "file"))
    files.append(file)
    return _Filed(file.name)


def _write(value: object) -> str:
    """As Markdown. "" for nothing, and for a file: it is shown as such."""
    match value:
        case None | _Filed():
            return ""
        case str():
            return text_of({"": value}, "")
        case bool() | int() | float():
            return json.dumps(value)
        case list():
            return _write_list(value)
        case Mapping():
            return _as_code(value) if value else ""
        case _:
            return ""


def _write_list(values: list[object]) -> str:
    if all(isinstance(one, _Filed) or one is None for one in values):
        return ""
    if all(isinstance(one, str) and "\n" not in one.strip() for one in values):
        lines = (text_of({"": one}, "").strip() for one in values)
        return "\n".join(f"- {line}" for line in lines if line)
    return _as_code(values)


def _as_code(value: object) -> str:
    code = text_of({"": json.dumps(value, ensure_ascii=False, indent=2, default=_name_of)}, "")
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}json\n{code}\n{fence}"


def _name_of(value: object) -> str:
    return value.name if isinstance(value, _Filed) else str(value)
