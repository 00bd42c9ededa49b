"""Messages that grow by Slack's own means: begun, added to, ended. Only the text that is new is sent, each piece once.

A stream takes text at its end only. So what was added must be known to the letter: an offset counts once Slack has said ok, and
a call of which nobody heard the answer makes it doubtful. A stream that is in doubt, that expired, or whose text turned out
otherwise is ended without a word, and one chat.update then shows all of it. Streams live in memory: what an earlier process left
growing is ended when it is written to (`halt`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place, message_ref
from adapters.slack.dialect import DIALECT
from adapters.slack.refusals import REFUSED_BLOCKS
from adapters.slack.web.clients import Call, Clients, timestamp_in
from adapters.slack.web.history import metadata
from adapters.slack.writing.additions import Addition, SoFar
from adapters.slack.writing.blocks import Block, blocks_below, has_failed, has_ratings, is_unfinished
from adapters.slack.writing.ladder import MISSING, NOT_IN_THIS_CHANNEL, Feature, Ladder
from adapters.slack.writing.quotas import StreamQuota
from adapters.slack.writing.tasks import display_mode
from bridge import logs
from bridge.clock import Clock
from bridge.errors import BridgeError, MessageGone, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Address, Author, MessageRef, OutgoingMessage, ReplyTarget

log = logs.get("slack")

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"

STALLED = 6.0
"""Seconds for which a text may fail to go on where it was; after that it is shown by an edit."""

EXPIRED = "message_not_in_streaming_state"
STOPPED = "stopped_by_user"
STILL_STREAMING = "streaming_state_conflict"
"""What chat.update says of a message that is still growing."""

_REFUSED_TASKS = frozenset({"invalid_arguments", "invalid_chunks", "invalid_chunk", "unsupported_chunk_type"})

OnStopped = Callable[[ReplyTarget, MessageRef, Author | None], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _Stream:
    place: Place
    began: float
    so_far: SoFar
    sure: bool = True
    """False while a call is under way, and for good once nobody heard its answer."""
    stalled_at: float | None = None
    stopped: bool = False
    """By a person."""
    session_status: str | None = None
    """What the agent's session is when this ends; None where there is none."""


