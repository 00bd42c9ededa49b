"""The desk: backend events become a draft, the draft becomes paced writes on the platform.

`AnswerDraft` folds events and knows nothing of platforms. `AnswerWriter` shows the newest draft, then waits its turn; it never
queues texts. The upstream read is not done here, so nothing that happens on the chat side can cut it.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, assert_never

from bridge import logs
from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    FileProduced,
    Progress,
    TextDelta,
    TextReplaced,
)
from bridge.clock import Clock
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget
from bridge.pacing import AnswerPace, Urgency, WriteKind
from bridge.platform_api import Platform
from bridge.splitting import Splitter, close_fence

_log = logs.get("answers")

_WITHDRAWN = "(This part was withdrawn.)"
"""Shown in a message that a shorter replacing text no longer needs. Messages are never deleted: people may have replied."""


class AnswerDraft:
    """What is known of an answer so far. One task folds, another one reads."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._notes: list[str] = []
        self.changed = asyncio.Event()
        """Set at every change; the reader clears it."""
        self.ended = asyncio.Event()

    def fold(self, event: BackendEvent) -> None:
        match event:
            case TextDelta(text=text):
                self._pieces.append(text)
            case TextReplaced(text=text):
                self._pieces = [text]
            case FileProduced(name=name):
                self._notes.append(f"📎 The app made a file, {name}. Files cannot be shown here yet.")
            case AnswerStarted() | Progress() | AnswerCompleted():
                return
            case _:
                assert_never(event)
        self.changed.set()

    def add_note(self, note: str) -> None:
        """A line of our own, shown under the text when the answer has ended."""
        self._notes.append(note)

    def restart(self) -> None:
        """The question is asked again from the start."""
        self._pieces = []
        self.changed.set()

    def end(self) -> None:
        self.ended.set()
        self.changed.set()

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def shown(self) -> str:
        """What a person should read now; once it has ended, with the notes below."""
        text = self.text.rstrip()
        if not self.ended.is_set() or not self._notes:
            return text
        return "\n\n".join(part for part in (close_fence(text), *self._notes) if part)


