"""The stand-in Discord as tests and the playground use it: start it, be its people, break it, look at what it was asked."""

from collections.abc import Sequence

from aiohttp import web

from bridge.clock import Clock, SystemClock
from bridge.playground.discord import acts, interactions, limits, rest_messages, rest_places, snapshot
from bridge.playground.discord.control import add_control
from bridge.playground.discord.gateway import Gateway
from bridge.playground.discord.mentions import EVERYTHING, AllowedMentions
from bridge.playground.discord.model import Attachment, Json
from bridge.playground.discord.rest import PREFIX, Rest
from bridge.playground.discord.sessions import Session
from bridge.playground.discord.world import World


class DiscordServer(World):
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
        Rest(self, [*rest_messages.ROUTES, *rest_places.ROUTES, *interactions.ROUTES]).add_to(app)
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
        file = self.attachment(request.match_info["channel_id"], request.match_info["file_id"])
        if file is None or file.content is None:
            return web.Response(status=404, text="This content is no longer available.")
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.content, content_type="application/octet-stream", headers=headers)

    # Being its people

    async def post_as(
        self,
        user_id: str,
        channel_id: str,
        text: str,
        reply_to: str | None = None,
        is_bot: bool = False,  # noqa: FBT001, FBT002  # reads as a word where it is called
        webhook: bool = False,  # noqa: FBT001, FBT002  # as above
        attachments: Sequence[Attachment] = (),
        *,
        ping_reply: bool = True,
    ) -> str:
        """Posts and returns the message's id. A mention of the bot is "<@BOT_ID>".

        `is_bot` and `webhook` post as another bot or a webhook with that person's name. A reply pings whom it replies to,
        as the client does unless told otherwise (`ping_reply`). Raises `KeyError` for an unknown place or person and
        `ValueError` for a text that Discord's own client would not send.
        """
        place = self.channels[channel_id]
        text = text.strip()
        if len(text) > limits.MAX_CONTENT:
            raise ValueError(f"a message has at most {limits.MAX_CONTENT} characters, this one has {len(text)}")
        if not text and not attachments:
            raise ValueError("a message needs text or a file")
        if place.kind == "category":
            raise ValueError("nobody writes in a category")
        if place.kind == "forum":
            raise ValueError("a forum takes posts (open_thread_as), not messages")
        if place.kind == "dm" and user_id != place.person_id:
            raise ValueError("somebody else's direct message channel")
        reference = None if reply_to is None else self._messages[channel_id][reply_to]
        message = acts.create_message(
            self,
            place,
            user_id,
            text,
            allowed=AllowedMentions(parse=EVERYTHING.parse, replied_user=ping_reply),
            reference=reference,
            is_bot=is_bot,
            webhook_id=self.new_id() if webhook else None,
            attachments=tuple(attachments),
        )
        return message.id

    async def edit_as(self, user_id: str, channel_id: str, message_id: str, text: str) -> None:
        message = self._messages[channel_id][message_id]
        if message.author_id != user_id:
            raise ValueError("only its author edits a message")
        text = text.strip()
        if len(text) > limits.MAX_CONTENT:
            raise ValueError(f"a message has at most {limits.MAX_CONTENT} characters, this one has {len(text)}")
        if not text and not message.attachments:
            raise ValueError("a message needs text or a file")
        acts.edit_message(self, message, text, EVERYTHING)

    async def delete_as(self, user_id: str, channel_id: str, message_id: str) -> None:
        """Anybody may delete anything here: the people are moderators."""
        self.name_of(user_id)
        acts.delete_message(self, self._messages[channel_id][message_id])

    async def delete_many_as(self, user_id: str, channel_id: str, message_ids: Sequence[str]) -> None:
        """All at once and told at once, as a moderator's bot does it."""
        self.name_of(user_id)
        messages = [self._messages[channel_id][one] for one in message_ids]
        acts.delete_messages(self, self.channels[channel_id], messages)

    async def press(self, user_id: str, channel_id: str, message_id: str, custom_id: str) -> str:
        """Presses a button and returns the interaction's id (see `interactions`).

        Raises `KeyError` for an unknown message or person and `ValueError` where there is no such button to press.
        """
        self.name_of(user_id)
        return interactions.press(self, self._messages[channel_id][message_id], user_id, custom_id).id

    def failed(self, interaction_id: str) -> bool:
        """Whether who pressed was told "This interaction failed", for want of an answer in time."""
        return interactions.failed(self, self.interactions[interaction_id])

    async def unfurl(self, channel_id: str, message_id: str, title: str = "A page") -> None:
        """Discord adds the preview of a link to a message."""
        acts.unfurl(self, self._messages[channel_id][message_id], {"type": "link", "title": title})

    async def react(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        """Adds a reaction; a second equal one changes nothing and tells nobody."""
        self.name_of(user_id)
        acts.add_reaction(self, self._messages[channel_id][message_id], user_id, emoji)

    async def unreact(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        self.name_of(user_id)
        acts.remove_reaction(self, self._messages[channel_id][message_id], user_id, emoji)

    async def type_as(self, user_id: str, channel_id: str) -> None:
        acts.type_in(self, self.channels[channel_id], user_id)

    async def open_thread_as(
        self, user_id: str, channel_id: str, name: str, *, message_id: str | None = None, text: str = ""
    ) -> str:
        """Starts a thread and returns its id; in a forum `text` is the first message of the post and is needed."""
        place = self.channels[channel_id]
        if place.kind not in ("text", "forum") or (place.kind == "forum") != bool(text):
            raise ValueError("threads start in text channels without a text, and in forums with one")
        if place.kind == "forum":
            return acts.open_post(self, place, user_id, name, text, EVERYTHING).id
        message = None if message_id is None else self._messages[channel_id][message_id]
        return acts.open_thread(self, place, user_id, name, message=message).id

    async def archive_as(self, user_id: str, thread_id: str, *, archived: bool = True, locked: bool = False) -> None:
        self.name_of(user_id)
        thread = self.channels[thread_id]
        thread.locked = locked
        acts.archive(self, thread, archived=archived)

    async def open_dm(self, user_id: str) -> str:
        """The channel in which this person and the bot write to each other, made when there is none."""
        return acts.open_direct(self, user_id).id

    async def add_channel(self, name: str, *, forum: bool = False, category: str | None = None) -> str:
        return acts.add_channel(self, name, "forum" if forum else "text", category).id

    async def add_category(self, name: str) -> str:
        return acts.add_channel(self, name, "category").id

    async def add_role(self, name: str, *members: str) -> str:
        """A new role, which these people have from now on."""
        role_id = acts.add_role(self, name)
        for person in members:
            self.member_roles[person] = (*self.member_roles.get(person, ()), role_id)
        return role_id

    # Looking at it

    def snapshot(self) -> Json:
        """JSON-able; see the module `snapshot`."""
        return snapshot.snapshot(self)

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

    async def begin_outage(self) -> None:
        """The server becomes unavailable, while the gateway stays."""
        acts.begin_outage(self)

    async def end_outage(self) -> None:
        """It is back, and told whole again; what happened meanwhile is not."""
        acts.end_outage(self)

    async def ask_reconnect(self) -> None:
        """Asks every client to connect again and resume (op 7)."""
        await self._gateway.ask_reconnect()

    def replay_last(self, count: int) -> int:
        """Sends the last `count` dispatches of every connected session once more; returns how many that were."""
        return sum(session.replay_last(count) for session in self.sessions)
