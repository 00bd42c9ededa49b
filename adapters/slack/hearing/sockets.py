"""Several Socket Mode connections at once: Slack sends each event to one of them, so while one is renewed another one hears.

Each seat keeps one connection and opens the next before Slack closes it. The seats are filled one after the other, so that Slack,
which renews connections by their age, does not renew them together.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

from adapters.slack.hearing.link import Link, end
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, RateLimited

log = logs.get("slack")

LINK_DISABLED = "link_disabled"
SWITCHED_OFF = "Socket Mode is switched off for this Slack app: switch it on under Settings > Socket Mode"

TOO_MANY = "too_many_websockets"
MOST_SOCKETS = 10
"""Connections of one app; Slack turns away the next one with the reason above (slackapi/bolt-js issue 2225)."""
ROOM = 2
"""Of those, how many a connection that is not our only one leaves free: a renewal takes two for a moment, and a process that
starts has none yet."""
ALL_TAKEN = (
    f"All {MOST_SOCKETS} Socket Mode connections that Slack allows an app are taken: end other programs that use this "
    "SLACK_APP_TOKEN, or hear by HTTP (SLACK_SIGNING_SECRET); connections that broke off are forgotten after some minutes"
)
NO_ROOM = f"nearly all of the {MOST_SOCKETS} that Slack allows the app are taken"
FULL = frozenset({ALL_TAKEN, NO_ROOM})


class Pauses:
    """Growing pauses between attempts: none, then half a second, doubling with some jitter up to `longest` seconds."""

    FIRST = 0.5

    def __init__(self, longest: float, clock: Clock) -> None:
        self.longest = longest
        self._clock = clock
        self._step = 0

    def reset(self) -> None:
        self._step = 0

    async def wait(self, at_least: float = 0) -> None:
        pause = min(self.longest, self.FIRST * 2 ** (self._step - 1)) if self._step else 0.0
        self._step = min(self._step + 1, 32)
        await self._clock.sleep(max(at_least, pause * random.uniform(0.75, 1)))


class SocketEntrance:
    """Keeps up to `sockets` connections open. The loss of some but not all of them costs nothing but a word in `trouble`."""

    SILENCE = 4
    """Heartbeats without any frame after which nothing is to be expected any more; slack_sdk judges the same."""

    FINISH_WITHIN = 2.0
    """Seconds that a closing connection waits for deliveries being stored; Slack itself gives up on them after three."""

    SPARE_PAUSE = 10
    """Longest pauses until a connection that found no room, and is not our only one, is tried again: ten minutes by default."""

    def __init__(
        self,
        open_link: Callable[[], Awaitable[Link]],
        *,
        sockets: int,
        ping_interval: float,
        longest_pause: float,
        clock: Clock,
    ) -> None:
        """They are opened at least `ping_interval` apart: by default ten seconds, as long as Slack warns before it closes one."""
        self.open_link = open_link
        self.ping_interval = ping_interval
        self.clock = clock
        self.opening = asyncio.Lock()
        self.opened_at = clock.monotonic()
        self.off = False
        """Slack said that Socket Mode is switched off, and no connection has stood since."""
        self._alarmed = False
        self.why = ""
        """Why the latest attempt failed."""
        self._seats = [Seat(self, Pauses(longest_pause, clock)) for _ in range(sockets)]

    @property
    def connected(self) -> bool:
        return any(seat.alive for seat in self._seats)

    @property
    def silence(self) -> float:
        """Seconds since Slack last sent anything on any connection, its answers to heartbeats included."""
        return min((seat.silence for seat in self._seats if seat.alive), default=0.0)

    @property
    def hearing(self) -> bool:
        return any(self.hears(seat) for seat in self._seats)

    @property
    def trouble(self) -> str:
        """What is wrong, for an operator; with some connections missing that is no more than a remark."""
        if self.off:
            return SWITCHED_OFF
        standing = sum(self.hears(seat) for seat in self._seats)
        if not standing:
            return self.why
        missing = [seat for seat in self._seats if seat.missing and not self.hears(seat)]
        if not missing:
            return ""
        why = next((seat.missing for seat in missing), "")
        return f"{standing} of {len(self._seats)} connections: {why}"

    def hears(self, seat: "Seat") -> bool:
        return seat.alive and seat.silence < self.SILENCE * self.ping_interval

    def spare(self, seat: "Seat") -> bool:
        """Whether another one hears meanwhile."""
        return any(self.hears(other) for other in self._seats if other is not seat)

    async def run(self) -> None:
        """Until cancelled; the connections then stand until `finish`. Raises `NotAllowed` when Slack refuses the app token."""
        tasks = [asyncio.create_task(seat.run(), name="slack-seat") for seat in self._seats]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(tasks)

    async def finish(self) -> None:
        """Acknowledges what is being stored and closes all connections."""
        await asyncio.gather(*(seat.let_go() for seat in self._seats))

    def too_soon(self, seat: "Seat") -> float:
        """Seconds until it is this seat's turn. At once when nothing else hears."""
        return self.opened_at + self.ping_interval - self.clock.monotonic() if self.spare(seat) else 0.0

    def welcome(self, link: Link) -> None:
        """A connection stands."""
        self.off, self.why = False, ""
        self.opened_at = self.clock.monotonic()
        for seat in self._seats:
            if seat.missing not in FULL or link.connections < MOST_SOCKETS - ROOM:
                seat.missing = ""
        log.info("socket_open", connections=link.connections)
        if link.connections >= MOST_SOCKETS:
            # Connections that broke off count too, until Slack has noticed; a press that is sent to one of those is lost.
            log.warning("sockets_all_taken", connections=link.connections, fix=ALL_TAKEN)

    def switch_off(self, lived: float) -> None:
        """Slack says so on every connection and to every attempt: the alarm is given once, until one has stood for a while."""
        if not self.off and (not self._alarmed or lived > self.ping_interval):
            log.error("socket_mode_switched_off", fix=SWITCHED_OFF)
        self.off = self._alarmed = True


