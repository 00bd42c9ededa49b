"""Forms that the core wants filled in, as modals, and what people filled in. Pure.

    bridge:form:CHANNEL:MESSAGE:FORM            its `custom_id`: where its button stands, and which form it shows

Spellings are only ever added, as with those of other forms.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import discord

from adapters.discord.dialect import DIALECT
from adapters.discord.interactions.forms import Json, items_of, make_form
from bridge.forms_api import FORM_ID_CHARS, NO, YES, FieldKind, Form, FormField
from bridge.markdown.characters import in_one_line, literally

MOST_FIELDS = 5
"""Components in a modal (Discord's page on modals)."""

LABEL_CHARS = 45
DESCRIPTION_CHARS = 100
PLACEHOLDER_CHARS = 100
TEXT_CHARS = 4_000
INTRO_CHARS = 900
"""Ours."""
TITLE_CHARS = 45
"""The same page, and the component reference."""

MOST_OPTIONS = 25
OPTION_CHARS = 100
"""Of a string select (component reference)."""

_FORM = re.compile(rf"bridge:form:([0-9]{{1,20}}):([0-9]{{1,20}}):([A-Za-z0-9:_-]{{1,{FORM_ID_CHARS}}})", re.ASCII)
_FIELD = "field:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which form, and where its button stands."""

    channel: int
    message: int
    form: str


def member_form(form: Form, wanted: Wanted) -> discord.ui.Modal:
    custom_id = f"bridge:form:{wanted.channel}:{wanted.message}:{wanted.form}"
    modal = make_form(in_one_line(form.title, TITLE_CHARS) or "Form", custom_id)
    if form.intro and len(form.fields) < MOST_FIELDS:
        modal.add_item(discord.ui.TextDisplay(str(DIALECT.payload(literally(form.intro[:INTRO_CHARS]))["content"])))
    for field in form.fields[:MOST_FIELDS]:
        modal.add_item(_label(field))
    return modal


def read_wanted(custom_id: str) -> Wanted | None:
    """None for what this version did not write."""
    found = _FORM.fullmatch(custom_id)
    return Wanted(channel=int(found[1]), message=int(found[2]), form=found[3]) if found else None


def values_in(filled_in: Json, form: Form) -> Mapping[str, str]:
    """What stands in the fields that the modal showed, as far as the form still has them. `filled_in`: a submission's data."""
    shown: dict[str, Json] = {}
    for each in items_of(filled_in.get("components")):
        inside = each.get("component")
        if isinstance(inside, Mapping) and str(inside.get("custom_id", "")).startswith(_FIELD):
            shown[str(inside["custom_id"]).removeprefix(_FIELD)] = inside
    return {field.name: _value(shown[field.name], field) for field in form.fields if field.name in shown}


def _label(field: FormField) -> discord.ui.Label[discord.ui.Modal]:
    choices = _choices(field)
    hint = field.hint
    component: discord.ui.Select[discord.ui.Modal] | discord.ui.TextInput[discord.ui.Modal]
    if choices:
        component = discord.ui.Select[discord.ui.Modal](
            custom_id=_FIELD + field.name,
            options=[
                discord.SelectOption(
                    label=in_one_line(option, OPTION_CHARS) or "…", value=_key(value), default=value == field.default
                )
                for option, value in choices
            ],
            min_values=1 if field.required else 0,
            max_values=1,
            required=field.required,
        )
    else:
        options = f"One of: {', '.join(field.options)}" if field.kind is FieldKind.SELECT else ""
        hint = " ".join(part for part in (hint, options) if part)
        most = max(1, min(field.most or TEXT_CHARS, TEXT_CHARS))
        component = discord.ui.TextInput[discord.ui.Modal](
            custom_id=_FIELD + field.name,
            style=discord.TextStyle.paragraph if field.kind is FieldKind.PARAGRAPH else discord.TextStyle.short,
            max_length=most,
            required=field.required,
            default=field.default[:most] or None,
            placeholder=in_one_line(options, PLACEHOLDER_CHARS) or None,
        )
    return discord.ui.Label(
        text=in_one_line(field.label, LABEL_CHARS) or in_one_line(field.name, LABEL_CHARS),
        description=in_one_line(hint, DESCRIPTION_CHARS) or None,
        component=component,
    )


def _choices(field: FormField) -> list[tuple[str, str]]:
    """Label and value of what a select offers; nothing: there is no select."""
    if field.kind is FieldKind.CHECKBOX:
        return [("Yes", YES), ("No", NO)]
    if field.kind is not FieldKind.SELECT or len(field.options) > MOST_OPTIONS:
        return []
    return [(option, option) for option in field.options]


def _key(option: str) -> str:
    """An option may be longer than a select's values."""
    return hashlib.sha256(option.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _value(component: Json, field: FormField) -> str:
    chosen = component.get("values")
    if not isinstance(chosen, list):
        return str(component.get("value") or "").strip()
    options = (YES, NO) if field.kind is FieldKind.CHECKBOX else field.options
    return next((option for option in options if _key(option) in chosen), "")
