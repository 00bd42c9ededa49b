"""The whole visible state as JSON, for the playground's page and for other processes."""

from bridge.playground.discord import limits
from bridge.playground.discord.model import Channel, Json, Message
from bridge.playground.discord.world import World


def snapshot(world: World) -> Json:
    """Places by kind with their messages (oldest first), people, and where the bot is typing."""
    places = {kind: [_place(world, one) for one in world.channels.values() if one.kind == kind] for kind in
              ("text", "forum", "thread", "dm")}  # fmt: skip
    return {
        "bot": {"id": world.bot_id, "name": world.bot_name, "role_id": world.bot_role_id},
        "guild": {"id": world.guild_id, "name": world.guild_name},
        "people": [{"id": one.id, "name": one.name} for one in world.people.values()],
        "channels": [*places["text"], *places["forum"]],
        "threads": places["thread"],
        "dms": places["dm"],
        "typing": [channel_id for channel_id in world.typing if _types(world, channel_id)],
        "rejected": world.rejected,
    }


def _types(world: World, channel_id: str) -> bool:
    """Discord shows typing for some seconds, or until the message arrives."""
    at = world.typing[channel_id][-1]
    if world.clock.monotonic() - at >= limits.TYPING_SECONDS:
        return False
    own = [one for one in world.messages(channel_id) if one.author_id == world.bot_id and one.history]
    return not own or own[-1].history[0][0] < at


def _place(world: World, place: Channel) -> Json:
    return {
        "id": place.id,
        "name": place.name,
        "kind": place.kind,
        "parent_id": place.parent_id,
        "person_id": place.person_id or None,
        "archived": place.archived,
        "locked": place.locked,
        "messages": [_message(one) for one in world.messages(place.id)],
    }


def _message(one: Message) -> Json:
    return {
        "id": one.id,
        "author_id": one.author_id,
        "author_name": one.author_name,
        "is_bot": one.is_bot,
        "content": one.content,
        "kind": one.kind,
        "at": one.created.isoformat(),
        "edited": None if one.edited is None else one.edited.isoformat(),
        "reply_to": one.reference,
        "reactions": [{"emoji": emoji, "users": list(users)} for emoji, users in one.reactions.items()],
        "buttons": [
            {"custom_id": each.custom_id, "label": each.label, "style": each.style, "disabled": each.disabled}
            for each in one.buttons
        ],
        "attachments": [
            {"id": file_id, "filename": file.filename, "size": file.size} for file_id, file in one.attachments
        ],
    }
