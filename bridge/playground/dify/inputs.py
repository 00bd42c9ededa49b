"""The form of the app behind the stand-in Dify: what it asks for besides the question, and what it refuses, in the words of the
real one (recorded on 1.12.1)."""

from collections.abc import Mapping, Sequence

from bridge.playground.dify.wire import Json

_TEXTS = ("text-input", "paragraph", "select")


def form_field(
    kind: str,
    name: str,
    *,
    required: bool = True,
    options: tuple[str, ...] = (),
    most: int | None = 48,
    default: object = "",
    label: str = "",
    hide: bool = False,
) -> Json:
    """One entry of `user_input_form`. `kind`: Dify's own word for it."""
    field: Json = {
        "variable": name,
        "label": label or name.replace("_", " ").capitalize(),
        "required": required,
        "default": default,
        "hide": hide,
    }
    if kind in ("text-input", "paragraph"):
        field |= {"max_length": most}
    if kind == "select":
        field |= {"options": list(options)}
    return {kind: field}


def find_problem(form: Sequence[Json], inputs: object) -> str | None:
    """What the app's form does not allow, as the real one says it."""
    given = inputs if isinstance(inputs, Mapping) else {}
    for entry in form:
        for kind, field in entry.items():
            if isinstance(field, dict) and (problem := _problem(kind, field, given.get(field["variable"]))):
                return problem
    return None


def _problem(kind: str, field: Json, value: object) -> str:
    name = field["variable"]
    if value is None or value == "":
        return f"{name} is required in input form" if field.get("required") is True else ""
    if kind in _TEXTS and not isinstance(value, str):
        return f"(type '{kind}') {name} in input form must be a string"
    if kind == "number" and not _is_number(value):
        return f"{name} in input form must be a valid number"
    options = field.get("options")
    if isinstance(options, list) and value not in options:
        return f"{name} in input form must be one of the following: {options}"
    most = field.get("max_length")
    if isinstance(value, str) and isinstance(most, int) and len(value) > most:
        return f"{name} in input form must be less than {most} characters"
    if kind == "checkbox" and not isinstance(value, bool):
        return f"{name} in input form must be a valid boolean"
    return ""


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
