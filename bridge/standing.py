"""What is known of an answer's messages: where that is reported, and looking up those of an earlier process."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, NotAllowed, PlatformError, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, PartRole, ReplyTarget, SentPart
from bridge.pacing import WriteKind
from bridge.platform_api import FindsSent, Platform, ReadsBack

_log = logs.get("standing")


class Recorder(Protocol):
    """Where the writer reports what the platform shows."""

    async def intending(self, part: int, nonce: str, role: PartRole, text: str) -> None:
        """A new message is about to be posted."""
        ...

    async def posted(self, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str) -> None:
        """A new message stands."""
        ...

    async def may_adopt(self, ref: MessageRef) -> bool:
        """Whether a message that was found is not known as part of another answer."""
        ...

    async def showing(self, part: int, text: str) -> None:
        """A message is about to be edited to this text."""
        ...

    def limited(self, kind: WriteKind) -> None:
        """The platform refused a write for now."""
        ...


class Lookup:
    """In one place on one platform. Tries several times when the platform is away, and then does without."""

    def __init__(self, platform: Platform, target: ReplyTarget, clock: Clock, *, tries: int, pause: timedelta) -> None:
        self._platform = platform
        self._target = target
        self._clock = clock
        self._tries = tries
        self._pause = pause.total_seconds()

    async def find(self, sent: SentPart, message: OutgoingMessage, given_up: Callable[[], bool]) -> MessageRef | None:
        """The message that `sent` intended, if it stands. None: it does not, or nobody can tell."""
        if not isinstance(self._platform, FindsSent):
            return None
        for attempt in range(self._tries):
            if given_up():
                return None
            try:
                return await self._platform.find_sent(self._target, message, sent.intended_at)
            except (MessageGone, NotAllowed) as error:
                _log.warning("not_looked_for", code=error.code)
                return None
            except PlatformError as error:
                await self._wait_after(error, attempt)
        return None

    async def read(self, ref: MessageRef, given_up: Callable[[], bool]) -> str:
        """What one of our messages says. Empty: nobody can tell."""
        if not isinstance(self._platform, ReadsBack):
            return ""
        for attempt in range(self._tries):
            if given_up():
                return ""
            try:
                return await self._platform.read_back(self._target, ref)
            except (MessageGone, NotAllowed) as error:
                _log.warning("not_read_back", code=error.code)
                return ""
            except PlatformError as error:
                await self._wait_after(error, attempt)
        return ""

    async def _wait_after(self, error: PlatformError, attempt: int) -> None:
        _log.warning("look_up_failed", code=error.code, detail=str(error))
        told = error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0
        await self._clock.sleep(max(told, self._pause * min(2**attempt, 30)))
