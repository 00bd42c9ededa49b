"""The desk: backend events become a draft, the draft becomes paced writes on the platform.

`AnswerDraft` folds events and knows nothing of platforms. `AnswerWriter` shows the newest draft, then waits its turn; it never
queues texts. What each message says is decided in `composing`. The upstream read is not done here, so nothing that happens on
the chat side can cut it.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
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
from bridge.composing import Composer, Message
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget
from bridge.pacing import AnswerPace, Urgency, WriteKind
from bridge.platform_api import Platform, SendsFiles

_log = logs.get("answers")

_WITHDRAWN = "(This part was withdrawn.)"
"""Shown in a message that a shorter replacing text no longer needs. Messages are never deleted: people may have replied."""

INLINE_WORK = 1_500
"""Characters that are parsed and cut on the event loop, where that takes a few milliseconds; more goes to a thread. A long
paragraph or table of 8,000 would hold the loop for up to 100 ms."""

LOOK_AGAIN = 0.25
"""Seconds between two looks at a growing text when the last one had nothing new to show, such as half a link."""


class AnswerDraft:
    """What is known of an answer so far. One task folds, another one reads."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._notes: list[str] = []
        self.changed = asyncio.Event()
        """Set at every change; the reader clears it."""
        self.ended = asyncio.Event()
        self.complete = True
        """Whether the text is all that the app had to say; of interest once it has ended."""

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
        """A line of our own (Markdown), shown under the text when the answer has ended."""
        self._notes.append(note)

    def restart(self) -> None:
        """The question is asked again from the start."""
        self._pieces = []
        self.changed.set()

    def end(self, *, complete: bool = True) -> None:
        """Nothing more comes. Not `complete`: the text was cut off wherever it was."""
        self.complete = complete
        self.ended.set()
        self.changed.set()

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def notes(self) -> Sequence[str]:
        return tuple(self._notes)


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
    most_messages: int = 4
    """Messages that show an answer's text before the rest of it goes into a file, where the platform takes files."""
    file_tries: int = 5
    """How often a file is tried in vain before its text goes into messages. Being told to wait does not count."""


@dataclass(slots=True)
class _Shown:
    ref: MessageRef
    text: str


