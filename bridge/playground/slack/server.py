"""The stand-in Slack: one port with the Web API, Socket Mode and the control API, and what a test or a page does to it."""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from aiohttp import web

from bridge.clock import Clock, SystemClock
from bridge.playground.slack import events, limits
from bridge.playground.slack.admins import Admins
from bridge.playground.slack.apis import Apis
from bridge.playground.slack.callbacks import SIGNING_SECRET, Callbacks
from bridge.playground.slack.control import control_routes
from bridge.playground.slack.delivery import Deliveries, Transport
from bridge.playground.slack.installs import Installs
from bridge.playground.slack.interactions import Interactions
from bridge.playground.slack.methods import APP_TOKEN, BOT_TOKEN
from bridge.playground.slack.model import (
    Call,
    Channel,
    Delivery,
    DisconnectReason,
    Faults,
    JsonObject,
    Message,
    Person,
    Refusal,
    Status,
    Team,
)
from bridge.playground.slack.oauth import OAuth
from bridge.playground.slack.responses import Responses
from bridge.playground.slack.snapshot import take_snapshot
from bridge.playground.slack.sockets import Sockets
from bridge.playground.slack.surfaces import Ephemeral, Feature
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.workspaces import Workspaces


class SlackServer(Admins):
    """A workspace with one app installed in it, to which others can be added.

    People are played by the caller; the bot comes over the wire.

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
        names = ("/ask", "/reset", "/app", "/history", "/forget", "/help")
        self.commands = dict.fromkeys(names, True)
        """Commands of the app's manifest, each with its `should_escape`."""
        self.shortcuts = {"ask_message"}
        """Callback ids of the shortcuts of the app's manifest."""
        self._workspaces = Workspaces(self.clock, self.shuffle)
        self.workspace = self._workspaces.first
        self.sockets = Sockets(self.clock, self.shuffle)
        self._callbacks = Callbacks(self.faults, self.clock)
        self._callbacks.url = events_url
        self._deliveries = Deliveries(self.faults, self.clock, self._transport)
        self._interactions = Interactions(self.clock, self._transport, self._tell_watchers)
        self._responses = Responses(self.clock)
        self._installs = Installs(self._workspaces, self.clock)
        self._oauth = OAuth(self._workspaces, self._installs, self.clock, self._tell_of_end)
        self._apis = Apis(
            self._workspaces, self._installs, self.faults, self.clock, self._open_connection, self._oauth.methods()
        )
        self.uploads = self._apis.first.uploads
        """Files from the bot: what was uploaded, and how slowly (or never) it is shared."""
        self.downloads = self._apis.first.downloads
        """Files of people: who gets them, and how that goes wrong."""
        self._watchers: list[Callable[[], None]] = []
        self._runner: web.AppRunner | None = None
        self._address = ""
        self._join(self.workspace)

    # Running

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens. Raises `OSError` when the port is taken."""
        app = web.Application(client_max_size=limits.UPLOAD_BYTES)
        self._apis.add_to(app)
        self._responses.add_to(app)
        self._oauth.add_to(app)
        app.router.add_get("/link", self.sockets.accept)
        app.add_routes(control_routes(self))
        self._callbacks.open()
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._address = f"{host}:{self._runner.addresses[0][1]}"
        self._apis.listen_at(f"http://{self._address}")
        self._responses.address = f"http://{self._address}"

    async def stop(self) -> None:
        """Closes everything. What was written stays; `start` may be called again."""
        await self._apis.stop()
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
        known = [one for one in self._workspaces.all.values() if channel_id in one.channels]
        return known[0].messages(channel_id, thread_ts) if known else []

    def message(self, channel_id: str, ts: str) -> Message:
        """Raises `ValueError` when there is none."""
        try:
            return self._place(channel_id)[0].find(channel_id, ts)
        except Refusal as e:
            raise ValueError(f"no message {ts} in {channel_id}") from e

    def snapshot(self, team_id: str | None = None) -> JsonObject:
        """Everything that the page shows of a workspace, ready for JSON. Raises `ValueError` when there is none."""
        return take_snapshot(self._workspace(team_id))

    def on_change(self, callback: Callable[[], None]) -> None:
        """Calls back after each change of messages, reactions or status."""
        self._watchers.append(callback)

    @property
    def calls(self) -> list[Call]:
        return self._apis.first.calls

    @property
    def rejected(self) -> int:
        """How many Web API calls were answered with 429."""
        return sum(call.status == 429 for call in self.calls)

    @property
    def rate_limits(self) -> dict[str, int]:
        """Method to calls a minute; may be changed at any time."""
        return self._apis.first.quotas.per_minute

    @property
    def pings(self) -> list[tuple[str, str]]:
        """(ts, what was written) for everything in the bot's messages that would notify somebody."""
        return self.workspace.pings

    @property
    def ephemerals(self) -> list[Ephemeral]:
        """What one person sees, in all workspaces."""
        return [one for workspace in self._workspaces.all.values() for one in workspace.ephemerals]

    @property
    def statuses(self) -> dict[tuple[str, str], Status]:
        """(channel, thread root) to the status shown there now."""
        return self.workspace.statuses()

    # What Slack does

    @property
    def deliveries(self) -> list[Delivery]:
        return self._deliveries.record

    async def unfurl(self, channel_id: str, ts: str, url: str) -> None:
        """Slack puts a preview of a link under a message, which the app hears of as a change that nobody made."""
        self._place(channel_id)[0].unfurl(self.message(channel_id, ts), url)

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

    async def disconnect_sockets(
        self, reason: DisconnectReason = "refresh_requested", which: int | None = None
    ) -> None:
        """On every connection, or on one, counted from the oldest: 0, 1, ... or -1 for the newest. Raises `IndexError`."""
        await self.sockets.disconnect(reason, which)

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

    def _join(self, workspace: Workspace) -> None:
        self._apis.add(workspace)
        workspace.emit = partial(self._emit, workspace)
        workspace.changed = self._tell_watchers
        if workspace.installed:
            self._installs.begin(workspace)

    def _emit(self, workspace: Workspace, event: JsonObject, channel: Channel | None) -> None:
        """Tells the app, where it is, of what it has subscribed to and may see."""
        scope = events.scope_for(event)
        if not workspace.installed or (channel is not None and workspace.bot_user_id not in channel.members):
            return
        if events.subscription_for(event) in workspace.subscriptions and (not scope or scope in workspace.scopes):
            is_shared = channel is not None and channel.is_ext_shared
            self._deliveries.send(event, workspace.team, is_ext_shared=is_shared, sender=_home_of(workspace, event))

    def _tell_of_end(self, team: Team, event: JsonObject) -> None:
        if events.subscription_for(event) in self.subscriptions:
            self._deliveries.send(event, team)

    def _tell_watchers(self) -> None:
        for watcher in self._watchers:
            watcher()

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


def _home_of(workspace: Workspace, event: JsonObject) -> str:
    """The workspace of who caused an event, where that is another one."""
    changed = event.get("message")
    user = event.get("user") or (changed.get("user") if isinstance(changed, dict) else "")
    person = workspace.people.get(str(user))
    return person.team_id if person is not None else ""
