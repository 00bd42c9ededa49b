"""The desk: a draft becomes paced writes on the platform.

`AnswerWriter` shows the newest draft, then waits its turn; it never queues texts. What each message says is decided in
`composing`. Nothing that happens here, on the chat side, can cut the upstream read.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge import logs
from bridge.clock import Clock
from bridge.composing import Composer, Message
from bridge.drafts import STATUS_MARK, AnswerDraft
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Button, ButtonAction, MessageRef, OutgoingMessage, PartRole, ReplyTarget, SentPart
from bridge.pacing import AnswerPace, Urgency, WriteKind
from bridge.platform_api import Platform, SendsFiles
from bridge.standing import Lookup, Recorder

_log = logs.get("answers")

STOP = Button(action=ButtonAction.STOP, label="Stop")
RETRY = Button(action=ButtonAction.RETRY, label="Try again")

_WITHDRAWN = "(This part was withdrawn.)"
"""Shown in a message that a shorter replacing text no longer needs. Messages are never deleted: people may have replied."""

INLINE_WORK = 1_500
"""Characters that are parsed and cut on the event loop, where that takes a few milliseconds; more goes to a thread. A long
paragraph or table of 8,000 would hold the loop for up to 100 ms."""

LOOK_AGAIN = 0.25
"""Seconds between two looks at a growing text when the last one had nothing new to show, such as half a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """Bounds of patience; the operator may change them."""

    first_hold: timedelta = timedelta(milliseconds=60)
    """How long the first text may wait for company: a quick short answer then takes one call instead of three."""
    delivery: timedelta = timedelta(minutes=10)
    """How long after its end one writer tries to show an answer."""
    retry_pause: timedelta = timedelta(seconds=1)
    """Pause after a failed write; doubles up to thirty times itself."""
    splits: int = 3
    """How often the message size is halved when the platform refuses a message."""
    most_messages: int = 4
    """Messages that show an answer's text before the rest of it goes into a file, where the platform takes files."""
    find_tries: int = 12
    """How often an earlier writer's message is looked for, or read: for about four minutes, then it is done without."""
    file_tries: int = 5
    """How often a file is tried in vain before its text goes into messages. Being told to wait does not count."""


@dataclass(slots=True)
class _Shown:
    ref: MessageRef
    text: str | None
    """None: it is not known what it says now."""
    buttons: tuple[Button, ...] = ()
    intended: str = ""
    """What it was to say by the record. Whether that came to be shown is another question."""


