"""What stands around an answer's text in Discord's small print: what the app is doing, and what it rests on. Pure.

It is no part of the text: `plain` takes it away again from what Discord gives back.
"""

import re
from collections.abc import Sequence

from adapters.discord.capabilities import MAX_CONTENT
from adapters.discord.dialect import neutralise
from bridge.markdown.characters import clean, without_marks
from bridge.messages import OutgoingMessage

_SMALL = "-# "
_DOING = "⏳ "
"""What a line begins with that stands for an answer without a word."""
_SOURCES = "📚 "
_BETWEEN = " · "

_SPARE = 5
"""Characters below what Discord takes, in case that it counts otherwise."""
LONGEST_SOURCE = 100
"""Characters of a name that are shown."""

_SPECIAL = re.compile(r"[\\*_`~|\[\]<>]")
_SOURCE_LINE = re.compile(rf"\n+{_SMALL}{_SOURCES}[^\n]*\Z")
_END_LINE = re.compile(rf"\n+{_SMALL}⌛ [^\n]*\Z")


def around(content: str, message: OutgoingMessage, *, note: str = "") -> str:
    """What is written for a message whose text became `content`. `note`: a line of ours about the message itself."""
    if content.startswith(_DOING) and "\n" not in content:
        content = _SMALL + content
    if note:
        content = f"{content}\n{_SMALL}⌛ {note}"
    return content + _spell_sources(message.sources, MAX_CONTENT - _SPARE - len(content))


def plain(content: str) -> str:
    """The text alone."""
    content = _END_LINE.sub("", _SOURCE_LINE.sub("", content))
    return content.removeprefix(_SMALL) if content.startswith(_SMALL + _DOING) else content


def _spell_sources(sources: Sequence[str], room: int) -> str:
    """A line below the text with as many names as there is room for, and how many more there are."""
    names = [name for name in (_name(each) for each in sources) if name]
    for shown in range(len(names), -1, -1):
        more = len(names) - shown
        parts = names[:shown] + ([f"+{more}" if shown else f"{more} sources"] if more else [])
        line = f"\n{_SMALL}{_SOURCES}{_BETWEEN.join(parts)}"
        if parts and len(line) <= room:
            return line
    return ""


def _name(source: str) -> str:
    line = without_marks(" ".join(clean(source).split()))
    if len(line) > LONGEST_SOURCE:
        line = line[: LONGEST_SOURCE - 1].rstrip() + "…"
    return neutralise(_SPECIAL.sub(r"\\\g<0>", line))
