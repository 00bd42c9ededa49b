"""Forms that the core wants filled in, as modals, and what people filled in. Pure.

A modal remembers by itself which form it shows and where its button stands (see `forms`).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.addresses import Place
from adapters.slack.hearing.payloads import Reply
from adapters.slack.reading.fields import Json, object_in, text_in
from adapters.slack.reading.people import Identity
from adapters.slack.surfaces.forms import INPUT_CHARS, View, make_form, place_in, plain, recall
from adapters.slack.writing.blocks import SECTION_CHARS, one_line
from bridge.forms_api import NO, YES, FieldKind, Form, FormField
from bridge.messages import Address

MEMBER_FORM = "bridge:form"
"""`callback_id`."""

MOST_FIELDS = 90
"""Slack takes 100 blocks in a modal (its page on views), and the text above takes one."""

TITLE_CHARS = 24
SUBMIT_CHARS = 24
"""Of a modal's title and buttons (Slack's page on views)."""

LABEL_CHARS = 150
"""Ours; Slack takes 2,000 (its page on the input block)."""

HINT_CHARS = 2_000
"""Of what stands below a field (the same page)."""

MOST_OPTIONS = 100
OPTION_CHARS = 75
"""Of a menu (Slack's pages on the static select and on the option object)."""

_FIELD = "field:"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledIn:
    """Which form was sent."""

    form: str
    message: Place
    """The message with its button."""
    thread: Place
    """The message that its thread hangs under."""


def member_form(form: Form, message: Address, thread: Address) -> View:
    blocks: list[View] = []
    if form.intro:
        intro: View = {"type": "plain_text", "text": form.intro[:SECTION_CHARS], "emoji": False}
        blocks.append({"type": "section", "text": intro})
    blocks += [_field(one) for one in form.fields[:MOST_FIELDS]]
    remembered = {"form": form.id, "message": message, "thread": thread}
    title, submit = one_line(form.title, TITLE_CHARS), one_line(form.submit, SUBMIT_CHARS)
    return make_form(MEMBER_FORM, title or "Form", submit or "Send", "Cancel", blocks, remembered)


def read_filled_in(view: Json, me: Identity) -> FilledIn | None:
    """None for what this version did not write."""
    remembered = recall(view)
    form = text_in(remembered, "form")
    message = place_in(text_in(remembered, "message"), me)
    thread = place_in(text_in(remembered, "thread"), me)
    if not form or message is None or thread is None or message.channel != thread.channel:
        return None
    return FilledIn(form=form, message=message, thread=thread)


def values_in(view: Json, form: Form) -> Mapping[str, str]:
    """What stands in the fields that the modal showed, as far as the form still has them."""
    values = object_in(object_in(view, "state"), "values")
    found: dict[str, str] = {}
    for field in form.fields:
        entry = object_in(values, _FIELD + field.name)
        if entry:
            found[field.name] = _value(object_in(entry, _FIELD + field.name), field)
    return found


def point_out(problems: Mapping[str, str]) -> Reply:
    """Keeps the modal open, with what is wrong below each field."""
    return Reply(body={"response_action": "errors", "errors": {_FIELD + name: one for name, one in problems.items()}})


def instead(title: str, text: str) -> Reply:
    """Shows that in place of the fields."""
    section: View = {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}
    view: View = {
        "type": "modal",
        "title": plain(one_line(title, TITLE_CHARS) or "Form"),
        "close": plain("Close"),
        "blocks": [section],
    }
    return Reply(body={"response_action": "update", "view": view})


def _field(field: FormField) -> View:
    name = _FIELD + field.name
    choices = _choices(field)
    hint = field.hint
    if choices:
        chosen = [option for option, value in choices if value == (_key(field.default) if field.default else "")]
        options = [_option(label, value) for label, value in choices]
        element: View = {"type": "static_select", "action_id": name, "options": options}
        if chosen:
            element["initial_option"] = _option(chosen[0], _key(field.default))
    else:
        if field.kind is FieldKind.SELECT:
            hint = f"{hint} One of: {', '.join(field.options)}".strip()
        most = max(1, min(field.most or INPUT_CHARS, INPUT_CHARS))
        multiline = field.kind is FieldKind.PARAGRAPH
        element = {"type": "plain_text_input", "action_id": name, "multiline": multiline, "max_length": most}
        if field.default:
            element["initial_value"] = field.default[:most]
    block: View = {
        "type": "input",
        "block_id": name,
        "label": plain(one_line(field.label, LABEL_CHARS) or field.name),
        "element": element,
        "optional": not field.required,
    }
    if hint:
        block["hint"] = plain(hint if len(hint) <= HINT_CHARS else hint[: HINT_CHARS - 1] + "…")
    return block


def _choices(field: FormField) -> list[tuple[str, str]]:
    """Label and value of what a menu offers. None: there is no menu."""
    if field.kind is FieldKind.CHECKBOX:
        return [("Yes", _key(YES)), ("No", _key(NO))]
    if field.kind is not FieldKind.SELECT or len(field.options) > MOST_OPTIONS:
        return []
    return [(one_line(option, OPTION_CHARS) or "…", _key(option)) for option in field.options]


def _key(option: str) -> str:
    """An option may be longer than a menu's values."""
    return hashlib.sha256(option.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _option(label: str, value: str) -> View:
    return {"text": plain(label), "value": value}


def _value(entry: Json, field: FormField) -> str:
    if text_in(entry, "type") != "static_select":
        return text_in(entry, "value").strip()
    chosen = text_in(object_in(entry, "selected_option"), "value")
    options = (YES, NO) if field.kind is FieldKind.CHECKBOX else field.options
    return next((option for option in options if _key(option) == chosen), "")
