"""The buttons under a message: read as strictly as Discord does, and written as Discord shows them.

Docs: components/reference. Of all components there are only action rows with buttons here; others are refused rather than
accepted and lost.
"""

from bridge.playground.discord import limits
from bridge.playground.discord.model import Button, Json
from bridge.playground.discord.refusals import invalid_form

ROW = 1
BUTTON = 2
"""Component types."""

_STYLES = (1, 2, 3, 4)

Rows = tuple[tuple[Button, ...], ...]


def read_rows(body: Json) -> Rows | None:
    """None: the body does not mention them. Raises `Refusal`."""
    if "components" not in body:
        return None
    raw = body["components"]
    if raw is None:
        return ()
    if not isinstance(raw, list):
        raise invalid_form("components", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    if len(raw) > limits.MAX_ROWS:
        raise invalid_form("components", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    rows = tuple(_read_row(one, f"components.{index}") for index, one in enumerate(raw))
    known: set[str] = set()
    for index, row in enumerate(rows):
        for place, button in enumerate(row):
            if button.custom_id in known:
                path = f"components.{index}.components.{place}.custom_id"
                raise invalid_form(path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
            known.add(button.custom_id)
    return rows


def _read_row(raw: object, path: str) -> tuple[Button, ...]:
    if not isinstance(raw, dict) or raw.get("type") != ROW:
        raise invalid_form(f"{path}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be one of (1,).')
    inside = raw.get("components")
    if not isinstance(inside, list) or not 1 <= len(inside) <= limits.MAX_BUTTONS_IN_ROW:
        raise invalid_form(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    return tuple(_read_button(one, f"{path}.components.{index}") for index, one in enumerate(inside))


def _read_button(raw: object, path: str) -> Button:
    if not isinstance(raw, dict) or raw.get("type") != BUTTON:
        raise invalid_form(f"{path}.type", "PLAYGROUND_UNSUPPORTED", "This stand-in shows buttons only.")
    if raw.get("emoji") or raw.get("url") or raw.get("sku_id"):
        raise invalid_form(path, "PLAYGROUND_UNSUPPORTED", "This stand-in shows buttons with a label only.")
    style, custom_id, label = raw.get("style"), raw.get("custom_id"), raw.get("label")
    if isinstance(style, bool) or style not in _STYLES:
        raise invalid_form(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4}.")
    if not isinstance(custom_id, str):
        raise invalid_form(f"{path}.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
    if not 1 <= len(custom_id) <= limits.MAX_CUSTOM_ID:
        raise invalid_form(f"{path}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if not isinstance(label, str) or not label.strip():
        raise invalid_form(path, "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji.")
    if len(label) > limits.MAX_BUTTON_LABEL:
        raise invalid_form(f"{path}.label", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    disabled = raw.get("disabled", False)
    if not isinstance(disabled, bool):
        raise invalid_form(f"{path}.disabled", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return Button(custom_id=custom_id, label=label, style=int(style), disabled=disabled)


def shown(rows: Rows) -> list[Json]:
    """Numbered through, as Discord does where the sender did not."""
    number = 0
    out: list[Json] = []
    for row in rows:
        number += 1
        own = number
        inside: list[Json] = []
        for one in row:
            number += 1
            inside.append(
                {
                    "type": BUTTON,
                    "id": number,
                    "style": one.style,
                    "label": one.label,
                    "custom_id": one.custom_id,
                    "disabled": one.disabled,
                }
            )
        out.append({"type": ROW, "id": own, "components": inside})
    return out
