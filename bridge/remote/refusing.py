"""An HTTP answer that is not what was asked for: what of it is kept, and what all servers mean alike by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bridge.remote.framing import Json, read_object

# nginx and Cloudflare give these when the request was never handed on; 502, 504 and other 52x may come after it was.
NEVER_HANDED_ON = frozenset({503, 521, 523, 530})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Status, the headers that matter, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("Content-Type", "")

    def read(self) -> Json:
        return (read_object(self.body) if self.is_json else None) or {}


def shorten(text: str, limit: int = 300) -> str:
    """One line for the log. A validation message repeats the request after `[type=`, a 404 gives advice about routes."""
    line = " ".join(text.split())
    for marker in ("[type=", " You have requested this URI"):
        line = line.split(marker, 1)[0]
    return line.strip()[:limit]


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """In seconds or as a date. At most an hour is believed."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", value):
        seconds = float(value)
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return timedelta(seconds=min(max(seconds, 0.0), 3600.0))
