"""What the tests of installing share: an app that is installed by OAuth, served over real HTTP, and a browser to do so with."""

from types import TracebackType
from typing import Protocol, Self

import aiohttp
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import Ignored, Json
from adapters.slack.installs.opening import open_many
from adapters.slack.refusals import ask
from adapters.slack.settings import Settings
from adapters.slack.transport import Doorstep, HttpEntrance, Reply
from bridge.clock import Clock, SystemClock
from bridge.errors import NotAllowed
from bridge.installations_api import Installations
from bridge.playground.slack import SlackServer
from tests.fakes.installations import FakeInstallations, Shelf
from tests.fakes.ports import free_port


class App:
    """Hears events and answers each message with "heard"; everything about installations is the real thing."""

    def __init__(
        self,
        server: SlackServer,
        *,
        shelf: Shelf | None = None,
        installations: Installations | None = None,
        clock: Clock | None = None,
        **changes: object,
    ) -> None:
        """`shelf` of another one: both are processes with one database. `installations`: they are kept there instead."""
        self.server = server
        self.clock = clock or SystemClock()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = Settings.model_validate(
            {
                "slack_client_id": server.client_id,
                "slack_client_secret": server.client_secret,
                "slack_public_url": self.url,
                "slack_signing_secret": server.signing_secret,
                "slack_api_url": server.api_url,
                "slack_reconnect_longest": 0.2,
                **changes,
            }
        )
        self.client = AsyncWebClient(base_url=server.api_url, retry_handlers=[])
        self.installations = FakeInstallations(self.clock, shelf)
        kept, self.workspaces, self.oauth = open_many(self.settings, lambda: self.client, self.clock)
        kept.inside = installations or self.installations
        self.answered: list[tuple[str, str]] = []
        """Workspace, and the token with which it was answered."""
        self.ignored: list[str] = []
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        doorstep = Doorstep(self.client, self.server.signing_secret, 2)
        doorstep.take = self._take
        entrance = HttpEntrance(doorstep, self.server.signing_secret)
        site = web.Application()
        site.router.add_post("/slack/events", entrance.receive)
        for route in self.oauth.routes():
            site.router.add_route(route.method, route.path, route.handler)
        self._session = self.client.session = aiohttp.ClientSession()
        self._runner = web.AppRunner(site, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.server.redirect_urls = [*self.server.redirect_urls, self.url]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.workspaces.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _take(self, payload: Json) -> Ignored | Reply | None:
        if await self.workspaces.tell(payload):
            return None
        me = await self.workspaces.whose(payload)
        if me is None:
            self.ignored.append(str(payload.get("team_id")))
            return Ignored(reason="the app is not installed there")
        event = payload.get("event")
        assert isinstance(event, dict)
        if event.get("type") != "app_mention" or event.get("user") == me.user:
            return Ignored(reason="no question")
        token = await self.answer(me.team, event["channel"], event["ts"])
        self.answered.append((me.team, token))
        return None

    async def answer(self, team: str, channel: str, thread: str | None = None) -> str:
        """As the bridge calls Slack: once more where the token was refused and there is a better one. Returns the token."""
        token = await self.workspaces.token_of(team)
        try:
            await self._post(token, channel, thread)
        except NotAllowed as error:
            if not await self.workspaces.refused(team, token, error.code):
                raise
            token = await self.workspaces.token_of(team)
            await self._post(token, channel, thread)
        return token

    async def _post(self, token: str, channel: str, thread: str | None) -> None:
        request = self.client.chat_postMessage(token=token, channel=channel, text="heard", thread_ts=thread)
        await ask("chat.postMessage", request)


class Installable(Protocol):
    @property
    def server(self) -> SlackServer: ...

    @property
    def url(self) -> str: ...


class Browser:
    """Keeps cookies, and follows no redirect by itself."""

    def __init__(self, app: Installable) -> None:
        self.app = app
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.cookie = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def begin(self) -> str:
        """Opens the page to install, and returns where it leads."""
        async with self._session.get(f"{self.app.url}/slack/install", allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            self.cookie = response.headers["Set-Cookie"]
            return response.headers["Location"]

    async def go(self, url: str) -> tuple[int, str]:
        async with self._session.get(url, allow_redirects=False) as response:
            return response.status, await response.text()

    async def install(self, user: str, team: str) -> tuple[int, str]:
        """All the way: begins, allows on Slack's page, and comes back."""
        return await self.go(await self.app.server.install(await self.begin(), user, team))
