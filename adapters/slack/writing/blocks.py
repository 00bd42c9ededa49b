"""A message as blocks: the text, the documents it rests on, the buttons that rate it, the questions that could be asked next,
and what can be done about it, in this order. Pure. Each form is for when Slack refuses the one before."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from adapters.slack.addresses import FEEDBACK_ACTION, write_action_id, write_question_id, write_valued_id
from adapters.slack.dialect import DIALECT, PLAIN_BYTES, neutralise
from bridge.events import VALUED
from bridge.markdown.characters import clean, in_one_line, without_marks
from bridge.messages import Button, ButtonAction, OutgoingMessage

Block = dict[str, object]

SECTION_CHARS = 3_000
"""Most characters of a section's text (Slack's page on the block)."""

LABEL_CHARS = 75
"""Most characters on a button, and of what a screen reader says of it (Slack's pages on the elements)."""

VALUE_CHARS = 2_000
"""Most characters of a button's value (the same pages)."""

SOURCES_CHARS = 1_500
"""Ours. Slack takes 3,000 (its page on the text object), but of a whole message only some 13,200 (see `dialect.LIMIT`)."""

NAME_CHARS = 120
"""Of one document, ours."""

MOST_QUESTIONS = 5
"""Below one message, ours; Slack takes 25 buttons in a block, which nobody reads."""

MOST_VALUED = 25
"""Buttons in one block (Slack's page on it)."""

MOST_BESIDE = 5
"""Apps that stand beside each other as buttons, ours; more of them are a menu."""

MOST_OPTIONS = 100
"""Of a menu (Slack's page on select menus)."""

_BESIDE = (ButtonAction.FORM, ButtonAction.INPUT)
"""Those of the `VALUED` that stand beside what else one can do."""
_RATINGS = (ButtonAction.LIKE, ButtonAction.DISLIKE)
_SPOKEN = {ButtonAction.LIKE: "This answer is good", ButtonAction.DISLIKE: "This answer is not good"}
_PLAIN = {ButtonAction.LIKE: "👍", ButtonAction.DISLIKE: "👎"}


class Form(IntEnum):
    """How a message can be written, the best first."""

    MARKDOWN = 0
    PLAIN_RATINGS = 1
    """The ratings are buttons like any other."""
    SECTION = 2
    """mrkdwn in a block. Only worth it for buttons, which cannot do without blocks."""
    TEXT = 3
    """mrkdwn as mere text, with nothing below it."""


class Written(NamedTuple):
    """A message as a call takes it."""

    form: Form
    text: str
    blocks: Sequence[Block]


def write_message(message: OutgoingMessage, form: int = Form.MARKDOWN) -> Written | None:
    """The message in this form or, where that is not to be had, in the next one that is. None after the last, and where there
    would be nothing to see."""
    if form <= Form.MARKDOWN or (form == Form.PLAIN_RATINGS and has_ratings(message)):
        text, blocks = _markdown(message)
        found = Form(max(form, Form.MARKDOWN))
        below = blocks_below(message, native_ratings=found is Form.MARKDOWN)
        return Written(found, text, [*blocks, *below]) if blocks else None
    mrkdwn = str(DIALECT.payload(message.text, message.people, fallback=True)["text"])
    if not mrkdwn.strip() or len(mrkdwn.encode()) > PLAIN_BYTES:
        return None
    below = blocks_below(message, native_ratings=False)
    if form <= Form.SECTION and below and len(mrkdwn) <= SECTION_CHARS:
        section: Block = {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}}
        return Written(Form.SECTION, _markdown(message)[0], [section, *below])
    return Written(Form.TEXT, mrkdwn, []) if form <= Form.TEXT else None


