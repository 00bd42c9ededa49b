"""What people ask of the bot through Discord's own surfaces: how an interaction is made and told, and the press of a button.

Docs: interactions/receiving-and-responding. Commands are in `invoking`, forms in `modals`; what the bot answers in `callbacks`
and `webhooks`.
"""

import secrets

from bridge.playground.discord import components, limits, payloads
from bridge.playground.discord.model import FLAG_LOADING, Channel, Interaction, InteractionKind, Json, Message
from bridge.playground.discord.permissions import USE_EXTERNAL_APPS
from bridge.playground.discord.selects import SELECT
from bridge.playground.discord.world import Dispatch, World


def begin(
    world: World,
    place: Channel,
    user_id: str,
    kind: InteractionKind,
    *,
    owners: Json,
    message_id: str = "",
    custom_id: str = "",
    name: str = "",
    opened_by: str = "",
) -> Interaction:
    one = Interaction(
        id=world.new_id(),
        token=secrets.token_urlsafe(24),
        kind=kind,
        channel_id=place.id,
        user_id=user_id,
        owners=owners,
        message_id=message_id,
        custom_id=custom_id,
        name=name,
        opened_by=opened_by,
        at=world.clock.monotonic(),
    )
    world.interactions[one.id] = one
    return one


def tell(world: World, one: Interaction, data: Json, *, message: Message | None = None) -> None:
    """Interactions need no intent, and carry a message whole."""
    place = world.channels[one.channel_id]
    body = _envelope(world, one, place) | {"data": data}
    if message is not None:
        body["message"] = payloads.message(world, message, everything=True)
    world.publish(Dispatch(name="INTERACTION_CREATE", intent=0, guild_id=place.guild_id, make=lambda _: dict(body)))
    world.changed()


def _envelope(world: World, one: Interaction, place: Channel) -> Json:
    body: Json = {
        "id": one.id,
        "application_id": world.application_id,
        "type": payloads.INTERACTION_TYPES[one.kind],
        "token": one.token,
        "version": 1,
        "channel_id": place.id,
        "channel": payloads.channel(world, place),
        "app_permissions": str(world.allowed(place)),
        "locale": "en-US",
        "entitlements": [],
        "attachment_size_limit": world.file_limit(place),
        "authorizing_integration_owners": one.owners,
    }
    if not place.in_guild:
        return body | {"user": payloads.user(world, one.user_id), "context": 1 if place.kind == "dm" else 2}
    member = payloads.member_with_user(world, one.user_id, place.guild_id)
    return body | {
        "guild_id": place.guild_id,
        "guild": {"id": place.guild_id, "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "member": member | {"permissions": str(world.allowed_for(one.user_id, place))},
        "context": 0,
    }


def find_owners(world: World, place: Channel, user_id: str) -> Json:
    """By which installations the app is there for this person: "0" the server's (its id; "0" in direct messages with the bot),
    "1" the person's own."""
    owners: Json = {}
    if place.in_guild and world.guilds[place.guild_id].bot_in:
        owners["0"] = place.guild_id
    if place.kind == "dm":
        owners["0"] = "0"
    if user_id in world.installed_for:
        owners["1"] = user_id
    return owners


def press(world: World, message: Message, user_id: str, custom_id: str, value: str = "") -> Interaction:
    """`value`: what is chosen in a menu. Raises ValueError where there is no such button to press, or nothing to choose."""
    place = world.channels[message.channel_id]
    if message.seen_by not in ("", user_id) or not world.person_sees(user_id, place):
        raise ValueError("that person does not see this message")
    button = next((one for one in message.buttons if one.custom_id == custom_id and not one.url), None)
    if button is None or button.disabled:
        raise ValueError("that message has no such button")
    if button.choices and value not in dict(button.choices):
        raise ValueError("that cannot be chosen there")
    # A message keeps the installations that it was written by.
    origin = world.interactions.get(message.interaction_id)
    owners = find_owners(world, place, user_id) if origin is None else origin.owners
    one = begin(world, place, user_id, "component", owners=owners, message_id=message.id, custom_id=custom_id)
    number = components.number_of(message.rows, custom_id)
    data: Json = {"component_type": components.BUTTON, "custom_id": custom_id, "id": number}
    if button.choices:
        data |= {"component_type": SELECT, "values": [value]}
    tell(world, one, data, message=message)
    return one


def failed(world: World, one: Interaction) -> bool:
    """Whether who asked has been told "The application did not respond", for want of an answer in time."""
    return not one.acknowledged and world.clock.monotonic() - one.at > limits.INTERACTION_SECONDS


def find_message(world: World, channel_id: str, message_id: str) -> Message | None:
    """One that everybody sees, or one that only one person does."""
    whispered = world.whispers.get(message_id)
    if whispered is not None and whispered.channel_id == channel_id:
        return whispered
    return world.find_message(channel_id, message_id)


def is_thinking(one: Interaction) -> bool:
    """Whether the answer so far is only that there will be one."""
    return one.original is not None and bool(one.original.flags & FLAG_LOADING)


def must_whisper(world: World, one: Interaction) -> bool:
    """Where the app is there only for who asked, a server can keep its answers from the others (docs: topics/permissions,
    USE_EXTERNAL_APPS)."""
    place = world.channels[one.channel_id]
    return "0" not in one.owners and not world.allowed_for(one.user_id, place) & USE_EXTERNAL_APPS
