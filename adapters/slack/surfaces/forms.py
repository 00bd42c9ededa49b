"""The forms that we show (modals), and what people fill in. Pure.

A form remembers what it is about by itself, in the text that Slack keeps with it (`private_metadata`), so that it works after a
restart. Only the app can write that text, but it is looked at like anything else that comes from outside.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.addresses import Place, read_address, write_address
from adapters.slack.hearing.payloads import Reply
from adapters.slack.reading.fields import Json, is_id, moment, object_in, text_in
from adapters.slack.reading.people import Identity
from adapters.slack.writing.blocks import one_line
from bridge.messages import Address

COMMENT_FORM, QUESTION_FORM = "bridge:comment", "bridge:question"
"""`callback_id`s."""

SHORTCUT = "ask_message"
"""`callback_id` of the shortcut on messages, as the manifest has it."""

METADATA_CHARS = 3_000
"""Of `private_metadata` (Slack's page on views)."""

INPUT_CHARS = 3_000
"""Of a text field (Slack's page on the plain-text input)."""

COMMENT_CHARS = 2_000

PREVIEW_CHARS = 300
"""Of the message that a question is about, as the form shows it (ours)."""

_INPUT = "words"

_LATEST = 100_000_000_000 * 1_000_000
"""Microseconds since the epoch that no timestamp of Slack's reaches."""

View = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented:
    """What a comment is about."""

    message: Place
    pressed: int
    """Microseconds since the epoch: when the rating was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The message that a question is about."""

    message: Place
    root: str
    """Timestamp of the message that its thread hangs under."""
    who: str
    text: str
    whole: bool
    """`text` is all of it."""


def comment_form(about: Commented) -> View:
    remembered = {"message": write_address(about.message), "pressed": about.pressed}
    field = _field("What should have been different?", COMMENT_CHARS, optional=True)
    return make_form(COMMENT_FORM, "What was wrong?", "Send", "Skip", [field], remembered)


def question_form(about: Picked) -> View:
    shown = one_line(f"{about.who}: {about.text}", PREVIEW_CHARS)
    preview: View = {"type": "context", "elements": [{"type": "plain_text", "text": shown, "emoji": False}]}
    blocks = [preview, _field("Your question", INPUT_CHARS, optional=False)]
    return make_form(QUESTION_FORM, "Ask about this", "Ask", "Cancel", blocks, _remember(about))


def note(title: str, text: str) -> View:
    """A form without anything to fill in."""
    section: View = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": [section]}


def complain(problem: str) -> Reply:
    """Keeps the form open, with what is wrong below its field."""
    return Reply(body={"response_action": "errors", "errors": {_INPUT: problem}})


def words_in(view: Json) -> str:
    """What was filled in."""
    values = object_in(object_in(view, "state"), "values")
    return text_in(object_in(object_in(values, _INPUT), _INPUT), "value").strip()


def read_commented(view: Json, me: Identity) -> Commented | None:
    """None for what this version did not write."""
    remembered = recall(view)
    message, pressed = place_in(text_in(remembered, "message"), me), remembered.get("pressed")
    if message is None or not isinstance(pressed, int) or isinstance(pressed, bool) or not 0 <= pressed < _LATEST:
        return None
    return Commented(message=message, pressed=pressed)


def read_picked(view: Json, me: Identity) -> Picked | None:
    """None for what this version did not write."""
    remembered = recall(view)
    message, root = place_in(text_in(remembered, "message"), me), text_in(remembered, "root")
    if message is None or not moment(root):
        return None
    return Picked(
        message=message,
        root=root,
        who=text_in(remembered, "who"),
        text=text_in(remembered, "text"),
        whole=remembered.get("whole") is True,
    )


def _remember(about: Picked) -> Mapping[str, object]:
    """As much of the message as there is room for."""
    text, whole = about.text, about.whole
    while True:
        remembered: Mapping[str, object] = {
            "message": write_address(about.message),
            "root": about.root,
            "who": about.who[:100],
            "text": text,
            "whole": whole,
        }
        # Counted as JavaScript counts, which is never less than Slack may.
        over = len(_spell(remembered).encode("utf-16-le")) // 2 - METADATA_CHARS
        if over <= 0 or not text:
            return remembered
        text, whole = text[: -max(over, 50)], False


def _spell(remembered: Mapping[str, object]) -> str:
    return json.dumps(remembered, ensure_ascii=False, separators=(",", ":"))


def recall(view: Json) -> Json:
    try:
        remembered: object = json.loads(text_in(view, "private_metadata"))
    except (ValueError, RecursionError):
        return {}
    return remembered if isinstance(remembered, dict) else {}


def place_in(address: str, me: Identity) -> Place | None:
    """A message in our own workspace. Where the app is installed for an organisation, any of its workspaces is."""
    try:
        place = read_address(Address(address))
    except ValueError:
        return None
    ours = place.team == me.team or not me.team.startswith("T")
    return place if ours and is_id(place.team) and is_id(place.channel) and moment(place.ts) else None


def make_form(callback_id: str, title: str, submit: str, close: str, blocks: list[View], remembered: Json) -> View:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain(close),
        "blocks": blocks,
        "private_metadata": _spell(remembered),
    }


def _field(label: str, most: int, *, optional: bool) -> View:
    element: View = {
        "type": "plain_text_input",
        "action_id": _INPUT,
        "multiline": True,
        "max_length": most,
        "focus_on_load": True,
    }
    return {"type": "input", "block_id": _INPUT, "label": plain(label), "element": element, "optional": optional}


def plain(text: str) -> View:
    return {"type": "plain_text", "text": text, "emoji": False}
