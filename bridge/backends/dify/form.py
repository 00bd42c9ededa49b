"""The form that an app's author made for its inputs, as `GET /parameters` tells it."""

from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain
from bridge.variables_api import InputKind, InputVariable

MOST_VARIABLES = 100
"""Read of one form. Nobody fills in so many."""

MOST_OPTIONS = 200
LONGEST_LABEL = 150
"""Characters; a longer one is cut."""

_KINDS = {
    "text-input": InputKind.TEXT,
    "paragraph": InputKind.PARAGRAPH,
    "number": InputKind.NUMBER,
    "select": InputKind.SELECT,
    "checkbox": InputKind.CHECKBOX,
    "file": InputKind.FILE,
    "file-list": InputKind.FILES,
}
"""All others (such as `external_data_tool`, which asks a server of the author's, and `json_object`) are none of a member's."""


def read_variables(form: object) -> tuple[InputVariable, ...]:
    """Each entry is an object with one key, the kind of field. What has not that shape is left out."""
    entries = [entry for entry in form if isinstance(entry, dict)] if isinstance(form, list) else []
    found = [
        _read_variable(str(kind), field)
        for entry in entries[:MOST_VARIABLES]
        for kind, field in entry.items()
        if isinstance(field, dict) and text_of(field, "variable")
    ]
    return tuple({one.name: one for one in found}.values())


def _read_variable(kind: str, field: Json) -> InputVariable:
    name = text_of(field, "variable")
    options = field.get("options")
    return InputVariable(
        name=name,
        label=make_plain(text_of(field, "label"), LONGEST_LABEL) or name,
        kind=_KINDS.get(kind, InputKind.OTHER),
        required=field.get("required") is True,
        options=tuple(option for option in options if isinstance(option, str))[:MOST_OPTIONS]
        if isinstance(options, list)
        else (),
        most=_most(field.get("max_length")) if kind in ("text-input", "paragraph") else None,
        default=_default(field.get("default")),
        hidden=field.get("hide") is True,
    )


def _most(value: object) -> int | None:
    """Dify takes none, and in some versions 0, for "as many as you like"."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _default(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) and value != "" else None
