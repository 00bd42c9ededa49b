"""What happens to whole servers: the bot comes and goes, they fall out, roles are made. Messages and channels are in `acts`."""

from bridge.playground.discord import acts, payloads
from bridge.playground.discord.model import Guild, Json
from bridge.playground.discord.permissions import INTENT_GUILDS
from bridge.playground.discord.world import Dispatch, World

_APART = 1 << 22
"""Between the ids of two servers, so that they fall to different shards."""


def _tell(world: World, guild: Guild, name: str, body: Json) -> None:
    world.publish(Dispatch(name=name, intent=INTENT_GUILDS, guild_id=guild.id, make=lambda _: dict(body)))
    world.changed()


def begin_outage(world: World) -> None:
    _tell(world, world.guilds[world.guild_id], "GUILD_DELETE", {"id": world.guild_id, "unavailable": True})
    world.outage = True


def end_outage(world: World) -> None:
    world.outage = False
    guild = world.guilds[world.guild_id]
    _tell(world, guild, "GUILD_CREATE", payloads.guild_create(world, guild))


def add_role(world: World, guild: Guild, name: str, permissions: int) -> str:
    role_id = world.new_id()
    world.role_permissions[role_id] = permissions
    guild.roles[role_id] = name
    if guild.bot_in:
        body: Json = {"guild_id": guild.id, "role": payloads.role(world, role_id, name)}
        _tell(world, guild, "GUILD_ROLE_CREATE", body)
    return role_id


def add_guild(world: World, name: str, *, bot: bool, channels: tuple[str, ...], roles: int = 0) -> Guild:
    number = str(int(world.guild_id) + len(world.guilds) * _APART)
    guild = Guild(id=number, name=name, bot_role_id=str(int(number) + 1), bot_in=False, created=world.clock.now())
    world.guilds[number] = guild
    for at, each in enumerate(channels):
        world.add_place(str(int(number) + 100 + at), each, "text", guild_id=number)
    guild.roles |= {str(int(number) + 10_000 + at): f"role {at + 1}" for at in range(roles)}
    if bot:
        invite_bot(world, guild)
    return guild


def invite_bot(world: World, guild: Guild) -> None:
    guild.bot_in = True
    body = payloads.guild_create(world, guild)
    _tell(world, guild, "GUILD_CREATE", body)


def remove_bot(world: World, guild: Guild) -> None:
    """Told without `unavailable`, which is how a bot knows that it was removed (docs: topics/gateway-events, Guild Delete)."""
    _tell(world, guild, "GUILD_DELETE", {"id": guild.id})
    guild.bot_in = False


def overwrite(world: World, channel_id: str, target_id: str, allow: int, deny: int) -> None:
    place = world.channels[channel_id]
    if not place.in_guild or place.kind == "thread":
        raise ValueError("only channels of a server have permissions of their own")
    if allow & deny:
        raise ValueError("nothing is both allowed and denied")
    world.overwrites.setdefault(channel_id, {})[target_id] = (allow, deny)
    acts.tell_changed(world, place)
