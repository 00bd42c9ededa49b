"""How many questions are taken within a while, of one person and in one channel. Pure."""

import re
from dataclasses import dataclass
from datetime import timedelta

MOST = 10_000
LONGEST = timedelta(days=7)
"""Who asked is known for longer than that, but nobody would remember what they wait for."""

_WRITTEN = re.compile(r"(?P<most>[1-9][0-9]{0,4})\s*/\s*(?P<number>[1-9][0-9]{0,4})?\s*(?P<unit>[smhd])")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_NAMES = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `most` questions in any `window`."""

    most: int
    window: timedelta

    def __str__(self) -> str:
        for unit in "dhm":
            if not self.window % _UNITS[unit]:
                return f"{self.most}/{self.window // _UNITS[unit]}{unit}"
        return f"{self.most}/{self.window // _UNITS['s']}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """None: any number."""

    per_person: Quota | None = None
    """Of one person on one platform, to one app."""
    per_channel: Quota | None = None
    """Of everybody in one channel and its threads, to one app. Direct messages are no channel."""


def read_quota(text: str) -> Quota:
    """`20/10m`: so many questions in so many seconds, minutes, hours or days. Raises `ValueError`."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is not None:
        window = int(found["number"] or 1) * _UNITS[found["unit"]]
        if int(found["most"]) <= MOST and window <= LONGEST:
            return Quota(most=int(found["most"]), window=window)
    raise ValueError("must be a number of questions and a while, such as 20/10m or 100/1d; at most 10000 and 7d")


def in_questions(quota: Quota) -> str:
    """`20 questions in 10 minutes`."""
    return f"{quota.most} question{'' if quota.most == 1 else 's'} in {in_words(quota.window)}"


def in_words(span: timedelta) -> str:
    """`3 minutes`: rounded up, so that who waits for so long does not come too early."""
    seconds = max(-(-span // _UNITS["s"]), 1)
    # Minutes up to two hours, hours up to two days: who waits wants to know it that well.
    unit = "s" if seconds < 60 else "m" if seconds <= 2 * 3600 else "h" if seconds <= 2 * 86_400 else "d"
    count = -(-seconds // int(_UNITS[unit].total_seconds()))
    return f"{count} {_NAMES[unit]}{'' if count == 1 else 's'}"
