"""The Slack platform: puts the parts of this folder together behind the seam."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from adapters.slack.addresses import SLACK
from adapters.slack.capabilities import CAPABILITIES
from adapters.slack.checks import find_problems
from adapters.slack.dialect import DIALECT
from adapters.slack.files import Files
from adapters.slack.hearing.link import end
from adapters.slack.inbound import Ignored, Json, people_in, read_event
from adapters.slack.installs.manifest import EVENTS_PATH
from adapters.slack.installs.opening import open_many, open_one
from adapters.slack.installs.workspaces import Workspaces
from adapters.slack.outbound import Outbound
from adapters.slack.refusals import ask
from adapters.slack.settings import Mode, Settings
from adapters.slack.transport import Doorstep, HttpEntrance, Link, SocketEntrance, open_link
from bridge.clock import Clock
from bridge.errors import PlatformUnavailable, SettingsError, StoreUnavailable
from bridge.events import MessageEdited, MessageReceived
from bridge.markdown.dialect import Dialect
from bridge.messages import Attachment, MessageRef, Origin, OutgoingMessage, ReplyTarget, Said
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import Finding, Inbox, Installations, PlatformCapabilities, PlatformHealth
from bridge.web.routes import WebRoute


def create(settings: Settings, clock: Clock) -> "SlackPlatform":
    """Raises `SettingsError` when there is no bot token. Connects to nothing yet."""
    return SlackPlatform(settings, clock)


class SlackPlatform:
    """One Slack app, in one workspace or in many, by Socket Mode or over HTTP. Implements `Platform`, `SendsFiles`, `FindsSent`
    and `KeepsInstallations`."""

    name = SLACK

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if not settings.enabled:
            raise SettingsError(["SLACK_BOT_TOKEN is not set: copy the Bot User OAuth Token from OAuth & Permissions"])
        self._settings = settings
        self._clock = clock
        self._many = open_many(settings, lambda: self._outbound.once, clock) if settings.many else None
        self._workspaces: Workspaces = (
            self._many.workspaces if self._many else open_one(settings, lambda: self._outbound.once, clock)
        )
        self._outbound = Outbound(
            settings,
            clock,
            token_of=self._workspaces.token_of,
            refused=self._workspaces.refused,
            team_id=self._workspaces.team_id,
        )
        self._files = Files(self._outbound, clock, api_url=settings.slack_api_url, wait=settings.slack_file_wait)
        self._names = self._outbound.names
        secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
        self._doorstep = Doorstep(self._outbound.unopened, secret, settings.slack_accept_timeout)
        self._http = HttpEntrance(self._doorstep, secret) if settings.mode is Mode.HTTP else None
        self._socket = SocketEntrance(
            self._open_link,
            sockets=settings.slack_sockets,
            ping_interval=settings.slack_ping_interval,
            longest_pause=settings.slack_reconnect_longest,
            clock=clock,
        )
        self._running = False
        self._trouble = "not started"

    @property
    def capabilities(self) -> PlatformCapabilities:
        return CAPABILITIES

    @property
    def dialect(self) -> Dialect:
        return DIALECT

    def use_installations(self, installations: Installations) -> None:
        if self._many is not None:
            self._many.kept.inside = installations

    async def run(self, inbox: Inbox) -> None:
        self._running, self._trouble = True, ""
        caring: list[asyncio.Task[None]] = []
        try:
            # In HTTP mode Slack may knock before we know who we are; its envelopes tell us well enough.
            self._doorstep.take = partial(self._take, inbox)
            await self._workspaces.sign_in()
            caring.append(asyncio.create_task(self._workspaces.care(), name="slack-installs"))
            if self._http is None:
                await self._socket.run()
            else:
                await asyncio.Event().wait()  # the web room calls us; there is nothing to do but to be cancelled
        finally:
            self._doorstep.take = None
            self._running = False
            self._trouble = "not running"
            await end(caring)
            await self._socket.finish()

    async def close(self) -> None:
        await self._workspaces.close()
        await self._outbound.close()

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        return await self._outbound.send(target, message)

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        await self._outbound.edit(target, ref, message)

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        return await self._files.send(target, message, file)

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        return await self._files.find_sent(target, message, since)

    def may_grow(self, target: ReplyTarget) -> bool:
        return self._outbound.may_grow(target)

    def is_growing(self, ref: MessageRef) -> bool:
        return self._outbound.is_growing(ref)

    def is_spent(self, ref: MessageRef) -> bool:
        return self._outbound.is_spent(ref)

    async def show_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        await self._outbound.show_activity(target, question)

    async def end_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        await self._outbound.end_activity(target, question)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        return await self._outbound.open_thread(target, title)

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        return await self._outbound.read_thread(target, before, limit)

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        return await self._outbound.fetch_file(target, file, into, most)

    def health(self) -> PlatformHealth:
        if not self._running or not self._workspaces.ready:
            return PlatformHealth(connected=False, hearing=False, detail=self._trouble or self._workspaces.trouble)
        if self._http is not None:
            return PlatformHealth(connected=True, hearing=True, detail=self._workspaces.trouble)
        trouble = self._socket.trouble
        if not self._socket.connected:
            return PlatformHealth(connected=False, hearing=False, detail=trouble or "connecting to Slack")
        hearing = self._socket.hearing
        detail = trouble or (self._workspaces.trouble if hearing else "Slack has been silent for too long")
        age = timedelta(seconds=self._socket.silence)
        return PlatformHealth(connected=True, hearing=hearing, detail=detail, heartbeat_age=age)

    async def check(self) -> Sequence[Finding]:
        installations = None
        if self._many is not None:
            with suppress(StoreUnavailable):
                installations = await self._many.kept.all()
        return await find_problems(self._outbound.once, self._settings, installations)

    def web_routes(self) -> Sequence[WebRoute]:
        """None for one workspace in Socket Mode."""
        routes = tuple(self._many.oauth.routes()) if self._many is not None else ()
        if self._http is None:
            return routes
        return (WebRoute(method="POST", path=EVENTS_PATH, handler=self._http.receive), *routes)

    async def _open_link(self) -> Link:
        token = self._settings.slack_app_token
        client = self._outbound.once
        request = client.apps_connections_open(app_token=token.get_secret_value() if token else "")
        url: object = (await ask("apps.connections.open", request)).get("url")
        if not isinstance(url, str):
            raise PlatformUnavailable("apps.connections.open: no address", code="no_url")
        return await open_link(
            self._doorstep.app,
            url,
            proxy=client.proxy,
            ping=self._settings.slack_ping_interval,
            within=self._settings.slack_call_timeout,
            clock=self._clock,
        )

    async def _take(self, inbox: Inbox, payload: Json) -> Ignored | None:
        """Reads one event or press and hands it to the core. Raises `StoreUnavailable`."""
        if await self._workspaces.tell(payload):
            return None
        me = await self._workspaces.whose(payload)
        if me is None:
            return Ignored(reason="the app is not installed there")
        event = read_event(payload, me, self._names.known())
        said = event.now if isinstance(event, MessageEdited) else event
        if isinstance(said, MessageReceived) and _may_be_a_question(said):
            unknown = [
                person for person in people_in(payload) if person not in self._names.known() and person != me.user
            ]
            if unknown:
                await self._names.learn(unknown, me.team)
                event = read_event(payload, me, self._names.known())
        if isinstance(event, Ignored):
            return event
        await inbox(event)
        return None


def _may_be_a_question(event: MessageReceived) -> bool:
    """Names are worth a call of Slack only then."""
    return event.origin is Origin.PERSON and (event.mentions_bot or event.is_direct or event.in_thread)
