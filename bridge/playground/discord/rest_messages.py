"""Routes under a channel's messages: create, edit, delete, read, react, and the thread that hangs under a message."""

from bridge.playground.discord import acts, limits, payloads
from bridge.playground.discord.components import is_emoji
from bridge.playground.discord.model import (
    EDITABLE,
    Channel,
    Json,
    Message,
)
from bridge.playground.discord.permissions import (
    ADD_REACTIONS,
    ATTACH_FILES,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
)
from bridge.playground.discord.reading import (
    Edit,
    Reference,
    is_snowflake,
    read_edit,
    read_new_message,
)
from bridge.playground.discord.refusals import (
    blocked_by_person,
    invalid_form,
    missing_access,
    missing_permissions,
    not_a_text_channel,
    not_the_author,
    reply_without_history,
    system_message,
    thread_archived,
    thread_locked,
    too_many_old_edits,
    too_many_reactions,
    unknown_emoji,
    unknown_user,
    wrong_for_dm,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.world import World

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
_REACTION = _MESSAGE + "/reactions/{emoji}"


def visible_channel(world: World, channel_id: str) -> Channel:
    place = world.channel(channel_id)
    if not world.sees(place):
        raise missing_access()
    return place


def need(world: World, place: Channel, bit: int) -> None:
    """In direct messages nothing needs a permission."""
    if place.in_guild and not world.allowed(place) & bit:
        raise missing_permissions()


def _need_sending(world: World, place: Channel) -> None:
    if place.kind in ("forum", "category"):
        raise not_a_text_channel()
    if place.kind == "dm" and place.person_id in world.dm_blocked:
        raise blocked_by_person()
    need(world, place, SEND_MESSAGES_IN_THREADS if place.kind == "thread" else SEND_MESSAGES)
    if place.locked and not world.allowed(place) & MANAGE_THREADS:
        raise thread_locked()


def _show(world: World, message: Message, *, with_nonce: bool = False) -> Json:
    # Over REST it is the portal's switch that counts, not what the gateway session asked for.
    return payloads.message(world, message, everything=world.message_content_allowed, with_nonce=with_nonce)


def create(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    new = read_new_message(asked.body, asked.files, most_bytes=world.file_limit(place))
    _need_sending(world, place)
    if new.attachments:
        need(world, place, ATTACH_FILES)
    if new.nonce is not None and new.enforce_nonce:
        first = world.find_nonce(place.id, world.bot_id, new.nonce)
        if first is not None:
            return Answer(payload=_show(world, first, with_nonce=True))
    message = acts.create_message(
        world,
        place,
        world.bot_id,
        new.content,
        allowed=new.allowed,
        sent_allowed=new.sent_allowed,
        reference=_resolve(world, place, new.reference),
        nonce=new.nonce,
        flags=new.flags,
        attachments=new.attachments,
        rows=new.rows,
    )
    return Answer(payload=_show(world, message, with_nonce=True))


def _resolve(world: World, place: Channel, reference: Reference | None) -> Message | None:
    if reference is None:
        return None
    if not (place.kind == "dm" or world.allowed(place) & READ_MESSAGE_HISTORY):
        raise reply_without_history()
    if reference.channel_id not in (None, place.id):
        raise invalid_form(
            "message_reference",
            "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL",
            "Cannot reply to a message in another channel",
        )
    target = world.find_message(place.id, reference.message_id)
    if target is None and reference.fail_if_not_exists:
        raise invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    if target is not None and target.kind not in EDITABLE:
        raise invalid_form(
            "message_reference", "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", "Cannot reply to a system message"
        )
    return target


def edit(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    message = world.message(place.id, asked.ids["message_id"])
    change = read_edit(asked.body, message, asked.files, most_bytes=world.file_limit(place))
    if message.author_id != world.bot_id:
        raise not_the_author()
    if message.kind not in EDITABLE:
        raise system_message()
    if place.archived:
        raise thread_archived()
    age = (world.clock.now() - message.created).total_seconds()
    if world.old_edits_refused and age > limits.OLD_MESSAGE_SECONDS:
        raise too_many_old_edits()
    if asked.files:
        need(world, place, ATTACH_FILES)
    apply_edit(world, message, change)
    return Answer(payload=_show(world, message))


def apply_edit(world: World, message: Message, change: Edit) -> None:
    acts.edit_message(
        world,
        message,
        change.content,
        change.allowed,
        rows=change.rows,
        attachments=change.attachments,
        flags=change.flags,
    )


def delete(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    message = world.message(place.id, asked.ids["message_id"])
    if message.author_id != world.bot_id:
        if place.kind == "dm":
            raise wrong_for_dm()
        need(world, place, MANAGE_MESSAGES)
    if place.archived:
        raise thread_archived()
    acts.delete_message(world, message)
    return Answer(status=204)


def get_one(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    need(world, place, READ_MESSAGE_HISTORY)
    return Answer(payload=_show(world, world.message(place.id, asked.ids["message_id"])))


def get_many(world: World, asked: Asked) -> Answer:
    """Newest first. Without permission to read the history the list is empty, as on Discord."""
    place = visible_channel(world, asked.ids["channel_id"])
    if place.kind in ("forum", "category"):
        raise not_a_text_channel()
    limit = read_limit(asked, limits.DEFAULT_PAGE)
    anchors = {key: _read_anchor(asked, key) for key in ("before", "after", "around") if key in asked.query}
    if len(anchors) > 1:
        raise invalid_form(next(iter(anchors)), "BASE_TYPE_CHOICES", "before, after and around are mutually exclusive.")
    if place.kind != "dm" and not world.allowed(place) & READ_MESSAGE_HISTORY:
        return Answer(payload=[])
    found = world.messages(place.id)
    if "before" in anchors:
        found = [one for one in found if int(one.id) < anchors["before"]]
    if "after" in anchors:
        found = [one for one in found if int(one.id) > anchors["after"]][:limit]
    if "around" in anchors:
        older = [one for one in found if int(one.id) < anchors["around"]]
        rest = [one for one in found if int(one.id) >= anchors["around"]]
        found = older[max(0, len(older) - limit // 2) :] + rest[: limit - limit // 2]
    return Answer(payload=[_show(world, one) for one in reversed(found[-limit:])])


def read_limit(asked: Asked, default: int, most: int = limits.MAX_PAGE) -> int:
    raw = asked.query.get("limit", str(default))
    if not (raw.isascii() and raw.isdecimal()) or not 1 <= int(raw) <= most:
        raise invalid_form("limit", "NUMBER_TYPE_MAX", f"int value should be between 1 and {most}.")
    return int(raw)


def _read_anchor(asked: Asked, key: str) -> int:
    raw = asked.query[key]
    if not is_snowflake(raw):
        raise invalid_form(key, "NUMBER_TYPE_COERCE", f'Value "{raw}" is not snowflake.')
    return int(raw)


def react(world: World, asked: Asked) -> Answer:
    place, message, emoji = _read_reaction(world, asked)
    need(world, place, READ_MESSAGE_HISTORY)
    if place.archived:
        raise thread_archived()
    if emoji not in message.reactions:
        need(world, place, ADD_REACTIONS)
        if len(message.reactions) >= limits.MAX_REACTION_KINDS:
            raise too_many_reactions()
    acts.add_reaction(world, message, world.bot_id, emoji)
    return Answer(status=204)


def unreact(world: World, asked: Asked) -> Answer:
    place, message, emoji = _read_reaction(world, asked)
    user_id = asked.ids.get("user_id", world.bot_id)
    if user_id != world.bot_id:
        need(world, place, MANAGE_MESSAGES)
        if user_id not in world.people:
            raise unknown_user()
    if place.archived:
        raise thread_archived()
    acts.remove_reaction(world, message, user_id, emoji)
    return Answer(status=204)


def get_reactions(world: World, asked: Asked) -> Answer:
    place, message, emoji = _read_reaction(world, asked)
    need(world, place, READ_MESSAGE_HISTORY)
    limit = read_limit(asked, limits.DEFAULT_REACTION_PAGE)
    after = _read_anchor(asked, "after") if "after" in asked.query else 0
    users = sorted((one for one in message.reactions.get(emoji, []) if int(one) > after), key=int)
    return Answer(payload=[payloads.user(world, one) for one in users[:limit]])


def _read_reaction(world: World, asked: Asked) -> tuple[Channel, Message, str]:
    place = visible_channel(world, asked.ids["channel_id"])
    message = world.message(place.id, asked.ids["message_id"])
    emoji = asked.ids["emoji"]
    if not is_emoji(emoji):
        raise unknown_emoji()
    return place, message, emoji


ROUTES = [
    Route(method="POST", template=_MESSAGES, act=create, has_body=True, takes_files=True),
    Route(method="GET", template=_MESSAGES, act=get_many),
    Route(method="GET", template=_MESSAGE, act=get_one),
    Route(method="PATCH", template=_MESSAGE, act=edit, has_body=True, takes_files=True),
    Route(method="DELETE", template=_MESSAGE, act=delete),
    Route(method="PUT", template=_REACTION + "/@me", act=react),
    Route(method="DELETE", template=_REACTION + "/@me", act=unreact),
    Route(method="DELETE", template=_REACTION + "/{user_id}", act=unreact),
    Route(method="GET", template=_REACTION, act=get_reactions),
]
