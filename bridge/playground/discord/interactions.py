"""Pressing a button, and the callback with which the bot answers that (docs: interactions/receiving-and-responding)."""

import secrets
from typing import Final

from bridge.playground.discord import limits, payloads
from bridge.playground.discord.components import BUTTON
from bridge.playground.discord.model import FLAG_EPHEMERAL, Interaction, Json, Message
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS
from bridge.playground.discord.reading import read_int, read_text
from bridge.playground.discord.refusals import (
    already_acknowledged,
    empty_message,
    invalid_form,
    unknown_interaction,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.world import Dispatch, World

_COMPONENT: Final = 3
_MESSAGE: Final = 4
_DEFERRED_UPDATE: Final = 6


def press(world: World, message: Message, user_id: str, custom_id: str) -> Interaction:
    """Raises ValueError where there is no such button to press."""
    button = next((one for one in message.buttons if one.custom_id == custom_id), None)
    if button is None or button.disabled:
        raise ValueError("that message has no such button")
    one = Interaction(
        id=world.new_id(),
        token=secrets.token_urlsafe(24),
        channel_id=message.channel_id,
        message_id=message.id,
        user_id=user_id,
        custom_id=custom_id,
        at=world.clock.monotonic(),
    )
    world.interactions[one.id] = one
    in_guild = world.channels[message.channel_id].kind != "dm"
    body = _payload(world, one, message)
    # Interactions need no intent, and carry the message whole.
    world.publish(Dispatch(name="INTERACTION_CREATE", intent=0, in_guild=in_guild, make=lambda _: dict(body)))
    world.changed()
    return one


def _payload(world: World, one: Interaction, message: Message) -> Json:
    place = world.channels[one.channel_id]
    body: Json = {
        "id": one.id,
        "application_id": world.application_id,
        "type": _COMPONENT,
        "token": one.token,
        "version": 1,
        "channel_id": place.id,
        "channel": payloads.channel(world, place),
        "message": payloads.message(world, message, everything=True),
        "data": {"component_type": BUTTON, "custom_id": one.custom_id, "id": 2},
        "app_permissions": str(DEFAULT_PERMISSIONS),
        "locale": "en-US",
        "entitlements": [],
        "attachment_size_limit": limits.MAX_FILE_BYTES,
    }
    if place.kind == "dm":
        return body | {
            "user": payloads.user(world, one.user_id),
            "context": 1,
            "authorizing_integration_owners": {"0": "0"},
        }
    member = payloads.member_with_user(world, one.user_id) | {"permissions": str(DEFAULT_PERMISSIONS)}
    return body | {
        "guild_id": world.guild_id,
        "guild": {"id": world.guild_id, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": member,
        "context": 0,
        "authorizing_integration_owners": {"0": world.guild_id},
    }


def failed(world: World, one: Interaction) -> bool:
    """Whether who pressed has been told "This interaction failed"."""
    return not one.acknowledged and world.clock.monotonic() - one.at > limits.INTERACTION_SECONDS


def answer(world: World, asked: Asked) -> Answer:
    one = world.interactions.get(asked.ids["interaction_id"])
    if one is None or one.token != asked.ids["token"]:
        raise unknown_interaction()
    if one.acknowledged:
        raise already_acknowledged()
    if failed(world, one):
        raise unknown_interaction()
    kind = read_int(asked.body, "type")
    told: Json = {"id": one.id, "type": _COMPONENT}
    resource: Json = {"type": kind}
    if kind == _MESSAGE:
        message = _read_ephemeral(world, one, asked.body.get("data"))
        one.ephemeral = message.content
        told |= {
            "response_message_id": message.id,
            "response_message_loading": False,
            "response_message_ephemeral": True,
        }
        resource["message"] = payloads.message(world, message, everything=True)
    elif kind != _DEFERRED_UPDATE:
        raise invalid_form("type", "PLAYGROUND_UNSUPPORTED", "This stand-in takes callbacks of type 4 and 6 only.")
    one.answer = kind
    world.changed()
    if asked.query.get("with_response") not in ("1", "true"):
        return Answer(status=204)
    return Answer(payload={"interaction": told, "resource": resource})


def _read_ephemeral(world: World, one: Interaction, data: object) -> Message:
    if not isinstance(data, dict):
        raise invalid_form("data", "BASE_TYPE_REQUIRED", "This field is required")
    if not (read_int(data, "flags") or 0) & FLAG_EPHEMERAL:
        raise invalid_form("data.flags", "PLAYGROUND_UNSUPPORTED", "This stand-in answers presses in private only.")
    content = (read_text(data, "content") or "").strip()
    if not content:
        raise empty_message()
    if len(content) > limits.MAX_CONTENT:
        raise invalid_form("data.content", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.MAX_CONTENT} or fewer in length.")
    return Message(
        id=world.new_id(),
        channel_id=one.channel_id,
        author_id=world.bot_id,
        author_name=world.bot_name,
        content=content,
        is_bot=True,
        flags=FLAG_EPHEMERAL,
        created=world.clock.now(),
    )


ROUTES = [
    Route(
        method="POST",
        template="/interactions/{interaction_id}/{token}/callback",
        act=answer,
        has_body=True,
        # Whoever has the interaction's own token may answer it; it counts against no limit of the bot.
        needs_token=False,
    )
]
