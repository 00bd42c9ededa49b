"""The bot's first answer to an interaction (docs: interactions/receiving-and-responding, Responding to an Interaction)."""

from collections.abc import Mapping
from typing import Final

from bridge.playground.discord import acts, modals, payloads
from bridge.playground.discord.interactions import failed, find_message, must_whisper
from bridge.playground.discord.mentions import EVERYTHING
from bridge.playground.discord.model import (
    FLAG_EPHEMERAL,
    FLAG_LOADING,
    MESSAGE_COMMAND,
    MESSAGE_CONTEXT_COMMAND,
    MESSAGE_DEFAULT,
    Attachment,
    Interaction,
    InteractionKind,
    Json,
    Message,
)
from bridge.playground.discord.reading import ANSWER_FLAGS, NewMessage, read_edit, read_int, read_new_message
from bridge.playground.discord.refusals import (
    already_acknowledged,
    invalid_form,
    thread_archived,
    thread_locked,
    unknown_interaction,
    unknown_message,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.rest_messages import apply_edit
from bridge.playground.discord.world import World

_MESSAGE: Final = 4
_DEFERRED: Final = 5
_DEFERRED_UPDATE: Final = 6
_UPDATE: Final = 7
_MODAL: Final = 9

_MESSAGE_KINDS: Mapping[InteractionKind, int] = {
    "command": MESSAGE_COMMAND,
    "message_command": MESSAGE_CONTEXT_COMMAND,
    "component": MESSAGE_DEFAULT,
    "modal": MESSAGE_DEFAULT,
}


def answer(world: World, asked: Asked) -> Answer:
    one = world.interactions.get(asked.ids["interaction_id"])
    if one is None or one.token != asked.ids["token"]:
        raise unknown_interaction()
    if one.acknowledged:
        raise already_acknowledged()
    if failed(world, one):
        raise unknown_interaction()
    world.channel(one.channel_id)  # which may have been deleted since
    kind = read_int(asked.body, "type")
    data = asked.body.get("data")
    if data is not None and not isinstance(data, dict):
        raise invalid_form("data", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    if kind not in _possible(one):
        raise invalid_form("type", "BASE_TYPE_CHOICES", f"Value must be one of {sorted(_possible(one))}.")
    if data is None and kind in (_MESSAGE, _UPDATE, _MODAL):
        raise invalid_form("data", "BASE_TYPE_REQUIRED", "This field is required")
    data = data or {}
    if kind == _MODAL:
        one.modal = world.modals[one.id] = modals.read(data, one.user_id)
    elif kind in (_MESSAGE, _DEFERRED):
        one.original = _say(world, one, data, asked.files, is_deferred=kind == _DEFERRED)
    else:
        one.original = find_message(world, one.channel_id, one.message_id)
        if kind == _UPDATE:
            _update(world, one, data, asked.files)
    one.answer, one.answered_at = kind, world.clock.monotonic()
    world.changed()
    if asked.query.get("with_response") not in ("1", "true"):
        return Answer(status=204)
    return Answer(payload=_show(world, one, kind))


def _possible(one: Interaction) -> set[int]:
    kinds = {_MESSAGE, _DEFERRED}
    if one.message_id and one.kind in ("component", "modal"):
        kinds |= {_DEFERRED_UPDATE, _UPDATE}
    return kinds if one.kind == "modal" else kinds | {_MODAL}


def _say(world: World, one: Interaction, data: Json, files: Mapping[int, Attachment], *, is_deferred: bool) -> Message:
    place = world.channels[one.channel_id]
    if is_deferred:
        if (read_int(data, "flags") or 0) & ~ANSWER_FLAGS:
            raise invalid_form("data.flags", "FLAGS_INVALID", "Some of these flags cannot be sent here.")
        flags = (read_int(data, "flags") or 0) & FLAG_EPHEMERAL | FLAG_LOADING
        new = NewMessage(
            content="",
            allowed=EVERYTHING,
            sent_allowed=None,
            nonce=None,
            enforce_nonce=False,
            flags=flags,
            reference=None,
            attachments=(),
            rows=(),
        )
    else:
        new = read_new_message(data, files, most_bytes=world.file_limit(place), flags_known=ANSWER_FLAGS)
    return write(world, one, new, kind=_MESSAGE_KINDS[one.kind])


def write(world: World, one: Interaction, new: NewMessage, *, kind: int) -> Message:
    """What the bot writes with an interaction's token, seen by all or by who asked. It needs no permission to send."""
    place = world.channels[one.channel_id]
    flags = new.flags | (FLAG_EPHEMERAL if must_whisper(world, one) else 0)
    if place.locked and not flags & FLAG_EPHEMERAL:
        raise thread_locked()
    return acts.create_message(
        world,
        place,
        world.bot_id,
        new.content,
        allowed=new.allowed,
        sent_allowed=new.sent_allowed,
        kind=kind,
        flags=flags,
        webhook_id=world.application_id,
        attachments=new.attachments,
        rows=new.rows,
        seen_by=one.user_id if flags & FLAG_EPHEMERAL else "",
        interaction_id=one.id,
    )


def _update(world: World, one: Interaction, data: Json, files: Mapping[int, Attachment]) -> None:
    place, message = world.channels[one.channel_id], one.original
    if message is None:
        raise unknown_message()
    if place.archived:
        raise thread_archived()
    apply_edit(world, message, read_edit(data, message, files, most_bytes=world.file_limit(place)))


def _show(world: World, one: Interaction, kind: int) -> Json:
    told: Json = {"id": one.id, "type": payloads.INTERACTION_TYPES[one.kind]}
    resource: Json = {"type": kind}
    if one.original is not None and kind != _DEFERRED_UPDATE:
        told |= {
            "response_message_id": one.original.id,
            "response_message_loading": bool(one.original.flags & FLAG_LOADING),
            "response_message_ephemeral": bool(one.original.flags & FLAG_EPHEMERAL),
        }
        resource["message"] = payloads.message(world, one.original, everything=True)
    return {"interaction": told, "resource": resource}


ROUTES = [
    Route(
        method="POST",
        template="/interactions/{interaction_id}/{token}/callback",
        act=answer,
        has_body=True,
        takes_files=True,
        # Whoever has the interaction's own token may answer it; it counts against no limit of the bot.
        needs_token=False,
        limited_by="nothing",
    )
]
