"""Which channels are shared with other organisations (Slack Connect). Messages tell it; commands, forms and presses do not."""

import asyncio

from adapters.slack.reading.fields import Json, object_in, text_in
from adapters.slack.reading.spots import is_direct_channel
from adapters.slack.web.clients import Clients
from adapters.slack.web.remembering import remember
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited

log = logs.get("slack")

BELIEVED = 600.0
"""Seconds for which a channel that is shared is taken to be."""

BELIEVED_ALONE = 60.0
"""The same for one that is not: others may be invited, and then the bot must not talk on."""

WITHIN = 1.2
"""Seconds to find out; somebody waits, and Slack waits three for all of it."""

MOST_KNOWN = 5_000


class Sharing:
    def __init__(self, clients: Clients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[bool, float]] = {}
        self._blind: set[str] = set()
        """Workspaces where Slack does not tell."""

    def note(self, team: str, payload: Json) -> None:
        """Any event in a channel tells."""
        shared, channel = payload.get("is_ext_shared_channel"), text_in(object_in(payload, "event"), "channel")
        if isinstance(shared, bool) and channel:
            self._remember(team, channel, shared=shared)

    async def is_shared(self, team: str, channel: str) -> bool | None:
        """None: Slack does not tell just now. Where it never tells, nobody is taken to read along: a workspace without the scope
        would have no commands else, and `check` names it. In direct messages it shows from who is there."""
        if is_direct_channel(channel):
            return False
        shared, until = self._known.get((team, channel), (False, 0.0))
        if until > self._clock.monotonic():
            return shared
        try:
            async with asyncio.timeout(WITHIN):
                response = await self._clients.ask(
                    team, "conversations.info", lambda client: client.conversations_info(channel=channel)
                )
        except (PlatformUnavailable, RateLimited, TimeoutError) as error:
            log.info("sharing_not_told", team=team, code=getattr(error, "code", "timeout"))
            return shared if (team, channel) in self._known else None
        except PlatformError as error:
            self._give_up(team, error.code)
            return shared
        found: object = response.get("channel")
        shared = isinstance(found, dict) and found.get("is_ext_shared") is True
        self._remember(team, channel, shared=shared)
        return shared

    def _give_up(self, team: str, code: str) -> None:
        # A private channel that we are not in is "not found"; nothing will be written there either.
        if code != "channel_not_found" and team not in self._blind:
            self._blind.add(team)
            fix = "add the scopes channels:read, groups:read and mpim:read and install the app again"
            log.warning("shared_channels_unknown", team=team, code=code, fix=fix if code == "missing_scope" else "")

    def _remember(self, team: str, channel: str, *, shared: bool) -> None:
        until = self._clock.monotonic() + (BELIEVED if shared else BELIEVED_ALONE)
        remember(self._known, (team, channel), (shared, until), MOST_KNOWN)
