"""What threads are given besides answers: a title that fits, and a mark once whoever asked is content.

Nobody waits for it, so it is done off the path of answers and votes, by one task. What fails is in the log and nowhere else;
what still waits when the process ends is dropped.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar, assert_never

from bridge import logs
from bridge.backend_api import Backend
from bridge.clock import Clock, within
from bridge.errors import BackendError, PlatformError, StoreUnavailable
from bridge.messages import (
    AppName,
    BackendConversationId,
    BackendUser,
    ConversationId,
    MessageRef,
    PlatformName,
    ReplyTarget,
)
from bridge.past_api import NamesConversations
from bridge.platform_api import MarksSolved, Platform, RenamesThreads
from bridge.store import Store

_log = logs.get("labelling")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLimits:
    most_waiting: int = 200
    """One more is dropped."""
    at_once: int = 4
    """A platform may take its time to rename a thread, and other threads need not wait for that."""
    patience: timedelta = timedelta(seconds=30)
    """For each call."""
    longest_title: int = 100
    """Characters; platforms cut it further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A conversation with a whole answer."""

    conversation: ConversationId
    app: AppName
    backend_conversation: BackendConversationId
    user: BackendUser
    target: ReplyTarget
    """The thread that it was given in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Praised:
    """Somebody likes what a message of ours says."""

    message: MessageRef
    target: ReplyTarget | None = None
    """Where it stands, if that was told."""


class Labeller:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        clock: Clock,
        limits: LabelLimits | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._backends = backends
        self._clock = clock
        self._limits = limits or LabelLimits()
        self._waiting: dict[ConversationId | MessageRef, Answered | Praised] = {}
        self._news = asyncio.Event()

    def note(self, what: Answered | Praised) -> None:
        """Never blocks; may be called before `run`."""
        match what:
            case Answered():
                key: ConversationId | MessageRef = what.conversation
                wanted = isinstance(self._platforms[what.target.platform], RenamesThreads) and isinstance(
                    self._backends.get(what.app), NamesConversations
                )
            case Praised():
                key = what.message
                wanted = isinstance(self._platforms.get(what.message.platform), MarksSolved)
            case _:
                assert_never(what)
        if not wanted:
            return
        if key not in self._waiting and len(self._waiting) >= self._limits.most_waiting:
            _log.warning("label_dropped", kind=type(what).__name__, why="too many wait")
            return
        self._waiting[key] = what
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._limits.at_once):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            if not self._waiting:
                self._news.clear()
                continue
            what = self._waiting.pop(next(iter(self._waiting)))
            try:
                await (self._title(what) if isinstance(what, Answered) else self._mark(what))
            except (BackendError, PlatformError) as error:
                _log.warning("not_labelled", kind=type(what).__name__, code=error.code, detail=str(error))
            except TimeoutError:
                _log.warning("not_labelled", kind=type(what).__name__, code="timeout", detail="no answer in time")
            except StoreUnavailable as error:
                _log.warning("not_labelled", kind=type(what).__name__, code="store", detail=str(error))

    async def _title(self, answered: Answered) -> None:
        platform, backend = self._platforms[answered.target.platform], self._backends.get(answered.app)
        if backend is None:
            return  # its app is gone meanwhile
        if not isinstance(platform, RenamesThreads) or not isinstance(backend, NamesConversations):
            return
        # Claimed first: a thread that keeps its first name is better than one that changes it again and again.
        if not await self._store.claim_title(answered.conversation):
            return
        naming = backend.name_of(answered.backend_conversation, answered.user)
        title = " ".join((await self._in_time(naming)).split())[: self._limits.longest_title].strip()
        if title:
            await self._in_time(platform.rename_thread(answered.target, title))
            _log.info("thread_titled", conversation=answered.conversation)

    async def _mark(self, praised: Praised) -> None:
        platform = self._platforms[praised.message.platform]
        endorsed = await self._store.endorsed(praised.message)
        target = praised.target or (endorsed.target if endorsed else None)
        if endorsed is not None and target is not None and isinstance(platform, MarksSolved):
            await self._in_time(platform.mark_solved(target))
            _log.info("marked_solved", platform=platform.name)

    async def _in_time(self, work: Coroutine[None, None, T]) -> T:
        return await within(self._clock, self._limits.patience.total_seconds(), work)