class Streams:
    """Every message has one writer, so no two calls about one stream are ever under way at once."""

    def __init__(
        self, clients: Clients, clock: Clock, ladder: Ladder, *, longest: float, on_stopped: OnStopped | None
    ) -> None:
        """`longest`: seconds after which a stream counts as spent. `on_stopped`: told when a write finds that somebody stopped
        one."""
        self._clients = clients
        self._clock = clock
        self._ladder = ladder
        self._longest = longest
        self._quota = StreamQuota(clock)
        self._live: dict[Address, _Stream] = {}
        self._on_stopped = on_stopped

    def knows(self, ref: MessageRef) -> bool:
        return ref.address in self._live

    def said(self, ref: MessageRef) -> str:
        """What one of them says as far as is known, rendered."""
        return self._live[ref.address].so_far.said

    def is_growing(self, ref: MessageRef) -> bool:
        stream = self._live.get(ref.address)
        return stream is not None and stream.sure and not stream.stopped

    def is_spent(self, ref: MessageRef) -> bool:
        stream = self._live.get(ref.address)
        return stream is not None and self._clock.monotonic() - stream.began >= self._longest

    def may_begin(self, place: Place, message: OutgoingMessage) -> bool:
        """Whether a stream is worth trying here; nothing is booked yet."""
        if not message.live or message.asker is None or not (message.text.strip() or message.steps):
            return False
        return self._ladder.allows(Feature.STREAMS, place.team, place.channel)

    def has_room(self, team: str, channel: str) -> bool:
        """Whether one may begin there now, as far as is known."""
        return self._ladder.allows(Feature.STREAMS, team, channel) and self._quota.has_room(team)

    async def begin(self, place: Place, message: OutgoingMessage) -> MessageRef | None:
        """Begins one in the thread. None: Slack does not let us, and nothing stands there. Raises `PlatformUnavailable` where
        nobody knows whether it does."""
        self._sweep()
        if message.asker is None or not self._quota.take_start(place.team):
            return None
        text = self._render(message)
        listed = self._ladder.allows(Feature.TASKS, place.team)
        stream = _Stream(place=place, began=self._clock.monotonic(), so_far=SoFar(in_chunks=listed))
        addition = stream.so_far.next(text, message.steps, listed=listed)
        ref = None
        try:
            try:
                ts = await self._start(stream, message.asker, addition)
            except PlatformError as error:
                if not listed or not self._refuses_tasks(error):
                    raise
                # Where one kind of chunk is refused, the others may be too; plain text is as old as streams are.
                stream.so_far = SoFar(in_chunks=False)
                addition = stream.so_far.next(text, (), listed=False)
                ts = await self._start(stream, message.asker, addition)
                self._ladder.step_down(Feature.TASKS, error.code, place.team)
            stream.place = Place(team=place.team, channel=place.channel, ts=ts)
            ref = message_ref(stream.place)
            self._live[ref.address] = stream
        except PlatformUnavailable:
            raise
        except PlatformError as error:
            self._step_down(place, error)
            return None
        finally:
            if ref is None:
                self._quota.give_back(place.team)
        stream.so_far.confirm(addition)
        return ref

    async def grow(
        self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage, session_status: str | None
    ) -> bool:
        """Adds what is new. False: it does not grow any more, and an edit must show the text. Raises a `PlatformError`; nothing
        was added then, as far as anybody knows."""
        stream = self._live[ref.address]
        stream.session_status = session_status
        if stream.stopped:
            return True
        if not stream.sure:
            return await self._end_silently(ref, stream)
        text = self._render(message)
        if self._is_stalled(stream, text):
            return await self._end_silently(ref, stream)
        addition = stream.so_far.next(text, message.steps, listed=self._listed(stream))
        if not addition.said and not addition.steps:
            stream.so_far.confirm(addition)
            return True
        try:
            await self._append(stream, addition)
        except RateLimited:
            raise
        except PlatformUnavailable:
            log.info("stream_doubtful", code="unknown_outcome")
            raise
        except PlatformError as error:
            if addition.steps and self._refuses_tasks(error):
                self._ladder.step_down(Feature.TASKS, error.code, stream.place.team)
                return await self.grow(target, ref, message, session_status)
            return await self._bear(error, target, ref, stream, message)
        stream.so_far.confirm(addition)
        return True

    async def finish(
        self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage, session_status: str | None
    ) -> bool:
        """Ends it with the rest of the text and what stands below. False: it has ended, and an edit must show the text. Raises
        a `PlatformError`; it goes on growing then."""
        stream = self._live[ref.address]
        stream.session_status = session_status
        if stream.stopped and is_unfinished(message):
            return True  # it is about to end, and nobody wants to read on
        if stream.stopped or not stream.sure:
            return await self._end_silently(ref, stream)
        text = self._render(message)
        failed = has_failed(message)
        team = stream.place.team
        native = self._ladder.allows(Feature.RATINGS, team)
        refused_ratings = ""
        while True:
            last = stream.so_far.last(text, message.steps, listed=self._listed(stream), failed=failed)
            if last is None:
                return await self._end_silently(ref, stream)
            below = blocks_below(message, native_ratings=native)
            try:
                await self._stop(stream, last, below, message.nonce)
            except (RateLimited, PlatformUnavailable):
                raise
            except PlatformError as error:
                if last.steps and self._refuses_tasks(error):
                    self._ladder.step_down(Feature.TASKS, error.code, team)
                elif error.code in REFUSED_BLOCKS and native and has_ratings(message):
                    native, refused_ratings = False, error.code
                elif stream.session_status is not None and error.code in MISSING:
                    stream.session_status = None
                else:
                    return await self._bear(error, target, ref, stream, message)
                continue
            if refused_ratings:
                self._ladder.step_down(Feature.RATINGS, refused_ratings, team)
            self._forget(ref)
            return True

    async def halt(self, place: Place, session_status: str | None = None) -> None:
        """Ends whatever grows there, without a word. Raises a `PlatformError` where it may grow on."""
        text: str | None = None

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.chat_stopStream(
                channel=place.channel, ts=place.ts, markdown_text=text, session_status=session_status
            )

        while True:
            self._quota.take_stop(place.team)
            try:
                # A second time changes nothing but the answer.
                await self._clients.ask(place.team, STOP, call, again=True)
            except PlatformError as error:
                if isinstance(error, RateLimited | PlatformUnavailable | MessageGone):
                    raise
                if error.code == "no_text" and text is None:
                    text = "…"  # one that says nothing yet cannot end so; the edit that follows takes the dots away
                    continue
                if error.code in MISSING and session_status is not None:
                    session_status = None
                    continue
                if error.code not in (EXPIRED, STOPPED):
                    log.info("stream_not_stopped", code=error.code)
            return

    # Inside

    def _render(self, message: OutgoingMessage) -> str:
        return DIALECT.render(message.text, message.people).text

    def _listed(self, stream: _Stream) -> bool:
        return self._ladder.allows(Feature.TASKS, stream.place.team)

    def _is_stalled(self, stream: _Stream, text: str) -> bool:
        """Whether the text has been another one for too long."""
        if stream.so_far.continues(text):
            stream.stalled_at = None
            return False
        now = self._clock.monotonic()
        stream.stalled_at = now if stream.stalled_at is None else stream.stalled_at
        return now - stream.stalled_at >= STALLED

    async def _start(self, stream: _Stream, asker: Author, addition: Addition) -> str:
        place = stream.place
        markdown, listed = addition.arguments(in_chunks=stream.so_far.in_chunks)

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.chat_startStream(
                channel=place.channel,
                thread_ts=place.ts,
                recipient_user_id=asker.id,
                recipient_team_id=asker.home or place.team,
                markdown_text=markdown,
                chunks=listed,
                task_display_mode=display_mode(addition.steps),
            )

        return timestamp_in(await self._clients.ask(place.team, START, call), START)

    async def _append(self, stream: _Stream, addition: Addition) -> None:
        markdown, listed = addition.arguments(in_chunks=stream.so_far.in_chunks)

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.chat_appendStream(
                channel=stream.place.channel, ts=stream.place.ts, markdown_text=markdown, chunks=listed
            )

        await self._try(stream, APPEND, call)

    async def _stop(self, stream: _Stream, addition: Addition, below: list[Block], nonce: str) -> None:
        markdown, listed = addition.arguments(in_chunks=stream.so_far.in_chunks)

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.chat_stopStream(
                channel=stream.place.channel,
                ts=stream.place.ts,
                markdown_text=markdown,
                chunks=listed,
                blocks=below or None,
                metadata=metadata(nonce),
                session_status=stream.session_status,
            )

        self._quota.take_stop(stream.place.team)
        await self._try(stream, STOP, call)

    async def _try(self, stream: _Stream, method: str, call: Call) -> None:
        """One call about a stream, which is in doubt until its answer is known: also when this task is cancelled meanwhile."""
        stream.sure = False
        try:
            await self._clients.ask(stream.place.team, method, call)
        except PlatformUnavailable:
            raise
        except PlatformError:
            stream.sure = True
            raise
        stream.sure = True

    async def _bear(
        self, error: PlatformError, target: ReplyTarget, ref: MessageRef, stream: _Stream, message: OutgoingMessage
    ) -> bool:
        """What becomes of a stream to which nothing could be added."""
        if isinstance(error, MessageGone):
            self._forget(ref)
            raise error
        if error.code == STOPPED:
            stream.stopped = True
            if not message.live:
                self._forget(ref)
            await self._tell_stopped(target, ref, message)
            return message.live
        log.info("stream_ended_early", code=error.code)
        if error.code == EXPIRED:
            self._forget(ref)
            return False
        return await self._end_silently(ref, stream)

    async def _tell_stopped(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        if self._on_stopped is None:
            return
        try:
            await self._on_stopped(target, ref, message.asker)
        except BridgeError as error:
            # Slack sends an event of its own about it.
            log.warning("stop_not_told", error=type(error).__name__)

    async def _end_silently(self, ref: MessageRef, stream: _Stream) -> bool:
        """So that an edit can show all of it. Always False."""
        if not stream.stopped:
            stream.sure = False  # whatever comes of this, nothing is added any more
            await self.halt(stream.place, stream.session_status)
        self._forget(ref)
        return False

    def _forget(self, ref: MessageRef) -> None:
        stream = self._live.pop(ref.address, None)
        if stream is not None:
            self._quota.give_back(stream.place.team)

    def _sweep(self) -> None:
        """Forgets streams that nobody ended; Slack has, by now."""
        then = self._clock.monotonic() - 2 * self._longest
        for address in [address for address, stream in self._live.items() if stream.began < then]:
            self._quota.give_back(self._live.pop(address).place.team)

    def _step_down(self, place: Place, error: PlatformError) -> None:
        if error.code in MISSING:
            self._ladder.step_down(Feature.STREAMS, error.code, place.team)
        elif error.code in NOT_IN_THIS_CHANNEL:
            self._ladder.step_down(Feature.STREAMS, error.code, place.team, place.channel)
        else:
            log.info("stream_not_begun", code=error.code)

    def _refuses_tasks(self, error: PlatformError) -> bool:
        return error.code in _REFUSED_TASKS or "chunk" in error.code or "task" in error.code
