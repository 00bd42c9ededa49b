"""What the bridge says on Slack, and how: as a stream where one is to be had, else posted and edited, else posted once. This
module chooses between them and puts the parts in `writing` and `web` together; what a refusal means is in `refusals`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from adapters.slack.addresses import Place, message_ref, read_address, read_opening, read_private
from adapters.slack.dialect import DIALECT
from adapters.slack.settings import Settings
from adapters.slack.web.clients import Clients, Refused, TeamId, TokenOf
from adapters.slack.web.downloads import Downloads
from adapters.slack.web.history import CLOCK_SKEW, History, Shown, nonce_in, ts_of, ts_of_growing
from adapters.slack.web.names import Names
from adapters.slack.web.remembering import remember
from adapters.slack.writing.blocks import ends_answer, is_unfinished
from adapters.slack.writing.growth import continue_after, open_fence
from adapters.slack.writing.ladder import Feature, Ladder
from adapters.slack.writing.openings import Openings
from adapters.slack.writing.posts import Posts
from adapters.slack.writing.privates import Privately
from adapters.slack.writing.statuses import Statuses
from adapters.slack.writing.streams import STILL_STREAMING, OnStopped, Streams
from adapters.slack.writing.tasks import title
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, PlatformUnavailable
from bridge.messages import Attachment, MessageRef, OutgoingMessage, ReplyTarget, Said

log = logs.get("slack")

MOST_DOUBTFUL = 1_000
"""Unfinished writes that are remembered; each is forgotten with the next attempt that succeeds."""

MOST_SHOWN = 300
"""Messages whose text is remembered for when they cannot be edited to their end."""

NO_EDITS = frozenset({"cant_update_message", "edit_window_closed"})
"""What chat.update answers where a message of ours will never be edited again (Slack's page on the method)."""

_FOLLOWS = "+"
"""Ends the nonce of a message with what another one could not be made to say."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    """A post that may or may not stand."""

    since: float
    """Seconds since the epoch, our clock: it was not made before."""
    text: str
    """What it says, rendered."""


class Outbound:
    """Works from the first call until `close`; needs no connection to be open."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        token_of: TokenOf | None = None,
        refused: Refused | None = None,
        team_id: TeamId | None = None,
        on_stopped: OnStopped | None = None,
    ) -> None:
        """`token_of`, `refused`, `team_id`: where each workspace has a token of its own. `on_stopped`: told when a write finds
        that somebody stopped a stream."""
        token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""

        async def only(team: str) -> str:
            return token

        self._clock = clock
        self.clients = Clients(
            token_of or only,
            refused=refused,
            team_id=team_id,
            token=token or None,
            api_url=settings.slack_api_url,
            timeout=settings.slack_call_timeout,
            clock=clock,
        )
        self.names = Names(self.clients, clock, wait=settings.slack_name_wait)
        self.history = History(self.clients, self.names)
        self.ladder = Ladder(clock, retry=settings.slack_retry_features)
        self.privately = Privately(self.clients, clock, api_url=settings.slack_api_url)
        self._statuses = Statuses(
            self.clients,
            clock,
            self.ladder,
            loading=settings.loading_messages,
            emoji=settings.working_emoji,
        )
        self._posts = Posts(self.clients, self.ladder)
        self._streams = Streams(
            self.clients, clock, self.ladder, longest=settings.slack_stream_longest, on_stopped=on_stopped
        )
        self._openings = Openings(self.clients, self.history, self.privately, clock)
        self._downloads = Downloads(self.clients, api_url=settings.slack_api_url)
        self._doubtful: dict[str, _Doubt] = {}
        """Nonces of posts that may or may not stand."""
        self._shown: dict[str, str] = {}
        """Address -> what the message says, rendered, of those that are not complete."""

    async def close(self) -> None:
        await self.clients.close()

    # What the core wants

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        """As `Platform.send` promises: in the thread of `target`, or for one person alone."""
        private = read_private(target.address)
        if private is not None:
            return await self.privately.send(private, target.address, message)
        place = read_address(target.address)
        found = await self._find_doubtful(place, message)
        if found is not None:
            # There may be more text by now than when it was posted. Until that stands, the next attempt must find it too.
            doubt = self._doubtful[message.nonce]
            self._shown.setdefault(found.address, doubt.text)
            if self.ladder.allows(Feature.EDITS, place.team) or doubt.text != _rendered(message):
                await self.edit(target, found, message)
            self._doubtful.pop(message.nonce, None)
            return found
        if self._streams.may_begin(place, message):
            ref = await self._doubting(message, lambda: self._streams.begin(place, message))
            if ref is not None:
                return ref
        ts = await self._doubting(message, lambda: self._posts.post(place, message))
        self._statuses.note_posted(place)
        ref = message_ref(Place(team=place.team, channel=place.channel, ts=ts))
        self._remember(ref, message)
        return ref

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        """As `Platform.edit` promises."""
        if read_private(ref.address) is not None:
            raise NotAllowed("what one person reads cannot be edited", code="ephemeral")
        if self._streams.knows(ref):
            said = self._streams.said(ref)
            if await self._write_stream(target, ref, message):
                return
            remember(self._shown, ref.address, said, MOST_SHOWN)
        message = _speaking(message)
        place = read_address(ref.address)
        if not self.ladder.allows(Feature.EDITS, place.team):
            await self._follow_up(target, ref, message)
            return
        try:
            await self._update(place, message)
        except NotAllowed as error:
            if error.code not in NO_EDITS or ref.address not in self._shown:
                raise
            if error.code == "edit_window_closed":
                self.ladder.step_down(Feature.EDITS, error.code, place.team)
            await self._follow_up(target, ref, message)
        else:
            self._remember(ref, message)

    def may_grow(self, target: ReplyTarget) -> bool:
        if read_private(target.address) is not None:
            return False
        opening = read_opening(target.address)
        place = opening or read_address(target.address)
        return self._streams.has_room(place.team, place.channel)

    def is_growing(self, ref: MessageRef) -> bool:
        return self._streams.is_growing(ref)

    def is_spent(self, ref: MessageRef) -> bool:
        return self._streams.is_spent(ref)

    async def show_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        await self._statuses.show(target, question)

    async def end_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        await self._statuses.end(target, question)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        return await self._openings.open(target, title)

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        return await self.history.read_thread(target, before, limit)

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        return await self._downloads.fetch(file, into, most)

    async def find(self, place: Place, message: OutgoingMessage, since: float) -> tuple[str | None, list[Shown]]:
        """The timestamp of a message that may stand in the thread since then (seconds since the epoch, our clock), and all that
        was looked through. Raises a `PlatformError`; `NotAllowed` without the history scope."""
        shown = await self.history.look_back(place, since - CLOCK_SKEW)
        ts = ts_of(message.nonce, shown)
        if ts is None and any(nonce_in(one) is None and one.get("bot_id") for one in shown):
            # It may have been begun as a stream, which carries its nonce only from its end on.
            me = await self.clients.identity(place.team)
            ts = ts_of_growing(message, shown, me, since - CLOCK_SKEW)
        return ts, shown

    # Inside

    async def _write_stream(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> bool:
        thread = read_address(target.address)
        # Left out, it would be "active" (Slack's page on chat.stopStream), also where the answer goes on in another message.
        status = ("active" if ends_answer(message) else "processing") if self._statuses.in_session(thread) else None
        if message.live:
            return await self._streams.grow(target, ref, message, status)
        ended = await self._streams.finish(target, ref, message, status)
        if ended and status == "active":
            self._statuses.note_ended(thread)
        return ended

    async def _find_doubtful(self, place: Place, message: OutgoingMessage) -> MessageRef | None:
        """The message that an earlier, broken off attempt with this nonce left in the thread, since Slack has no key that
        would make a second one harmless. Raises a `PlatformError`."""
        doubt = self._doubtful.get(message.nonce)
        if doubt is None:
            return None
        try:
            ts, _ = await self.find(place, message, doubt.since)
        except NotAllowed as error:
            # Without a history scope nobody can tell. An answer that is seen twice is better than none.
            log.warning("post_not_looked_up", code=error.code)
            return None
        if ts is None:
            self._doubtful.pop(message.nonce, None)
            return None
        log.info("post_found_again", channel=place.channel)
        return message_ref(Place(team=place.team, channel=place.channel, ts=ts))

    async def _doubting(self, message: OutgoingMessage, write: Callable[[], Awaitable[T]]) -> T:
        """Remembers the message when nobody heard what came of the write."""
        began = self._clock.now().timestamp()
        try:
            return await write()
        except PlatformUnavailable:
            known = self._doubtful.get(message.nonce)
            since = known.since if known else began
            remember(self._doubtful, message.nonce, _Doubt(since=since, text=_rendered(message)), MOST_DOUBTFUL)
            raise

    async def _update(self, place: Place, message: OutgoingMessage) -> None:
        try:
            await self._posts.update(place, message)
        except PlatformError as error:
            if error.code != STILL_STREAMING:
                raise
            # An earlier process left it growing.
            await self._streams.halt(place)
            await self._posts.update(place, message)

    def _remember(self, ref: MessageRef, message: OutgoingMessage) -> None:
        if is_unfinished(message):
            remember(self._shown, ref.address, _rendered(message), MOST_SHOWN)
        else:
            self._shown.pop(ref.address, None)

    async def _follow_up(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        """Where nothing may be edited: what a message does not say yet follows in one of its own, once it is complete. Raises
        `NotAllowed` where it is not known what stands."""
        stands = self._shown.get(ref.address)
        if stands is None:
            raise NotAllowed("messages cannot be edited here", code="edit_window_closed")
        if is_unfinished(message) or message.nonce.endswith(_FOLLOWS):
            return
        rest = _rest(stands.rstrip(), _rendered(message))
        if rest or message.buttons or message.sources:
            # The message that stands has the nonce itself; one letter more still makes 25.
            await self.send(target, replace(message, text=rest or "…", nonce=f"{message.nonce[:24]}{_FOLLOWS}"))
        self._shown.pop(ref.address, None)


def _rendered(message: OutgoingMessage) -> str:
    return DIALECT.render(message.text, message.people).text


def _rest(stands: str, text: str) -> str:
    """What `text`, as it is rendered, says beyond `stands`; all of it where that says something else."""
    at = continue_after(stands.removesuffix("```").rstrip(), text)
    if at is None:
        return text
    rest, fence = text[at:].strip("\n"), open_fence(text[:at])
    return f"{fence}\n{rest}" if fence else rest.strip()


def _speaking(message: OutgoingMessage) -> OutgoingMessage:
    """A message that has only steps says the latest of them where there is no list for them."""
    if message.text.strip() or not message.steps or not is_unfinished(message):
        return message
    return replace(message, text=f"_{title(message.steps[-1].title)}_")
