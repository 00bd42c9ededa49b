"""How many questions a second become durable, and what a conversation costs that nobody talks in any more."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.feedback import aggregate
from bridge.messages import (
    Address,
    AppName,
    AskedQuestion,
    Author,
    BackendUser,
    ChannelId,
    ConversationKey,
    EventId,
    InstallationId,
    MessageRef,
    PaceGroup,
    PersonId,
    PlatformName,
    ReplyTarget,
    ThreadId,
)
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import open_store
from bridge.store import Accepted, NewQuestion, Store
from tests.benchmarks.loads import PATIENCE, stage
from tests.benchmarks.processes import bridge

_PLATFORM = PlatformName("bench")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptResult:
    alone: Sequence[float]
    """Milliseconds of one after the other."""
    per_second: float
    """With many at the same time."""


def _question(number: int) -> NewQuestion:
    key = ConversationKey(
        platform=_PLATFORM,
        installation=InstallationId("team"),
        channel=ChannelId("general"),
        thread=ThreadId(str(number // 4)),
    )
    target = ReplyTarget(
        platform=_PLATFORM,
        conversation=key,
        address=Address(f"general/{number // 4}"),
        post_group=PaceGroup("general"),
        edit_group=PaceGroup("general"),
    )
    return NewQuestion(
        event_id=EventId(f"event-{number}"),
        key=key,
        app=AppName("default"),
        backend_user=BackendUser("bench:team:general"),
        question=AskedQuestion(
            ref=MessageRef(platform=_PLATFORM, address=Address(f"message-{number}")),
            author=Author(platform=_PLATFORM, id=PersonId("ada"), display_name="Ada"),
            text="A question of about the usual length, that somebody has written.",
            target=target,
            sent_at=datetime.now(UTC),
        ),
    )


async def accept_questions(
    url: str = "", *, alone: int = 200, together: int = 2_000, parallel: int = 50
) -> AcceptResult:
    """Straight at the store, four questions to a conversation. Without `url`, on a SQLite file of its own."""
    with TemporaryDirectory(prefix="bench-") as folder:
        settings = isolated(Settings, database_url=url or f"sqlite:///{Path(folder) / 'bench.db'}")
        await migrate(settings)
        # With its job, where questions have one.
        store = await open_store(settings, SystemClock(), aggregate, defer_work if settings.shared else None)
        try:
            taken = []
            for number in range(alone):
                began = time.perf_counter()
                await _accept(store, number)
                taken.append((time.perf_counter() - began) * 1000)
            numbers = iter(range(alone, alone + together))

            async def go_on() -> None:
                for number in numbers:
                    await _accept(store, number)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as tasks:
                for _ in range(parallel):
                    tasks.create_task(go_on())
            return AcceptResult(alone=taken, per_second=together / (time.perf_counter() - began))
        finally:
            await store.close()


async def _accept(store: Store, number: int) -> None:
    accepted = await store.accept(_question(number))
    if not isinstance(accepted, Accepted):
        raise TypeError(f"question {number} was not accepted: {accepted}")


async def idle_conversations(count: int, warm: int = 150) -> float:
    """Megabytes that a bridge keeps for a thousand conversations that were answered, measured on `count`."""
    async with stage(first_token=0.0, per_token=0.0) as on:
        rooms = await on.discord.make_rooms(warm + count)
        async with bridge(on.folder, on.settings | {"DIFY_MAX_CONCURRENT": "20"}) as running:

            async def talk(first: int, last: int) -> float:
                for room in rooms[first:last]:
                    await on.discord.ask(room, "A question.")
                # Asked of the log, since to look at every message of so many rooms would take the bridge's own time.
                until = time.monotonic() + PATIENCE
                while running.log.read_text().count('"turn_ended"') < last and time.monotonic() < until:  # noqa: ASYNC110  # in another process
                    await asyncio.sleep(0.5)
                await asyncio.sleep(3.0)
                return running.resident_megabytes()

            before = await talk(0, warm)
            return (await talk(warm, warm + count) - before) * 1000 / count
