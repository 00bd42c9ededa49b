"""The JSON of Discord's objects, with the fields that clients read (docs: resources/*). Reads the world, changes nothing."""

from datetime import datetime
from urllib.parse import quote

from bridge.playground.discord import components
from bridge.playground.discord.model import Attachment, Channel, Json, Message
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS
from bridge.playground.discord.world import World

CHANNEL_TYPES = {"text": 0, "dm": 1, "category": 4, "thread": 11, "forum": 15}
"""Docs: resources/channel, Channel Types."""

APPLICATION_FLAGS = 1 << 19
"""GATEWAY_MESSAGE_CONTENT_LIMITED: the content intent switched on, for an app below the verification threshold."""


def stamp(moment: datetime) -> str:
    return moment.isoformat()


def user(world: World, user_id: str, *, name: str | None = None, is_bot: bool = False) -> Json:
    shown = name if name is not None else world.name_of(user_id)
    return {
        "id": user_id,
        "username": shown.lower(),
        "global_name": None if is_bot or user_id == world.bot_id else shown,
        "discriminator": "0000" if is_bot or user_id == world.bot_id else "0",
        "avatar": None,
        "bot": is_bot or user_id == world.bot_id,
        "public_flags": 0,
    }


def self_user(world: World) -> Json:
    return {**user(world, world.bot_id), "verified": True, "mfa_enabled": False, "flags": 0, "email": None}