@dataclass(frozen=True, slots=True)
class _Write:
    part: int
    message: Message
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
        self._composer = Composer(
            platform.dialect,
            self._people,
            most_messages=limits.most_messages if isinstance(platform, SendsFiles) else None,
        )
        self._shown: list[_Shown] = []
        self._doubtful = 0
        """Messages that may stand, counting those of which it is not known."""
        self._failures = 0
        self._halvings = 0
        self.writes = 0
        """Platform calls made for this answer, refused ones included."""

    async def run(self, draft: AnswerDraft) -> bool:
        """Returns when the ended draft is shown (True) or cannot be shown any more (False). Raises no `PlatformError`."""
        await self._show_activity_until_text(draft)
        deadline: float | None = None
        while True:
            await self._wait_to_look(draft)
            ended = draft.ended.is_set()
            draft.changed.clear()
            write = await self._next_write(draft, ended=ended)
            if ended:
                deadline = deadline or self._clock.monotonic() + self._limits.delivery.total_seconds()
                if write is None:
                    return True
                if self._clock.monotonic() > deadline:
                    _log.error("answer_not_delivered", part=write.part, reason="time is up")
                    return False
            elif write is None:
                await draft.changed.wait()
                await self._clock.wait(draft.ended, LOOK_AGAIN)
                continue
            if not await self._wait_turn(write, draft, deadline):
                continue
            try:
                await self._perform(write)
            except MessageRefused as error:
                if not self._try_otherwise(write, error):
                    await draft.ended.wait()
                    return False
            except (MessageGone, NotAllowed) as error:
                if isinstance(error, NotAllowed) and self._without_file(write, error):
                    continue
                self._give_up(error)
                await draft.ended.wait()
                return False
            except PlatformError as error:
                await self._pause(error, write)

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

    async def _wait_to_look(self, draft: AnswerDraft) -> None:
        """Until the next edit may be made: to parse the text before that would be for nothing."""
        if self._shown and not draft.ended.is_set():
            wait = self._pace.delay("edit", Urgency.PROGRESS)
            # A further message may be posted when edits may not.
            longest = self._platform.capabilities.min_edit_interval.total_seconds()
            if wait > 0:
                await self._clock.wait(draft.ended, min(wait, longest))

    async def _next_write(self, draft: AnswerDraft, *, ended: bool) -> _Write | None:
        messages = await self._compose(draft, ended=ended)
        if ended:
            # A post of unknown outcome may stand too; posted once more under its nonce, it is found.
            standing = max(len(self._shown), self._doubtful)
            messages += [Message(text=_WITHDRAWN)] * (standing - len(messages))
        for number, message in enumerate(messages):
            if number >= len(self._shown):
                return _Write(number, message, None)
            if self._shown[number].text.rstrip() != message.text.rstrip():
                return _Write(number, message, self._shown[number].ref)
        return None

    async def _compose(self, draft: AnswerDraft, *, ended: bool) -> list[Message]:
        text, notes = draft.text, draft.notes

        def compose() -> list[Message]:
            return self._composer.compose(text, notes, ended=ended, complete=draft.complete)

        return await asyncio.to_thread(compose) if self._composer.work(text) > INLINE_WORK else compose()

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
        text, file = write.message.text, write.message.file
        self.writes += 1
        if write.ref is not None:
            # Recorded first: after a crash between the two, what is amended is never less than what people saw.
            await self._recorder.showing(write.part, text)
            await self._platform.edit(self._target, write.ref, self._outgoing(text, self._nonce(write.part)))
            self._shown[write.part].text = text
        else:
            self._composer.announced = self._composer.announced or write.message.announces
            # A nonce of its own: a platform that knows it already would answer with the message that has no file.
            nonce = self._nonce("file" if file else write.part)
            message = self._outgoing(text, nonce)
            if file is not None and isinstance(self._platform, SendsFiles):
                ref = await self._platform.send_file(self._target, message, file)
                self._composer.attached = True
            else:
                ref = await self._platform.send(self._target, message)
            self._shown.append(_Shown(ref, text))
            await self._recorder.posted(write.part, nonce, ref, text)
        self._failures = 0

    def _outgoing(self, text: str, nonce: str) -> OutgoingMessage:
        return OutgoingMessage(text=text, nonce=nonce, people=self._people)

    def _nonce(self, part: int | str) -> str:
        return hashlib.blake2b(f"{self._seed}:{part}".encode(), digest_size=12).hexdigest()

    def _try_otherwise(self, write: _Write, error: MessageRefused) -> bool:
        """Goes on without a file, or with smaller messages. False: neither is possible."""
        if self._without_file(write, error):
            return True
        self._halvings += 1
        # What is in a file already begins where the messages end now.
        if self._halvings > self._limits.splits or self._composer.attached or not self._composer.shrink():
            self._give_up(error)
            return False
        _log.warning("message_refused", code=error.code, next_limit=self._composer.limit)
        return True

    def _without_file(self, write: _Write, error: PlatformError) -> bool:
        """Has the text sent as messages when `write` was to post a file. False: it was not."""
        if write.message.file is None or write.ref is not None:
            return False
        _log.warning("file_not_sent", code=error.code, detail=str(error))
        self._composer.refuse_files()
        self._failures = 0
        return True

    async def _pause(self, error: PlatformError, write: _Write) -> None:
        kind: WriteKind = "edit" if write.ref else "post"
        if isinstance(error, RateLimited):
            seconds = error.retry_after.total_seconds()
            self._pace.penalise(kind, seconds)
            _log.warning("rate_limited", write=kind, retry_after=seconds)
            return
        self._failures += 1
        if self._failures >= self._limits.file_tries and self._without_file(write, error):
            return
        pause = self._limits.retry_pause.total_seconds()
        seconds = min(pause * 2 ** (self._failures - 1), pause * 30)
        known = isinstance(error, PlatformUnavailable)
        if known and write.ref is None:
            self._doubtful = max(self._doubtful, write.part + 1)
        _log.warning("write_failed", write=kind, code=error.code, again_in=seconds, expected=known)
        await self._clock.sleep(seconds)

    def _give_up(self, error: PlatformError) -> None:
        _log.warning("answer_not_shown", code=error.code, detail=str(error), messages_shown=len(self._shown))
