"""The queue in the database, as one process sees it: procrastinate's tables and functions, and what we ask of them besides.

Procrastinate keeps jobs, orders them, lets one per conversation run, and knows which process runs which. Three things that it
leaves to its users are added here, each as one statement, so that no two processes can do it by halves:

- a job is ended, or put back, only by the process that it belongs to;
- a job that ends while questions wait that have no other stays, to run again;
- what a dead process was doing is put back.

Every method raises `StoreUnavailable` when the database does not answer; then nothing is known about what it did.
"""

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job
from procrastinate.manager import JobManager

from bridge.dispatch.deferring import JOB, TASK
from bridge.errors import StoreUnavailable
from bridge.messages import ConversationId, PlatformName
from bridge.storage.engine import first_line
from bridge.storage.postgres import conninfo, work_options
from bridge.storage.settings import Settings

T = TypeVar("T")

CONNECTIONS = 3
"""Apart from those of the store, so that a sign of life never waits behind a crowd of questions."""

PATIENCE = 0.5
"""Share of the time given to a silent process, for which one of them is waited for (by a process that is ending, too) and tried
to be made anew: whoever can speak again does so in time."""

ALIVE_CLASS = 0x64637062
"""First half of the key of the lock by which a process shows that it is connected; the second is its number."""

NUDGES = "bridge_nudge"
"""Channel on which processes tell each other about new orders; the payload is a conversation."""

_BEAT = """
WITH beat AS (UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker)s RETURNING id)
SELECT (SELECT count(*) FROM beat) AS known,
    ARRAY(SELECT id FROM procrastinate_jobs WHERE worker_id = %(worker)s AND status = 'doing') AS jobs
"""

# A question that came in the last moment has a job of its own, which need not wait.
_SETTLE = """
WITH more AS (
    SELECT 1 FROM conversation c WHERE c.id = %(conversation)s AND c.head < c.tail AND NOT c.resting
        AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.lock = c.id::text AND j.status = 'todo')
),
ended AS (
    DELETE FROM procrastinate_jobs
        WHERE id = %(job)s AND status = 'doing' AND worker_id = %(worker)s AND NOT EXISTS (SELECT FROM more)
        RETURNING id
), again AS (
    UPDATE procrastinate_jobs
        SET status = 'todo', worker_id = NULL, attempts = attempts + 1, abort_requested = false,
            scheduled_at = now() + %(pause)s * interval '1 second'
        WHERE id = %(job)s AND status = 'doing' AND worker_id = %(worker)s AND EXISTS (SELECT FROM more)
        RETURNING id
)
SELECT (SELECT count(*) FROM ended) AS ended, (SELECT count(*) FROM again) AS again,
    (SELECT count(*) FROM procrastinate_jobs WHERE id = %(job)s) AS standing
"""

# Without its process, whose row goes next: that would lock the job again just when others come to take it.
_PUT_BACK = """
UPDATE procrastinate_jobs SET status = 'todo', worker_id = NULL, abort_requested = false, scheduled_at = now()
    WHERE worker_id = %(worker)s AND status = 'doing' AND (%(jobs)s::bigint[] IS NULL OR id = ANY(%(jobs)s))
"""

# A process counts as alive while it gives signs of life. Silent for a short time, it is believed as long as its connection
# stands; that of a killed process falls at once. Right after a start of the server all have been silent, and nobody is connected.
# What is put back again and again comes later and later: it may be what kills the processes.
_RESCUE = f"""
WITH alive AS (
    SELECT id FROM procrastinate_workers w
        WHERE last_heartbeat >= now() - %(gone)s * interval '1 second'
        OR (last_heartbeat >= now() - %(stalled)s * interval '1 second' AND EXISTS (
            SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.classid = {ALIVE_CLASS} AND l.objsubid = 2
                AND l.objid::bigint = w.id %% 2147483648
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ))
), left_behind AS (
    SELECT id FROM procrastinate_jobs
        WHERE status = 'doing' AND task_name = '{TASK}'
        AND pg_postmaster_start_time() < now() - %(stalled)s * interval '1 second'
        AND (worker_id IS NULL OR worker_id NOT IN (SELECT id FROM alive))
        FOR UPDATE SKIP LOCKED
)
UPDATE procrastinate_jobs j
    SET status = 'todo', worker_id = NULL, attempts = attempts + 1, abort_requested = false,
        scheduled_at = now() + CASE WHEN attempts < 3 THEN 0 ELSE least(2 ^ (attempts - 3), 60) END * interval '1 second'
    FROM left_behind WHERE j.id = left_behind.id
    RETURNING j.id
"""  # noqa: S608  # only constants of ours are put in; values are parameters

_REVIVE = f"""
SELECT coalesce(cardinality(procrastinate_defer_jobs_v1(array_agg({JOB} ORDER BY c.updated_at))), 0) AS made
    FROM conversation c
    WHERE c.head < c.tail AND NOT c.resting AND c.platform = ANY(%(platforms)s)
    AND (%(conversations)s::bigint[] IS NULL OR c.id = ANY(%(conversations)s))
    AND NOT EXISTS (SELECT FROM procrastinate_jobs j WHERE j.lock = c.id::text AND j.status IN ('todo', 'doing'))
"""  # noqa: S608  # only constants of ours are put in; values are parameters

