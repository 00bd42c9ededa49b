"""What the bot writes after its first answer, with the interaction's token (docs: interactions/receiving-and-responding,
Followup Messages). No permission and no token of the bot is needed; there is a limit of its own for each interaction."""

from dataclasses import replace

from bridge.playground.discord import acts, payloads
from bridge.playground.discord.callbacks import write
from bridge.playground.discord.interactions import is_thinking
from bridge.playground.discord.limits import MAX_USER_FOLLOW_UPS
from bridge.playground.discord.model import (
    FLAG_EPHEMERAL,
    FLAG_LOADING,
    MESSAGE_DEFAULT,
    Interaction,
    Message,
)
from bridge.playground.discord.reading import ANSWER_FLAGS, Edit, NewMessage, read_edit, read_new_message
from bridge.playground.discord.refusals import (
    invalid_webhook_token,
    thread_archived,
    too_many_follow_ups,
    unknown_message,
    unknown_webhook,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.rest_messages import apply_edit
from bridge.playground.discord.world import World

_WEBHOOK = "/webhooks/{application_id}/{token}"
_ORIGINAL = _WEBHOOK + "/messages/@original"
_ONE = _WEBHOOK + "/messages/{message_id}"


def _find(world: World, asked: Asked) -> Interaction:
    found = (one for one in world.interactions.values() if one.token == asked.ids["token"])
    one = next(found, None)
    if one is None or asked.ids["application_id"] != world.application_id:
        raise unknown_webhook()
    if world.clock.monotonic() - one.at > world.token_seconds:
        raise invalid_webhook_token()
    if not one.acknowledged:
        raise unknown_webhook()  # there is none before the first answer
    world.channel(one.channel_id)  # which may have been deleted since
    return one


def _message(one: Interaction, asked: Asked) -> Message:
    wanted = asked.ids.get("message_id")
    if wanted is None:
        found = one.original
    else:
        found = next((each for each in (one.original, *one.follow_ups) if each and each.id == wanted), None)
    if found is None or found.deleted:
        raise unknown_message()
    return found


def follow_up(world: World, asked: Asked) -> Answer:
    one = _find(world, asked)
    place = world.channels[one.channel_id]
    new = read_new_message(asked.body, asked.files, most_bytes=world.file_limit(place), flags_known=ANSWER_FLAGS)
    if "0" not in one.owners and len(one.follow_ups) >= MAX_USER_FOLLOW_UPS:
        raise too_many_follow_ups()
    original = one.original
    if original is not None and is_thinking(one) and not original.deleted:
        # It takes the place of "is thinking", and is seen by whom the deferral said, whatever its own flags say.
        _settle(world, original, new)
        return Answer(payload=payloads.message(world, original, everything=True))
    message = write(world, one, new, kind=MESSAGE_DEFAULT)
    one.follow_ups.append(message)
    return Answer(payload=payloads.message(world, message, everything=True))


def _settle(world: World, original: Message, new: NewMessage) -> None:
    original.allowed_mentions = new.sent_allowed
    kept = original.flags & FLAG_EPHEMERAL
    change = Edit(
        content=new.content,
        allowed=new.allowed,
        rows=new.rows,
        attachments=tuple(("", file) for file in new.attachments),
        flags=new.flags & ~FLAG_EPHEMERAL | kept,
    )
    apply_edit(world, original, change)


def get(world: World, asked: Asked) -> Answer:
    message = _message(_find(world, asked), asked)
    return Answer(payload=payloads.message(world, message, everything=True))


def edit(world: World, asked: Asked) -> Answer:
    message = _message(_find(world, asked), asked)
    place = world.channels[message.channel_id]
    change = read_edit(asked.body, message, asked.files, most_bytes=world.file_limit(place))
    if place.archived:
        raise thread_archived()
    flags = (message.flags if change.flags is None else change.flags) & ~FLAG_LOADING
    apply_edit(world, message, replace(change, flags=flags))
    return Answer(payload=payloads.message(world, message, everything=True))


def delete(world: World, asked: Asked) -> Answer:
    acts.delete_message(world, _message(_find(world, asked), asked))
    return Answer(status=204)


ROUTES = [
    Route(
        method="POST",
        template=_WEBHOOK,
        act=follow_up,
        has_body=True,
        takes_files=True,
        needs_token=False,
        limited_by="token",
    ),
    Route(method="GET", template=_ORIGINAL, act=get, needs_token=False, limited_by="token"),
    Route(
        method="PATCH",
        template=_ORIGINAL,
        act=edit,
        has_body=True,
        takes_files=True,
        needs_token=False,
        limited_by="token",
    ),
    Route(method="DELETE", template=_ORIGINAL, act=delete, needs_token=False, limited_by="token"),
    Route(method="GET", template=_ONE, act=get, needs_token=False, limited_by="token"),
    Route(
        method="PATCH", template=_ONE, act=edit, has_body=True, takes_files=True, needs_token=False, limited_by="token"
    ),
    Route(method="DELETE", template=_ONE, act=delete, needs_token=False, limited_by="token"),
]
