"""How the stand-in spells what happened: inner events and the envelope around them. Pure."""

from collections.abc import Sequence

from bridge.playground.slack.expansion import expand, rich_text
from bridge.playground.slack.files import wire_file
from bridge.playground.slack.model import Channel, JsonObject, Message, Team

TEAM_ID = "T0PLAYGROUND"
APP_ID = "A0BRIDGE"
VERIFICATION_TOKEN = "made-up-verification-token"  # noqa: S105  # old and given to nobody else
BOT_ID = "B0BRIDGE"
BOT_USER_ID = "U0BRIDGE"
BOT_NAME = "bridge"

HOME = Team(id=TEAM_ID, name="Playground", domain="playground", bot_user_id=BOT_USER_ID, bot_id=BOT_ID)
"""The workspace that is there from the start."""


def wire_message(message: Message) -> JsonObject:
    """A message as it stands in responses and events, without its channel and without what others did to it."""
    wire: JsonObject = {"type": "message", "ts": message.ts, "text": message.text}
    wire |= _author(message)
    if message.subtype:
        wire["subtype"] = message.subtype
    blocks = expand(message.blocks) if message.blocks else expand([rich_text(message.text)] if message.text else [])
    if blocks:
        wire["blocks"] = blocks
    if message.thread_ts:
        wire["thread_ts"] = message.thread_ts
    if message.files:
        wire["files"] = [wire_file(file) for file in message.files]
    if message.edited:
        wire["edited"] = {"user": message.user, "ts": message.edited_ts}
    if message.previews:
        wire["attachments"] = [
            {"id": number, "from_url": url, "original_url": url, "fallback": url, "title": url}
            for number, url in enumerate(message.previews, 1)
        ]
    if message.subtype == "tombstone":
        wire["hidden"] = True
    return wire


def _author(message: Message) -> JsonObject:
    team = message.team or TEAM_ID
    author: JsonObject = {"team": team}
    if message.is_foreign:
        author |= {"user_team": team, "source_team": team}
    if message.subtype != "bot_message":
        author["user"] = message.user
    if message.bot_id:
        author["bot_id"] = message.bot_id
    if message.is_bot:
        profile = {"id": message.bot_id, "app_id": APP_ID, "user_id": message.user, "name": BOT_NAME, "team_id": team}
        author |= {"app_id": APP_ID, "bot_profile": profile}
    elif message.app_id:
        author["app_id"] = message.app_id
    elif not message.bot_id and message.subtype in (None, "file_share", "thread_broadcast"):
        author["client_msg_id"] = f"{message.channel}-{message.ts}"
    return author


def message_event(message: Message, channel: Channel, root_author: str | None) -> JsonObject:
    """`root_author` is who wrote the root of the thread, for a reply."""
    event = {
        **wire_message(message),
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": channel.kind,
    }
    if root_author:
        event["parent_user_id"] = root_author
    if message.context:
        event["app_context"] = {"entities": message.context}
    return event


def mention_event(message: Message, channel: Channel, root_author: str | None) -> JsonObject:
    """The second event for a mention. It has no `channel_type` and no subtype, but it has the files."""
    event = message_event(message, channel, root_author)
    del event["channel_type"]
    event.pop("subtype", None)
    return event | {"type": "app_mention"}


