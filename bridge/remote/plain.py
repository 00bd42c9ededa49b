"""Names and titles out of Dify, made fit to be shown: one line of plain text, bounded."""

import re
import unicodedata

MAX_NAME = 200
"""Characters of a title, a file's or a document's name that are passed on. Dify sets no limit to any of them."""

# Characters that turn the direction of what follows: a name with one could rewrite the line that it stands in.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def make_plain(text: str, limit: int = MAX_NAME) -> str:
    """The text on one line, without control characters, at most `limit` characters."""
    visible = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text[: 4 * limit])
    return " ".join(_TURNING.sub("", visible).split())[:limit].rstrip()
