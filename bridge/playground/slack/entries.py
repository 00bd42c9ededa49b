"""What people enter in a modal or choose in a menu, as payloads have it. Pure.

Raises `ValueError` for what a client would not take.
"""

from collections.abc import Iterator, Mapping

from bridge.playground.slack.model import JsonObject
from bridge.playground.slack.views import View

_PICKED = {
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
}
"""Menus of Slack's own things: where an action has what was chosen, and where an element has what is chosen at first."""

MENUS = {*_PICKED, "static_select", "radio_buttons"}


def fields_of(view: View) -> Iterator[tuple[str, JsonObject, JsonObject]]:
    """(block_id, block, element) of everything that holds a value."""
    for block in view.blocks:
        elements = block.get("elements")
        found = [block.get("element"), block.get("accessory"), *(elements if isinstance(elements, list) else [])]
        for element in found:
            if isinstance(element, dict) and element.get("type") in {"plain_text_input", *MENUS}:
                yield str(block["block_id"]), block, element


def read_entries(view: View, values: Mapping[str, object]) -> JsonObject:
    """The `state.values` of a submission. `values`: by action_id, or by block_id and action_id, as plain strings."""
    state: dict[str, JsonObject] = {}
    known: set[str] = set()
    for block_id, block, element in fields_of(view):
        action_id = str(element["action_id"])
        inner = values.get(block_id)
        given = inner.get(action_id) if isinstance(inner, Mapping) else values.get(action_id)
        if given is not None and not isinstance(given, str):
            raise ValueError(f"{action_id} takes text")
        entry = choose(element, given) if element["type"] != "plain_text_input" else _type(element, given)
        if block.get("type") == "input" and block.get("optional") is not True and _is_empty(entry):
            raise ValueError(f"{action_id} must be filled in")
        state.setdefault(block_id, {})[action_id] = entry
        known |= {block_id, action_id}
    unknown = set(values) - known
    if unknown:
        raise ValueError(f"there is no field {min(unknown)}")
    return {**state}


def choose(element: JsonObject, value: str | None) -> JsonObject:
    """What a menu says when `value` was chosen; None leaves it as it was at first."""
    kind = str(element["type"])
    if kind in _PICKED:
        selected, initial = _PICKED[kind]
        return {"type": kind, selected: value if value is not None else element.get(initial)}
    if value is None:
        return {"type": kind, "selected_option": element.get("initial_option")}
    options = element.get("options")
    for option in options if isinstance(options, list) else []:
        if isinstance(option, dict) and option.get("value") == value:
            return {"type": kind, "selected_option": option}
    raise ValueError(f"{element['action_id']} has no option {value!r}")


def _type(element: JsonObject, text: str | None) -> JsonObject:
    if text is None:
        initial = element.get("initial_value")
        text = str(initial) if initial else None
    least, most = element.get("min_length"), element.get("max_length")
    if text and isinstance(least, int) and len(text) < least:
        raise ValueError(f"{element['action_id']} takes at least {least} characters")
    if text and len(text) > (most if isinstance(most, int) else 3_000):
        raise ValueError(f"{element['action_id']} takes fewer characters")
    # Seen in payloads: a field that was left empty is null, not an empty text.
    return {"type": "plain_text_input", "value": text or None}


def _is_empty(entry: JsonObject) -> bool:
    return all(value is None for name, value in entry.items() if name != "type")
