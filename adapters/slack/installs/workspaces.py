"""Where the bot is installed, for the rest of this folder: which token a call needs, and who we are where something happened.

`OneWorkspace` has the token that was configured, `ManyWorkspaces` those that came by OAuth.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import Identity, identity_in
from adapters.slack.installs.identities import addressee_of
from adapters.slack.installs.records import APP, BOT, USER, installed_at, is_org_wide, refresh_token_in
from adapters.slack.installs.tokens import DEAD, Tokens
from adapters.slack.refusals import ask
from adapters.slack.transport import Pauses
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, RateLimited, StoreUnavailable
from bridge.installations_api import Installation, Installations

log = logs.get("slack")

Json = Mapping[str, object]

LOOK_EVERY = 24 * 3_600.0
"""Seconds between two looks at every token: an app that was removed while nobody listened is noticed then."""

GONE_EVENTS = frozenset({"app_uninstalled", "tokens_revoked"})


class Workspaces(Protocol):
    @property
    def trouble(self) -> str:
        """What an operator should know of it. Empty when all is well."""
        ...

    @property
    def ready(self) -> bool:
        """`sign_in` is through."""
        ...

    async def sign_in(self) -> None:
        """Returns once the bot could answer, however long that takes. Raises `NotAllowed` when Slack refuses the token for
        good."""
        ...

    async def care(self) -> None:
        """Looks after the tokens until cancelled."""
        ...

    async def close(self) -> None:
        """Called once, when no more calls are made."""
        ...

    async def token_of(self, team: str) -> str:
        """The token for calls in this workspace. Raises `NotAllowed` where the app is not installed, `PlatformUnavailable` when
        that cannot be told now."""
        ...

    async def refused(self, team: str, token: str, code: str) -> bool:
        """Slack refused this token with one of `REFUSED_CREDENTIALS`. True: another one is at hand, so call once more. Raises
        nothing."""
        ...

    def team_id(self, team: str) -> str | None:
        """What calls in this workspace must carry as `team_id`, because their token is for a whole organisation; or None."""
        ...

    async def whose(self, payload: Json) -> Identity | None:
        """Us where this payload was sent for. None: the app is not installed there. Raises `StoreUnavailable` when that cannot be
        told yet."""
        ...

    async def tell(self, payload: Json) -> bool:
        """Whether it was about installations, and is done with. Raises `StoreUnavailable`."""
        ...


class OneWorkspace:
    def __init__(self, token: str, client: Callable[[], AsyncWebClient], clock: Clock, *, longest_pause: float) -> None:
        self.trouble = "signing in to Slack"
        self._token = token
        self._client = client
        self._pauses = Pauses(longest_pause, clock)
        self._me: Identity | None = None

    @property
    def ready(self) -> bool:
        return self._me is not None

    async def sign_in(self) -> None:
        while True:
            try:
                response = await ask("auth.test", self._client().auth_test(token=self._token))
                break
            except NotAllowed as error:
                self.trouble = (
                    f"Slack refuses SLACK_BOT_TOKEN ({error.code}); copy the Bot User OAuth Token again from "
                    "OAuth & Permissions and restart."
                )
                raise NotAllowed(self.trouble, code=error.code) from error
            except PlatformError as error:
                self.trouble = f"Slack cannot be reached ({error})"
                log.warning("sign_in_failed", error=str(error))
                await self._pauses.wait(error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0)
        self._me = Identity(
            team=str(response.get("team_id", "")),
            user=str(response.get("user_id", "")),
            bot=str(response.get("bot_id", "")),
        )
        self.trouble = ""
        log.info("signed_in", team=self._me.team, user=self._me.user)

    async def care(self) -> None:
        """One token needs no care."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def token_of(self, team: str) -> str:
        return self._token

    async def refused(self, team: str, token: str, code: str) -> bool:
        return False

    def team_id(self, team: str) -> str | None:
        return None

    async def whose(self, payload: Json) -> Identity | None:
        me = identity_in(payload, self._me)
        if me is None:
            raise StoreUnavailable("not signed in yet, and the delivery does not say which installation it is for")
        return me

    async def tell(self, payload: Json) -> bool:
        return _kind_of(payload) in GONE_EVENTS


