"""Takes `<think>...</think>` out of a growing answer. What a model thinks aloud is not for the people in a channel.

Tags are cut anywhere by the stream, so the filter holds back what may become one. What looks like a tag but is talked about
(in code, or after a quotation mark) stays.
"""

_OPEN = "<think>"
_CLOSE = "</think>"
_QUOTES = "`'\"\u201c\u2018\u00ab\\"
_FENCES = ("```", "~~~")


class ThinkFilter:
    """One per answer, and a fresh one after the answer was replaced."""

    def __init__(self) -> None:
        self._held = ""
        """Tail that may be the beginning of a tag, or the whole thought while one is open."""
        self._thinking = False
        self._line = ""
        """Beginning of the current line (enough to see a fence) as it was let through."""
        self._previous = ""
        """Last character let through."""
        self._in_fence = False
        self._said_something = False
        self._closed_a_thought = False

    def feed(self, text: str) -> str:
        """What may be shown now. Hides nothing but thoughts; may hold back up to six characters."""
        self._held += text
        shown: list[str] = []
        while self._held:
            if self._thinking:
                end = self._held.find(_CLOSE)
                if end < 0:
                    break
                self._held = self._held[end + len(_CLOSE) :]
                self._thinking = False
                self._closed_a_thought = True
                continue
            start = self._held.find("<")
            if start != 0:
                plain = self._held if start < 0 else self._held[:start]
                shown.append(self._let_through(plain))
                self._held = self._held[len(plain) :]
                continue
            if self._held.startswith(_OPEN) and not self._talked_about():
                self._thinking = True
                # The tag stays in `_held` so that `flush` can give back what turns out to be no thought.
                end = self._held.find(_CLOSE, len(_OPEN))
                if end < 0:
                    break
                continue
            if _OPEN.startswith(self._held):
                break
            shown.append(self._let_through("<"))
            self._held = self._held[1:]
        return "".join(shown)

    def flush(self) -> str:
        """What was held back when the answer ended.

        A thought that was never closed is dropped at the beginning of an answer (the model ran out of words while thinking), but
        given back after text: losing half an answer that merely mentions the tag is worse than showing a thought.
        """
        if self._thinking and not self._said_something:
            self._held = ""
        rest, self._held, self._thinking = self._held, "", False
        return self._let_through(rest)

    def _talked_about(self) -> bool:
        return self._in_fence or (self._previous != "" and self._previous in _QUOTES)

    def _let_through(self, text: str) -> str:
        if not self._said_something:
            if self._closed_a_thought:
                # Blank lines between a thought and the answer would be left at the top of it.
                text = text.lstrip()
            self._said_something = not (text == "" or text.isspace())
        for index, line in enumerate(text.split("\n")):
            if index:
                self._line = ""
            if len(self._line) < len(_FENCES[0]):
                before = self._line.startswith(_FENCES)
                self._line = (self._line + line).lstrip(" ")[: len(_FENCES[0])]
                if not before and self._line.startswith(_FENCES):
                    self._in_fence = not self._in_fence
        if text:
            self._previous = text[-1]
        return text