def changed_event(
    message: Message, previous: JsonObject, thread: JsonObject, channel: Channel, event_ts: str
) -> JsonObject:
    """`thread`: what a reply says about its thread. Whether it was an edit, and whose, only the two messages tell."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": wire_message(message) | thread,
        "previous_message": previous,
        "hidden": True,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def deleted_event(previous: JsonObject, channel: Channel, event_ts: str) -> JsonObject:
    return {
        "type": "message",
        "subtype": "message_deleted",
        "deleted_ts": previous["ts"],
        "previous_message": previous,
        "hidden": True,
        "channel": channel.id,
        "channel_type": channel.kind,
        "ts": event_ts,
        "event_ts": event_ts,
    }


def reaction_event(message: Message, user: str, emoji: str, event_ts: str, *, added: bool) -> JsonObject:
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "reaction": emoji,
        "item": {"type": "message", "channel": message.channel, "ts": message.ts},
        "item_user": message.user,
        "event_ts": event_ts,
    }


def envelope(
    event: JsonObject, event_id: str, event_time: int, *, is_ext_shared: bool, team: Team = HOME, sender: str = ""
) -> JsonObject:
    """What is delivered: the same over a socket (as an envelope's payload) and over HTTP (as the body).

    `team`: where it happened, and the installation that hears of it. `sender`: another workspace that the author comes from.
    Reported (vercel/chat 4.35): then the outermost team is the author's, and only the authorization names the installation.
    An installation for a whole organisation has no team (seen in bolt-python's tests).
    """
    if event["type"] in ("app_uninstalled", "tokens_revoked"):
        return _farewell(event, event_id, event_time, team)
    return {
        "token": VERIFICATION_TOKEN,
        "team_id": sender or team.id,
        "enterprise_id": None if sender else team.enterprise_id,
        "context_team_id": team.id,
        "context_enterprise_id": team.enterprise_id,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": team.enterprise_id,
                "team_id": None if team.org_wide else team.id,
                "user_id": team.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": team.org_wide,
            }
        ],
        "is_ext_shared_channel": is_ext_shared,
        "event_context": f"4-{event_id}",
    }


def _farewell(event: JsonObject, event_id: str, event_time: int, team: Team) -> JsonObject:
    """Tells of the end of an installation, so it names none. Seen in bolt-python's tests: that of an organisation has no team."""
    return {
        "token": VERIFICATION_TOKEN,
        **({} if team.org_wide else {"team_id": team.id}),
        "enterprise_id": team.enterprise_id,
        "api_app_id": APP_ID,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
    }


def home_event(person: str, channel: str, tab: str, event_ts: str, view: JsonObject | None) -> JsonObject:
    """`view`: what the Home tab shows, if the app has ever published one; told of that tab only."""
    event: JsonObject = {"type": "app_home_opened", "user": person, "channel": channel, "tab": tab}
    event |= {"event_ts": event_ts}
    return event | {"view": view} if view is not None and tab == "home" else event


def context_event(person: str, channel: str, entities: Sequence[JsonObject], event_ts: str) -> JsonObject:
    """What a person of an agent's direct message has turned to."""
    return {
        "type": "app_context_changed",
        "user": person,
        "channel": channel,
        "context": {"entities": list(entities)},
        "event_ts": event_ts,
    }


def joined_event(person: str, channel: Channel, team: Team, inviter: str, event_ts: str) -> JsonObject:
    return {
        "type": "member_joined_channel",
        "user": person,
        "channel": channel.id,
        "channel_type": channel.id[:1],
        "team": team.id,
        "inviter": inviter,
        "event_ts": event_ts,
    }


def stopped_event(person: str, channel: str, thread_ts: str, streams: Sequence[str], event_ts: str) -> JsonObject:
    return {
        "type": "agent_session_stopped",
        "user": person,
        "channel": channel,
        "thread_ts": thread_ts,
        "streaming_message_ts": list(streams),
        "event_ts": event_ts,
    }


def scope_for(event: JsonObject) -> str:
    """The scope without which Slack does not send such an event; empty where none is needed."""
    match event:
        case {"type": "app_mention"}:
            return "app_mentions:read"
        case {"type": "reaction_added" | "reaction_removed"}:
            return "reactions:read"
        case {"type": "message", "channel_type": str(kind)}:
            return f"{_FAMILIES[kind]}:history"
        case {"type": "member_joined_channel", "channel_type": "C"}:
            return "channels:read"
        case {"type": "member_joined_channel"}:
            return "groups:read"
        case {"type": "app_context_changed"}:
            return "assistant:write"
        case {"type": "agent_session_stopped"}:
            return "chat:write"
        case _:
            return ""


def subscription_for(event: JsonObject) -> str:
    """What an app's manifest calls such an event."""
    match event:
        case {"type": "message", "channel_type": str(kind)}:
            return f"message.{_FAMILIES[kind]}"
        case _:
            return str(event["type"])


_FAMILIES = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
"""Kind of channel to its name in subscriptions and scopes."""
