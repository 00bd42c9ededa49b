"""What Discord says about how many edits are left: its rate limit headers, read from every answer. Makes no calls.

discord.py obeys them by itself, but keeps them to itself: the call that uses up a channel's last edit returns only when the
budget is full again. So progress must be held back before that, and the end of an answer never.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.messages import PaceGroup

MOST_KNOWN = 2_000
"""Channels whose last word is remembered. A forgotten one is paced by the numbers in `capabilities`."""

MARGIN = 0.25
"""Seconds more than Discord says: its window begins when a call arrives there."""

_EDIT = re.compile(r"/channels/([0-9]+)/messages/[0-9]+|/webhooks/[0-9]+/([^/]+)/messages/[^/]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    limit: int
    left: int
    full_at: float


class Quotas:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[str, _Told] = {}
        """By channel, or by the token of an interaction."""
        self._tokens: dict[PaceGroup, str] = {}

    def name(self, group: PaceGroup, token: str) -> None:
        """What is edited with this token counts for that group."""
        self._tokens[group] = token
        if len(self._tokens) > MOST_KNOWN:
            del self._tokens[next(iter(self._tokens))]

    def note(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        """What an answer told. Others than those to edits are ignored."""
        found = _EDIT.search(path) if method == "PATCH" else None
        if found is None:
            return
        try:
            told = _Told(
                limit=int(headers["X-RateLimit-Limit"]),
                left=int(headers["X-RateLimit-Remaining"]),
                full_at=self._clock.monotonic() + float(headers["X-RateLimit-Reset-After"]) + MARGIN,
            )
        except (KeyError, ValueError):
            return
        key = found[1] or found[2]
        self._told.pop(key, None)
        self._told[key] = told
        if len(self._told) > MOST_KNOWN:
            del self._told[next(iter(self._told))]

    def wait_for_room(self, group: PaceGroup, spare: int) -> float:
        """Seconds until Discord surely takes `spare` further edits, by what it said last; 0 when it said nothing lately. Of a
        budget that is smaller than that, until it is full, and for ever where it is a single edit: that is for the end."""
        told = self._told.get(self._tokens.get(group, group))
        if told is None:
            return 0.0
        wait = told.full_at - self._clock.monotonic()
        if told.limit < 2 <= spare:
            # Nobody knows whether the limit will be larger one day; so it is looked at again.
            return max(wait, 1.0)
        return wait if wait > 0 and told.left < min(spare, told.limit) else 0.0
