"""The Slack platform: puts the parts of this folder together behind the seam."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from adapters.slack.addresses import SLACK
from adapters.slack.capabilities import CAPABILITIES
from adapters.slack.checks import find_problems
from adapters.slack.dialect import DIALECT
from adapters.slack.files import Files
from adapters.slack.hearing.link import end
from adapters.slack.inbound import Ignored, Json
from adapters.slack.installs.manifest import EVENTS_PATH
from adapters.slack.installs.opening import open_many, open_one
from adapters.slack.installs.scopes import AppFeature
from adapters.slack.installs.workspaces import Workspaces
from adapters.slack.outbound import Outbound
from adapters.slack.refusals import ask
from adapters.slack.settings import Mode, Settings
from adapters.slack.surfaces.commands import ASK
from adapters.slack.surfaces.desk import Desk
from adapters.slack.surfaces.home import Homes, Prompts
from adapters.slack.transport import Doorstep, HttpEntrance, Link, Reply, SocketEntrance, open_link
from bridge.clock import Clock
from bridge.errors import PlatformUnavailable, SettingsError, StoreUnavailable
from bridge.events import StopRequested
from bridge.forms_api import FindForm
from bridge.installations_api import Installations
from bridge.markdown.dialect import Dialect
from bridge.messages import (
    Attachment,
    Author,
    EventId,
    MessageRef,
    OutgoingMessage,
    ReplyTarget,
    Said,
)
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import Finding, Home, Inbox, PlatformCapabilities, PlatformHealth
from bridge.web.routes import WebRoute

REASONS_TOLD = 5
"""Steps down that an operator is told of at once."""


def create(settings: Settings, clock: Clock) -> "SlackPlatform":
    """Raises `SettingsError` when there is neither a bot token nor OAuth. Connects to nothing yet."""
    return SlackPlatform(settings, clock)


class SlackPlatform:
    """One Slack app in one workspace or in many, by Socket Mode or over HTTP. Implements `Platform` and, of what a platform may
    offer besides, `StreamsNatively`, `EndsActivity`, `OpensThreads`, `ReadsThreads`, `FetchesFiles`, `SendsFiles`, `FindsSent`,
    `ShowsHome`, `SuggestsPrompts`, `OffersForms`, `DescribesPeople` and
    `KeepsInstallations`."""

    name = SLACK

    def __init__(self, settings: Settings, clock: Clock) -> None:
        if not settings.enabled:
            raise SettingsError(["SLACK_BOT_TOKEN is not set: copy the Bot User OAuth Token from OAuth & Permissions"])
        self._settings = settings
        self._clock = clock
        self._many = open_many(settings, lambda: self._outbound.clients.once, clock) if settings.many else None
        self._workspaces: Workspaces = (
            self._many.workspaces if self._many else open_one(settings, lambda: self._outbound.clients.once, clock)
        )
        self._outbound = Outbound(
            settings,
            clock,
            token_of=self._workspaces.token_of,
            refused=self._workspaces.refused,
            team_id=self._workspaces.team_id,
            on_stopped=self._tell_stopped,
        )
        self._files = Files(self._outbound, clock, api_url=settings.slack_api_url, wait=settings.slack_file_wait)
        self._homes = Homes(self._outbound.clients)
        self._prompts = Prompts(self._outbound.clients, self._outbound.ladder)
        self._desk = Desk(settings, self._outbound, clock)
        secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else ""
        self._doorstep = Doorstep(self._outbound.clients.unopened, secret, settings.slack_accept_timeout)
        self._http = HttpEntrance(self._doorstep, secret) if settings.mode is Mode.HTTP else None
        self._socket = SocketEntrance(
            self._open_link,
            sockets=settings.slack_sockets,
            ping_interval=settings.slack_ping_interval,
            longest_pause=settings.slack_reconnect_longest,
            clock=clock,
        )
        self._inbox: Inbox | None = None
        """Set while `run` is under way."""
        self._trouble = "not started"

    @property
    def capabilities(self) -> PlatformCapabilities:
        return CAPABILITIES

    @property
    def dialect(self) -> Dialect:
        return DIALECT

    def use_installations(self, installations: Installations) -> None:
        """Of no interest to an app with a token of its own."""
        if self._many is not None:
            self._many.kept.inside = installations

    def offer_forms(self, find: FindForm) -> None:
        self._desk.forms.find = find

    async def describe(self, target: ReplyTarget, author: Author) -> Author:
        names = self._outbound.names
        await names.learn([author.id], target.conversation.installation)
        name = names.known().get(author.id) or author.display_name
        return replace(author, display_name=name, locale=names.locale_of(author.id) or author.locale)

    async def run(self, inbox: Inbox) -> None:
        self._inbox = inbox
        try:
            # Slack may knock before we know who we are; what it brings tells well enough in most cases.
            self._doorstep.take = partial(self._take, inbox)
            await self._workspaces.sign_in()
            tasks = [asyncio.create_task(work) for work in (self._hear(), self._workspaces.care())]
            try:
                await asyncio.gather(*tasks)
            finally:
                await end(tasks)
        finally:
            self._doorstep.take = None
            self._inbox = None
            self._trouble = "not running"
            await self._socket.finish()
            await self._desk.finish()

    async def close(self) -> None:
        await self._workspaces.close()
        await self._outbound.close()

    # What is said

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

    async def show_home(self, target: ReplyTarget, author: Author, home: Home) -> None:
        await self._homes.show(target, author, home)

    async def suggest_prompts(self, target: ReplyTarget, title: str, prompts: Sequence[str]) -> None:
        await self._prompts.suggest(target, title, prompts)

    def name_ways(self) -> Sequence[str]:
        """What people can do besides writing (see `bridge.platform_api.NamesWays`)."""
        ways = []
        if AppFeature.COMMANDS in self._settings.slack_features:
            ways.append(
                f"Type `/{self._settings.slack_command_prefix}{ASK}` and your question anywhere outside of a thread; I begin a "
                "thread with it."
            )
        if AppFeature.SHORTCUT in self._settings.slack_features:
            ways.append("Choose *Ask about this* in the menu of a message to ask me about it.")
        return ways

    # What an operator wants to know

    def health(self) -> PlatformHealth:
        if self._inbox is None:
            return PlatformHealth(connected=False, hearing=False, detail=self._trouble)
        if not self._workspaces.ready:
            return PlatformHealth(connected=False, hearing=False, detail=self._workspaces.trouble)
        lacking = [self._workspaces.trouble, *self._steps_down()]
        if self._http is not None:
            return PlatformHealth(connected=True, hearing=True, detail=_join(lacking))
        trouble = self._socket.trouble
        if not self._socket.connected:
            return PlatformHealth(connected=False, hearing=False, detail=trouble or "connecting to Slack")
        hearing = self._socket.hearing
        detail = trouble or ("" if hearing else "Slack has been silent for too long")
        age = timedelta(seconds=self._socket.silence)
        return PlatformHealth(connected=True, hearing=hearing, detail=_join([detail, *lacking]), heartbeat_age=age)

    async def check(self) -> Sequence[Finding]:
        installed = None
        if self._many is not None:
            with suppress(StoreUnavailable):  # that they were not looked at is a finding
                installed = await self._many.kept.all()
        return await find_problems(self._outbound.clients.once, self._settings, installed)

    def web_routes(self) -> Sequence[WebRoute]:
        """None in Socket Mode, except where people install the app themselves."""
        routes = tuple(self._many.oauth.routes()) if self._many is not None else ()
        if self._http is None:
            return routes
        return (WebRoute(method="POST", path=EVENTS_PATH, handler=self._http.receive), *routes)

    # Inside

    async def _hear(self) -> None:
        if self._http is None:
            await self._socket.run()
        else:
            await asyncio.Event().wait()  # the web room calls us; there is nothing to do but to be cancelled

    async def _open_link(self) -> Link:
        token = self._settings.slack_app_token
        client = self._outbound.clients.once
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

    async def _take(self, inbox: Inbox, payload: Json) -> Ignored | Reply | None:
        """As `Take`. Raises `StoreUnavailable`."""
        if await self._workspaces.tell(payload):
            return Ignored(reason="about installations")
        me = await self._workspaces.whose(payload)
        if me is None:
            return Ignored(reason="for a workspace where the app is not installed")
        return await self._desk.take(inbox, payload, me)

    async def _tell_stopped(self, target: ReplyTarget, ref: MessageRef, asker: Author | None) -> None:
        """A write found that somebody stopped its stream. Slack's own event tells the same with the right person, and comes first
        as a rule; asking twice to stop is harmless. Raises `StoreUnavailable`, which stops no writing."""
        inbox = self._inbox
        if inbox is None or asker is None:
            return
        stopped = StopRequested(
            event_id=EventId(f"stopped/{ref.address}"),
            target=target,
            author=asker,
            is_direct=bool(target.conversation.person),
            message=ref,
        )
        await inbox(stopped)

    def _steps_down(self) -> Sequence[str]:
        reasons = self._outbound.ladder.reasons()
        more = len(reasons) - REASONS_TOLD
        return [*reasons[:REASONS_TOLD], *([f"{more} more of the kind"] if more > 0 else [])]


def _join(details: Sequence[str]) -> str:
    return "; ".join(detail for detail in details if detail)