def member(world: World, user_id: str) -> Json:
    """A member without its `user`, as messages carry it."""
    return {
        "roles": [world.bot_role_id] if user_id == world.bot_id else list(world.member_roles.get(user_id, ())),
        "joined_at": stamp(world.channels[world.general].created),
        "nick": None,
        "avatar": None,
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def member_with_user(world: World, user_id: str) -> Json:
    return {**member(world, user_id), "user": user(world, user_id)}


def channel(world: World, place: Channel) -> Json:
    body: Json = {
        "id": place.id,
        "type": CHANNEL_TYPES[place.kind],
        "flags": 0,
    }
    if place.kind != "category":
        body["last_message_id"] = next((one.id for one in reversed(world.messages(place.id))), None)
    if place.kind == "dm":
        return {**body, "recipients": [user(world, place.person_id)]}
    body |= {"guild_id": world.guild_id, "name": place.name, "parent_id": place.parent_id, "rate_limit_per_user": 0}
    if place.kind == "thread":
        return {**body, **_thread_fields(world, place)}
    return {
        **body,
        "position": 0,
        "nsfw": False,
        "topic": None,
        "available_tags": [],
        "permission_overwrites": _overwrites(world, place),
    }


def _thread_fields(world: World, place: Channel) -> Json:
    count = len(world.messages(place.id))
    fields: Json = {
        "owner_id": place.owner_id,
        "message_count": count,
        "total_message_sent": count,
        "member_count": 1 + (place.bot_joined and place.owner_id != world.bot_id),
        "thread_metadata": {
            "archived": place.archived,
            "locked": place.locked,
            "auto_archive_duration": place.auto_archive_minutes,
            "archive_timestamp": stamp(place.archive_changed),
            "create_timestamp": stamp(place.created),
        },
    }
    if place.bot_joined:
        fields["member"] = {
            "id": place.id,
            "user_id": world.bot_id,
            "join_timestamp": stamp(place.created),
            "flags": 1,
        }
    return fields


def _overwrites(world: World, place: Channel) -> list[Json]:
    bits = world.permissions.get(place.id)
    if bits is None:
        return []
    allow, deny = bits & ~DEFAULT_PERMISSIONS, DEFAULT_PERMISSIONS & ~bits
    return [{"id": world.bot_role_id, "type": 0, "allow": str(allow), "deny": str(deny)}]


def readable(world: World, message: Message) -> bool:
    """Whether its content is shown without the Message Content intent (docs: topics/gateway, Message Content Intent)."""
    return (
        world.channels[message.channel_id].kind == "dm"
        or message.author_id == world.bot_id
        or world.bot_id in message.mentions
    )


def message(world: World, one: Message, *, everything: bool, nested: bool = False, with_nonce: bool = False) -> Json:
    """A message as REST returns it. `everything`: the reader has the Message Content intent. `with_nonce`: only who creates
    a message and who hears of it at the gateway is told its nonce."""
    shown = everything or readable(world, one)
    in_guild = world.channels[one.channel_id].kind != "dm"
    body: Json = {
        "id": one.id,
        "channel_id": one.channel_id,
        "type": one.kind,
        "author": user(world, one.webhook_id or one.author_id, name=one.author_name, is_bot=one.is_bot),
        "content": one.content if shown else "",
        "timestamp": stamp(one.created),
        "edited_timestamp": None if one.edited is None else stamp(one.edited),
        "tts": False,
        "mention_everyone": one.mention_everyone,
        "mentions": [
            user(world, user_id) | ({"member": member(world, user_id)} if in_guild else {}) for user_id in one.mentions
        ],
        "mention_roles": list(one.mention_roles),
        "attachments": _attachments(world, one) if shown else [],
        "embeds": list(one.embeds) if shown else [],
        "components": components.shown(one.rows) if shown else [],
        "pinned": False,
        "flags": one.flags,
    }
    if one.reactions:
        body["reactions"] = [_reaction(world, emoji, users) for emoji, users in one.reactions.items()]
    if with_nonce and one.nonce is not None:
        body["nonce"] = one.nonce
    if one.webhook_id is not None:
        body["webhook_id"] = one.webhook_id
    thread = world.channels.get(one.id)
    if thread is not None and thread.id != one.channel_id:  # a forum post's first message is not above its thread
        body["thread"] = channel(world, thread)
    if one.reference_channel is not None:
        reference: Json = {"type": 0, "channel_id": one.reference_channel}
        if in_guild:
            reference["guild_id"] = world.guild_id
        if one.reference is not None:
            reference["message_id"] = one.reference
        body["message_reference"] = reference
    if one.reference_channel is not None and one.reference is not None and not nested:
        # Discord follows one reference, never a chain.
        target = world.find_message(one.reference_channel, one.reference)
        body["referenced_message"] = (
            None if target is None else message(world, target, everything=everything, nested=True)
        )
    return body


def dispatched_message(world: World, one: Message, *, everything: bool) -> Json:
    """A message as the gateway carries it: with its server and the author's membership."""
    body = message(world, one, everything=everything, with_nonce=True)
    if world.channels[one.channel_id].kind != "dm":
        body["guild_id"] = world.guild_id
        if one.webhook_id is None:
            body["member"] = member(world, one.author_id)
    return body


def attachment_url(world: World, one: Message, file_id: str, file: Attachment) -> str:
    """Whoever has it may read it: Discord's own are signed, and want no token either."""
    return f"{world.address}/attachments/{one.channel_id}/{file_id}/{quote(file.filename, safe='')}"


def _attachments(world: World, one: Message) -> list[Json]:
    return [
        {
            "id": file_id,
            "filename": file.filename,
            "size": file.size,
            "content_type": file.content_type,
            "url": attachment_url(world, one, file_id, file),
            "proxy_url": attachment_url(world, one, file_id, file),
        }
        for file_id, file in one.attachments
    ]


def emoji_object(emoji: str) -> Json:
    return {"id": None, "name": emoji}


def _reaction(world: World, emoji: str, users: list[str]) -> Json:
    return {
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "me": world.bot_id in users,
        "me_burst": False,
        "emoji": emoji_object(emoji),
        "burst_colors": [],
    }


def application(world: World) -> Json:
    owner = user(world, world.ada)
    return {
        "id": world.application_id,
        "name": world.bot_name,
        "description": "",
        "icon": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "owner": owner,
        "team": None,
        "verify_key": "0" * 64,
        "flags": APPLICATION_FLAGS if world.message_content_allowed else 0,
        "bot": user(world, world.bot_id),
        "interactions_endpoint_url": None,
        "approximate_guild_count": 1,
    }


def guild(world: World) -> Json:
    everyone = role(world.guild_id, "@everyone", position=0)
    own = role(world.bot_role_id, world.bot_name, position=1)
    own |= {"managed": True, "mentionable": True, "tags": {"bot_id": world.bot_id}}
    return {
        "id": world.guild_id,
        "name": world.guild_name,
        "owner_id": world.ada,
        "icon": None,
        "features": [],
        "roles": [everyone, own, *(role(one, name) for one, name in world.roles.items())],
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "system_channel_flags": 0,
        "system_channel_id": None,
        "afk_timeout": 300,
    }


def role(role_id: str, name: str, *, position: int = 2) -> Json:
    return {
        "id": role_id,
        "name": name,
        "permissions": str(DEFAULT_PERMISSIONS),
        "position": position,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild_create(world: World) -> Json:
    """The whole server, as sent after READY. Without the presence intent its only listed member is the bot."""
    places = [one for one in world.channels.values() if one.kind in ("text", "forum", "category")]
    return {
        **guild(world),
        "unavailable": False,
        "large": False,
        "joined_at": stamp(world.channels[world.general].created),
        "member_count": 1 + len(world.people),
        "members": [member_with_user(world, world.bot_id)],
        "channels": [channel(world, one) for one in places],
        "threads": [channel(world, one) for one in world.active_threads()],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
