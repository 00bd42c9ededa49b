"""The buttons and menus under a message: read as strictly as Discord does, and written as Discord shows them.

Docs: components/reference. Of all components there are only action rows with buttons, or with one string select of which one
option can be chosen, here; others are refused rather than accepted and lost.
"""

from bridge.playground.discord import limits
from bridge.playground.discord.model import Button, Json
from bridge.playground.discord.refusals import invalid_form
from bridge.playground.discord.selects import MAX_SELECT_PLACEHOLDER, SELECT, read_choices, read_line

ROW = 1
BUTTON = 2
"""Component types."""

_STYLES = (1, 2, 3, 4)
_LINK = 5

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
            if button.custom_id and button.custom_id in known:
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
    if len(inside) == 1 and isinstance(inside[0], dict) and inside[0].get("type") == SELECT:
        return (_read_select(inside[0], f"{path}.components.0"),)
    return tuple(_read_button(one, f"{path}.components.{index}") for index, one in enumerate(inside))


def _read_select(raw: Json, path: str) -> Button:
    if raw.get("min_values", 1) != 1 or raw.get("max_values", 1) != 1:
        raise invalid_form(f"{path}.max_values", "PLAYGROUND_UNSUPPORTED", "This stand-in lets people choose one.")
    return Button(
        custom_id=read_custom_id(raw.get("custom_id"), path),
        label=read_line(raw, "placeholder", path, MAX_SELECT_PLACEHOLDER, needed=False),
        choices=read_choices(raw, path),
    )


def _read_button(raw: object, path: str) -> Button:
    if not isinstance(raw, dict) or raw.get("type") != BUTTON:
        raise invalid_form(f"{path}.type", "PLAYGROUND_UNSUPPORTED", "This stand-in shows buttons only.")
    if raw.get("sku_id"):
        raise invalid_form(path, "PLAYGROUND_UNSUPPORTED", "This stand-in sells nothing.")
    style = raw.get("style")
    if isinstance(style, bool) or style not in (*_STYLES, _LINK):
        raise invalid_form(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5}.")
    custom_id, url = _read_target(raw, path, is_link=style == _LINK)
    label, emoji = raw.get("label") or "", _read_emoji(raw.get("emoji"), f"{path}.emoji")
    if not isinstance(label, str) or not (label.strip() or emoji):
        raise invalid_form(path, "BUTTON_COMPONENT_INVALID", "A button needs a label or an emoji.")
    if len(label) > limits.MAX_BUTTON_LABEL:
        raise invalid_form(f"{path}.label", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    disabled = raw.get("disabled", False)
    if not isinstance(disabled, bool):
        raise invalid_form(f"{path}.disabled", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return Button(custom_id=custom_id, label=label, style=int(style), disabled=disabled, emoji=emoji, url=url)


def _read_target(raw: Json, path: str, *, is_link: bool) -> tuple[str, str]:
    """What a press leads to: the custom id or, for a link only, the address."""
    custom_id, url = raw.get("custom_id"), raw.get("url")
    if custom_id is not None and url is not None:
        raise invalid_form(
            path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", "A custom id and url cannot both be specified"
        )
    if is_link:
        if not isinstance(url, str) or not url.startswith(("http://", "https://", "discord://")):
            raise invalid_form(f"{path}.url", "BUTTON_COMPONENT_URL_REQUIRED", "A url is required")
        if len(url) > limits.MAX_BUTTON_URL:
            raise invalid_form(f"{path}.url", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 512 in length.")
        return "", url
    if not isinstance(custom_id, str):
        raise invalid_form(f"{path}.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id is required")
    read_custom_id(custom_id, path)
    return custom_id, ""


def read_custom_id(raw: object, path: str) -> str:
    """That of anything that can have one. Raises `Refusal`."""
    if not isinstance(raw, str) or not 1 <= len(raw) <= limits.MAX_CUSTOM_ID:
        raise invalid_form(f"{path}.custom_id", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    return raw


def _read_emoji(raw: object, path: str) -> str:
    if raw is None:
        return ""
    name = raw.get("name") if isinstance(raw, dict) else None
    # No server here has emoji of its own, so that an id is always of an unknown one.
    if not isinstance(raw, dict) or raw.get("id") or not isinstance(name, str) or not is_emoji(name):
        raise invalid_form(path, "COMPONENT_INVALID_EMOJI", "Invalid emoji")
    return name


def is_emoji(text: str) -> bool:
    """No server here has emoji of its own ("name:id"), and plain text is none; keycaps are ASCII but for their end."""
    return not (text.isascii() or text.isalnum() or ":" in text or len(text) > 16)


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
            inside.append({"id": number, **_shown_button(one)})
        out.append({"type": ROW, "id": own, "components": inside})
    return out


def number_of(rows: Rows, custom_id: str) -> int:
    """The number that `shown` gives to the button."""
    number = 0
    for row in rows:
        number += 1
        for one in row:
            number += 1
            if one.custom_id == custom_id:
                return number
    raise KeyError(custom_id)


def _shown_button(one: Button) -> Json:
    if one.choices:
        options = [{"value": value, "label": label} for value, label in one.choices]
        return {"type": SELECT, "custom_id": one.custom_id, "placeholder": one.label, "options": options}
    body: Json = {"type": BUTTON, "style": one.style, "disabled": one.disabled}
    if one.label:
        body["label"] = one.label
    if one.emoji:
        body["emoji"] = {"id": None, "name": one.emoji}
    return body | ({"url": one.url} if one.url else {"custom_id": one.custom_id})
