"""Several bridge processes on one PostgreSQL, beside the stand-ins that the test's process keeps."""

import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import psycopg
import pytest

from bridge.playground.slack.model import Delivery
from tests.integration.seats import Seat
from tests.many.balancer import Balancer
from tests.recovery import looking
from tests.recovery.points import Point
from tests.recovery.verdict import Exam
from tests.recovery.world import PATIENCE, Bridge, World

STALLED = 4.0
"""Seconds after which a frozen process is given up here, instead of ten."""

HEARTBEAT = 0.5


class Member(Bridge):
    """One of the processes, with a log of its own."""

    def __init__(self, folder: Path, settings: dict[str, str], point: Point | None, at_end: Callable[[], None]) -> None:
        folder.mkdir()
        self.log = folder / "bridge.log"
        super().__init__(folder, settings, point, at_end)

    def events(self) -> list[dict[str, object]]:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def logged(self, name: str) -> list[dict[str, object]]:
        return [event for event in self.events() if event.get("event") == name]

    @property
    def worker(self) -> int:
        """Its number in the queue; 0 as long as it has none."""
        joined = self.logged("joined")
        return int(str(joined[-1]["worker"])) if joined else 0


class Fleet(World):
    """Stand-ins and processes. Slack calls over HTTP, behind a balancer, where `over_http` says so."""

    def __init__(
        self, folder: Path, url: str, mode: str = "chat", version: str = "1.12.1", *, over_http: bool = False
    ) -> None:
        super().__init__(folder, mode, version)
        self.database_url = url
        self.balancer = Balancer() if over_http else None
        self.members: list[Member] = []
        self.ends: list[int] = []
        """Exit codes of processes that ended by themselves, or were told to."""

    async def open(self) -> None:
        await super().open()
        if self.balancer is not None:
            self.slack.events_url = await self.balancer.start()

    async def close(self) -> None:
        await super().close()
        if self.balancer is not None:
            await self.balancer.stop()

    def settings(self, **more: str) -> dict[str, str]:
        found = super().settings(DATABASE_HEARTBEAT=str(HEARTBEAT), DATABASE_STALLED=str(STALLED))
        if self.balancer is not None:
            del found["SLACK_APP_TOKEN"]
            found["SLACK_SIGNING_SECRET"] = self.slack.signing_secret
        return found | more

    def launch(self, point: Point | None = None, **more: str) -> Member:
        folder = self.folder / f"bridge{len(self.members) + 1}"
        member = Member(folder, self.settings(**more), point, self._noticed.set)
        self.log = member.log
        self.members.append(member)
        self.bridges.append(member)
        if self.balancer is not None:
            self.balancer.ports = [*self.balancer.ports, member.port]
        return member

    async def start(self, point: Point | None = None, **more: str) -> Member:
        member = self.launch(point, **more)
        await self.ready(member)
        return member

    async def start_many(self, count: int, **more: str) -> list[Member]:
        """Starts so many at once and waits until each is ready."""
        members = [self.launch(None, **more) for _ in range(count)]
        for member in members:
            self.log = member.log
            await self.ready(member)
        return members

    @property
    def alive(self) -> list[Member]:
        return [member for member in self.members if member.alive]

    async def end_gently(self) -> None:
        """SIGTERM to all that are alive, at once; each has to end by itself and without a complaint."""
        alive = self.alive
        for member in alive:
            member.send(signal.SIGTERM)
        codes = [await member.ended() for member in alive]
        assert codes == [0] * len(alive), "\n".join([f"ended with {codes}", *self.last_words()])

    # Looking

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def workers(self) -> list[int]:
        """The number of the process that works on it, for each conversation in which something runs."""
        found = self.ask("SELECT worker_id FROM procrastinate_jobs WHERE status = 'doing'")
        return [int(str(row[0])) for row in found]

    def owner(self) -> Member | None:
        """The process that works on the only conversation in which something runs."""
        workers = self.workers()
        return next((member for member in self.members if [member.worker] == workers), None)

    def logged(self, name: str) -> list[dict[str, object]]:
        return [event for member in self.members for event in member.logged(name)]

    def last_words(self, lines: int = 25) -> list[str]:
        found = []
        for member in self.members:
            text = member.log.read_text(errors="replace") if member.log.exists() else ""
            found += [f"--- {member.log.parent.name}", *text.splitlines()[-lines:]]
        return found

    def unfinished(self) -> list[int]:
        """Conversations with work left, and jobs that nobody has ended (negative numbers)."""
        waiting = self.ask(
            "SELECT id FROM conversation WHERE head < tail OR active_answer_id IS NOT NULL "
            "UNION ALL SELECT -id FROM procrastinate_jobs"
        )
        return [int(str(row[0])) for row in waiting]


