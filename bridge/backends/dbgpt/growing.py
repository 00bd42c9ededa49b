"""An answer that comes piece by piece, let through as far as it is certain what it is.

Held back are the beginning, as long as it may be an error, and everything from the first block of markup on, which makes sense
only when it is whole.
"""

import re

from bridge.backends.dbgpt.trouble import is_failure, may_be_failure
from bridge.backends.dbgpt.vis import MARKUP, Told, tell
from bridge.remote.thinking import ThinkFilter

_TAGS = ("<chart-view", "<dbgpt-view", "<references", "<api-call")
_BLOCKS = ("vis-", "agent-plans", "agent-messages", "dbgpts-flow", "dbgpts-result")
_FENCE = re.compile(r"`+([\w-]{0,20})")


class GrowingText:
    """One per answer. What `feed` and `finish` give back, put together, is what may be shown."""

    def __init__(self, *, has_markup: bool) -> None:
        self._has_markup = has_markup
        self._thoughts = ThinkFilter()
        self._opening: str | None = ""
        """What may still be an error; None once it is not."""
        self._line = ""
        """The current line, as far as it was let through."""
        self._held = ""
        self._in_markup = False
        self._ending = ""
        """The last two characters that were let through."""
        self.is_failure = False
        """Set by `finish`."""
        self.told = Told()
        """What stood in the markup; complete after `finish`."""

    def feed(self, text: str) -> str:
        return self._open(self._thoughts.feed(text))

    def finish(self) -> str:
        """The rest. "" when the whole was an error, which is then in `failure`."""
        shown = self._open(self._thoughts.flush())
        if self._opening:
            if is_failure(self._opening):
                self.is_failure = True
                return ""
            opening, self._opening = self._opening, None
            shown += self._let_through(opening)
        held, self._held = self._held, ""
        if self._in_markup:
            self.told = tell(held)
            held = self.told.text
            if held and self._ending:
                # A paragraph of its own: a table is none behind a line of text.
                held = "\n" * (2 - len(self._ending) + len(self._ending.rstrip("\n"))) + held
        return shown + held

    @property
    def failure(self) -> str:
        return (self._opening or "").strip()

    def _open(self, text: str) -> str:
        if self._opening is None:
            return self._let_through(text)
        self._opening += text
        if may_be_failure(self._opening):
            return ""
        opening, self._opening = self._opening, None
        return self._let_through(opening)

    def _let_through(self, text: str) -> str:
        if not self._has_markup:
            return text
        self._held += text
        if self._in_markup:
            return ""
        whole = self._line + self._held
        begun = len(self._line)
        found = MARKUP.search(whole)
        self._in_markup = found is not None
        end = found.start() if found is not None else _hold_from(whole, begun)
        shown, self._held = whole[begun:end], whole[end:]
        self._line = whole[whole.rfind("\n", 0, end) + 1 : end]
        self._ending = (self._ending + shown)[-2:]
        return shown


def _hold_from(text: str, begun: int) -> int:
    """Where, from `begun` on, what may become markup begins; the end of the text when nothing does."""
    line = text.rfind("\n") + 1
    if line >= begun and (found := _FENCE.fullmatch(text, line)) is not None:
        word = found[1]
        if not word or any(block.startswith(word) for block in _BLOCKS):
            return line
    tag = text.rfind("<", begun)
    if tag >= 0 and any(one.startswith(text[tag:]) for one in _TAGS):
        return tag
    return len(text)
