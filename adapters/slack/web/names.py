"""Display names of people, as far as Slack tells."""

import asyncio
from collections.abc import Mapping, Sequence

from adapters.slack.web.clients import Clients
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError

log = logs.get("slack")

_LONGEST_LOCALE = 35
"""Characters of the longest language tag that anybody must take (RFC 5646)."""


class Names:
    """Bounded in size, in time and in patience. Slack's ids of people are the same in every workspace."""

    KEPT = 3_600.0
    """Seconds that a name is believed."""

    FORGIVEN = 300.0
    """Seconds after which a person who could not be looked up is tried again."""

    def __init__(self, clients: Clients, clock: Clock, *, wait: float, size: int = 2_000) -> None:
        self._clients = clients
        self._clock = clock
        self._wait = wait
        self._size = size
        self._off: set[str] = set()
        """Workspaces that do not tell."""
        self._known: dict[str, str] = {}
        self._locales: dict[str, str] = {}
        self._ask_again: dict[str, float] = {}

    def known(self) -> Mapping[str, str]:
        return self._known

    def locale_of(self, person: str) -> str:
        """Such as "en-US"; "" where it is not known."""
        return self._locales.get(person, "")

    async def learn(self, people: Sequence[str], team: str = "") -> None:
        """Looks up who is not known yet, all at once, and gives up after `wait` seconds. Never raises a `PlatformError`."""
        now = self._clock.monotonic()
        wanted = [person for person in people if now >= self._ask_again.get(person, now)]
        if team in self._off or not wanted or self._wait <= 0:
            return
        for person in wanted:
            self._keep_bounded()
            self._ask_again[person] = now + self.FORGIVEN
        try:
            async with asyncio.timeout(self._wait), asyncio.TaskGroup() as group:
                for person in wanted:
                    group.create_task(self._look_up(person, team))
        except TimeoutError:
            log.info("names_slow", people=len(wanted))

    async def _look_up(self, person: str, team: str) -> None:
        try:
            response = await self._clients.ask(
                team, "users.info", lambda client: client.users_info(user=person, include_locale=True)
            )
        except PlatformError as error:
            if error.code in {"missing_scope", "not_allowed_token_type"} and team not in self._off:
                self._off.add(team)
                log.warning("names_off", code=error.code, fix="add the scope users:read and install the app again")
            return
        name, locale = _name_in(response.get("user")), _locale_in(response.get("user"))
        if locale:
            self._locales[person] = locale
        if name:
            self._known[person] = name
            self._ask_again[person] = self._clock.monotonic() + self.KEPT

    def _keep_bounded(self) -> None:
        while len(self._ask_again) >= self._size:
            oldest = next(iter(self._ask_again))
            del self._ask_again[oldest]
            self._known.pop(oldest, None)
            self._locales.pop(oldest, None)


def _name_in(user: object) -> str:
    if not isinstance(user, dict):
        return ""
    profile = user.get("profile")
    spellings = [profile.get("display_name"), profile.get("real_name")] if isinstance(profile, dict) else []
    spellings += [user.get("real_name"), user.get("name")]
    return next((name for name in spellings if isinstance(name, str) and name), "")


def _locale_in(user: object) -> str:
    locale = user.get("locale") if isinstance(user, dict) else None
    return locale if isinstance(locale, str) and len(locale) <= _LONGEST_LOCALE else ""
