"""How work gets its job. Each function is part of a transaction of somebody else's.

A job says no more than "look into this conversation": what there is to do, its record says. Every question has a job of its own,
committed with it; whichever runs first works off all of them, and the others find nothing left. (A job that stood for several
questions could start before the last of them is committed, and leave it behind without any.)
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import ConversationId

TASK = "drain"

# Queue, task, priority, lock, queueing lock, arguments, earliest start. The lock lets one job of a conversation run at a time,
# the oldest first; a queue per platform lets a process do without some platforms.
JOB = f"""
    ROW(c.platform, '{TASK}', 0, c.id::text, NULL, jsonb_build_object('conversation', c.id), NULL)::procrastinate_job_to_defer_v1
"""

_DEFER = text(
    f"SELECT procrastinate_defer_jobs_v1(ARRAY[{JOB}]) FROM conversation c WHERE c.id = :conversation"  # noqa: S608  # a constant
)


async def defer_work(connection: AsyncConnection, conversation: ConversationId) -> None:
    """Inserts a job for the conversation, which starts as soon as the transaction is committed. For `open_store`'s `on_work`.

    Raises SQLAlchemy's errors.
    """
    await connection.execute(_DEFER, {"conversation": conversation})