class Seat:
    """A place for one connection: fills it, and renews it when Slack asks for that."""

    def __init__(self, entrance: SocketEntrance, pauses: Pauses) -> None:
        self.missing = ""
        """Why there is no connection though there should be. Empty while it merely waits for its turn."""
        self._entrance, self._pauses = entrance, pauses
        self._clock = entrance.clock
        self._link: Link | None = None

    @property
    def alive(self) -> bool:
        return self._link is not None and self._link.alive

    @property
    def silence(self) -> float:
        return self._clock.monotonic() - self._link.heard_at if self._link is not None else 0.0

    async def run(self) -> None:
        """Until cancelled. Raises `NotAllowed`."""
        while True:
            if self.alive:
                await self._renew()
            else:
                await self._fill()
            await self._follow()

    async def let_go(self) -> None:
        """Acknowledges what is being stored and closes the connection."""
        link, self._link = self._link, None
        if link is not None:
            await link.finish(self._entrance.FINISH_WITHIN)

    async def _renew(self) -> None:
        """Opens the next connection, however long it takes, and only then lets go of the former one."""
        while (pause := await self._try()) is not None:
            await self._pauses.wait(pause)

    async def _fill(self) -> None:
        """Opens a connection when it is this seat's turn, however long it takes."""
        entrance = self._entrance
        while True:
            async with entrance.opening:
                wait = entrance.too_soon(self)
                pause = None if wait > 0 else await self._try()
            if wait > 0:
                await self._clock.sleep(wait)
            elif pause is not None:
                await self._pauses.wait(pause)
            else:
                return

    async def _try(self) -> float | None:
        """One attempt. None: the connection stands; otherwise how long to wait at least before the next one, in seconds."""
        entrance = self._entrance
        try:
            fresh = await entrance.open_link()
        except NotAllowed as error:
            if entrance.off:
                # What Slack answers while Socket Mode is off is not documented; it may well be that the token is not good.
                return self._miss(f"Slack refuses SLACK_APP_TOKEN ({error.code})", error)
            entrance.why = (
                f"Slack refuses SLACK_APP_TOKEN ({error.code}); make a token with the scope connections:write under Basic "
                "Information, App-Level Tokens, switch Socket Mode on and restart."
            )
            raise NotAllowed(entrance.why, code=error.code) from error
        except PlatformError as error:
            if error.code == TOO_MANY:
                return await self._make_room(error)
            if error.code == LINK_DISABLED:
                entrance.switch_off(0)
            pause = self._miss(f"Slack cannot be reached by Socket Mode ({error})", error)
            return error.retry_after.total_seconds() if isinstance(error, RateLimited) else pause
        former = self._link
        if former is None and fresh.connections > MOST_SOCKETS - ROOM and entrance.spare(self):
            await fresh.finish(entrance.FINISH_WITHIN)
            log.info("socket_given_back", connections=fresh.connections)
            self.missing = NO_ROOM
            return self._spare_pause
        self._link, self.missing = fresh, ""
        entrance.welcome(fresh)
        if former is not None:
            await former.finish(entrance.FINISH_WITHIN)
        return None

    async def _make_room(self, error: PlatformError) -> float:
        """There may be no room for two: the former one makes it. Slack delivers again what is not acknowledged."""
        renewing = self._link is not None
        pause = self._miss(ALL_TAKEN, error)
        await self.let_go()
        return self._spare_pause if self._entrance.spare(self) and not renewing else pause

    def _miss(self, why: str, error: PlatformError) -> float:
        self.missing = self._entrance.why = why
        log.warning("socket_not_opened", error=str(error), trouble=why)
        return 0.0

    @property
    def _spare_pause(self) -> float:
        return self._pauses.longest * self._entrance.SPARE_PAUSE

    async def _follow(self) -> None:
        """Waits for the end of the connection, or for Slack's word that it is near, and a pause if it came soon."""
        link, entrance = self._link, self._entrance
        if link is None:
            return
        opened_at = self._clock.monotonic()
        await link.leaving.wait()
        log.info("socket_leaving", reason=link.reason or "lost")
        lived = self._clock.monotonic() - opened_at
        if lived > entrance.ping_interval:
            self._pauses.reset()
        if link.reason == LINK_DISABLED:
            entrance.switch_off(lived)
            await self._pauses.wait(Pauses.FIRST)
        await self._pauses.wait()
        if not link.alive:
            await self.let_go()
