"""The stand-in Discord as tests and the playground use it: start it, be its people, break it, look at what it was asked."""

from aiohttp import web

from bridge.clock import Clock, SystemClock
from bridge.playground.discord import (
    callbacks,
    commands,
    guilds,
    limits,
    links,
    rest_messages,
    rest_places,
    rest_threads,
    snapshot,
    webhooks,
)
from bridge.playground.discord.control import add_control
from bridge.playground.discord.crowd import Crowd
from bridge.playground.discord.gateway import Gateway
from bridge.playground.discord.interactions import failed
from bridge.playground.discord.model import Guild, Json, Message
from bridge.playground.discord.rest import PREFIX, Rest
from bridge.playground.discord.sessions import Session

_ROUTES = [
    *rest_messages.ROUTES,
    *rest_threads.ROUTES,
    *rest_places.ROUTES,
    *commands.ROUTES,
    *callbacks.ROUTES,
    *webhooks.ROUTES,
]
_LINK_ANSWERS = {"expired": 404, "altered": 403}
"""What the file host has been seen to answer."""


class DiscordServer(Crowd):
    """One server on a loopback port. What people do never meets a rate limit or a fault; what the bot does, does.

    `control`: also answer under /control/ (see `control`), for use from another process.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        heartbeat_milliseconds: int = limits.HEARTBEAT_MILLISECONDS,
        control: bool = False,
    ) -> None:
        super().__init__(SystemClock() if clock is None else clock)
        self.api_url = ""
        self._gateway = Gateway(self, heartbeat_milliseconds)
        self._control = control
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Raises `OSError` when the port is taken. Port 0 takes a free one."""
        app = web.Application(client_max_size=limits.MAX_REQUEST_BYTES)
        Rest(self, _ROUTES).add_to(app)
        app.router.add_get("/attachments/{channel_id}/{file_id}/{name}", self._download)
        self._gateway.add_to(app)
        if self._control:
            add_control(app, self)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        taken = runner.addresses[0][1]
        self.address = f"http://{host}:{taken}"
        self.api_url = self.address + PREFIX
        self.gateway_url = f"ws://{host}:{taken}/gateway/"

    async def stop(self) -> None:
        """Closes every connection and the port. The state stays and may be looked at."""
        if self._runner is None:
            return
        for site in tuple(self._runner.sites):
            await site.stop()
        await self._gateway.close(1001)
        await self._runner.cleanup()
        self._runner = None

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Whoever has a good address may read; no token is wanted."""
        place = request.match_info["channel_id"], request.match_info["file_id"]
        standing = links.judge(self, *place, request.query)
        file = self.attachment(*place)
        if standing != "good" or file is None or file.content is None:
            status = _LINK_ANSWERS.get(standing, 404)
            return web.Response(status=status, text="This content is no longer available.")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.content, content_type="application/octet-stream", headers=headers)

    # Its servers, channels and roles

    async def add_guild(self, name: str, *, bot: bool = True, channels: tuple[str, ...] = ("general",)) -> Guild:
        """Another server with the same people. `bot`: whether the bot is in it."""
        return guilds.add_guild(self, name, bot=bot, channels=channels)

    async def add_guilds(self, count: int, *, channels: int = 20, roles: int = 10) -> None:
        """Many at once, for what a long READY costs."""
        names = tuple(f"channel-{n + 1}" for n in range(channels))
        for n in range(count):
            guilds.add_guild(self, f"Server {n + 1}", bot=True, channels=names, roles=roles)

    async def invite_bot(self, guild_id: str) -> None:
        guilds.invite_bot(self, self.guilds[guild_id])

    async def remove_bot(self, guild_id: str) -> None:
        guilds.remove_bot(self, self.guilds[guild_id])

    def set_boosts(self, tier: int, guild_id: str | None = None) -> None:
        """0 to 3; larger files may be sent from 2 on."""
        if not 0 <= tier < len(limits.FILE_BYTES):
            raise ValueError("there are boost tiers 0 to 3")
        self.guilds[guild_id or self.guild_id].premium_tier = tier

    async def overwrite(self, channel_id: str, target_id: str, *, allow: int = 0, deny: int = 0) -> None:
        """What a channel allows and denies a role, a person, the bot or (by the server's id) everybody."""
        guilds.overwrite(self, channel_id, target_id, allow, deny)

    async def add_role(self, name: str, *members: str, permissions: int = 0, guild_id: str | None = None) -> str:
        """A new role, which these people have from now on. `permissions`: what it adds to everybody's."""
        role_id = guilds.add_role(self, self.guilds[guild_id or self.guild_id], name, permissions)
        for person in members:
            self.member_roles[person] = (*self.member_roles.get(person, ()), role_id)
        return role_id

    async def begin_outage(self) -> None:
        """The server becomes unavailable, while the gateway stays."""
        guilds.begin_outage(self)

    async def end_outage(self) -> None:
        """It is back, and told whole again; what happened meanwhile is not."""
        guilds.end_outage(self)

    # Looking at it

    def snapshot(self) -> Json:
        """JSON-able; see the module `snapshot`."""
        return snapshot.snapshot(self)

    def ephemerals(self, user_id: str | None = None) -> list[Message]:
        """The messages that only one person sees, oldest first; `user_id`: only that person's."""
        return [one for one in self.whispers.values() if user_id in (None, one.seen_by)]

    def failed(self, interaction_id: str) -> bool:
        """Whether who asked was told that the bot did not respond, for want of an answer in time."""
        return failed(self, self.interactions[interaction_id])

    @property
    def sessions(self) -> list[Session]:
        """Those that are connected now."""
        return self._gateway.live()

    async def idle(self, timeout: float = 5.0) -> None:
        """Waits until an identified client is connected and every dispatch so far was written to it.

        Raises `TimeoutError` after `timeout` seconds.
        """
        await self._gateway.idle(timeout)

    # Breaking the gateway

    async def drop_gateways(self, *, forget: bool = False) -> None:
        """Cuts every connection without a close frame. Clients resume and get what they missed; with `forget` their sessions
        are gone, so that they have to identify again and what they missed is never delivered."""
        await self._gateway.drop(forget=forget)

    async def close_gateways(self, code: int) -> None:
        await self._gateway.close(code)

    async def invalidate_sessions(self, resumable: bool = False) -> None:  # noqa: FBT001, FBT002  # as Discord names the flag
        """Not resumable: whatever happens until the client identifies again is never delivered."""
        await self._gateway.invalidate(resumable=resumable)

    async def ask_reconnect(self) -> None:
        """Asks every client to connect again and resume (op 7)."""
        await self._gateway.ask_reconnect()

    def replay_last(self, count: int) -> int:
        """Sends the last `count` dispatches of every connected session once more; returns how many that were."""
        return sum(session.replay_last(count) for session in self.sessions)
