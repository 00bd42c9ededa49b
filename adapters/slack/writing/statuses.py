"""What shows that an answer is being worked on: the agent session's own state, else the thread's status line, else a reaction
on the question. It is decoration: nothing here raises, waits long, or takes calls from the answer's own budget."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place, read_address, read_opening, read_private
from adapters.slack.web.clients import Call, Clients
from adapters.slack.web.history import is_timestamp
from adapters.slack.web.remembering import remember
from adapters.slack.writing.ladder import MISSING, Feature, Ladder
from adapters.slack.writing.quotas import MINUTE
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, ReplyTarget

log = logs.get("slack")

TIMEOUT = 3.0
"""Seconds for a status: an answer waits behind it."""

PER_MINUTE = 45
"""Calls of each method, of the "50+ per minute" per workspace of tier 3 (Slack's pages on reactions.add and setStatus)."""

MOST_SHOWN = 1_000
"""Threads of which it is remembered what is shown there. The others are cleared all the same."""

LONGEST_PAUSE = 5.0
"""Seconds that taking a status away may wait for Slack's rate limit, once."""

PAUSE = 0.5
"""Seconds before it is tried again when Slack failed."""

_NO_MATTER = frozenset(
    {
        "already_reacted",
        "no_reaction",
        "message_not_found",
        "channel_not_found",
        "thread_not_found",
        "session_not_found",
    }
)

Mode = Literal[Feature.SESSIONS, Feature.STATUS, Feature.REACTION]
_MODES: tuple[Mode, ...] = (Feature.SESSIONS, Feature.STATUS, Feature.REACTION)
_METHODS = {
    Feature.SESSIONS: ("agents.sessions.setStatus", "agents.sessions.setStatus"),
    Feature.STATUS: ("assistant.threads.setStatus", "assistant.threads.setStatus"),
    Feature.REACTION: ("reactions.add", "reactions.remove"),
}

_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Where something is shown."""

    thread: Place
    question: Place | None
    """None where nobody can see it."""
    person: str
    """Who asked, where that is known."""

    @property
    def key(self) -> _Key:
        return self.thread.team, self.thread.channel, self.thread.ts


class Statuses:
    def __init__(self, clients: Clients, clock: Clock, ladder: Ladder, *, loading: Sequence[str], emoji: str) -> None:
        """`loading`: lines that take turns in the status line. `emoji`: the reaction's short name; empty for none."""
        self._clients = clients
        self._clock = clock
        self._ladder = ladder
        self._loading = list(loading)
        self._emoji = emoji
        self._shown: dict[_Key, Mode | None] = {}
        """What is shown in a thread; None: certainly nothing."""
        self._calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    async def show(self, target: ReplyTarget, question: MessageRef) -> None:
        scene = _scene(target, question)
        if scene is None or self._clients.closed:
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                for mode in self._modes(scene.thread):
                    method = _METHODS[mode][0]
                    if (mode is Feature.REACTION and scene.question is None) or not self._room(scene, method):
                        return
                    shown = await self._try(scene, mode, method, self._showing(scene, mode))
                    if shown is not None:
                        if shown:
                            remember(self._shown, scene.key, mode, MOST_SHOWN)
                        return
        except TimeoutError:
            # It may be shown all the same, which `_shown` then does not know: the end clears what there may be.
            self._shown.pop(scene.key, None)
            log.debug("status_slow")

    async def end(self, target: ReplyTarget, question: MessageRef) -> None:
        scene = _scene(target, question)
        if scene is None or self._clients.closed:
            return
        known = scene.key in self._shown
        mode = self._shown.get(scene.key)
        if known and mode is None:
            self._shown.pop(scene.key, None)
            return
        try:
            async with asyncio.timeout(TIMEOUT + LONGEST_PAUSE):
                for one in [mode] if mode is not None else self._modes(scene.thread):
                    if one is Feature.REACTION and scene.question is None:
                        return
                    if mode is None and not self._room(scene, _METHODS[one][1]):
                        return  # an earlier process may have shown it here, or nobody at all
                    if await self._take_away(scene, one) is not None:
                        break
        except TimeoutError:
            log.debug("status_slow")
        self._shown.pop(scene.key, None)

    def in_session(self, place: Place) -> bool:
        """Whether an agent session of this thread is shown as working, so that the call that ends a message can end that too."""
        return self._shown.get((place.team, place.channel, place.ts)) is Feature.SESSIONS

    def note_ended(self, place: Place) -> None:
        """The session was ended by another call."""
        self._note(place, Feature.SESSIONS)

    def note_posted(self, place: Place) -> None:
        """A message of ours was posted in the thread, which ends the status line by itself (Slack's page on the method)."""
        self._note(place, Feature.STATUS)

    def _note(self, place: Place, mode: Mode) -> None:
        key = (place.team, place.channel, place.ts)
        if self._shown.get(key) is mode:
            self._shown[key] = None

    async def _take_away(self, scene: _Scene, mode: Mode) -> bool | None:
        """As `_try`, with further attempts when Slack asks for a short pause or fails: what stays shown looks like work."""
        method = _METHODS[mode][1]
        for last in (False, False, True):
            try:
                self._book(scene, method)
                await self._clients.ask(scene.thread.team, method, self._clearing(scene, mode), again=True)
            except (RateLimited, PlatformUnavailable) as error:
                pause = error.retry_after.total_seconds() if isinstance(error, RateLimited) else PAUSE
                if last or pause > LONGEST_PAUSE:
                    log.info("status_left", code=error.code, feature=mode.value)
                    return False
                await self._clock.sleep(pause)
            except PlatformError as error:
                return self._judge(scene, mode, error)
            else:
                return True
        return False

    async def _try(self, scene: _Scene, mode: Mode, method: str, call: Call) -> bool | None:
        """Whether it is shown. None: it never is here, and the next mode may be."""
        self._book(scene, method)
        try:
            await self._clients.ask(scene.thread.team, method, call)
        except PlatformError as error:
            return self._judge(scene, mode, error)
        return True

    def _judge(self, scene: _Scene, mode: Mode, error: PlatformError) -> bool | None:
        if error.code in MISSING:
            self._ladder.step_down(mode, error.code, scene.thread.team)
            return None
        if error.code in ("access_denied", "channel_type_not_supported"):
            self._ladder.step_down(mode, error.code, scene.thread.team, scene.thread.channel)
            return None
        if error.code not in _NO_MATTER:
            log.debug("status_failed", code=error.code, feature=mode.value)
        return False

    def _modes(self, thread: Place) -> list[Mode]:
        return [
            mode
            for mode in _MODES
            if self._ladder.allows(mode, thread.team, thread.channel) and (mode is not Feature.REACTION or self._emoji)
        ]

    def _showing(self, scene: _Scene, mode: Mode) -> Call:
        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            thread = scene.thread
            match mode:
                case Feature.SESSIONS:
                    return client.agents_sessions_setStatus(
                        channel_id=thread.channel,
                        thread_ts=thread.ts,
                        status="processing",
                        initiator_user_id=scene.person or None,
                    )
                case Feature.STATUS:
                    return client.assistant_threads_setStatus(
                        channel_id=thread.channel,
                        thread_ts=thread.ts,
                        status="is thinking…",
                        loading_messages=self._loading or None,
                    )
                case Feature.REACTION:
                    place = scene.question or thread
                    return client.reactions_add(channel=place.channel, timestamp=place.ts, name=self._emoji)

        return call

    def _clearing(self, scene: _Scene, mode: Mode) -> Call:
        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            thread = scene.thread
            match mode:
                case Feature.SESSIONS:
                    return client.agents_sessions_setStatus(
                        channel_id=thread.channel, thread_ts=thread.ts, status="active"
                    )
                case Feature.STATUS:
                    return client.assistant_threads_setStatus(channel_id=thread.channel, thread_ts=thread.ts, status="")
                case Feature.REACTION:
                    place = scene.question or thread
                    return client.reactions_remove(channel=place.channel, timestamp=place.ts, name=self._emoji)

        return call

    def _room(self, scene: _Scene, method: str) -> bool:
        """Whether it leaves enough calls to take it away again, and everything else that is shown."""
        team = scene.thread.team
        others = sum(mode is not None and key[0] == team and key != scene.key for key, mode in self._shown.items())
        return len(self._recent(scene, method)) + others + 2 <= PER_MINUTE

    def _book(self, scene: _Scene, method: str) -> None:
        self._recent(scene, method).append(self._clock.monotonic())

    def _recent(self, scene: _Scene, method: str) -> deque[float]:
        """When it was called within the last minute."""
        then = self._clock.monotonic() - MINUTE
        for key in [key for key, calls in self._calls.items() if not calls or calls[-1] <= then]:
            del self._calls[key]
        calls = self._calls[scene.thread.team, method]
        while calls and calls[0] <= then:
            calls.popleft()
        return calls


def _scene(target: ReplyTarget, question: MessageRef) -> _Scene | None:
    """None where there is no thread yet."""
    if target.private or read_private(target.address) or read_opening(target.address):
        return None
    ts = question.address.rpartition("/")[2]
    thread = read_address(target.address)
    return _Scene(
        thread=thread,
        question=Place(team=thread.team, channel=thread.channel, ts=ts) if is_timestamp(ts) else None,
        person=target.conversation.person,
    )
