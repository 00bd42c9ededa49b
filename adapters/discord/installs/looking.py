"""What Discord says about how the app is set up, and what the bot may do in a place. Reads only.

All raise a `PlatformError`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from adapters.discord.installs.permissions import ADMINISTRATOR
from adapters.discord.outbound import Rest

_FOR_PEOPLE = "1"
"""Integration type of apps that people install for themselves (API reference, Application Object)."""

_ALL = (1 << 64) - 1

CATEGORY = discord.ChannelType.category
FORUMS = (discord.ChannelType.forum, discord.ChannelType.media)
SPOKEN = (discord.ChannelType.voice, discord.ChannelType.stage_voice)
THREADS = (discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread)
DIRECT = (discord.ChannelType.private, discord.ChannelType.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What stands in the developer portal, as far as a token shows it."""

    endpoint: str
    """Where interactions go instead of the gateway; empty: to the gateway."""
    needs_code_grant: bool
    """Links that add the bot do not work by themselves."""
    for_people: bool | None
    """People may install the app for themselves; None: not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A channel as the bot sees it."""

    name: str
    kind: discord.ChannelType
    server: str
    parent: str
    """Its category, or the channel of a thread."""
    granted: int
    """Permissions of the bot."""
    tags: Sequence[str]
    """Of a forum."""


async def look_at_portal(rest: Rest) -> Portal:
    async def ask(client: discord.Client) -> Portal:
        told: Mapping[str, object] = dict(await client.http.application_info())
        kinds = told.get("integration_types_config")
        return Portal(
            endpoint=str(told.get("interactions_endpoint_url") or ""),
            needs_code_grant=bool(told.get("bot_require_code_grant")),
            for_people=_FOR_PEOPLE in kinds if isinstance(kinds, dict) and kinds else None,
        )

    return await rest.call(ask)


async def server_name(rest: Rest, server: str) -> str:
    """`NotAllowed` or `MessageGone`: the bot is no member."""

    async def ask(client: discord.Client) -> str:
        return (await client.http.get_guild(int(server), with_counts=False))["name"]

    return await rest.call(ask)


async def look_at_channel(rest: Rest, channel: str, me: int) -> Spot:
    """`NotAllowed`: the bot cannot see it; `MessageGone`: there is none."""

    async def ask(client: discord.Client) -> Spot:
        told: Mapping[str, object] = dict(await client.http.get_channel(int(channel)))
        server = str(told.get("guild_id") or "")
        granted = _ALL
        if server:
            guild: Mapping[str, object] = dict(await client.http.get_guild(int(server), with_counts=False))
            member: Mapping[str, object] = dict(await client.http.get_member(int(server), me))
            granted = granted_in(told, guild, member, me)
        return Spot(
            name=str(told.get("name") or ""),
            kind=discord.enums.try_enum(discord.ChannelType, told["type"]),
            server=server,
            parent=str(told.get("parent_id") or ""),
            granted=granted,
            tags=[str(tag["name"]) for tag in _dicts(told.get("available_tags"))],
        )

    return await rest.call(ask)


def granted_in(
    channel: Mapping[str, object], server: Mapping[str, object], member: Mapping[str, object], me: int
) -> int:
    """As Discord's page on permissions computes them. Threads have those of their channel, and list none of their own."""
    everyone = str(server["id"])
    if str(server.get("owner_id")) == str(me):
        return _ALL
    held = member.get("roles")
    roles = {everyone, *map(str, held if isinstance(held, list) else [])}
    granted = 0
    for role in _dicts(server.get("roles")):
        if str(role["id"]) in roles:
            granted |= int(str(role["permissions"]))
    if granted & ADMINISTRATOR:
        return _ALL
    written = {str(one["id"]): (int(str(one["allow"])), int(str(one["deny"]))) for one in _overwrites(channel)}
    # Everybody first, then all roles together, then the bot itself.
    for ids in ({everyone}, roles - {everyone}, {str(me)}):
        allow = deny = 0
        for one in ids & written.keys():
            allow |= written[one][0]
            deny |= written[one][1]
        granted = granted & ~deny | allow
    return granted


def _overwrites(channel: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    return _dicts(channel.get("permission_overwrites"))


def _dicts(value: object) -> Sequence[Mapping[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