class ManyWorkspaces:
    def __init__(
        self, tokens: Tokens, installations: Installations, clock: Clock, *, longest_pause: float, install_url: str
    ) -> None:
        self.ready = False
        self._tokens = tokens
        self._installations = installations
        self._clock = clock
        self._pauses = Pauses(longest_pause, clock)
        self._install_url = install_url
        self._nowhere = f"no workspace has installed the app yet: open {install_url}"
        self._trouble = "looking up where the app is installed"
        self._somewhere = False

    @property
    def trouble(self) -> str:
        return "" if self._somewhere else self._trouble

    async def sign_in(self) -> None:
        while True:
            try:
                found = await self._installations.all()
                break
            except StoreUnavailable as error:
                self._trouble = "the database cannot be reached"
                log.warning("installations_not_read", error=str(error))
                await self._pauses.wait()
        self._somewhere, self._trouble = bool(found), self._nowhere
        self.ready = True
        log.info("installations_found", installations=len(found), fix="" if found else self._nowhere)

    async def care(self) -> None:
        while True:
            try:
                for installation in await self._installations.all():
                    await self._look(installation)
            except StoreUnavailable as error:
                log.warning("installations_not_read", error=str(error))
            await self._clock.sleep(LOOK_EVERY)

    async def close(self) -> None:
        await self._tokens.close()

    async def token_of(self, team: str) -> str:
        return await self._tokens.token_of(team)

    async def refused(self, team: str, token: str, code: str) -> bool:
        return await self._tokens.refused(team, token, code)

    def team_id(self, team: str) -> str | None:
        return self._tokens.team_id(team)

    async def whose(self, payload: Json) -> Identity | None:
        to = addressee_of(payload)
        installation = await self._tokens.installed(to.team, to.enterprise, org_wide=to.org_wide)
        if installation is None:
            return None
        self._somewhere = True
        facts = installation.facts
        return Identity(
            team=to.team or installation.id,
            user=to.bot_user or facts.get(USER, ""),
            bot=facts.get(BOT, ""),
            app=facts.get(APP, ""),
        )

    async def tell(self, payload: Json) -> bool:
        """An event may come late or twice, so that somebody has installed the app again meanwhile: Slack is asked whether the
        token is dead. Where it cannot be asked, the times say which came first."""
        kind = _kind_of(payload)
        if kind not in GONE_EVENTS:
            return False
        if kind == "tokens_revoked" and not _revoked_bots(payload):
            return True  # only people's own tokens, of which we have none
        to = addressee_of(payload)
        installation = await self._tokens.installed(to.team, to.enterprise, org_wide=to.org_wide)
        if installation is None:
            return True
        try:
            await self._tokens.look(installation)
        except PlatformError as error:
            # One workspace that leaves its organisation's installation is not the end of it.
            about_it = to.org_wide or not is_org_wide(installation)
            if error.code in DEAD or (about_it and _time_of(payload) >= int(installed_at(installation))):
                await self._tokens.drop(installation, kind)
                return True
        log.info("installation_stays", installation=installation.id, event_type=kind)
        return True

    async def _look(self, installation: Installation) -> None:
        """Forgets what is dead. Raises `StoreUnavailable`."""
        try:
            await self._tokens.look(installation)
        except RateLimited as error:
            await self._clock.sleep(error.retry_after.total_seconds())
        except PlatformError as error:
            if error.code in DEAD:
                await self._tokens.drop(installation, error.code)
            elif error.code == "token_expired" and refresh_token_in(installation):
                log.info("token_over", installation=installation.id)  # it is renewed when it is wanted
            elif error.code == "token_expired":
                log.warning("token_over", installation=installation.id, fix=f"install again: {self._install_url}")
            else:
                log.warning("token_not_tried", installation=installation.id, error=str(error))


def _kind_of(payload: Json) -> str:
    event = payload.get("event")
    kind = event.get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) else ""


def _revoked_bots(payload: Json) -> bool:
    event = payload.get("event")
    tokens = event.get("tokens") if isinstance(event, dict) else None
    return isinstance(tokens, dict) and bool(tokens.get("bot"))


def _time_of(payload: Json) -> int:
    """Whole seconds since the epoch, by Slack's clock. An event without it is as new as can be."""
    at = payload.get("event_time")
    return at if isinstance(at, int) else 2**62
