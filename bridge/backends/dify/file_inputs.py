"""Input variables of an app that are files: which files fit into which of them, and how they stand in a request.

An app may take files in two ways: with the question itself, and in variables of its own. Members only attach files, so
what fits into a variable goes there by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bridge.backend_api import FileRules, UploadedFile
from bridge.backends.dify.filetypes import CUSTOM, make_rules
from bridge.remote.framing import Json, text_of

V = TypeVar("V")

MOST_IN_LIST = 5
"""Files in a list whose length is not told; what Dify's editor proposes."""

_KINDS = ("file", "file-list")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVariable:
    name: str
    rules: FileRules
    """What may be in it, and how many of it."""
    required: bool = False
    is_list: bool = False

    def takes(self, file: UploadedFile) -> bool:
        return file.kind in self.rules.largest


def read_file_variables(form: object, sizes: Json) -> tuple[FileVariable, ...]:
    """From the app's parameters. Each entry of its form is an object with one key, the kind of field."""
    entries = [entry for entry in form if isinstance(entry, dict)] if isinstance(form, list) else []
    return tuple(
        _read(field, sizes, is_list=kind == "file-list")
        for entry in entries
        for kind, field in entry.items()
        if kind in _KINDS and isinstance(field, dict) and text_of(field, "variable") and field.get("hide") is not True
    )


def _read(field: Json, sizes: Json, *, is_list: bool) -> FileVariable:
    most = field.get("max_length")
    count = most if isinstance(most, int) and most > 0 else MOST_IN_LIST
    return FileVariable(
        name=text_of(field, "variable"),
        rules=make_rules(
            field.get("allowed_file_types"),
            field.get("allowed_file_extensions"),
            field.get("allowed_file_upload_methods"),
            count if is_list else 1,
            sizes,
        ),
        required=field.get("required") is True,
        is_list=is_list,
    )


def join_rules(with_question: FileRules, variables: Sequence[FileVariable]) -> FileRules:
    """What a member may attach, wherever it goes."""
    every = [with_question, *(one.rules for one in variables)]
    return FileRules(
        most=sum(one.most for one in every),
        largest=_join([one.largest for one in every]),
        # What a kind of Dify's own covers is better known by it than as a custom one, so it has the last word.
        kinds=_join(sorted((one.kinds for one in every), key=lambda kinds: CUSTOM not in kinds.values())),
        media_types=_join([one.media_types for one in every]),
    )


def _join(several: Sequence[Mapping[str, V]]) -> dict[str, V]:
    joined: dict[str, V] = {}
    for one in several:
        joined |= one
    return joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where the files of one question go."""

    inputs: Json
    files: Sequence[Json]


def place_files(files: Sequence[UploadedFile], variables: Sequence[FileVariable], with_question: FileRules) -> Placed:
    """Required variables are filled first; then files go with the question where the app takes them so, else into the optional
    variables. What fits nowhere goes with the question as well: Dify says what is wrong with it."""
    left = list(files)
    inputs: Json = {}
    ordered = [one for one in variables if one.required]
    if not with_question.most:
        ordered += [one for one in variables if not one.required]
    for variable in ordered:
        fitting = [file for file in left if variable.takes(file)][: variable.rules.most]
        if fitting:
            left = [file for file in left if file not in fitting]
            spelled = [spell(file) for file in fitting]
            inputs[variable.name] = spelled if variable.is_list else spelled[0]
    return Placed(inputs=inputs, files=[spell(file) for file in left])


def find_unfilled(variables: Sequence[FileVariable], inputs: Mapping[str, object]) -> FileVariable | None:
    """The first variable without which the app refuses a question."""
    return next((one for one in variables if one.required and one.name not in inputs), None)


def spell(file: UploadedFile) -> Json:
    return {"type": file.kind, "transfer_method": "local_file", "upload_file_id": file.id}
