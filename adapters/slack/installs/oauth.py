"""Installing by OAuth: where somebody begins, and where Slack sends them back to.

A word that was issued here, is kept hashed in the store and lies in a cookie of the same browser ties the two together: nobody
can be made to install into a workspace that is not theirs, and no way back works twice.
"""

import hmac
from collections.abc import Callable, Sequence
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from adapters.slack.installs.credentials import Credentials
from adapters.slack.installs.manifest import REDIRECT_PATH
from adapters.slack.installs.pages import show
from adapters.slack.installs.records import APP, BOT, Answer, is_org_wide, read_grant, with_facts
from adapters.slack.installs.scopes import AppFeature, needed_scopes
from adapters.slack.installs.tokens import Tokens
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, StoreUnavailable
from bridge.installations_api import Installation, Installations
from bridge.web.routes import WebRoute

log = logs.get("slack")

INSTALL_PATH = "/slack/install"

STATE_FOR = timedelta(minutes=10)
"""How long somebody may think about it. Slack's code is good for as long (its page on oauth.v2.access)."""

MOST_AT_ONCE = 60
"""Installations that may begin within a minute: each takes a row, and anybody can ask for one."""

LONGEST = 512
"""Characters of a code or a state that can be Slack's or ours."""

AGAIN = "Begin again"


