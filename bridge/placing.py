"""Where an answer goes: the thread of its question, which may have to be opened first, while the backend is already thinking."""

from dataclasses import dataclass
from datetime import timedelta

from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited, StoreUnavailable
from bridge.messages import AskedQuestion, ReplyTarget
from bridge.platform_api import OpensThreads, Platform
from bridge.questions import shortened
from bridge.running import Running
from bridge.store import Store

_log = logs.get("placing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacingLimits:
    longest_title: int = 80
    first_pause: timedelta = timedelta(seconds=1)
    """Before a thread that could not be begun is tried again; doubles up to `longest_pause`."""
    longest_pause: timedelta = timedelta(seconds=30)
    patience: timedelta = timedelta(minutes=10)
    """How long after the end of its answer a thread is tried; then whoever sweeps next goes on."""


class Placer:
    def __init__(self, *, store: Store, clock: Clock, limits: PlacingLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    async def place(self, running: Running, platform: Platform) -> ReplyTarget | None:
        """None: nowhere. What nobody sees has nothing to be answered under until its thread stands: while the platform is away it
        is tried again, and is handed over when that takes too long."""
        turn = running.turn
        target = turn.target
        if not target.opens_thread or not isinstance(platform, OpensThreads):
            return target
        opened = await self._open(running, platform)
        if opened is None or opened.opens_thread or opened.address == target.address:
            return opened
        try:
            await self._store.move_to(turn, opened)
        except StoreUnavailable as error:
            # This answer goes there all the same; the next question there brings its own target.
            _log.warning("store_unavailable", doing="move_to", detail=str(error))
        return opened

    async def _open(self, running: Running, platform: OpensThreads) -> ReplyTarget | None:
        asked, target, ended = running.turn.question, running.turn.target, running.draft.ended
        title = self._title(asked)
        pause, give_up_at = self._limits.first_pause, float("inf")
        while True:
            try:
                return await platform.open_thread(target, title)
            except PlatformError as error:
                lasting = not isinstance(error, RateLimited | PlatformUnavailable)
                _log.warning(
                    "thread_not_opened", code=error.code, detail=str(error), again=asked.unseen and not lasting
                )
                if not asked.unseen:
                    return target
                if lasting or running.draft.is_abandoned():
                    return None
                wait = max(error.retry_after, pause) if isinstance(error, RateLimited) else pause
            if ended.is_set():
                now = self._clock.monotonic()
                give_up_at = min(give_up_at, now + self._limits.patience.total_seconds())
                if now >= give_up_at:
                    running.handed_over = True
                    return None
            await self._wait(running, wait.total_seconds())
            if running.draft.is_abandoned():
                return None
            pause = min(pause * 2, self._limits.longest_pause)

    async def _wait(self, running: Running, seconds: float) -> None:
        """Less where somebody else goes on with it."""
        until = self._clock.monotonic() + seconds
        await self._clock.wait(running.draft.ended, seconds)
        rest = until - self._clock.monotonic()
        if rest > 0 and not running.draft.is_abandoned():
            await self._clock.sleep(rest)

    def _title(self, asked: AskedQuestion) -> str:
        if asked.unseen:
            return f"{asked.author.display_name} asked: {shortened(asked.text)}"
        return " ".join(asked.text.split())[: self._limits.longest_title] or asked.author.display_name
