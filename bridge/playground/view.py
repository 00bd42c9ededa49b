"""The JSON that the page draws: both platforms in one shape, made from the stand-ins' own state. Reads, changes nothing."""

import re
from collections.abc import Callable, Mapping

from bridge.messages import Rating
from bridge.playground.discord import DiscordServer
from bridge.playground.discord import model as discord
from bridge.playground.discord.payloads import attachment_url
from bridge.playground.received import Received, Request
from bridge.playground.slack import SlackServer
from bridge.playground.slack import model as slack
from bridge.playground.slack.content import unescape
from bridge.playground.slack.interactions import buttons_under

Json = dict[str, object]

BOT_NAME = "bot"
"""What people call it here: "@bot"."""

EMOJI = {"+1": "👍", "-1": "👎", "heart": "❤️", "eyes": "👀", "tada": "🎉"}
"""Slack's names of the emoji that the page knows."""

MOST_MESSAGES = 80
"""Newest messages shown per channel."""
MOST_REPLIES = 200
MOST_REQUESTS = 30

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


def slack_view(server: SlackServer, rating_of: RatingOf) -> Json:
    return {
        "bot": {"id": server.bot_user_id, "name": BOT_NAME},
        "people": [{"id": one.id, "name": one.name} for one in server.people.values()],
        "channels": [_slack_channel(server, one, rating_of) for one in server.channels.values()],
    }


def _slack_channel(server: SlackServer, channel: slack.Channel, rating_of: RatingOf) -> Json:
    roots: list[slack.Message] = []
    replies: dict[str, list[slack.Message]] = {}
    for message in server.messages(channel.id):
        if message.thread_ts is None:
            roots.append(message)
        else:
            replies.setdefault(message.thread_ts, []).append(message)
    shown: list[Json] = []
    for root in roots[-MOST_MESSAGES:]:
        status = server.statuses.get((channel.id, root.ts))
        thread: Json | None = None
        if root.ts in replies or status is not None:
            thread = {
                "name": "Thread",
                "activity": status.text if status else "",
                "messages": [
                    _slack_message(server, one, rating_of) for one in replies.get(root.ts, [])[-MOST_REPLIES:]
                ],
            }
        shown.append(_slack_message(server, root, rating_of) | {"thread": thread})
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "direct": channel.kind == "im",
        "members": sorted(one for one in channel.members if one in server.people),
        "activity": False,
        "messages": shown,
    }


def _slack_message(server: SlackServer, message: slack.Message, rating_of: RatingOf) -> Json:
    markdown = any(block.get("type") == "markdown" for block in message.blocks)
    person = server.people.get(message.user)
    return {
        "id": message.ts,
        "channel": message.channel,
        "author": message.user,
        "name": person.name if person and not message.is_bot else BOT_NAME,
        "bot": message.is_bot,
        "dialect": "markdown" if markdown else "mrkdwn",
        # Without blocks the page reads Slack's own escaping; unescaped, a typed "<https://...>" would look like a link.
        "text": message.visible_text if message.blocks else message.text,
        "typed": "" if message.is_bot else from_slack(message.text, server.bot_user_id),
        "buttons": [
            {"id": one.action_id, "label": one.label, "style": str(one.element.get("style", ""))}
            for one in buttons_under(message)
        ],
        "told": _told_in_slack(server, message),
        "files": [
            {"name": one.title or one.name, "size": one.size, "url": server.uploads.link(one.id)}
            for one in message.files
        ],
        "time": float(message.ts),
        "edited": message.edited,
        "reactions": [
            {"emoji": EMOJI.get(name, f":{name}:"), "people": list(people)}
            for name, people in message.reactions.items()
        ],
        "rating": rating_of(message.channel, message.ts) if message.is_bot else None,
    }


def _told_in_slack(server: SlackServer, message: slack.Message) -> dict[str, str]:
    """Person to what only they see there: Slack's warning when the app did not take their last press."""
    last = {one.person: one for one in server.presses if (one.channel, one.message) == (message.channel, message.ts)}
    return {
        person: "Slack: the app did not answer. Try again."
        for person, press in last.items()
        if press.outcome == "failed"
    }


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
                "url": "" if file.content is None else attachment_url(server, message, number, file),
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
            _request(index, request, received.ratings)
            for index, request in reversed(list(enumerate(received.requests))[-MOST_REQUESTS:])
        ],
    }


def _request(index: int, request: Request, ratings: Mapping[str, Rating | None]) -> Json:
    match request.ended:
        case "":
            ended, words = "running", "answering…"
        case "done":
            ended, words = "done", "answered"
        case reason:
            ended, words = "failed", reason
    rating: str | None = None
    if request.message in ratings:
        rating = ratings[request.message] or "none"
    return {
        "id": str(index),
        "question": request.question,
        "user": request.user,
        "conversation": request.conversation,
        "ended": ended,
        "words": words,
        "rating": rating,
    }