class OAuth:
    """The two routes."""

    def __init__(
        self,
        tokens: Tokens,
        installations: Installations,
        client: Callable[[], AsyncWebClient],
        clock: Clock,
        *,
        credentials: Credentials,
        public_url: str,
        api_url: str,
        features: frozenset[AppFeature],
    ) -> None:
        """`client` sends every request once, and has no token of its own. `api_url` ends in `/api/`."""
        self._tokens = tokens
        self._installations = installations
        self._client = client
        self._clock = clock
        self._credentials = credentials
        self._install_url = public_url + INSTALL_PATH
        self._redirect_url = public_url + REDIRECT_PATH
        self._slack = URL(api_url).join(URL("../"))
        self._scopes = [need.name for need in needed_scopes(features)]
        self._secure = public_url.startswith("https://")
        # A browser takes a cookie of that name only from the very host, for all of it, and by https.
        self._cookie = "__Host-slack-install" if self._secure else "slack-install"
        self._begun: list[float] = []

    def routes(self) -> Sequence[WebRoute]:
        return (
            WebRoute(method="GET", path=INSTALL_PATH, handler=self.begin),
            WebRoute(method="GET", path=REDIRECT_PATH, handler=self.finish),
        )

    def authorize_url(self, state: str) -> URL:
        """Where somebody allows the app what it needs."""
        return (self._slack / "oauth/v2/authorize").with_query(
            client_id=self._credentials.client_id,
            scope=",".join(self._scopes),
            redirect_uri=self._redirect_url,
            state=state,
        )

    async def begin(self, _request: web.Request) -> web.StreamResponse:
        if self._too_many():
            log.warning("installs_refused", most=MOST_AT_ONCE)
            return self._fail(
                "Just a moment", "Too many people are doing this right now. Please try again in a minute.", 429
            )
        try:
            state = await self._installations.issue_state(STATE_FOR)
        except StoreUnavailable as error:
            log.warning("install_not_begun", error=str(error))
            return self._fail("Not now", "This cannot be done at the moment. Please try again in a few minutes.", 503)
        response = web.Response(
            status=HTTPStatus.FOUND,
            headers={
                "Location": str(self.authorize_url(state)),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
            },
        )
        response.set_cookie(
            self._cookie,
            state,
            max_age=int(STATE_FOR.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",  # it must come along when Slack sends the browser back
        )
        return response

    async def finish(self, request: web.Request) -> web.StreamResponse:
        response = await self._finish(request)
        response.del_cookie(self._cookie, path="/", secure=self._secure, httponly=True, samesite="Lax")
        return response

    async def _finish(self, request: web.Request) -> web.Response:
        state, code, error = (request.query.get(name, "") for name in ("state", "code", "error"))
        cookie = request.cookies.get(self._cookie, "")
        try:
            ours = await self._is_ours(state, cookie)
        except StoreUnavailable as trouble:
            log.warning("install_not_finished", error=str(trouble))
            return self._fail("Not now", "This cannot be done at the moment. Please try again in a few minutes.", 503)
        if error == "access_denied":
            return self._fail("Nothing was installed", "You did not allow it, so nothing has changed.", 200)
        if not ours:
            log.info("install_not_ours", with_state=bool(state), with_cookie=bool(cookie))
            return self._fail(
                "Please begin again",
                "This page works once, within ten minutes, and in the browser in which you began.",
                400,
            )
        if error or not code.isascii() or not 0 < len(code) <= LONGEST:
            log.warning("install_refused", error=error[:60] if error.replace("_", "").isalpha() else "unreadable")
            return self._fail("Nothing was installed", "Slack did not allow it. You may try again.", 400)
        return await self._install(code)

    async def _is_ours(self, state: str, cookie: str) -> bool:
        """Whether we issued that word to this browser, lately, and it comes back for the first time."""
        # What we issue is ASCII; a header may hold bytes that are no text at all.
        if not state.isascii() or not cookie.isascii() or not 0 < len(state) <= LONGEST:
            return False
        if not hmac.compare_digest(state, cookie):
            return False
        return await self._installations.redeem_state(state)

    async def _install(self, code: str) -> web.Response:
        try:
            installation = await self._get_to_know(read_grant(await self._exchange(code), self._clock.now()))
        except PlatformUnavailable as error:
            log.warning("install_not_exchanged", error=str(error))
            return self._fail("Slack did not answer", "Nothing was installed. Please try again in a moment.", 502)
        except PlatformError as error:
            log.warning("install_not_exchanged", error=str(error), fix=_fix(error.code))
            return self._fail("Nothing was installed", "Slack did not accept it. You may try again.", 502)
        try:
            installation = await self._tokens.put(installation)
        except StoreUnavailable as error:
            log.warning("install_not_saved", installation=installation.id, error=str(error))
            return self._fail("Not now", "It could not be saved. Please try again in a few minutes.", 503)
        log.info("installed", installation=installation.id, org_wide=is_org_wide(installation))
        return self._welcome(installation)

    async def _exchange(self, code: str) -> Answer:
        return await self._credentials.exchange(self._client(), code=code, redirect_uri=self._redirect_url)

    async def _get_to_know(self, installation: Installation) -> Installation:
        """With the bot's own id, by which our messages are recognised; the exchange does not tell it."""
        try:
            said = await self._tokens.look(installation)
        except PlatformError as error:
            # It can do without: our messages also name our user.
            log.warning("bot_id_not_told", installation=installation.id, error=str(error))
            return installation
        bot = said.get("bot_id")
        return with_facts(installation, **{BOT: bot}) if isinstance(bot, str) and bot else installation

    def _welcome(self, installation: Installation) -> web.Response:
        app = installation.facts.get(APP, "")
        where = {} if is_org_wide(installation) else {"team": installation.id}
        link = (str((self._slack / "app_redirect").with_query(app=app, **where)), "Open it in Slack") if app else None
        hello = (
            "Say hello: send it a direct message, or invite it to a channel with /invite and mention it.",
            *(
                ["Your organisation's admins choose in which workspaces it may be used."]
                if is_org_wide(installation)
                else []
            ),
        )
        return show(f"Installed in {installation.name}", *hello, link=link)

    def _fail(self, title: str, line: str, status: int) -> web.Response:
        return show(title, line, link=(self._install_url, AGAIN), status=HTTPStatus(status))

    def _too_many(self) -> bool:
        now = self._clock.monotonic()
        self._begun = [at for at in self._begun if now - at < 60.0]
        if len(self._begun) >= MOST_AT_ONCE:
            return True
        self._begun.append(now)
        return False


def _fix(code: str) -> str:
    """For an operator (Slack's page on oauth.v2.access)."""
    return {
        "bad_client_secret": "copy SLACK_CLIENT_SECRET again from Basic Information > App Credentials",
        "invalid_client_id": "copy SLACK_CLIENT_ID again from Basic Information > App Credentials",
        "bad_redirect_uri": "add <SLACK_PUBLIC_URL>/slack/oauth_redirect under OAuth & Permissions > Redirect URLs",
    }.get(code, "")
