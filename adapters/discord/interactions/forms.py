"""The forms that we show (modals), and what people fill in. Pure.

A form says by its `custom_id` what it is about, so that it works after a restart:

    bridge:about:CHANNEL:MESSAGE                a question about that message
    bridge:comment:CHANNEL:MESSAGE:REVISION     why the answer in that message is bad; REVISION is that of the vote

Forms are open for a while at most, but a spelling is only ever added, as with those of buttons.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import discord

from adapters.discord.dialect import DIALECT
from adapters.discord.interactions.commands import MAX_QUESTION
from bridge.markdown.characters import literally
from bridge.messages import Said

Json = Mapping[str, object]

MAX_COMMENT = 2_000
PREVIEW = 300
"""Characters of the message that a question is about, as the form shows it (ours)."""

_ABOUT = re.compile(r"bridge:about:([0-9]{1,20}):([0-9]{1,20})", re.ASCII)
_COMMENT = re.compile(r"bridge:comment:([0-9]{1,20}):([0-9]{1,20}):([0-9]{1,17})", re.ASCII)
_WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    channel: int
    message: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    channel: int
    message: int
    revision: int


def question_form(about: About, said: Said) -> discord.ui.Modal:
    text = " ".join(f"{said.who}: {said.text}".split())
    shown = text if len(text) <= PREVIEW else text[:PREVIEW].rstrip() + "…"
    form = make_form("Ask about this message", f"bridge:about:{about.channel}:{about.message}")
    form.add_item(discord.ui.TextDisplay(str(DIALECT.payload(literally(shown))["content"])))
    form.add_item(_field("Your question", MAX_QUESTION))
    return form


def comment_form(about: Comment) -> discord.ui.Modal:
    form = make_form("What was wrong?", f"bridge:comment:{about.channel}:{about.message}:{about.revision}")
    form.add_item(_field("What should have been different?", MAX_COMMENT))
    return form


def read_form(custom_id: str) -> About | Comment | None:
    """None for what this version did not write."""
    if found := _ABOUT.fullmatch(custom_id):
        return About(channel=int(found[1]), message=int(found[2]))
    if found := _COMMENT.fullmatch(custom_id):
        return Comment(channel=int(found[1]), message=int(found[2]), revision=int(found[3]))
    return None


def words_in(filled_in: Json) -> str:
    """What was written into it. `filled_in`: the data of a submitted form."""
    for each in items_of(filled_in.get("components")):
        # Below a label, or as before there were labels, in a row.
        inside = each.get("component")
        fields = [inside] if isinstance(inside, Mapping) else items_of(each.get("components"))
        for field in fields:
            if field.get("custom_id") == _WORDS:
                return str(field.get("value") or "").strip()
    return ""


def make_form(title: str, custom_id: str) -> discord.ui.Modal:
    form = discord.ui.Modal(title=title, custom_id=custom_id, timeout=None)
    # As with buttons: the library shall not remember it, since another process may get what is filled in.
    form.stop()
    return form


def _field(label: str, most: int) -> discord.ui.Label[discord.ui.Modal]:
    field = discord.ui.TextInput[discord.ui.Modal](
        custom_id=_WORDS, style=discord.TextStyle.paragraph, max_length=most, required=True
    )
    return discord.ui.Label(text=label, component=field)


def items_of(listed: object) -> list[Json]:
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