@dataclass(frozen=True, slots=True)
class _Write:
    part: int
    message: Message
    ref: MessageRef | None
    """None: a new message."""
    buttons: tuple[Button, ...] = ()

    @property
    def role(self) -> PartRole:
        if self.message.file is not None:
            return PartRole.FILE
        return PartRole.ANNOUNCEMENT if self.message.announces else PartRole.TEXT


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
        standing: Sequence[SentPart] = (),
    ) -> None:
        """`people` (id -> name) are those whom the answer may mention. `standing` are messages that an earlier writer of the
        same answer posted, or was about to post; they are edited."""
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
        self._standing = standing
        self._lookup = Lookup(platform, target, clock, tries=limits.find_tries, pause=limits.retry_pause)
        self._shown: list[_Shown] = []
        self._further: dict[int, _Shown] = {}
        """Messages that stand behind one that does not, as far as is known."""
        self._kept: list[str] | None = None
        self._apart = False
        """What stands takes no line more: our own lines go below it."""
        self._doubtful = 0
        """Messages that may stand, counting those of which it is not known."""
        self._intended: set[str] = set()
        self._failures = 0
        self._halvings = 0
        self.writes = 0
        """Platform calls made for this answer, refused ones included."""
        self.out_of_time = False
        """The platform was away for longer than anybody waits; somebody may try again later."""
        self.first_shown_at: float | None = None
        """When the first text stood, by the clock's monotonic time."""

    async def run(self, draft: AnswerDraft) -> bool:
        """Returns when the ended draft is shown (True) or cannot be shown any more (False). Raises no `PlatformError`."""
        await self._take_over(draft)
        await self._show_activity_until_text(draft)
        deadline: float | None = None
        while not draft.is_abandoned():
            await self._wait_to_look(draft)
            if draft.is_abandoned():
                break
            ended = draft.ended.is_set()
            draft.changed.clear()
            write = await self._next_write(draft, ended=ended)
            if ended:
                deadline = deadline or self._clock.monotonic() + self._limits.delivery.total_seconds()
                if write is None:
                    return True
                if self._clock.monotonic() > deadline:
                    _log.error("answer_not_delivered", part=write.part, reason="time is up")
                    self.out_of_time = True
                    return False
            elif write is None:
                await draft.changed.wait()
                await self._clock.wait(draft.ended, LOOK_AGAIN)
                continue
            if not await self._wait_turn(write, draft, deadline) or draft.is_abandoned():
                continue
            try:
                await self._perform(write)
            except PlatformError as error:
                if not await self._bear(error, write, draft):
                    await draft.ended.wait()
                    return False
        return False

    async def _bear(self, error: PlatformError, write: _Write, draft: AnswerDraft) -> bool:
        if isinstance(error, MessageRefused):
            return self._try_otherwise(write, error, draft)
        if isinstance(error, NotAllowed) and self._without_file(write, error):
            return True
        if isinstance(error, MessageGone | NotAllowed):
            self._give_up(error)
            return False
        await self._pause(error, write, draft)
        return True

    async def _take_over(self, draft: AnswerDraft) -> None:
        """Finds out which messages of an earlier writer stand. What cannot be told is posted again under its nonce."""
        for sent in self._standing:
            ref = sent.ref
            if ref is None and len(self._shown) == sent.part:
                ref = await self._lookup.find(sent, self._outgoing(sent.text, sent.nonce), draft.is_abandoned)
                if ref is None or not await self._recorder.may_adopt(ref):
                    continue
                await self._recorder.posted(sent.part, sent.nonce, sent.role, ref, sent.text)
            if ref is None:
                continue
            if len(self._shown) < sent.part:
                # One before it is missing in the record.
                self._further[sent.part] = _Shown(ref, None, intended=sent.text)
                self._doubtful = max(self._doubtful, sent.part + 1)
            else:
                self._shown.append(_Shown(ref, None, intended=sent.text))
            self._composer.announced = self._composer.announced or sent.role is PartRole.ANNOUNCEMENT
            self._composer.attached = self._composer.attached or sent.role is PartRole.FILE
        if self._platform.capabilities.buttons:
            # Which buttons they have is not known; one edit more makes sure that none is left which means nothing.
            for shown in (*self._shown, *self._further.values()):
                shown.buttons = (STOP, RETRY)

    async def _show_activity_until_text(self, draft: AnswerDraft) -> None:
        """Not where messages stand already: they say what is going on, and Slack ends a status only with a new message."""
        every = self._platform.capabilities.activity_every.total_seconds()
        due = self._clock.monotonic()
        while not draft.ended.is_set() and not draft.text.strip() and not draft.status:
            if self._clock.monotonic() >= due:
                due = self._clock.monotonic() + every
                if not self._shown and self._pace.take_extra():
                    await self._platform.show_activity(self._target)
            draft.changed.clear()
            if not draft.ended.is_set() and not draft.text.strip() and not draft.status:
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
        last = len(messages) - 1
        if ended:
            # A post of unknown outcome may stand too; posted once more under its nonce, it is found.
            standing = max(len(self._shown), self._doubtful)
            messages += [Message(text=_WITHDRAWN)] * (standing - len(messages))
        for number, message in enumerate(messages):
            buttons = self._buttons(draft, ended=ended) if number == last else ()
            if number >= len(self._shown):
                return _Write(number, message, None, buttons)
            shown = self._shown[number]
            same = shown.text is not None and shown.text.rstrip() == message.text.rstrip()
            if draft.standing and not message.text:
                continue  # nobody could tell what it says
            if not same or shown.buttons != buttons:
                return _Write(number, message, shown.ref, buttons)
        return None

    def _buttons(self, draft: AnswerDraft, *, ended: bool) -> tuple[Button, ...]:
        if not self._platform.capabilities.buttons:
            return ()
        if not ended:
            return (STOP,)
        return (RETRY,) if draft.may_retry else ()

    async def _compose(self, draft: AnswerDraft, *, ended: bool) -> list[Message]:
        text, notes = draft.text, draft.notes
        if ended and draft.standing:
            return self._composer.keep(await self._read_standing(draft), notes, apart=self._apart)
        if not ended and not text.strip():
            return [Message(text=draft.status)] if draft.status else []

        def compose() -> list[Message]:
            return self._composer.compose(text, notes, ended=ended, complete=draft.complete)

        return await asyncio.to_thread(compose) if self._composer.work(text) > INLINE_WORK else compose()

    async def _read_standing(self, draft: AnswerDraft) -> list[str]:
        """What the messages of the earlier writer say: as recorded, else as the platform has it. Empty: nobody can tell."""
        if self._kept is None:
            self._kept = []
            for shown in self._shown:
                shown.text = shown.text or await self._lookup.read(shown.ref, draft.is_abandoned) or None
                self._kept.append(shown.text or shown.intended)
        return self._kept

    async def _wait_turn(self, write: _Write, draft: AnswerDraft, deadline: float | None) -> bool:
        """True when `write` may be made now; False after a wait, when there may be a newer text."""
        kind: WriteKind = "edit" if write.ref else "post"
        urgency = Urgency.FINAL if draft.ended.is_set() else Urgency.PROGRESS if write.ref else Urgency.FIRST
        wait = self._pace.delay(kind, urgency)
        if wait <= 0:
            self._pace.take(kind, urgency)
            elsewhere = await self._pace.book_shared(kind)
            if elsewhere > 0:
                await self._clock.sleep(elsewhere)
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
            message = self._outgoing(text, self._nonce(write.part), write.buttons)
            await self._platform.edit(self._target, write.ref, message)
            shown = self._shown[write.part]
            shown.text, shown.buttons = text, write.buttons
        else:
            self._composer.announced = self._composer.announced or write.message.announces
            # A nonce of its own: a platform that knows it already would answer with the message that has no file.
            nonce = self._nonce("file" if file else write.part)
            message = self._outgoing(text, nonce, write.buttons)
            if nonce not in self._intended:
                await self._recorder.intending(write.part, nonce, write.role, text)
                self._intended.add(nonce)
            if file is not None and isinstance(self._platform, SendsFiles):
                ref = await self._platform.send_file(self._target, message, file)
                self._composer.attached = True
            else:
                ref = await self._platform.send(self._target, message)
            self._shown.append(_Shown(ref, text, write.buttons))
            while (number := len(self._shown)) in self._further:
                self._shown.append(self._further.pop(number))
            await self._recorder.posted(write.part, nonce, write.role, ref, text)
        if self.first_shown_at is None and not text.startswith(STATUS_MARK):
            self.first_shown_at = self._clock.monotonic()
        self._failures = 0

    def _outgoing(self, text: str, nonce: str, buttons: tuple[Button, ...] = ()) -> OutgoingMessage:
        return OutgoingMessage(text=text, nonce=nonce, people=self._people, buttons=buttons)

    def _nonce(self, part: int | str) -> str:
        return hashlib.blake2b(f"{self._seed}:{part}".encode(), digest_size=12).hexdigest()

    def _try_otherwise(self, write: _Write, error: MessageRefused, draft: AnswerDraft) -> bool:
        """Goes on without a file, or with smaller messages. False: neither is possible."""
        if self._without_file(write, error):
            return True
        if draft.standing and write.ref is not None and not self._apart:
            # It may stand in a smaller form than the dialect's.
            self._apart = True
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

    async def _pause(self, error: PlatformError, write: _Write, draft: AnswerDraft) -> None:
        kind: WriteKind = "edit" if write.ref else "post"
        if isinstance(error, RateLimited):
            seconds = error.retry_after.total_seconds()
            self._pace.penalise(kind, seconds)
            self._recorder.limited(kind)
            await self._pace.block_shared(kind, seconds)
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
        if draft.ended.is_set():
            await self._clock.sleep(seconds)
        else:
            await self._clock.wait(draft.ended, seconds)

    def _give_up(self, error: PlatformError) -> None:
        _log.warning("answer_not_shown", code=error.code, detail=str(error), messages_shown=len(self._shown))
