"""The whole visible state as JSON, for the playground's page and for other processes."""

from bridge.playground.discord import invoking, limits
from bridge.playground.discord.interactions import failed, is_thinking
from bridge.playground.discord.model import FLAG_VOICE, Channel, Command, Field, Interaction, Json, Message, Modal
from bridge.playground.discord.world import World


def snapshot(world: World) -> Json:
    """Places by kind with their messages (oldest first), people, commands, open forms, and where the bot is typing."""
    places = {
        kind: [_place(world, one) for one in world.channels.values() if one.kind == kind]
        for kind in ("text", "forum", "thread", "dm", "private")
    }
    return {
        "bot": {"id": world.bot_id, "name": world.bot_name, "role_id": world.bot_role_id},
        "guild": {"id": world.guild_id, "name": world.guild_name},
        "guilds": [{"id": one.id, "name": one.name, "bot_in": one.bot_in} for one in world.guilds.values()],
        "people": [
            {"id": one.id, "name": one.name, "installed": one.id in world.installed_for}
            for one in world.people.values()
        ],
        "channels": [*places["text"], *places["forum"]],
        "threads": places["thread"],
        "dms": places["dm"],
        "private": places["private"],
        "commands": [_command(one) for one in world.commands],
        "ephemerals": [_message(one) | {"seen_by": one.seen_by} for one in world.whispers.values()],
        "modals": [_modal(interaction, one) for interaction, one in world.modals.items()],
        "interactions": [_interaction(world, one) for one in world.interactions.values()],
        "typing": [channel_id for channel_id in world.typing if is_typing(world, channel_id)],
        "rejected": world.rejected,
    }


def is_typing(world: World, channel_id: str) -> bool:
    """Discord shows that the bot types for some seconds, or until the message arrives."""
    times = world.typing.get(channel_id)
    if not times or world.clock.monotonic() - times[-1] >= limits.TYPING_SECONDS:
        return False
    own = [one for one in world.messages(channel_id) if one.author_id == world.bot_id and one.history]
    return not own or own[-1].history[0][0] < times[-1]


def _place(world: World, place: Channel) -> Json:
    return {
        "id": place.id,
        "name": place.name,
        "kind": place.kind,
        "guild_id": place.guild_id or None,
        "parent_id": place.parent_id,
        "person_id": place.person_id or None,
        "owner_id": place.owner_id or None,
        "archived": place.archived,
        "locked": place.locked,
        "tags": [{"id": one.id, "name": one.name, "moderated": one.moderated} for one in place.tags],
        "tag_required": place.tag_required,
        "applied_tags": list(place.applied_tags),
        "offered": {person: [one.id for one in invoking.offered(world, place, person)] for person in world.people},
        "messages": [_message(one) for one in world.messages(place.id)],
    }


def _message(one: Message) -> Json:
    return {
        "id": one.id,
        "channel_id": one.channel_id,
        "author_id": one.author_id,
        "author_name": one.author_name,
        "is_bot": one.is_bot,
        "content": one.content,
        "kind": one.kind,
        "at": one.created.isoformat(),
        "edited": None if one.edited is None else one.edited.isoformat(),
        "reply_to": None if one.forwarded is not None else one.reference,
        "forwarded": None if one.forwarded is None else _message(one.forwarded),
        "interaction_id": one.interaction_id or None,
        "voice": bool(one.flags & FLAG_VOICE),
        "flags": one.flags,
        "reactions": [{"emoji": emoji, "users": list(users)} for emoji, users in one.reactions.items()],
        "rows": [
            [
                {
                    "custom_id": each.custom_id,
                    "label": each.label,
                    "style": each.style,
                    "disabled": each.disabled,
                    "emoji": each.emoji,
                    "url": each.url,
                }
                for each in row
            ]
            for row in one.rows
        ],
        "buttons": [
            {"custom_id": each.custom_id, "label": each.label, "style": each.style, "disabled": each.disabled}
            for each in one.buttons
        ],
        "embeds": [dict(each) for each in one.embeds],
        "attachments": [
            {"id": file_id, "filename": file.filename, "size": file.size, "seconds": file.seconds}
            for file_id, file in one.attachments
        ],
    }


def _command(one: Command) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "description": one.description,
        "options": [
            {
                "name": each.name,
                "kind": each.kind,
                "required": each.required,
                "choices": list(each.choices),
                "least": each.least,
                "most": each.most,
            }
            for each in one.options
        ],
    }


def _modal(interaction_id: str, one: Modal) -> Json:
    return {
        "interaction_id": interaction_id,
        "user_id": one.user_id,
        "title": one.title,
        "fields": [{"text": each} if isinstance(each, str) else _field(each) for each in one.fields],
    }


def _field(one: Field) -> Json:
    return {
        "custom_id": one.custom_id,
        "label": one.label,
        "description": one.description,
        "required": one.required,
        "long": one.long,
        "least": one.least,
        "most": one.most,
        "value": one.value,
        "placeholder": one.placeholder,
        "choices": [{"value": value, "label": label} for value, label in one.choices],
    }


def _interaction(world: World, one: Interaction) -> Json:
    """`state`: "asked", "thinking" (only deferred so far), "answered" or "failed"."""
    state = "failed" if failed(world, one) else "asked"
    if one.acknowledged:
        state = "thinking" if is_thinking(one) else "answered"
    return {
        "id": one.id,
        "kind": one.kind,
        "user_id": one.user_id,
        "channel_id": one.channel_id,
        "message_id": one.message_id or None,
        "custom_id": one.custom_id,
        "name": one.name,
        "state": state,
        "answer": one.answer,
    }