_TIDY = """
WITH slots AS (DELETE FROM rate_slot WHERE next_at < now() - interval '1 hour')
DELETE FROM procrastinate_workers WHERE last_heartbeat < now() - interval '1 hour'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job that this process has to do."""

    job: int
    conversation: ConversationId
    attempts: int
    """How often it was put back before."""


class Settled(StrEnum):
    ENDED = "ended"
    AGAIN = "again"
    """Questions wait still: it will run once more."""
    LOST = "lost"
    """It belongs to another process by now."""


class JobQueue:
    """The queues of some platforms. Opened with `async with`."""

    def __init__(self, settings: Settings, platforms: Collection[PlatformName]) -> None:
        self._platforms = list(platforms)
        # A commit that a crash of the *server* undoes gives a job to two processes, and the record then fences one of them.
        address = conninfo(settings, "queue", work_options(settings) | {"synchronous_commit": "off"})
        patience = min(settings.database_busy_timeout, settings.database_stalled * PATIENCE)
        self._connector = PsycopgConnector(
            conninfo=address,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=patience,
            # The pool's own pauses would double up to minutes. Given up, it tries again at the next question.
            reconnect_timeout=patience,
            name="queue",
        )
        self._jobs = JobManager(self._connector)

    async def open(self) -> None:
        await _translated(self._connector.open_async())

    async def close(self) -> None:
        await _translated(self._connector.close_async())

    async def join(self) -> int:
        """Makes this process known. Returns its number."""
        return await _translated(self._jobs.register_worker())

    async def leave(self, worker: int) -> None:
        """Puts back everything that this process has not ended, for others to take at once, and forgets the process."""
        await self.put_back(worker, None)
        await _translated(self._jobs.unregister_worker(worker))

    async def take(self, worker: int) -> Taken | None:
        """The oldest job whose conversation is free."""
        job = await _translated(self._fetch(worker))
        if job is None or job.id is None or job.lock is None:
            return None
        return Taken(job=job.id, conversation=ConversationId(int(job.lock)), attempts=job.attempts)

    async def beat(self, worker: int) -> frozenset[int] | None:
        """A sign of life. Returns the jobs that this process is said to be doing; None: it is not known any more."""
        row = await self._one(_BEAT, worker=worker)
        return frozenset(row["jobs"]) if row["known"] else None

    async def settle(self, worker: int, taken: Taken, pause: float) -> Settled:
        """Ends a job whose work is done. `pause`: seconds before it runs again if it is not. May be called again."""
        row = await self._one(_SETTLE, job=taken.job, conversation=taken.conversation, worker=worker, pause=pause)
        if row["again"]:
            return Settled.AGAIN
        if row["ended"] or not row["standing"]:
            return Settled.ENDED
        return Settled.LOST

    async def put_back(self, worker: int, jobs: Collection[int] | None) -> None:
        """Lets others do what this process was given; None means all of it."""
        chosen = None if jobs is None else list(jobs)
        await _translated(self._connector.execute_query_async(_PUT_BACK, worker=worker, jobs=chosen))

    async def rescue(self, *, stalled: float, gone: float) -> list[int]:
        """Puts back the jobs of processes that were silent for `stalled` seconds, or for `gone` and are not connected."""
        rows = await self._all(_RESCUE, stalled=stalled, gone=gone)
        return [int(row["id"]) for row in rows]

    async def revive(self, conversations: Collection[ConversationId] | None) -> int:
        """Makes jobs for conversations with waiting questions and no job; None means all. Returns how many."""
        chosen = None if conversations is None else list(conversations)
        row = await self._one(_REVIVE, platforms=self._platforms, conversations=chosen)
        return int(row["made"])

    async def tidy(self) -> None:
        """Drops what has been of no use for an hour: processes that are silent, write budgets of quiet channels."""
        await _translated(self._connector.execute_query_async(_TIDY))

    async def nudge(self, conversations: Collection[ConversationId]) -> None:
        """Tells every process, this one too, about new orders."""
        await self._all(
            f"SELECT pg_notify('{NUDGES}', one::text) FROM unnest(%(chosen)s::bigint[]) one",  # noqa: S608  # a constant
            chosen=list(conversations),
        )

    async def _fetch(self, worker: int) -> Job | None:
        try:
            return await self._jobs.fetch_job(self._platforms, worker)
        except UniqueViolation:
            # Somebody took another job of this conversation in the same moment.
            return None

    async def _one(self, query: str, **arguments: object) -> dict[str, Any]:
        return await _translated(self._connector.execute_query_one_async(query, **arguments))

    async def _all(self, query: str, **arguments: object) -> list[dict[str, Any]]:
        return await _translated(self._connector.execute_query_all_async(query, **arguments))


async def _translated(work: Coroutine[Any, Any, T]) -> T:
    """Runs one statement to its end, even if the caller is cancelled meanwhile.

    The driver may lose a cancellation (see `pass_on_cancellation`), and who leaves would then never be gone.
    """
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running})
        if not running.cancelled():
            running.exception()
        raise
    except (ConnectorException, psycopg.Error) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        raise StoreUnavailable(f"the queue cannot be used: {first_line(cause)}") from error
