"""The tokens of many workspaces: looked up, kept in mind for a minute, renewed in time, forgotten when they are dead.

Another process may install, renew and remove as well, so nothing is believed for long, and Slack's word on a token is believed
before ours.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs.credentials import Credentials
from adapters.slack.installs.records import is_org_wide, refresh_token_in, teams_in, token_in, with_teams
from adapters.slack.installs.rotation import Renewed, is_due, is_over, keep, renew
from adapters.slack.refusals import ask
from adapters.slack.web.remembering import remember
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, PlatformUnavailable, RateLimited, StoreUnavailable
from bridge.installations_api import Installation, Installations
from bridge.messages import InstallationId

log = logs.get("slack")

BELIEVED = 60.0
"""Seconds for which an installation is not looked up again."""

MOST_REMEMBERED = 2_000
"""Installations, and workspaces of organisations, that are kept in mind."""

RENEWAL_PAUSE = timedelta(minutes=1)
"""After a renewal that failed. There are two hours for the next ones."""

DEAD: Final = frozenset({"account_inactive", "token_revoked"})
"""What Slack says of a token whose app was removed (its page on auth.test). `invalid_auth` may also mean an address that is not
allowed, so nothing is removed for it."""


class Tokens:
    """Of one app. Works from the first call until `close`."""

    def __init__(
        self,
        installations: Installations,
        client: Callable[[], AsyncWebClient],
        clock: Clock,
        *,
        credentials: Credentials,
        install_url: str,
    ) -> None:
        """`client` sends every request once, and has no token of its own."""
        self._installations = installations
        self._client = client
        self._clock = clock
        self._credentials = credentials
        self._install_url = install_url
        self._known: dict[str, tuple[Installation, float]] = {}
        """Installation and when it was looked up, by its id."""
        self._orgs: dict[str, str] = {}
        """Workspace -> organisation that installed the app for all of its workspaces."""
        self._renewals: dict[str, asyncio.Task[Installation | None]] = {}
        self._not_before: dict[str, float] = {}
        self._unsaved: dict[str, tuple[Installation, str]] = {}
        """What the store did not take yet, and the token in whose place it comes."""

    async def close(self) -> None:
        """Lets renewals end, for their outcome must not be lost, and saves what is not saved yet. Idempotent."""
        if self._renewals:
            await asyncio.wait(list(self._renewals.values()))
        for id_ in list(self._unsaved):
            with suppress(StoreUnavailable):
                await self._save_late(id_)
        for id_ in self._unsaved:
            log.error("token_lost", installation=id_, fix=f"install again: {self._install_url}")

    async def installed(self, team: str, enterprise: str = "", *, org_wide: bool = False) -> Installation | None:
        """The installation that counts in a workspace: its own, or that of its organisation. None: there is none. Raises
        `StoreUnavailable`."""
        organisation = enterprise or self._orgs.get(team, "")
        for id_ in (organisation, team) if org_wide or team in self._orgs else (team, organisation):
            found = await self._find(id_) if id_ else None
            if found is None or (id_ != team and not is_org_wide(found)):
                continue
            if id_ == team:
                self._orgs.pop(team, None)
            elif team:
                await self._remember(team, found)
            return found
        return None if enterprise or not team else await self._search(team)

    async def token_of(self, team: str) -> str:
        """The token for calls in this workspace. Raises `NotAllowed` where the app is not installed, `PlatformUnavailable` when
        that cannot be told now."""
        try:
            found = await self.installed(team)
        except StoreUnavailable as error:
            raise PlatformUnavailable("the token cannot be looked up", code="no_store") from error
        if found is not None and is_due(found, self._clock):
            found = await self._renew(found)
        if found is None:
            raise NotAllowed("the app is not installed in this workspace", code="not_installed")
        return token_in(found)

    async def refused(self, team: str, token: str, code: str) -> bool:
        """Slack refused this token. True: there is another one by now, with which the call may be made once more."""
        try:
            found = await self.installed(team)
            if found is None:
                return False
            if code == "token_expired" and token_in(found) == token:
                found = await self._renew(found)
            elif token_in(found) == token:
                found = await self._look_again(found, code)
        except StoreUnavailable as error:
            log.warning("token_not_looked_up", team=team, error=str(error))
            return False
        return found is not None and token_in(found) != token

    def team_id(self, team: str) -> str | None:
        """What calls with the token of a whole organisation must carry to be about one workspace. None: nothing."""
        return team if team in self._orgs and team not in self._known else None

    async def put(self, installation: Installation) -> Installation:
        """Somebody installed the app. What was known of an organisation's workspaces stays known. Raises `StoreUnavailable`."""
        before = await self._installations.find(installation.id)
        if before is not None and is_org_wide(installation):
            installation = with_teams(installation, teams_in(before))
        await self._installations.save(installation)
        self._unsaved.pop(installation.id, None)
        self._not_before.pop(installation.id, None)
        self._note(installation)
        return installation

    async def drop(self, installation: Installation, reason: str) -> None:
        """Forgets an installation, unless another one stands in its place by now. Raises `StoreUnavailable`."""
        current = await self._installations.find(installation.id)
        unsaved = self._unsaved.get(installation.id)
        ours = {token_in(installation), unsaved[1] if unsaved else ""}
        if current is not None and token_in(current) not in ours:
            self._note(current)
            return
        self._forget(installation.id)
        if await self._installations.remove(installation.id):
            log.warning("installation_removed", installation=installation.id, reason=reason, fix=self._install_url)

    async def look(self, installation: Installation) -> Mapping[str, object]:
        """auth.test with this very token. Raises a `PlatformError`."""
        response = await ask("auth.test", self._client().auth_test(token=token_in(installation)))
        return response.data if isinstance(response.data, dict) else {}

    async def _find(self, id_: str) -> Installation | None:
        known = self._known.get(id_)
        if known is not None and self._clock.monotonic() - known[1] < BELIEVED:
            return known[0]
        try:
            if id_ in self._unsaved:
                return await self._save_late(id_)
            found = await self._installations.find(InstallationId(id_))
        except StoreUnavailable:
            if known is None:
                raise
            return known[0]  # most likely it is as it was
        if found is None:
            self._forget(id_)
        else:
            self._note(found)
        return found

    async def _search(self, team: str) -> Installation | None:
        """Among the organisations, for work that goes on after a restart and knows of the workspace alone."""
        for found in await self._installations.all():
            if is_org_wide(found) and team in teams_in(found):
                self._bind(team, found.id)
                self._note(found)
                return found
        return None

    async def _remember(self, team: str, found: Installation) -> None:
        """That this workspace belongs to that organisation: once it is kept, a restart does not forget."""
        self._bind(team, found.id)
        if team in teams_in(found):
            return
        async with self._installations.renewing(found.id) as renewal:
            if (current := renewal.current) is not None:
                current = with_teams(current, teams_in(current) | {team})
                await renewal.save(current)
                self._note(current)

    async def _look_again(self, installation: Installation, code: str) -> Installation | None:
        """Whether another process has a better token. One that is dead is forgotten."""
        current = await self._installations.find(installation.id)
        if current is None:
            self._forget(installation.id)
        elif token_in(current) != token_in(installation):
            self._note(current)
        elif code in DEAD:
            await self.drop(current, code)
            return None
        return current

    async def _renew(self, installation: Installation) -> Installation | None:
        """The installation with a token that is good, as far as that can be had; with the old one otherwise."""
        id_ = installation.id
        if not refresh_token_in(installation) or self._clock.monotonic() < self._not_before.get(id_, 0.0):
            return installation
        task = self._renewals.get(id_)
        if task is None:
            # Who waits for it may be cancelled; the answer must be kept all the same.
            task = asyncio.create_task(self._renew_once(installation), name="slack-token")
            self._renewals[id_] = task
            task.add_done_callback(lambda _: self._renewals.pop(id_, None))
        return await asyncio.shield(task)

    async def _renew_once(self, installation: Installation) -> Installation | None:
        id_, stale = installation.id, token_in(installation)
        try:
            renewed = await renew(self._installations, id_, stale, self._exchange, self._clock)
        except StoreUnavailable as error:
            return self._put_off(installation, RENEWAL_PAUSE, str(error))
        except RateLimited as error:
            return self._put_off(installation, error.retry_after, str(error))
        except PlatformError as error:
            if error.code in DEAD:
                try:
                    await self.drop(installation, error.code)
                except StoreUnavailable:
                    return self._put_off(installation, RENEWAL_PAUSE, error.code)
                return None
            return self._put_off(installation, RENEWAL_PAUSE, str(error))
        return self._accept(renewed, id_, stale)

    def _accept(self, renewed: Renewed, id_: str, stale: str) -> Installation | None:
        if renewed.installation is None:
            self._forget(id_)
            return None
        if renewed.lost:
            log.error("refresh_token_lost", installation=id_, fix=f"install again: {self._install_url}")
        elif not renewed.kept:
            log.error("token_not_saved", installation=id_)
            self._unsaved[id_] = (renewed.installation, stale)
        elif token_in(renewed.installation) != stale:
            log.info("token_renewed", installation=id_)
        self._note(renewed.installation)
        return renewed.installation

    def _put_off(self, installation: Installation, pause: timedelta, error: str) -> Installation:
        self._not_before[installation.id] = self._clock.monotonic() + max(pause, RENEWAL_PAUSE).total_seconds()
        tell = log.error if is_over(installation, self._clock) else log.warning
        tell("token_not_renewed", installation=installation.id, error=error)
        return installation

    async def _exchange(self, refresh_token: str) -> Mapping[str, object]:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._credentials.exchange(self._client(), **form)

    async def _save_late(self, id_: str) -> Installation | None:
        fresh, stale = self._unsaved[id_]
        found = await keep(self._installations, fresh, stale)
        self._unsaved.pop(id_, None)
        if found is None:
            self._forget(id_)
        else:
            self._note(found)
        return found

    def _note(self, installation: Installation) -> None:
        remember(self._known, installation.id, (installation, self._clock.monotonic()), MOST_REMEMBERED)

    def _bind(self, team: str, organisation: str) -> None:
        remember(self._orgs, team, organisation, MOST_REMEMBERED)

    def _forget(self, id_: str) -> None:
        self._known.pop(id_, None)
        self._not_before.pop(id_, None)
        self._unsaved.pop(id_, None)
        for team in [team for team, organisation in self._orgs.items() if organisation == id_]:
            del self._orgs[team]
