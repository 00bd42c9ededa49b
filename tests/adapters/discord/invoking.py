"""Commands that people use, and the first answer to them, without anybody listening: what is tested here is what follows."""

from typing import Literal

import aiohttp
import discord

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.addresses import ask_address, hook_address, hush_address, pick_address
from adapters.discord.inbound import DISCORD
from adapters.discord.outbound import Outbound
from adapters.discord.writing.hooks import Hooks, Waiting
from bridge.messages import (
    Address,
    ChannelId,
    ConversationKey,
    InstallationId,
    PaceGroup,
    PersonId,
    ReplyTarget,
    ThreadId,
)
from bridge.playground.discord import DiscordServer

_COMMANDS = [
    {
        "name": "ask",
        "type": 1,
        "description": "Ask the app",
        "options": [{"name": "question", "description": "What to ask", "type": 3, "required": True}],
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
    }
]

EPHEMERAL = 64


def mouth(platform: DiscordPlatform) -> Outbound:
    return platform._outbound


def hooks(platform: DiscordPlatform) -> Hooks:
    return mouth(platform).hooks


async def register(server: DiscordServer, platform: DiscordPlatform) -> None:
    async def put(client: discord.Client) -> None:
        await client.http.bulk_upsert_global_commands(int(server.application_id), _COMMANDS)

    await mouth(platform).rest.call(put)


async def invoke(
    server: DiscordServer,
    platform: DiscordPlatform,
    *,
    channel: str = "",
    person: str = "",
    waiting: Waiting = Waiting.PUBLIC,
    answer: bool = True,
    keep: bool = True,
) -> int:
    """Somebody uses /ask, and the bot defers. Returns the interaction's number."""
    if not server.commands:
        await register(server, platform)
    number = await server.command(person or server.ada, channel or server.general, "ask", {"question": "What is up?"})
    if keep:
        keep_token(server, platform, int(number), waiting)
    if answer:
        await defer(server, int(number), EPHEMERAL if waiting is Waiting.PRIVATE else 0)
        hooks(platform).answered(int(number))
    return int(number)


def keep_token(
    server: DiscordServer, platform: DiscordPlatform, interaction: int, waiting: Waiting | None = Waiting.PUBLIC
) -> None:
    hooks(platform).keep(
        interaction,
        application=int(server.application_id),
        token=server.interactions[str(interaction)].token,
        waiting=waiting,
    )


async def defer(server: DiscordServer, interaction: int, flags: int = 0) -> None:
    token = server.interactions[str(interaction)].token
    url = f"{server.api_url}/interactions/{interaction}/{token}/callback"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, json={"type": 5, "data": {"flags": flags}}) as response,
    ):
        assert response.status == 204, await response.text()


def target(
    server: DiscordServer,
    interaction: int,
    manner: Literal["ask", "pick", "hook", "hush"],
    *,
    message: int = 0,
    channel: str = "",
) -> ReplyTarget:
    place = int(channel or server.general)
    addresses: dict[str, Address] = {
        "ask": ask_address(place, interaction),
        "pick": pick_address(place, message, interaction),
        "hook": hook_address(interaction),
        "hush": hush_address(interaction),
    }
    alone = manner in ("hook", "hush")
    group = PaceGroup(f"{manner}/{interaction}" if alone else str(place))
    return ReplyTarget(
        platform=DISCORD,
        conversation=ConversationKey(
            platform=DISCORD,
            installation=InstallationId(server.guild_id),
            channel=ChannelId(str(place)),
            thread=ThreadId("" if manner == "hook" else str(message or interaction)),
            person=PersonId(server.ada if manner == "hook" else ""),
        ),
        address=addresses[manner],
        post_group=group,
        edit_group=group,
        opens_thread=not alone,
        private=manner == "hush",
    )
