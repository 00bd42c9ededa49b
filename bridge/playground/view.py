"""The JSON that the page draws of Dify, and what the views of both platforms share. Reads, changes nothing.

The platforms are in `slack_view` and `discord_view`.
"""

import re
from collections.abc import Callable
from urllib.parse import quote

from bridge.messages import Rating
from bridge.playground.received import WAITING, Received, Request
from bridge.playground.slack.content import unescape

Json = dict[str, object]

BOT_NAME = "bot"
"""What people call it here: "@bot"."""

EMOJI = {"+1": "👍", "-1": "👎", "heart": "❤️", "eyes": "👀", "tada": "🎉"}
"""Slack's names of the emoji that the page knows."""

MOST_MESSAGES = 80
"""Newest messages shown per channel."""
MOST_REPLIES = 200
MOST_REQUESTS = 30

IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Media types that the page shows as pictures. No SVG, which can hold scripts."""

_MENTION = re.compile(r"(?<![\w@])@bot\b", re.IGNORECASE)

RatingOf = Callable[[str, str], Rating | str | None]
"""(channel, message) to what Dify was told about it: a rating, "none" once taken away, None when it was never told."""


def mention_bot(text: str, mention: str) -> str:
    """The text with each "@bot" as the platform spells a mention of it."""
    return _MENTION.sub(lambda _: mention, text)


def to_slack(text: str, bot_user: str) -> str:
    """What Slack's client sends for typed text: entities for & < >, and mentions in its own spelling."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return mention_bot(escaped, f"<@{bot_user}>")


def from_slack(text: str, bot_user: str) -> str:
    """What was typed, so that it can be edited: the other way round from `to_slack`."""
    return unescape(text.replace(f"<@{bot_user}>", f"@{BOT_NAME}"))


def file_link(platform: str, file_id: str, name: str) -> str:
    """Where the page's own server hands out a file, so that no token and no other address is needed for it."""
    return f"/playground/{platform}/files/{quote(file_id, safe='')}/{quote(name, safe='')}"


def dify_view(received: Received, *, stand_in: bool) -> Json:
    return {
        "stand_in": stand_in,
        "requests": [
            _request(index, request, received)
            for index, request in reversed(list(enumerate(received.requests))[-MOST_REQUESTS:])
        ],
    }


def _request(index: int, request: Request, received: Received) -> Json:
    match request.ended:
        case "":
            ended, words = "running", "answering…"
        case "done":
            ended, words = "done", "answered"
        case reason if reason == WAITING:
            ended, words = "running", WAITING
        case reason:
            ended, words = "failed", reason
    rating: str | None = None
    if request.message in received.ratings:
        rating = received.ratings[request.message] or "none"
    return {
        "id": str(index),
        "question": request.question,
        "user": request.user,
        "conversation": request.conversation,
        "ended": ended,
        "words": words,
        "rating": rating,
        "comment": received.comments.get(request.message, ""),
    }
