"""The JSON of Discord's objects, with the fields that clients read (docs: resources/*). Reads the world, changes nothing."""

from datetime import datetime

from bridge.playground.discord import components, links
from bridge.playground.discord.model import FLAG_SNAPSHOT, Attachment, Channel, Guild, Json, Message
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS
from bridge.playground.discord.world import World

CHANNEL_TYPES = {"text": 0, "dm": 1, "private": 3, "category": 4, "thread": 11, "forum": 15}
"""Docs: resources/channel, Channel Types."""

INTERACTION_TYPES = {"command": 2, "message_command": 2, "component": 3, "modal": 5}
"""Docs: interactions/receiving-and-responding, Interaction Type."""

_REQUIRE_TAG = 1 << 4
"""Channel flag of a forum whose posts need a tag."""

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


def member(world: World, user_id: str, guild_id: str) -> Json:
    """A member without its `user`, as messages carry it."""
    return {
        "roles": list(world.roles_of(user_id, guild_id)),
        "joined_at": stamp(world.joined(guild_id)),
        "nick": None,
        "avatar": None,
        "premium_since": None,
        "communication_disabled_until": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def member_with_user(world: World, user_id: str, guild_id: str) -> Json:
    return {**member(world, user_id, guild_id), "user": user(world, user_id)}


def channel(world: World, place: Channel) -> Json:
    body: Json = {
        "id": place.id,
        "type": CHANNEL_TYPES[place.kind],
        "flags": _REQUIRE_TAG if place.tag_required else 0,
    }
    if place.kind != "category":
        body["last_message_id"] = next((one.id for one in reversed(world.messages(place.id))), None)
    if place.kind == "dm":
        return {**body, "recipients": [user(world, place.person_id)]}
    if place.kind == "private":
        people = [user(world, one) for one in place.member_ids]
        return {**body, "name": place.name, "icon": None, "owner_id": place.member_ids[0], "recipients": people}
    body |= {"guild_id": place.guild_id, "name": place.name, "parent_id": place.parent_id, "rate_limit_per_user": 0}
    if place.kind == "thread":
        return {**body, **_thread_fields(world, place)}
    return {
        **body,
        "position": 0,
        "nsfw": False,
        "topic": None,
        "available_tags": [
            {"id": one.id, "name": one.name, "moderated": one.moderated, "emoji_id": None, "emoji_name": None}
            for one in place.tags
        ],
        "permission_overwrites": _overwrites(world, place),
    }


def _thread_fields(world: World, place: Channel) -> Json:
    count = len(world.messages(place.id))
    fields: Json = {
        "owner_id": place.owner_id,
        "applied_tags": list(place.applied_tags),
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
    known = dict(world.overwrites.get(place.id, {}))
    bits = world.permissions.get(place.id)
    if bits is not None:
        role_id = world.guilds[place.guild_id].bot_role_id
        known = {role_id: (bits & ~DEFAULT_PERMISSIONS, DEFAULT_PERMISSIONS & ~bits)}
    return [
        {"id": one, "type": int(one in world.known_people()), "allow": str(allow), "deny": str(deny)}
        for one, (allow, deny) in known.items()
    ]


def readable(world: World, message: Message) -> bool:
    """Whether its content is shown without the Message Content intent (docs: topics/gateway, Message Content Intent)."""
    return (
        not world.channels[message.channel_id].in_guild
        or message.author_id == world.bot_id
        or world.bot_id in message.mentions
    )


def message(world: World, one: Message, *, everything: bool, nested: bool = False, with_nonce: bool = False) -> Json:
    """A message as REST returns it. `everything`: the reader has the Message Content intent. `with_nonce`: only who creates
    a message and who hears of it at the gateway is told its nonce."""
    shown = everything or readable(world, one)
    guild_id = world.channels[one.channel_id].guild_id
    body: Json = {
        "id": one.id,
        "channel_id": one.channel_id,
        "author": user(world, one.webhook_id or one.author_id, name=one.author_name, is_bot=one.is_bot),
        "tts": False,
        "mention_everyone": one.mention_everyone,
        "pinned": False,
        **_substance(world, one, shown=shown),
    }
    if guild_id:
        body["mentions"] = [
            user(world, user_id) | {"member": member(world, user_id, guild_id)} for user_id in one.mentions
        ]
    if one.reactions:
        body["reactions"] = [_reaction(world, emoji, users) for emoji, users in one.reactions.items()]
    if with_nonce and one.nonce is not None:
        body["nonce"] = one.nonce
    if one.webhook_id is not None:
        body["webhook_id"] = one.webhook_id
    if one.interaction_id:
        body |= _origin(world, one)
    thread = world.channels.get(one.id)
    if thread is not None and thread.id != one.channel_id:  # a forum post's first message is not above its thread
        body["thread"] = channel(world, thread)
    return body | _references(world, one, everything=everything, shown=shown, nested=nested)


def _substance(world: World, one: Message, *, shown: bool) -> Json:
    """What a forwarded message has too."""
    return {
        "type": one.kind,
        "content": one.content if shown else "",
        "timestamp": stamp(one.created),
        "edited_timestamp": None if one.edited is None else stamp(one.edited),
        "flags": one.flags | (FLAG_SNAPSHOT if one.forwarded is not None else 0),
        "mentions": [user(world, user_id) for user_id in one.mentions],
        "mention_roles": list(one.mention_roles),
        "attachments": _attachments(world, one) if shown else [],
        "embeds": list(one.embeds) if shown else [],
        "components": components.shown(one.rows) if shown else [],
    }


def _references(world: World, one: Message, *, everything: bool, shown: bool, nested: bool) -> Json:
    """What the message replies to, hangs under or passes on. Discord follows one reference, never a chain."""
    if one.reference_channel is None:
        return {}
    guild_id = world.channels[one.reference_channel].guild_id
    reference: Json = {"type": 0 if one.forwarded is None else 1, "channel_id": one.reference_channel}
    if guild_id:
        reference["guild_id"] = guild_id
    if one.reference is not None:
        reference["message_id"] = one.reference
    body: Json = {"message_reference": reference}
    if one.forwarded is not None:
        # Hidden with the rest of the content without the intent. The docs do not list it; this is the careful reading.
        snapshot = _substance(world, one.forwarded, shown=shown)
        return body | {"message_snapshots": [{"message": snapshot}]}
    if one.reference is not None and one.resolved and not nested:
        target = world.find_message(one.reference_channel, one.reference)
        body["referenced_message"] = (
            None if target is None else message(world, target, everything=everything, nested=True)
        )
    return body


def _origin(world: World, one: Message) -> Json:
    """Which interaction a message answers."""
    asked = world.interactions[one.interaction_id]
    metadata: Json = {
        "id": asked.id,
        "type": INTERACTION_TYPES[asked.kind],
        "user": user(world, asked.user_id),
        "authorizing_integration_owners": asked.owners,
    }
    if asked.kind == "component":
        metadata["interacted_message_id"] = asked.message_id
    if asked.kind == "message_command":
        metadata["target_message_id"] = asked.message_id
    return {"application_id": world.application_id, "interaction_metadata": metadata}


def dispatched_message(world: World, one: Message, *, everything: bool) -> Json:
    """A message as the gateway carries it: with its server and the author's membership."""
    body = message(world, one, everything=everything, with_nonce=True)
    guild_id = world.channels[one.channel_id].guild_id
    if guild_id:
        body["guild_id"] = guild_id
        if one.webhook_id is None:
            body["member"] = member(world, one.author_id, guild_id)
    return body


def _attachments(world: World, one: Message) -> list[Json]:
    return [attachment(world, one.channel_id, file_id, file) for file_id, file in one.attachments]


def attachment(world: World, channel_id: str, file_id: str, file: Attachment) -> Json:
    """With an address that is good from now on for a while; every time it is told it is a new one."""
    address = links.sign(world, channel_id, file_id, file.filename)
    body: Json = {
        "id": file_id,
        "filename": file.filename,
        "size": file.size,
        "url": address,
        "proxy_url": address,
    }
    if file.typed:
        body["content_type"] = file.content_type
    if file.seconds is not None:
        body |= {"duration_secs": file.seconds, "waveform": file.waveform or ""}
    return body


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
        "approximate_guild_count": sum(one.bot_in for one in world.guilds.values()),
        "approximate_user_install_count": len(world.installed_for),
        "integration_types_config": {"0": {}, "1": {}},
    }


def guild(world: World, one: Guild) -> Json:
    bits = world.permissions.get(one.id, DEFAULT_PERMISSIONS)
    everyone = role(world, one.id, "@everyone", position=0, permissions=bits)
    own = role(world, one.bot_role_id, world.bot_name, position=1, permissions=bits)
    own |= {"managed": True, "mentionable": True, "tags": {"bot_id": world.bot_id}}
    others = [role(world, role_id, name) for role_id, name in one.roles.items()]
    return {
        "id": one.id,
        "name": one.name,
        "owner_id": world.ada,
        "icon": None,
        "features": [],
        "roles": [everyone, own, *others] if one.bot_in else [everyone, *others],
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": one.premium_tier,
        "system_channel_flags": 0,
        "system_channel_id": None,
        "afk_timeout": 300,
    }


def role(world: World, role_id: str, name: str, *, position: int = 2, permissions: int | None = None) -> Json:
    bits = DEFAULT_PERMISSIONS | world.role_permissions.get(role_id, 0) if permissions is None else permissions
    return {
        "id": role_id,
        "name": name,
        "permissions": str(bits),
        "position": position,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "color": 0,
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def guild_create(world: World, one: Guild) -> Json:
    """The whole server, as sent after READY. Without the presence intent its only listed member is the bot."""
    places = [world.channels[number] for number in one.channel_ids]
    return {
        **guild(world, one),
        "unavailable": False,
        "large": False,
        "joined_at": stamp(world.joined(one.id)),
        "member_count": 1 + len(world.people),
        "members": [member_with_user(world, world.bot_id, one.id)],
        "channels": [channel(world, place) for place in places if place.kind != "thread"],
        "threads": [channel(world, place) for place in world.active_threads(one.id)],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