class Recorder(Protocol):
    """Where the writer reports what the platform shows."""

    async def posted(self, part: int, nonce: str, ref: MessageRef, text: str) -> None:
        """A new message stands."""
        ...

    async def showing(self, part: int, text: str) -> None:
        """A message is about to be edited to this text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """Bounds of patience; the operator may change them."""

    first_hold: timedelta = timedelta(milliseconds=60)
    """How long the first text may wait for company: a quick short answer then takes one call instead of three."""
    delivery: timedelta = timedelta(minutes=10)
    """How long after its end an answer may still be tried to be shown."""
    retry_pause: timedelta = timedelta(seconds=1)
    """Pause after a failed write; doubles up to thirty times itself."""
    splits: int = 3
    """How often the message size is halved when the platform refuses a message."""


@dataclass(slots=True)
class _Shown:
    ref: MessageRef
    text: str


@dataclass(frozen=True, slots=True)
class _Write:
    part: int
    text: str
    ref: MessageRef | None
    """None: a new message."""


class AnswerWriter:
    """Shows one draft on one platform until it has ended and everything is shown. Used once."""

    def __init__(
        self,
        *,
        platform: Platform,
        pace: AnswerPace,
        clock: Clock,
        target: ReplyTarget,
        recorder: Recorder,
        nonce_seed: str,
        limits: WriterLimits,
        people: Mapping[str, str] | None = None,
    ) -> None:
        """`people` (id -> name) are those whom the answer may mention."""
        self._platform = platform
        self._pace = pace
        self._clock = clock
        self._target = target
        self._recorder = recorder
        self._seed = nonce_seed
        self._limits = limits
        self._people = people or {}
        self._max_text = platform.capabilities.max_text
        self._splitter = Splitter(self._max_text, platform.measure)
        self._shown: list[_Shown] = []
        self._failures = 0
        self._halvings = 0
        self.writes = 0
        """Platform calls made for this answer, refused ones included."""

    async def run(self, draft: AnswerDraft) -> bool:
        """Returns when the ended draft is shown (True) or cannot be shown any more (False). Raises no `PlatformError`."""
        await self._show_activity_until_text(draft)
        deadline: float | None = None
        while True:
            draft.changed.clear()
            write = self._next_write(draft)
            if draft.ended.is_set():
                deadline = deadline or self._clock.monotonic() + self._limits.delivery.total_seconds()
                if write is None:
                    return True
                if self._clock.monotonic() > deadline:
                    _log.error("answer_not_delivered", part=write.part, reason="time is up")
                    return False
            elif write is None:
                await draft.changed.wait()
                continue
            if not await self._wait_turn(write, draft, deadline):
                continue
            try:
                await self._perform(write)
            except (MessageGone, NotAllowed) as error:
                self._give_up(error)
                await draft.ended.wait()
                return False
            except MessageRefused as error:
                if not self._split_smaller(error):
                    await draft.ended.wait()
                    return False
            except PlatformError as error:
                await self._pause(error, "edit" if write.ref else "post")

    async def _show_activity_until_text(self, draft: AnswerDraft) -> None:
        every = self._platform.capabilities.activity_every.total_seconds()
        due = self._clock.monotonic()
        while not draft.ended.is_set() and not draft.text.strip():
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + every
                if self._pace.take_extra():
                    await self._platform.show_activity(self._target)
            draft.changed.clear()
            if not draft.ended.is_set() and not draft.text.strip():
                await self._clock.wait(draft.changed, due - self._clock.monotonic())
        await self._clock.wait(draft.ended, self._limits.first_hold.total_seconds())

    def _next_write(self, draft: AnswerDraft) -> _Write | None:
        parts = self._splitter.feed(draft.shown)
        if draft.ended.is_set():
            parts += [_WITHDRAWN] * (len(self._shown) - len(parts))
        for number, text in enumerate(parts):
            if number >= len(self._shown):
                return _Write(number, text, None)
            if self._shown[number].text != text:
                return _Write(number, text, self._shown[number].ref)
        return None

    async def _wait_turn(self, write: _Write, draft: AnswerDraft, deadline: float | None) -> bool:
        """True when `write` may be made now; False after a wait, when there may be a newer text."""
        kind: WriteKind = "edit" if write.ref else "post"
        urgency = Urgency.FINAL if draft.ended.is_set() else Urgency.PROGRESS if write.ref else Urgency.FIRST
        wait = self._pace.delay(kind, urgency)
        if wait <= 0:
            self._pace.take(kind, urgency)
            return True
        if deadline is not None:
            # A platform may ask for hours; the deadline is looked at again just after it.
            await self._clock.sleep(min(wait, max(deadline - self._clock.monotonic(), 0.0) + 0.1))
        else:
            await self._clock.wait(draft.ended, wait)
        return False

    async def _perform(self, write: _Write) -> None:
        nonce = self._nonce(write.part)
        message = OutgoingMessage(text=write.text, nonce=nonce, people=self._people)
        self.writes += 1
        if write.ref is None:
            ref = await self._platform.send(self._target, message)
            self._shown.append(_Shown(ref, write.text))
            await self._recorder.posted(write.part, nonce, ref, write.text)
        else:
            # Recorded first: after a crash between the two, what is amended is never less than what people saw.
            await self._recorder.showing(write.part, write.text)
            await self._platform.edit(self._target, write.ref, message)
            self._shown[write.part].text = write.text
        self._failures = 0

    def _nonce(self, part: int) -> str:
        return hashlib.blake2b(f"{self._seed}:{part}".encode(), digest_size=12).hexdigest()

    def _split_smaller(self, error: MessageRefused) -> bool:
        self._halvings += 1
        self._max_text //= 2
        if self._halvings > self._limits.splits or self._max_text < 200:
            self._give_up(error)
            return False
        _log.warning("message_refused", code=error.code, next_limit=self._max_text)
        self._splitter = Splitter(self._max_text, self._platform.measure)
        return True

    async def _pause(self, error: PlatformError, kind: WriteKind) -> None:
        if isinstance(error, RateLimited):
            seconds = error.retry_after.total_seconds()
            self._pace.penalise(kind, seconds)
            _log.warning("rate_limited", write=kind, retry_after=seconds)
            return
        self._failures += 1
        pause = self._limits.retry_pause.total_seconds()
        seconds = min(pause * 2 ** (self._failures - 1), pause * 30)
        known = isinstance(error, PlatformUnavailable)
        _log.warning("write_failed", write=kind, code=error.code, again_in=seconds, expected=known)
        await self._clock.sleep(seconds)

    def _give_up(self, error: PlatformError) -> None:
        _log.warning("answer_not_shown", code=error.code, detail=str(error), messages_shown=len(self._shown))
