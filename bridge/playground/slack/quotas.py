"""Rate limits: sliding windows per token and method, and the bucket for posts into one channel."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bridge.playground.slack import limits


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(slots=True, kw_only=True)
class Quotas:
    per_minute: dict[str, int] = field(default_factory=lambda: dict(limits.CALLS_PER_MINUTE))
    """Method to calls in any minute. May be changed at any time."""
    posts_per_second: float = limits.POSTS_PER_SECOND
    post_burst: int = limits.POST_BURST
    _taken: defaultdict[tuple[str, str], deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def take(self, token: str, method: str, channel: str, now: float) -> int | None:
        """Counts one call. Returns None, or the whole seconds to wait when it is one too many (and is not counted)."""
        window = self._taken[token, method]
        while window and window[0] <= now - limits.WINDOW_SECONDS:
            window.popleft()
        allowed = self.per_minute[method]
        if len(window) >= allowed:
            oldest = window[-allowed] if allowed > 0 else now
            return _whole_seconds(oldest + limits.WINDOW_SECONDS - now)
        if method == "chat.postMessage":
            wait = self._take_post(token, channel, now)
            if wait is not None:
                return wait
        window.append(now)
        return None

    def _take_post(self, token: str, channel: str, now: float) -> int | None:
        bucket = self._buckets.setdefault((token, channel), _Bucket(left=self.post_burst, at=now))
        bucket.left = min(self.post_burst, bucket.left + (now - bucket.at) * self.posts_per_second)
        bucket.at = now
        if bucket.left < 1:
            return _whole_seconds((1 - bucket.left) / self.posts_per_second)
        bucket.left -= 1
        return None


def _whole_seconds(seconds: float) -> int:
    """`Retry-After` has no fractions and is never zero; rounded up, so that waiting exactly so long is enough."""
    return max(1, math.ceil(seconds))
