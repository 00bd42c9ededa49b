"""What a message wants of the bot itself when it says nothing else: stop, mute, help. Pure.

Slack's own commands cannot be used in threads, so people say them.
"""

import re
from dataclasses import dataclass

from bridge.events import Command

_LONGEST = 100
"""Characters. An order is a word; whatever is longer is not looked at any closer."""

_ONLY_STOP = re.compile(r"[\W_]*stop[\W_]*", re.IGNORECASE)
"""The word alone, whatever punctuation or emphasis people put around it."""
_ONLY_COMMAND = re.compile(r"[\s*_`'\"]*/(help|reset|mute|unmute|history|forget)[\s*_`'\".!]*", re.IGNORECASE)
_WITH_WORDS = re.compile(r"[\s*_`'\"]*/(app)(?:\s+(\S.*?))?[\s*_`'\".!]*", re.IGNORECASE)
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteWords:
    """Which words end and begin again the following of a thread."""

    mute: frozenset[str] = frozenset({"mute"})
    unmute: frozenset[str] = frozenset({"unmute"})

    def find(self, text: str) -> Command | None:
        """The word alone, in any case."""
        said = bare(text)
        if not said:
            return None
        if any(said == bare(word) for word in self.mute):
            return Command.MUTE
        return Command.UNMUTE if any(said == bare(word) for word in self.unmute) else None


def bare(text: str) -> str:
    """Without what stands around the words, in lower case; empty when that is too long to be an order."""
    text = text.strip()
    return _AROUND.sub("", text).casefold() if len(text) <= _LONGEST else ""


def says_stop(text: str) -> bool:
    return len(text) <= _LONGEST and _ONLY_STOP.fullmatch(text) is not None


def find_command(text: str) -> Command | None:
    """`/help` and the like, alone; `/app` also with a name behind it (see `words_behind`)."""
    found = (_ONLY_COMMAND.fullmatch(text) or _WITH_WORDS.fullmatch(text)) if len(text) <= _LONGEST else None
    return Command(found[1].lower()) if found else None


def words_behind(text: str) -> str:
    """What stands behind such a command."""
    found = _WITH_WORDS.fullmatch(text) if len(text) <= _LONGEST else None
    return " ".join((found[2] or "").split()) if found else ""
