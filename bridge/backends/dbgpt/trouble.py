"""Errors that DB-GPT sends as if they were the answer. Each spelling was read in its sources or seen on a real server (0.8.2)."""

import re

_FAILURE = re.compile(
    r"\s*(?:"
    r"\*\*[\w ]{1,30} (?:Generate|Response)(?: Stream)? Error, Please CheckErrorInfo\.\*\*"
    r"|\[(?:SERVER|LLM)_ERROR\]"
    r"|Model server error!code="
    r"|model response parse failed"
    r"|<span style=[\"']color: ?red[\"']>ERROR!</span>"
    r")"
)
_LATER = re.compile(r"<span style=[\"']color: ?red[\"']>ERROR!</span>|\[SERVER_ERROR\]")

_BEGINNINGS = (
    "**",
    "[SERVER_ERROR]",
    "[LLM_ERROR]",
    "Model server error!code=",
    "model response parse failed",
    "<span style=",
)
_LONGEST = 90
"""Characters in which each of them has shown itself."""


def is_failure(text: str) -> bool:
    """Whether this, as a whole answer, is an error."""
    return _FAILURE.match(text) is not None


def has_failed(view: str) -> bool:
    """Whether what the history shows for a round says that it failed."""
    return is_failure(view) or _LATER.search(view) is not None


def error_in(view: str) -> str:
    """What a view that `has_failed` says of the error alone."""
    found = _LATER.search(view) or _FAILURE.match(view)
    return view[found.start() :].partition("<chart-view")[0] if found is not None else ""


def may_be_failure(text: str) -> bool:
    """Whether an answer that begins like this may still turn out to be an error."""
    begun = text.lstrip()
    if not begun or is_failure(begun):
        return True
    if len(begun) > _LONGEST:
        return False
    if begun.startswith("**"):
        return begun.find("**", 2) < 0
    return any(word.startswith(begun) or begun.startswith(word) for word in _BEGINNINGS)
