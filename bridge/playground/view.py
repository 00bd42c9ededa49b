"""The JSON that the page draws of Discord and of Dify, and what the views of both platforms share. Reads, changes nothing.

Slack, which has more surfaces, is in `slack_view`.
"""

import re
from collections.abc import Callable
from urllib.parse import quote

from bridge.messages import Rating
from bridge.playground.discord import DiscordServer
from bridge.playground.discord import model as discord
from bridge.playground.received import Received, Request
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

_THREAD_STUB = 21
"""Type of the message that stands for the question at the top of a Discord thread; the page shows the question itself."""
_DISCORD_STYLES = {1: "primary", 4: "danger"}
"""Discord's numbers for the looks of buttons (docs: components/reference, Button Styles); the others are plain."""
_TYPING_SECONDS = 10.0
"""How long Discord shows typing (docs: resources/channel, Trigger Typing Indicator)."""

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


def discord_view(server: DiscordServer, rating_of: RatingOf) -> Json:
    now = server.clock.monotonic()
    places = [one for one in server.channels.values() if one.kind in ("text", "dm")]
    return {
        "bot": {"id": server.bot_id, "name": BOT_NAME},
        "people": [{"id": one.id, "name": one.name} for one in server.people.values()],
        "channels": [_discord_channel(server, one, rating_of, now) for one in places],
    }


def _discord_channel(server: DiscordServer, channel: discord.Channel, rating_of: RatingOf, now: float) -> Json:
    threads = {one.id: one for one in server.threads(channel.id)}
    shown: list[Json] = []
    for message in server.messages(channel.id)[-MOST_MESSAGES:]:
        # A thread under a message has that message's id (docs: Start Thread from Message).
        hanging = threads.get(message.id)
        thread: Json | None = None
        if hanging is not None:
            thread = {
                "name": hanging.name,
                "activity": _types(server, hanging.id, now),
                "messages": _discord_messages(server, hanging.id, rating_of),
            }
        shown.append(_discord_message(server, message, rating_of) | {"thread": thread})
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "direct": channel.kind == "dm",
        "members": [channel.person_id] if channel.kind == "dm" else list(server.people),
        "activity": _types(server, channel.id, now),
        "messages": shown,
    }


def _discord_messages(server: DiscordServer, channel: str, rating_of: RatingOf) -> list[Json]:
    newest = [one for one in server.messages(channel) if one.kind != _THREAD_STUB][-MOST_REPLIES:]
    return [_discord_message(server, one, rating_of) for one in newest]


def _discord_message(server: DiscordServer, message: discord.Message, rating_of: RatingOf) -> Json:
    return {
        "id": message.id,
        "channel": message.channel_id,
        # The text alone does not say who is mentioned; `allowed_mentions` decides.
        "mentions": {"people": list(message.mentions), "everyone": message.mention_everyone},
        "author": message.author_id,
        "name": BOT_NAME if message.is_bot else message.author_name,
        "bot": message.is_bot,
        "dialect": "discord",
        "text": message.content,
        "typed": "" if message.is_bot else message.content.replace(f"<@{server.bot_id}>", f"@{BOT_NAME}"),
        "buttons": [
            {"id": one.custom_id, "label": one.label, "style": _DISCORD_STYLES.get(one.style, "")}
            for one in message.buttons
            if not one.disabled
        ],
        "told": _told_in_discord(server, message),
        "files": [
            {
                "name": file.filename,
                "size": file.size,
                "image": file.content is not None and file.content_type in IMAGES,
                "url": "" if file.content is None else file_link("discord", number, file.filename),
            }
            for number, file in message.attachments
        ],
        "time": message.created.timestamp(),
        "edited": message.edited is not None,
        "reactions": [{"emoji": emoji, "people": list(people)} for emoji, people in message.reactions.items()],
        "rating": rating_of(message.channel_id, message.id) if message.is_bot else None,
    }


def _told_in_discord(server: DiscordServer, message: discord.Message) -> dict[str, str]:
    """Person to what only they see there: what the bot whispered, or that it said nothing in time."""
    last = {one.user_id: one for one in server.interactions.values() if one.message_id == message.id}
    told = {
        person: one.ephemeral or ("This interaction failed" if server.failed(one.id) else "")
        for person, one in last.items()
    }
    return {person: words for person, words in told.items() if words}


def _types(server: DiscordServer, channel: str, now: float) -> bool:
    times = server.typing.get(channel)
    if not times or now - times[-1] >= _TYPING_SECONDS:
        return False
    own = [one for one in server.messages(channel) if one.author_id == server.bot_id and one.history]
    return not own or own[-1].history[0][0] < times[-1]


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
