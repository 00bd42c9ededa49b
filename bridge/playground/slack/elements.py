"""What may stand inside blocks: text objects, buttons, menus, inputs. Raises the `Refusal` that Slack would answer with.

Each check returns the element's action_id, if it has one. Other elements of Slack's are refused: the stand-in has no people
who could use them.
"""

from collections.abc import Callable, Mapping, Sequence

from bridge.playground.slack import limits
from bridge.playground.slack.model import Refusal

ElementCheck = Callable[[Mapping[str, object]], list[str]]


def invalid(why: str) -> Refusal:
    return Refusal("invalid_blocks", response_metadata={"messages": [f"[ERROR] {why}"]})


def check_text_object(value: object, most: int, *, kinds: Sequence[str] = ("plain_text", "mrkdwn")) -> None:
    match value:
        case {"type": str(kind), "text": str(text)} if kind in kinds:
            if not text or len(text) > most:
                raise invalid(f"text must have 1 to {most} characters")
        case _:
            raise invalid("not a text object")


def items(value: object, most: int | None) -> list[object]:
    if not isinstance(value, list) or not value or (most is not None and len(value) > most):
        raise invalid("wrong number of elements")
    return value


def check_elements(value: object, most: int, known: Mapping[str, ElementCheck]) -> None:
    """Elements of one block: each of a kind that may stand there, no action_id twice."""
    ids = [one for element in items(value, most) for one in check_element(element, known)]
    if len(set(ids)) != len(ids):
        raise invalid("action_id is used twice")


def check_element(element: object, known: Mapping[str, ElementCheck]) -> list[str]:
    if not isinstance(element, dict):
        raise invalid("not an element")
    check = known.get(str(element.get("type")))
    if check is None:
        raise invalid(f"unsupported element: {element.get('type')}")
    return check(element)


def check_button(button: Mapping[str, object]) -> list[str]:
    check_text_object(button.get("text"), limits.BUTTON_CHARS, kinds=("plain_text",))
    _check_string(button, "value", limits.BUTTON_VALUE_CHARS)
    _check_string(button, "url", limits.BUTTON_URL_CHARS)
    _check_string(button, "accessibility_label", limits.ACCESSIBILITY_CHARS)
    if button.get("style", "primary") not in ("primary", "danger"):
        raise invalid("style must be primary or danger")
    return _action_id(button)


def check_feedback_buttons(buttons: Mapping[str, object]) -> list[str]:
    for name in ("positive_button", "negative_button"):
        button = buttons.get(name)
        if not isinstance(button, dict):
            raise invalid(f"missing required field: {name}")
        check_text_object(button.get("text"), limits.FEEDBACK_CHARS, kinds=("plain_text",))
        if "value" not in button:
            raise invalid("missing required field: value")
        _check_string(button, "value", limits.FEEDBACK_VALUE_CHARS)
        _check_string(button, "accessibility_label", limits.ACCESSIBILITY_CHARS)
    return _action_id(buttons)


def check_icon_button(button: Mapping[str, object]) -> list[str]:
    # Docs of the icon button: "trash" is the only icon so far.
    if button.get("icon") != "trash":
        raise invalid("unknown icon")
    check_text_object(button.get("text"), limits.ICON_BUTTON_CHARS, kinds=("plain_text",))
    _check_string(button, "value", limits.BUTTON_VALUE_CHARS)
    _check_string(button, "accessibility_label", limits.ACCESSIBILITY_CHARS)
    return _action_id(button)


def check_image(image: Mapping[str, object]) -> list[str]:
    alt_text = image.get("alt_text")
    if not isinstance(alt_text, str) or len(alt_text) > limits.ALT_TEXT_CHARS:
        raise invalid("image needs alt_text")
    if ("image_url" in image) == ("slack_file" in image):
        raise invalid("image needs image_url or slack_file")
    return []


def check_context_text(text: Mapping[str, object]) -> list[str]:
    check_text_object(text, limits.CONTEXT_TEXT_CHARS)
    return []


def _check_input_text(element: Mapping[str, object]) -> list[str]:
    _check_placeholder(element)
    _check_string(element, "initial_value", limits.INPUT_CHARS)
    least, most = (_count(element, name) for name in ("min_length", "max_length"))
    if least is not None and most is not None and least > most:
        raise invalid("min_length is more than max_length")
    if not isinstance(element.get("multiline", False), bool):
        raise invalid("multiline must be true or false")
    return _action_id(element)


def _count(element: Mapping[str, object], name: str) -> int | None:
    value = element.get(name)
    if value is None:
        return None
    least = 0 if name == "min_length" else 1
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= limits.INPUT_CHARS:
        raise invalid(f"{name} must be {least} to {limits.INPUT_CHARS}")
    return value


def _check_select(element: Mapping[str, object]) -> list[str]:
    _check_placeholder(element)
    _check_options(element, limits.OPTIONS, "initial_option")
    return _action_id(element)


def _check_person_select(element: Mapping[str, object]) -> list[str]:
    _check_placeholder(element)
    return _action_id(element)


def _check_choice(element: Mapping[str, object]) -> list[str]:
    _check_options(element, limits.RADIO_OPTIONS, "initial_option")
    return _action_id(element)


def _check_options(element: Mapping[str, object], most: int, initial: str) -> None:
    options = items(element.get("options"), most)
    for option in options:
        if not isinstance(option, dict):
            raise invalid("not an option")
        check_text_object(option.get("text"), limits.OPTION_CHARS)
        value = option.get("value")
        if not isinstance(value, str) or not 1 <= len(value) <= limits.OPTION_VALUE_CHARS:
            raise invalid(f"value of an option must have 1 to {limits.OPTION_VALUE_CHARS} characters")
    chosen = element.get(initial)
    if chosen is not None and chosen not in options:
        raise invalid(f"{initial} is none of the options")


def _check_placeholder(element: Mapping[str, object]) -> None:
    if "placeholder" in element:
        check_text_object(element["placeholder"], limits.PLACEHOLDER_CHARS, kinds=("plain_text",))


def _check_string(element: Mapping[str, object], name: str, most: int) -> None:
    found = element.get(name, "")
    if not isinstance(found, str) or len(found) > most:
        raise invalid(f"{name} must be a string of at most {most} characters")


def _action_id(element: Mapping[str, object]) -> list[str]:
    if "action_id" not in element:
        return []
    action_id = element["action_id"]
    if not isinstance(action_id, str) or not 1 <= len(action_id) <= limits.ACTION_ID_CHARS:
        raise invalid(f"action_id must have 1 to {limits.ACTION_ID_CHARS} characters")
    return [action_id]


_MENUS: Mapping[str, ElementCheck] = {
    "static_select": _check_select,
    "users_select": _check_person_select,
    "conversations_select": _check_person_select,
    "channels_select": _check_person_select,
    "radio_buttons": _check_choice,
}

ON_MESSAGES: Mapping[str, ElementCheck] = {"button": check_button, "static_select": _check_select}
"""Of the elements that Slack has in an actions block, people use only these here."""

ON_VIEWS: Mapping[str, ElementCheck] = {"button": check_button, **_MENUS}
IN_INPUTS: Mapping[str, ElementCheck] = {"plain_text_input": _check_input_text, **_MENUS}
IN_CONTEXT: Mapping[str, ElementCheck] = {
    "mrkdwn": check_context_text,
    "plain_text": check_context_text,
    "image": check_image,
}
IN_CONTEXT_ACTIONS: Mapping[str, ElementCheck] = {
    "feedback_buttons": check_feedback_buttons,
    "icon_button": check_icon_button,
}
