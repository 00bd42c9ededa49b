"""The desk: a draft becomes paced writes on the platform.

`AnswerWriter` shows the newest draft, then waits its turn; it never queues texts. What each message says is decided in
`composing`. Nothing that happens here, on the chat side, can cut the upstream read.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge import logs
from bridge.clock import Clock
from bridge.composing import Composer, Message
from bridge.drafts import STATUS_MARK, AnswerDraft
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Author, MessageRef, OutgoingMessage, PartRole, ReplyTarget, SentPart
from bridge.outstanding import Outstanding, Write
from bridge.pacing import AnswerPace, TellsRoom, Urgency, WriteKind
from bridge.platform_api import Platform, SendsFiles
from bridge.presenting import Presenter, Trimmings
from bridge.standing import Lookup, Recorder, Standing, StandingMessage

_log = logs.get("answers")

INLINE_WORK = 1_500
"""Characters that are parsed and cut on the event loop, in a few milliseconds; more goes to a thread (8,000 take up to 100)."""

LOOK_AGAIN = 0.25
"""Seconds between two looks at a growing text when the last one had nothing new to show, such as half a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterLimits:
    """Bounds of patience; the operator may change them."""

    first_hold: timedelta = timedelta(milliseconds=60)
    """How long the first text may wait for company where the platform does not say: a short answer then takes one call."""
    quiet: timedelta = timedelta(seconds=3)
    """After which a line says what the app is doing, where there is no better way to show that."""
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
        question: MessageRef,
        limits: WriterLimits,
        people: Mapping[str, str] | None = None,
        asker: Author | None = None,
        standing: Sequence[SentPart] = (),
    ) -> None:
        """`people` (id -> name) may be mentioned. `standing` are messages that an earlier writer of this answer posted, or was
        about to post; they are edited."""
        self._platform = platform
        self._pace = pace
        self._clock = clock
        self._target = target
        self._recorder = recorder
        self._question = question
        self._limits = limits
        self._people = people or {}
        self._asker = asker
        self._presenter = Presenter(platform, target)
        self._takes_files = isinstance(platform, SendsFiles)
        self._composer = Composer(
            platform.dialect,
            self._people,
            most_messages=limits.most_messages if self._takes_files else None,
        )
        self._earlier = standing
        self._standing = Standing(Lookup(platform, target, clock, tries=limits.find_tries, pause=limits.retry_pause))
        self._apart = False
        """What stands takes no line more: our own lines go below it."""
        self._intended: set[str] = set()
        self._outstanding = Outstanding(self._standing, self._presenter, nonce_seed)
        self._quiet_until = float("inf")
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
        await self._standing.take_over(self._earlier, self._recorder, self._outgoing, draft.is_abandoned)
        self._composer.announced = any(shown.role is PartRole.ANNOUNCEMENT for shown in self._standing.all())
        self._composer.attached = self._outstanding.carries_rest()
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

    async def _bear(self, error: PlatformError, write: Write, draft: AnswerDraft) -> bool:
        if isinstance(error, MessageRefused):
            if not write.message.text:
                self._presenter.refuse_silence()
                return True
            return self._try_otherwise(write, error, draft)
        if isinstance(error, NotAllowed) and self._without_file(write, error):
            return True
        if isinstance(error, MessageGone | NotAllowed):
            self._give_up(error)
            return False
        await self._pause(error, write, draft)
        return True

    async def _show_activity_until_text(self, draft: AnswerDraft) -> None:
        """Not where messages stand already: they say what is going on, and Slack ends a status only with a new message."""
        can = self._platform.capabilities
        due = self._clock.monotonic()
        self._quiet_until = due + self._limits.quiet.total_seconds()
        while not self._has_something(draft):
            now = self._clock.monotonic()
            if now >= due:
                due = now + can.activity_every.total_seconds()
                if not self._shown and self._pace.take_extra():
                    await self._platform.show_activity(self._target, self._question)
            draft.changed.clear()
            if not self._has_something(draft):
                until = min(due, self._quiet_until if self._quiet_until > now else due)
                await self._clock.wait(draft.changed, until - self._clock.monotonic())
        hold = can.first_hold or self._limits.first_hold
        until = self._clock.monotonic() + hold.total_seconds()
        while not draft.ended.is_set() and len(draft.text) < can.first_hold_text and until > self._clock.monotonic():
            draft.changed.clear()
            await self._clock.wait(draft.changed, until - self._clock.monotonic())

    def _has_something(self, draft: AnswerDraft) -> bool:
        return draft.ended.is_set() or bool(draft.text.strip()) or self._line(draft) is not None

    def _line(self, draft: AnswerDraft) -> str | None:
        first = self._shown[0].ref if self._shown else None
        quiet = self._clock.monotonic() >= self._quiet_until
        return self._presenter.line(draft, first, silent=self._outstanding.is_silent(), quiet=quiet)

    async def _wait_to_look(self, draft: AnswerDraft) -> None:
        """Until the next edit may be made: to parse the text before that would be for nothing."""
        if self._shown and not draft.ended.is_set():
            kind: WriteKind = "live" if self._presenter.grows(self._shown[-1].ref) else "edit"
            wait = self._delay(kind, Urgency.PROGRESS)
            # A further message may be posted when edits may not.
            longest = max(self._platform.capabilities.min_edit_interval.total_seconds(), self._pace.share)
            if wait > 0:
                await self._clock.wait(draft.ended, min(wait, longest))

    async def _next_write(self, draft: AnswerDraft, *, ended: bool) -> Write | None:
        if not ended and self._outstanding.end_spent():
            self._composer.cut()
        messages = await self._compose(draft, ended=ended)
        return self._outstanding.find(draft, messages, ended=ended)

    async def _compose(self, draft: AnswerDraft, *, ended: bool) -> list[Message]:
        text, notes = draft.text, self._presenter.notes(draft)
        if ended and draft.standing:
            return self._composer.keep(await self._standing.read(draft.is_abandoned), notes, apart=self._apart)
        if not ended and not text.strip():
            line = self._line(draft)
            return [] if line is None else [Message(text=line)]
        if draft.lead:
            text = f"{draft.lead}\n\n{text}" if text.strip() else draft.lead
        files = draft.extras.files if ended else ()
        if not self._takes_files:
            for file in files:
                self._composer.refuse_file(file)

        def compose() -> list[Message]:
            return self._composer.compose(text, notes, ended=ended, complete=draft.complete, files=files)

        return await asyncio.to_thread(compose) if self._composer.work(text) > INLINE_WORK else compose()

    async def _wait_turn(self, write: Write, draft: AnswerDraft, deadline: float | None) -> bool:
        """True when `write` may be made now; False after a wait, when there may be a newer text."""
        kind = self._kind(write)
        urgency = Urgency.FINAL if draft.ended.is_set() else Urgency.PROGRESS if write.ref else Urgency.FIRST
        wait = self._delay(kind, urgency)
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

    def _delay(self, kind: WriteKind, urgency: Urgency) -> float:
        wait = self._pace.delay(kind, urgency)
        if kind == "edit" and urgency is Urgency.PROGRESS and isinstance(self._platform, TellsRoom):
            wait = max(wait, self._platform.wait_for_room(self._target, self._pace.reserve + 1))
        return wait

    def _kind(self, write: Write) -> WriteKind:
        if write.ref is None:
            return "post"
        if not self._presenter.grows(write.ref):
            return "edit"
        return "live" if write.trimmings.live else "end"

    async def _perform(self, write: Write) -> None:
        text, file = write.message.text, write.message.file
        message = self._outgoing(text, write.nonce, write.trimmings, follows=write.part > 0)
        self._composer.announced = self._composer.announced or write.message.announces
        self.writes += 1
        if write.ref is not None:
            # Recorded first: after a crash between the two, what is amended is never less than what people saw.
            await self._recorder.showing(write.part, text)
            await self._platform.edit(self._target, write.ref, message)
            shown = self._shown[write.part]
            shown.text, shown.trimmings = text, write.trimmings
        else:
            if write.nonce not in self._intended:
                await self._recorder.intending(write.part, write.nonce, write.role, text)
                self._intended.add(write.nonce)
            if file is not None and isinstance(self._platform, SendsFiles):
                ref = await self._platform.send_file(self._target, message, file)
                self._composer.attached = self._composer.attached or not write.message.made_by_app
            else:
                ref = await self._platform.send(self._target, message)
            self._standing.add(
                StandingMessage(ref, text, write.trimmings, write.first_step, role=write.role, nonce=write.nonce)
            )
            await self._recorder.posted(write.part, write.nonce, write.role, ref, text)
        if self.first_shown_at is None and text and not text.startswith(STATUS_MARK):
            self.first_shown_at = self._clock.monotonic()
        self._failures = 0

    @property
    def _shown(self) -> list[StandingMessage]:
        return self._standing.messages

    def _outgoing(
        self, text: str, nonce: str, trimmings: Trimmings | None = None, *, follows: bool = False
    ) -> OutgoingMessage:
        trimmings = trimmings or Trimmings()
        return OutgoingMessage(
            text=text,
            nonce=nonce,
            people=self._people,
            buttons=trimmings.buttons,
            live=trimmings.live,
            steps=trimmings.steps,
            sources=trimmings.sources,
            asker=self._asker,
            follows=follows,
        )

    def _try_otherwise(self, write: Write, error: MessageRefused, draft: AnswerDraft) -> bool:
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

    def _without_file(self, write: Write, error: PlatformError) -> bool:
        """Has the text sent as messages when `write` was to post a file. False: it was not."""
        if write.message.file is None or write.ref is not None:
            return False
        _log.warning("file_not_sent", code=error.code, detail=str(error))
        if write.message.made_by_app:
            self._composer.refuse_file(write.message.file)
        else:
            self._composer.refuse_files()
        self._failures = 0
        return True

    async def _pause(self, error: PlatformError, write: Write, draft: AnswerDraft) -> None:
        kind = self._kind(write)
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
        expected = isinstance(error, PlatformUnavailable)
        if expected and write.ref is None and write.message.file is None:
            self._standing.doubt(write.part)
        _log.warning("write_failed", write=kind, code=error.code, again_in=seconds, expected=expected)
        if draft.ended.is_set():
            await self._clock.sleep(seconds)
        else:
            await self._clock.wait(draft.ended, seconds)

    def _give_up(self, error: PlatformError) -> None:
        _log.warning("answer_not_shown", code=error.code, detail=str(error), messages_shown=len(self._shown))
