"""What is known of an answer's messages: those that stand, where that is reported, and looking up those of an earlier process."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, NotAllowed, PlatformError, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, PartRole, ReplyTarget, SentPart
from bridge.pacing import WriteKind
from bridge.platform_api import FindsSent, Platform, ReadsBack
from bridge.presenting import Trimmings

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

    @property
    def reads(self) -> bool:
        """Whether the platform can be asked what a message says; then it need not be recorded."""
        return isinstance(self._platform, ReadsBack)

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

    async def read(self, ref: MessageRef, given_up: Callable[[], bool]) -> str | None:
        """What one of our messages says. None: nobody can tell."""
        if not isinstance(self._platform, ReadsBack):
            return None
        for attempt in range(self._tries):
            if given_up():
                return None
            try:
                return await self._platform.read_back(self._target, ref)
            except (MessageGone, NotAllowed) as error:
                _log.warning("not_read_back", code=error.code)
                return None
            except PlatformError as error:
                await self._wait_after(error, attempt)
        return None

    async def _wait_after(self, error: PlatformError, attempt: int) -> None:
        _log.warning("look_up_failed", code=error.code, detail=str(error))
        told = error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0
        await self._clock.sleep(max(told, self._pause * min(2**attempt, 30)))


@dataclass(slots=True)
class StandingMessage:
    """One message of an answer, as people see it."""

    ref: MessageRef
    text: str | None
    """None: it is not known what it says now."""
    trimmings: Trimmings | None = None
    """None: it is not known which buttons it has. One edit more makes sure that none is left which means nothing."""
    first_step: int = 0
    """The number of the first step that belongs to it."""
    intended: str = ""
    """What it was to say by the record. Whether that came to be shown is another question."""
    role: PartRole = PartRole.TEXT
    nonce: str = ""
    """Under which it was posted."""


class Standing:
    """The messages of one answer, in order."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self.messages: list[StandingMessage] = []
        self._further: dict[int, StandingMessage] = {}
        """Messages that stand behind one that does not, as far as is known."""
        self._kept: list[str | None] | None = None
        self.doubtful = 0
        """Messages that may stand, counting those of which it is not known."""

    def all(self) -> Iterator[StandingMessage]:
        yield from self.messages
        yield from self._further.values()

    async def take_over(
        self,
        earlier: Sequence[SentPart],
        recorder: Recorder,
        outgoing: Callable[[str, str], OutgoingMessage],
        given_up: Callable[[], bool],
    ) -> None:
        """Finds out which messages of an earlier writer stand. What cannot be told is posted again under its nonce. `outgoing`
        makes a message of a text and a nonce."""
        for sent in earlier:
            ref = sent.ref
            if ref is None and len(self.messages) == sent.part:
                ref = await self._lookup.find(sent, outgoing(sent.text, sent.nonce), given_up)
                if ref is None or not await recorder.may_adopt(ref):
                    continue
                await recorder.posted(sent.part, sent.nonce, sent.role, ref, sent.text)
            if ref is None:
                continue
            found = StandingMessage(ref, None, intended=sent.text, role=sent.role, nonce=sent.nonce)
            if len(self.messages) < sent.part:
                # One before it is missing in the record.
                self._further[sent.part] = found
                if sent.role not in (PartRole.FILE, PartRole.PRODUCED):
                    self.doubt(sent.part)
            else:
                self.messages.append(found)

    def add(self, message: StandingMessage) -> None:
        """The next one stands."""
        self.messages.append(message)
        while (number := len(self.messages)) in self._further:
            self.messages.append(self._further.pop(number))

    def doubt(self, part: int) -> None:
        """This one may stand."""
        self.doubtful = max(self.doubtful, part + 1)

    async def read(self, given_up: Callable[[], bool]) -> list[str | None]:
        """What the messages of the earlier writer say: as the platform has it, or as recorded where it cannot be asked. None:
        nobody can tell."""
        if self._kept is None:
            self._kept = []
            for shown in self.messages:
                if shown.text is None:
                    shown.text = await self._lookup.read(shown.ref, given_up)
                recorded = None if self._lookup.reads and not shown.intended else shown.intended
                self._kept.append(recorded if shown.text is None else shown.text)
        return self._kept
