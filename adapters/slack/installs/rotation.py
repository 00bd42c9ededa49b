"""New tokens for old ones: one refresh, at most once among all processes.

A refresh token works once, and the answer that is lost is lost for ever. So the row is held meanwhile, whoever held it before may
have renewed already, and what Slack gave is kept in memory when the store does not take it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.slack.installs.records import Answer, read_renewal, refresh_token_in, token_in, without_refresh_token
from bridge.clock import Clock
from bridge.errors import PlatformError, StoreUnavailable
from bridge.installations_api import Installation, Installations
from bridge.messages import InstallationId

RENEW_BEFORE = timedelta(hours=2)
"""Tokens live for twelve hours; Slack's own library renews them when fewer than two are left."""

LOST: Final = frozenset({"invalid_refresh_token", "invalid_grant"})
"""What Slack says of a refresh token that was used before: the one it was exchanged for never reached us."""

Exchange = Callable[[str], Awaitable[Answer]]
"""Gives a refresh token to Slack. Raises a `PlatformError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    installation: Installation | None
    """As it is now. None: there is none any more."""
    kept: bool = True
    """The store has it."""
    lost: bool = False
    """Slack takes the refresh token no more, so it is gone; the token lives as long as it does."""


def is_due(installation: Installation, clock: Clock) -> bool:
    return installation.expires_at is not None and installation.expires_at - clock.now() < RENEW_BEFORE


def is_over(installation: Installation, clock: Clock) -> bool:
    return installation.expires_at is not None and installation.expires_at <= clock.now()


async def renew(
    installations: Installations, id_: InstallationId, stale: str, exchange: Exchange, clock: Clock
) -> Renewed:
    """Replaces the token `stale`. Where another one is kept by now, that is the result and Slack is not asked.

    Raises a `PlatformError` when Slack gives none, and `StoreUnavailable` before Slack was asked.
    """
    fresh: Installation | None = None
    try:
        async with installations.renewing(id_) as renewal:
            current = renewal.current
            if current is None or token_in(current) != stale or not refresh_token_in(current):
                return Renewed(installation=current)
            try:
                answer = await exchange(refresh_token_in(current))
            except PlatformError as error:
                if error.code not in LOST:
                    raise
                bereft = without_refresh_token(current)
                await renewal.save(bereft)
                return Renewed(installation=bereft, lost=True)
            fresh = read_renewal(current, answer, clock.now())
            await renewal.save(fresh)
    except StoreUnavailable:
        if fresh is None:
            raise
        return Renewed(installation=fresh, kept=False)
    return Renewed(installation=fresh)


async def keep(installations: Installations, fresh: Installation, stale: str) -> Installation | None:
    """Saves what the store did not take before, unless something newer stands there. Returns what stands there now. Raises
    `StoreUnavailable`."""
    async with installations.renewing(fresh.id) as renewal:
        current = renewal.current
        if current is None or token_in(current) != stale:
            return current
        await renewal.save(fresh)
    return fresh
