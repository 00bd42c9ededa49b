"""Looks after answers that wait for people: reminds of them, and wakes those that were answered elsewhere or are late."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge import logs
from bridge.backend_api import Backend
from bridge.clock import Clock, within
from bridge.dispatcher import Dispatcher
from bridge.errors import BackendError, StoreUnavailable
from bridge.input_api import TakesInput
from bridge.markdown.characters import literally
from bridge.messages import AppName, PlatformName
from bridge.notices import Notices
from bridge.pauses import DuePause, PauseStep
from bridge.pausing import PauseLimits, until
from bridge.platform_api import Platform
from bridge.store import Store

_log = logs.get("attending")

MOST_AT_ONCE = 50
"""Answers that are looked after in one go."""

REMINDER = "✋ Above, {what} still waits for an answer{until}."


class Attendant:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        dispatcher: Dispatcher,
        notices: Notices,
        clock: Clock,
        limits: PauseLimits,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._backends = backends
        self._dispatcher = dispatcher
        self._notices = notices
        self._clock = clock
        self._limits = limits

    async def attend(self) -> None:
        """To be called now and then, in any number of processes. Raises `StoreUnavailable`."""
        now = self._clock.now()
        again_at = now + self._limits.look_every - timedelta(seconds=1)
        due = await self._store.due_pauses(list(self._platforms), now, again_at, MOST_AT_ONCE)
        await asyncio.gather(*(self._look_after(one, now) for one in due))

    async def _look_after(self, due: DuePause, now: datetime) -> None:
        if due.remind:
            request = due.pause.request
            what = f"**{literally(request.title)}**" if request.title else "a form"
            self._notices.tell(due.target, REMINDER.format(what=what, until=until(request)), about="a form waits")
            _log.info("reminded", conversation=due.conversation)
        if await self._has_news(due, now):
            try:
                woken = await self._store.rouse(due.answer)
            except StoreUnavailable as error:
                # It is looked after again.
                _log.warning("store_unavailable", doing="rouse", detail=str(error))
                return
            if woken is not None:
                self._dispatcher.wake(woken)

    async def _has_news(self, due: DuePause, now: datetime) -> bool:
        pause, backend = due.pause, self._backends.get(due.app)
        if pause.step is not PauseStep.WAITING or backend is None:
            return True
        if not isinstance(backend, TakesInput):
            return True
        expires = pause.request.expires_at
        if expires is not None and now >= expires + (self._limits.after_late if pause.is_late else timedelta(0)):
            return True
        looking = backend.is_waiting(due.ids, due.backend_user)
        try:
            return not await within(self._clock, self._limits.control.total_seconds(), looking)
        except (BackendError, TimeoutError) as error:
            _log.info("not_looked_up", conversation=due.conversation, detail=str(error))
            return False
