"""Forms: read as strictly as Discord does, filled in by people, and sent back as the client does.

Docs: interactions/receiving-and-responding, Modal; components/reference. Of what can stand in a form there are texts to read,
text inputs and string selects here; other fields are refused rather than accepted and lost.
"""

from collections.abc import Mapping
from typing import Final

from bridge.playground.discord import limits
from bridge.playground.discord.components import ROW, read_custom_id
from bridge.playground.discord.interactions import begin, find_message, tell
from bridge.playground.discord.model import Field, Interaction, Json, Modal
from bridge.playground.discord.reading import read_bool, read_int
from bridge.playground.discord.refusals import invalid_form
from bridge.playground.discord.selects import MAX_SELECT_PLACEHOLDER, SELECT, read_choices, read_line
from bridge.playground.discord.world import World

_TEXT_INPUT: Final = 4
_TEXT: Final = 10
_LABEL: Final = 18
"""Component types."""


def read(data: Json, user_id: str) -> Modal:
    """The form of a callback of type 9. Raises `Refusal`."""
    title = read_line(data, "title", "data", limits.MAX_MODAL_TITLE)
    raw = data.get("components")
    if not isinstance(raw, list) or not 1 <= len(raw) <= limits.MAX_MODAL_COMPONENTS:
        raise invalid_form("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    fields = tuple(_read_component(one, f"data.components.{index}") for index, one in enumerate(raw))
    known = [one.custom_id for one in fields if isinstance(one, Field)]
    if len(set(known)) != len(known):
        raise invalid_form(
            "data.components", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated"
        )
    custom_id = read_custom_id(data.get("custom_id"), "data")
    return Modal(custom_id=custom_id, title=title, user_id=user_id, fields=fields)


def _read_component(raw: object, path: str) -> Field | str:
    if not isinstance(raw, dict):
        raise invalid_form(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if raw.get("type") == _TEXT:
        return read_line(raw, "content", path, limits.MAX_FIELD_TEXT)
    if raw.get("type") == ROW:
        inside = raw.get("components")
        if not isinstance(inside, list) or len(inside) != 1:
            raise invalid_form(f"{path}.components", "BASE_TYPE_BAD_LENGTH", "Must be 1 in length.")
        path += ".components.0"
        if not isinstance(inside[0], dict) or inside[0].get("type") != _TEXT_INPUT:
            raise invalid_form(f"{path}.type", "UNION_TYPE_CHOICES", "Only text inputs stand in a form's rows.")
        return _read_field(inside[0], path, label=read_line(inside[0], "label", path, limits.MAX_FIELD_LABEL))
    if raw.get("type") != _LABEL:
        raise invalid_form(f"{path}.type", "UNION_TYPE_CHOICES", "Value must be one of (1, 10, 18).")
    label = read_line(raw, "label", path, limits.MAX_FIELD_LABEL)
    described = read_line(raw, "description", path, limits.MAX_FIELD_DESCRIPTION, needed=False)
    component = raw.get("component")
    if not isinstance(component, dict):
        raise invalid_form(f"{path}.component", "BASE_TYPE_REQUIRED", "This field is required")
    if component.get("label") is not None:
        raise invalid_form(f"{path}.component.label", "COMPONENT_LABEL_EXISTS", "The label component has it already.")
    return _read_field(component, f"{path}.component", label=label, description=described, in_label=True)


def _read_field(raw: Json, path: str, *, label: str, description: str = "", in_label: bool = False) -> Field:
    kind = raw.get("type")
    if kind not in (SELECT, _TEXT_INPUT):
        raise invalid_form(f"{path}.type", "PLAYGROUND_UNSUPPORTED", "This stand-in knows texts and selects only.")
    is_text = kind == _TEXT_INPUT
    if is_text and (isinstance(raw.get("style"), bool) or raw.get("style") not in (1, 2)):
        raise invalid_form(f"{path}.style", "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.")
    choices = () if is_text else read_choices(raw, path)
    highest = limits.MAX_FIELD_TEXT if is_text else len(choices)
    least, most = (
        _read_bounds(raw, path, ("min_length", "max_length"), highest, (0, highest))
        if is_text
        else _read_bounds(raw, path, ("min_values", "max_values"), highest, (1, 1))
    )
    value = read_line(raw, "value", path, most, needed=False) if is_text else ""
    placeholder = limits.MAX_PLACEHOLDER if is_text else MAX_SELECT_PLACEHOLDER
    required = read_bool(raw, "required")
    return Field(
        custom_id=read_custom_id(raw.get("custom_id"), path),
        label=label,
        description=description,
        required=True if required is None else required,
        long=raw.get("style") == 2,
        least=least,
        most=most,
        value=value,
        placeholder=read_line(raw, "placeholder", path, placeholder, needed=False),
        choices=choices,
        in_label=in_label,
    )


def _read_bounds(raw: Json, path: str, keys: tuple[str, str], highest: int, usual: tuple[int, int]) -> tuple[int, int]:
    least, most = (read_int(raw, key) for key in keys)
    bounds = usual[0] if least is None else least, usual[1] if most is None else most
    if not (0 <= bounds[0] <= highest and 1 <= bounds[1] <= highest and bounds[0] <= bounds[1]):
        raise invalid_form(f"{path}.{keys[1]}", "NUMBER_TYPE_MAX", f"Must be in order and at most {highest}.")
    return bounds


def submit(world: World, opened_by: Interaction, user_id: str, values: Mapping[str, str | list[str]]) -> Interaction:
    """Sends the form back, filled in with `values` by custom id; what is not among them stays as it stood.

    Raises ValueError where the client would not send it, and KeyError when the form is not open (any more).
    """
    modal = world.modals[opened_by.id]
    if modal.user_id != user_id:
        raise ValueError("that form is open before somebody else")
    known = {one.custom_id for one in modal.fields if isinstance(one, Field)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"the form has no fields {unknown}; it has {sorted(known)}")
    components: list[Json] = []
    number = 0
    for one in modal.fields:
        number += 1
        if isinstance(one, str):
            components.append({"type": _TEXT, "id": number})
            continue
        filled = _fill(one, values.get(one.custom_id), number + 1)
        inside: Json = {"component": filled} if one.in_label else {"components": [filled]}
        components.append({"type": _LABEL if one.in_label else ROW, "id": number, **inside})
        number += 1
    del world.modals[opened_by.id]
    place = world.channels[opened_by.channel_id]
    from_component = opened_by.kind == "component"
    message = find_message(world, place.id, opened_by.message_id) if from_component else None
    interaction = begin(
        world,
        place,
        user_id,
        "modal",
        owners=opened_by.owners,
        message_id=opened_by.message_id if from_component else "",
        custom_id=modal.custom_id,
        opened_by=opened_by.id,
    )
    tell(world, interaction, {"custom_id": modal.custom_id, "components": components}, message=message)
    return interaction


def _fill(one: Field, given: str | list[str] | None, number: int) -> Json:
    if one.choices:
        chosen = [given] if isinstance(given, str) else given or []
        if unknown := sorted(set(chosen) - {value for value, _ in one.choices}):
            raise ValueError(f"`{one.custom_id}` does not offer {unknown}")
        if not (chosen or not one.required) or (chosen and not one.least <= len(chosen) <= one.most):
            raise ValueError(f"`{one.custom_id}` takes {one.least} to {one.most} of its choices")
        return {"type": SELECT, "id": number, "custom_id": one.custom_id, "values": chosen}
    text = one.value if given is None else given
    if not isinstance(text, str):
        raise ValueError(f"`{one.custom_id}` takes a text")  # noqa: TRY004  # it is the value that the form refuses
    if one.required and not text.strip():
        raise ValueError(f"`{one.custom_id}` is required")
    if text and not one.least <= len(text) <= one.most:
        raise ValueError(f"`{one.custom_id}` takes {one.least} to {one.most} characters, this has {len(text)}")
    return {"type": _TEXT_INPUT, "id": number, "custom_id": one.custom_id, "value": text}