def blocks_below(message: OutgoingMessage, *, native_ratings: bool = True) -> list[Block]:
    """All that stands below the text; at most four blocks, which `dialect.BLOCKS` leaves room for. (What stands below an answer
    has no value of its own.)"""
    ratings = [button for button in message.buttons if button.action in _RATINGS]
    questions = [button for button in message.buttons if button.action is ButtonAction.ASK and button.value]
    forms = [button for button in message.buttons if button.action in _BESIDE]
    valued = [button for button in message.buttons if button.action in VALUED and button not in forms]
    apart = {*_RATINGS, ButtonAction.ASK, *VALUED}
    others = [button for button in message.buttons if button.action not in apart]
    found: list[Block] = []
    if message.sources:
        found.append(_sources(message.sources))
    if {button.action for button in ratings} == set(_RATINGS) and native_ratings:
        found.append(_native_ratings(ratings))
    elif ratings:
        found.append({"type": "actions", "elements": [_button(one, _PLAIN[one.action]) for one in ratings]})
    if questions:
        found.append(
            {"type": "actions", "elements": [_question(*one) for one in enumerate(questions[:MOST_QUESTIONS])]}
        )
    if forms or others:
        opens = [_valued(*one) for one in enumerate(forms)]
        if opens:
            opens[0]["style"] = "primary"
        found.append({"type": "actions", "elements": [*opens, *(_button(one, one.label) for one in others)]})
    if len(valued) > MOST_BESIDE and all(button.action is ButtonAction.APP for button in valued):
        found.append({"type": "actions", "elements": [_menu(valued[:MOST_OPTIONS])]})
    elif valued:
        found.append({"type": "actions", "elements": [_valued(*one) for one in enumerate(valued[:MOST_VALUED])]})
    return found


def has_ratings(message: OutgoingMessage) -> bool:
    return {button.action for button in message.buttons}.issuperset(_RATINGS)


def ends_answer(message: OutgoingMessage) -> bool:
    """Whether it is certainly the last message of its answer: only those can be rated, asked again or gone on from."""
    last = (*_RATINGS, ButtonAction.ASK, ButtonAction.RETRY)
    return not message.live and any(button.action in last for button in message.buttons)


def is_unfinished(message: OutgoingMessage) -> bool:
    """Whether more text will come: what can still be stopped, in a message that does not grow by itself."""
    return message.live or any(button.action is ButtonAction.STOP for button in message.buttons)


def has_failed(message: OutgoingMessage) -> bool:
    return any(button.action is ButtonAction.RETRY for button in message.buttons)


def one_line(text: str, most: int) -> str:
    """`text` as a line of at most so many characters in which nobody is mentioned, with "…" where it was cut."""
    return in_one_line(neutralise(without_marks(clean(text, final=True))), most)


def _markdown(message: OutgoingMessage) -> tuple[str, list[Block]]:
    """The text for notifications, and the blocks in which there is something to see."""
    payload = DIALECT.payload(message.text, message.people)
    found = payload["blocks"]
    blocks = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return str(payload["text"]), [one for one in blocks if str(one.get("text")).strip()]


def _sources(names: Sequence[str]) -> Block:
    """Plain text, in which no file name can become a link, a mention or italic."""
    lines = list(dict.fromkeys(line for name in names if (line := one_line(name, NAME_CHARS))))
    text = "Sources: "
    for number, line in enumerate(lines):
        rest = len(lines) - number
        if len(text) + len(line) > SOURCES_CHARS - 20:
            text += f" and {rest} more"
            break
        text += (", " if number else "") + line
    return {"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}


def _native_ratings(ratings: Sequence[Button]) -> Block:
    element: Block = {"type": "feedback_buttons", "action_id": FEEDBACK_ACTION}
    for button in ratings:
        side = "positive_button" if button.action is ButtonAction.LIKE else "negative_button"
        element[side] = {
            "text": _label(button.label or _PLAIN[button.action]),
            "value": button.action.value,
            "accessibility_label": _SPOKEN[button.action],
        }
    return {"type": "context_actions", "elements": [element]}


def _button(button: Button, label: str) -> Block:
    return {
        "type": "button",
        "action_id": write_action_id(button.action),
        "text": _label(label),
        "value": button.action.value,
    }


def _question(number: int, button: Button) -> Block:
    return {
        "type": "button",
        "action_id": write_question_id(number),
        "text": _label(button.label or button.value),
        "value": button.value[:VALUE_CHARS],
    }


def _valued(number: int, button: Button) -> Block:
    return {
        "type": "button",
        "action_id": write_valued_id(button.action, number),
        "text": _label(button.label),
        "value": button.value[:VALUE_CHARS],
    }


def _menu(buttons: Sequence[Button]) -> Block:
    return {
        "type": "static_select",
        "action_id": write_valued_id(buttons[0].action, 0),
        "placeholder": _label("Choose…"),
        "options": [{"text": _label(one.label), "value": one.value} for one in buttons],
    }


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": one_line(text, LABEL_CHARS) or "…", "emoji": True}
