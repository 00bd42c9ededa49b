"""The stand-in Slack: one port with the Web API, Socket Mode and the control API, and what a test or a page does to it."""

from collections.abc import Callable, Sequence
from random import Random

from aiohttp import web

from bridge.clock import Clock, SystemClock
from bridge.playground.slack import events, limits
from bridge.playground.slack.callbacks import SIGNING_SECRET, Callbacks
from bridge.playground.slack.content import escape_loose
from bridge.playground.slack.control import control_routes
from bridge.playground.slack.delivery import Deliveries, Transport
from bridge.playground.slack.interactions import Interactions, buttons_under
from bridge.playground.slack.methods import APP_TOKEN, BOT_TOKEN
from bridge.playground.slack.model import (
    Call,
    Channel,
    Delivery,
    DisconnectReason,
    Faults,
    File,
    JsonObject,
    Message,
    Person,
    Press,
    Refusal,
    Status,
)
from bridge.playground.slack.snapshot import take_snapshot
from bridge.playground.slack.sockets import Sockets
from bridge.playground.slack.surfaces import Feature
from bridge.playground.slack.web_api import WebApi
from bridge.playground.slack.workspace import Workspace


class SlackServer:
    """A workspace with one app installed in it. People are played by the caller; the bot comes over the wire.

    Nothing here waits for the bot: `post_as` returns when the message stands, `idle` when its events have arrived.
    Methods that play a person raise `ValueError` for what a Slack client would not let a person do.
    """

    bot_token = BOT_TOKEN
    app_token = APP_TOKEN
    signing_secret = SIGNING_SECRET
    bot_user_id = events.BOT_USER_ID
    bot_id = events.BOT_ID
    app_id = events.APP_ID
    team_id = events.TEAM_ID

    def __init__(self, clock: Clock | None = None, events_url: str | None = None) -> None:
        """With `events_url`, events and presses are posted there instead of being sent over Socket Mode."""
        self.clock = clock or SystemClock()
        self.shuffle = Random(1)
        """Decides every order that Slack leaves open. Seed it anew for other orders."""
        self.faults = Faults()
        self.workspace = Workspace(clock=self.clock, shuffle=self.shuffle)
        self.sockets = Sockets(self.clock, self.shuffle)
        self._callbacks = Callbacks(self.faults, self.clock)
        self._callbacks.url = events_url
        self._deliveries = Deliveries(self.faults, self.clock, self._transport)
        self._interactions = Interactions(self.clock, self._transport, self._tell_watchers)
        self._api = WebApi(self.workspace, self.faults, self.clock, self._open_connection)
        self.uploads = self._api.uploads
        """Files from the bot: what was uploaded, and how slowly (or never) it is shared."""
        self.downloads = self._api.downloads
        """Files of people: who gets them, and how that goes wrong."""
        self._watchers: list[Callable[[], None]] = []
        self._runner: web.AppRunner | None = None
        self._address = ""
        self.workspace.emit = self._emit
        self.workspace.changed = self._tell_watchers

    # Running

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens. Raises `OSError` when the port is taken."""
        app = web.Application(client_max_size=limits.UPLOAD_BYTES)
        app.router.add_route("*", "/api/{method}", self._api.respond)
        app.router.add_get("/link", self.sockets.accept)
        app.add_routes(control_routes(self))
        self.uploads.add_to(app)
        self.downloads.add_to(app)
        self._callbacks.open()
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._address = f"{host}:{self._runner.addresses[0][1]}"
        self.uploads.address = self.downloads.address = f"http://{self._address}"

    async def stop(self) -> None:
        """Closes everything. What was written stays; `start` may be called again."""
        await self.uploads.stop()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        try:
            await self._interactions.stop()
            await self._deliveries.stop()
        finally:
            await self._callbacks.close()

    @property
    def api_url(self) -> str:
        return f"http://{self._address}/api/"

    # What there is

    @property
    def people(self) -> dict[str, Person]:
        return self.workspace.people

    @property
    def channels(self) -> dict[str, Channel]:
        return self.workspace.channels

    @property
    def scopes(self) -> list[str]:
        """Scopes of the bot token; may be changed at any time."""
        return self.workspace.scopes

    @scopes.setter
    def scopes(self, scopes: Sequence[str]) -> None:
        self.workspace.scopes = list(scopes)

    def messages(self, channel_id: str, thread_ts: str | None = None) -> list[Message]:
        """Oldest first: a thread with its root, or without `thread_ts` everything in the channel, threads included."""
        return self.workspace.messages(channel_id, thread_ts)

    def message(self, channel_id: str, ts: str) -> Message:
        """Raises `ValueError` when there is none."""
        try:
            return self.workspace.find(channel_id, ts)
        except Refusal as e:
            raise ValueError(f"no message {ts} in {channel_id}") from e

    def snapshot(self) -> JsonObject:
        """Everything that the page shows, ready for JSON."""
        return take_snapshot(self.workspace)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Calls back after each change of messages, reactions or status."""
        self._watchers.append(callback)

    @property
    def calls(self) -> list[Call]:
        return self._api.calls

    @property
    def rejected(self) -> int:
        """How many Web API calls were answered with 429."""
        return sum(call.status == 429 for call in self._api.calls)

    @property
    def rate_limits(self) -> dict[str, int]:
        """Method to calls a minute; may be changed at any time."""
        return self._api.quotas.per_minute

    @property
    def pings(self) -> list[tuple[str, str]]:
        """(ts, what was written) for everything in the bot's messages that would notify somebody."""
        return self.workspace.pings

    @property
    def statuses(self) -> dict[tuple[str, str], Status]:
        """(channel, thread root) to the status shown there now."""
        return self.workspace.statuses()

    # What people do

    async def post_as(
        self,
        user_id: str,
        channel_id: str,
        text: str,
        thread_ts: str | None = None,
        bot_id: str | None = None,
        subtype: str | None = None,
        files: Sequence[File] = (),
    ) -> str:
        """Writes a message and returns its ts. `bot_id` makes it another app's message, by whatever user id."""
        channel = self._channel(channel_id)
        if bot_id is None and subtype is None and user_id not in channel.members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        try:
            message = self.workspace.post(
                channel,
                user_id,
                text,
                thread_ts=thread_ts,
                bot_id=bot_id,
                subtype=subtype,
                files=self.downloads.put(files),
            )
        except Refusal as e:
            raise ValueError(f"{thread_ts} cannot be replied to: {e.code}") from e
        return message.ts

    async def edit_as(self, user_id: str, channel_id: str, ts: str, text: str) -> None:
        message = self._own(user_id, channel_id, ts)
        if message.text != escape_loose(text):
            self.workspace.edit(message, text, None)

    async def delete_as(self, user_id: str, channel_id: str, ts: str) -> None:
        self.workspace.delete(self._own(user_id, channel_id, ts))

    async def press(self, user_id: str, channel_id: str, ts: str, action_id: str) -> Press:
        """Presses a button under a message. What becomes of it is told by the result, later."""
        message = self._seen_by(user_id, channel_id, ts)
        person = self.people.get(user_id)
        button = next((one for one in buttons_under(message) if one.action_id == action_id), None)
        if button is None or person is None:
            raise ValueError(f"there is no button {action_id!r} under {ts}")
        return self._interactions.press(button, message, self._channel(channel_id), person, self.workspace.next_ts())

    async def react(self, user_id: str, channel_id: str, ts: str, emoji: str) -> None:
        """Adds a reaction by its short name. One that is there already stays, and no event is sent."""
        message = self._seen_by(user_id, channel_id, ts)
        if user_id not in message.reactions.get(emoji, []):
            try:
                self.workspace.react(message, user_id, emoji)
            except Refusal as e:
                raise ValueError(f"{emoji!r} is no emoji name") from e

    async def unreact(self, user_id: str, channel_id: str, ts: str, emoji: str) -> None:
        """Takes a reaction away. Without one nothing happens."""
        message = self._seen_by(user_id, channel_id, ts)
        if user_id in message.reactions.get(emoji, []):
            self.workspace.unreact(message, user_id, emoji)

    # What Slack does

    @property
    def deliveries(self) -> list[Delivery]:
        return self._deliveries.record

    @property
    def presses(self) -> list[Press]:
        return self._interactions.record

    async def unfurl(self, channel_id: str, ts: str, url: str) -> None:
        """Slack puts a preview of a link under a message, which the app hears of as a change that nobody made."""
        self.workspace.unfurl(self.message(channel_id, ts), url)

    async def idle(self, timeout: float) -> None:
        """Waits until every event and press so far is acknowledged or has used up its attempts. Raises `TimeoutError`."""
        await self._interactions.idle(timeout)
        await self._deliveries.idle(timeout)

    async def redeliver(self, event_id: str) -> bool:
        """Delivers an event once more, marked as a retry. Returns whether it was acknowledged. Raises `KeyError`."""
        return await self._deliveries.redeliver(event_id)

    async def verify_url(self) -> bool:
        """Sends `url_verification` to `events_url`; True when the challenge comes back."""
        return await self._callbacks.verify_url()

    async def disconnect_sockets(self, reason: DisconnectReason = "refresh_requested") -> None:
        await self.sockets.disconnect(reason)

    def drop_sockets(self) -> None:
        self.sockets.drop()

    @property
    def open_sockets(self) -> int:
        return self.sockets.open_count

    @property
    def refuse_sockets(self) -> bool:
        """New Socket Mode connections are answered with 503. Those that stand are not touched."""
        return self.sockets.refuse

    @refuse_sockets.setter
    def refuse_sockets(self, refuse: bool) -> None:
        self.sockets.refuse = refuse

    @property
    def events_url(self) -> str | None:
        return self._callbacks.url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self._callbacks.url = url

    @property
    def ack_timeout(self) -> float:
        """Seconds that the app has to acknowledge an event."""
        return self.sockets.ack_timeout

    @ack_timeout.setter
    def ack_timeout(self, seconds: float) -> None:
        self.sockets.ack_timeout = self._callbacks.ack_timeout = seconds

    @property
    def retry_schedule(self) -> tuple[float, ...]:
        """Seconds before each retry of an event."""
        return self._deliveries.retry_schedule

    @retry_schedule.setter
    def retry_schedule(self, seconds: Sequence[float]) -> None:
        self._deliveries.retry_schedule = tuple(seconds)

    def _transport(self) -> Transport:
        return self._callbacks if self._callbacks.url is not None else self.sockets

    def _open_connection(self) -> str:
        return f"ws://{self._address}/link?ticket={self.sockets.make_ticket()}"

    def _emit(self, event: JsonObject, channel: Channel) -> None:
        if events.BOT_USER_ID in channel.members:
            self._deliveries.send(event, channel, self.scopes)

    def _tell_watchers(self) -> None:
        for watcher in self._watchers:
            watcher()

    def _channel(self, channel_id: str) -> Channel:
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ValueError(f"no channel {channel_id}")
        return channel

    def _seen_by(self, user_id: str, channel_id: str, ts: str) -> Message:
        if user_id not in self._channel(channel_id).members:
            raise ValueError(f"{user_id} is not in {channel_id}")
        return self.message(channel_id, ts)

    def _own(self, user_id: str, channel_id: str, ts: str) -> Message:
        message = self._seen_by(user_id, channel_id, ts)
        if message.user != user_id:
            raise ValueError(f"{ts} was not written by {user_id}")
        return message

    # What the workspace lacks

    @property
    def is_agent(self) -> bool:
        """Whether the app is declared as an agent."""
        return "agent" not in self.workspace.lacks

    @is_agent.setter
    def is_agent(self, is_agent: bool) -> None:
        if is_agent:
            self.workspace.lacks.pop("agent", None)
        else:
            self.workspace.lacks["agent"] = "feature_disabled"

    @property
    def lacks(self) -> dict[Feature, str]:
        """Feature to the error with which its methods are refused; may be changed at any time."""
        return self.workspace.lacks