@dataclass(slots=True)
class Crowd(Exam):
    """People in many threads, who go on asking whatever happens. Nobody is patient enough to wait for an answer; but who asks on
    Slack sees the question before writing the next one, and so the order of what the bridge was given is certain."""

    asked_at: dict[str, float] = field(default_factory=dict)
    """Of first questions, by name."""

    def order(self, platform: str, thread: str) -> list[str]:
        return self.asked[(platform, thread)]

    async def ask(self, seat: Seat, *, name: str = "", channel: int = 0) -> str:
        name = name or self.new_name()
        self.asked_at[name] = self.world.clock.monotonic()
        return await Exam.ask(self, seat, name=name, channel=channel)

    async def talk(
        self, seat: Seat, questions: int, *, channel: int, after: float, pause: float, chance: Random
    ) -> None:
        """One thread with so many questions. It begins `after` some seconds; `pause` is the longest one between two questions."""
        await self.world.clock.sleep(after)
        before = len(self.world.slack.deliveries)
        thread = await self.ask(seat, channel=channel)
        await self._seen(seat, thread, before)
        for _ in range(questions - 1):
            await self.world.clock.sleep(chance.uniform(0.0, pause))
            before = len(self.world.slack.deliveries)
            await self.follow(seat, thread)
            await self._seen(seat, thread, before)

    async def _seen(self, seat: Seat, thread: str, before: int) -> None:
        await self.world.until(lambda: looking.is_open(seat, thread), "the thread is open", 60)
        if seat.name == "slack":
            new = [one for one in self.world.slack.deliveries[before:] if _thread_of(one) == thread]
            await self.world.until(lambda: all(one.acked_at is not None for one in new), "Slack is told", 60)

    async def settle(self, patience: float = PATIENCE) -> int:
        """Until everything is answered. Presses Retry wherever it is offered (an answer that was lost twice is not asked a third
        time by itself) and returns how often."""
        pressed, on = 0, self.world

        def offered() -> list[tuple[str, str]]:
            return [key for key in self.asked if self._is_offered(*key)]

        try:
            while not self.settled():
                await on.until(lambda: self.settled() or bool(offered()), "every question is answered", patience)
                for platform, thread in offered():
                    await looking.press(on.seats[platform], thread, "retry")
                    pressed += 1
                    await on.until(partial(self._is_taken_up, platform, thread), "Retry is heard")
        except AssertionError as error:
            found = self.problems(most_asks=2 + pressed)
            pytest.fail("\n".join([f"not all was answered in time: {error}", *found, *on.last_words()]))
        await on.until(lambda: on.unfinished() == [], f"no work and no job is left: {on.unfinished()}")
        return pressed

    def _is_offered(self, platform: str, thread: str) -> bool:
        return any("retry" in button for button in looking.buttons(self.world.seats[platform], thread))

    def _is_taken_up(self, platform: str, thread: str) -> bool:
        return not self._is_offered(platform, thread)


def _thread_of(delivery: Delivery) -> object:
    event = delivery.payload["event"]
    assert isinstance(event, dict)
    return event.get("thread_ts", event.get("ts"))


@asynccontextmanager
async def fleet(
    folder: Path, url: str, mode: str = "chat", version: str = "1.12.1", *, over_http: bool = False
) -> AsyncIterator[Fleet]:
    made = Fleet(folder, url, mode, version, over_http=over_http)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
