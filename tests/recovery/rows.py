"""The crash table: at which calls a bridge is killed, and what may be seen of it afterwards.

Numbers are those of the table in DESIGN.md. Two numbers per row say what is promised: how often the app may have run for the
question, and (in words) what else may be double. Nothing may ever be lost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.recovery.points import Point, after, before

Mode = Literal["chat", "agent-chat", "advanced-chat"]

NAME = "qvictim"
"""The question that is being worked on when the process dies."""

SHORT = {"slack": 60, "discord": 60}
MANY = {"slack": 2_000, "discord": 500}
"""Words of an answer that needs three messages, by platform."""
HUGE = {"slack": 4_500, "discord": 1_500}
"""Words of an answer of which most goes into a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    number: int
    what: str
    point: Point
    asks: int = 1
    """How often the app may be asked in all. 2: what it made was lost with the process, or cannot be known."""
    mode: Mode = "chat"
    version: str = "1.12.1"
    slow: bool = False
    """The answer takes seconds, so that messages are edited while it grows."""
    words: Mapping[str, int] = field(default_factory=lambda: SHORT)
    """Of the answer, by platform."""
    notes: bool = False
    """A line of ours belongs to the answer: that the rest is in a file."""
    platforms: tuple[str, ...] = ("slack", "discord")

    def __str__(self) -> str:
        return f"{self.number}: {self.what}"


ROWS: Sequence[Row] = (
    Row(number=1, what="before the question is committed", point=before("store.accept", NAME)),
    Row(number=2, what="committed and not acknowledged", point=after("store.accept", NAME)),
    Row(number=3, what="before its turn is begun", point=before("store.begin_next")),
    Row(number=3, what="turn begun, app not asked", point=after("store.begin_next", NAME)),
    Row(number=3, what="before the asking is recorded", point=before("store.record_asked", NAME)),
    Row(number=5, what="recorded as asked, request not sent", point=after("store.record_asked", NAME)),
    Row(number=5, what="request sent, first event not stored", point=before("backend.event", NAME), asks=2),
    Row(number=5, what="before the app's ids are stored", point=before("store.record_started", NAME), asks=2),
    Row(number=6, what="ids stored, no text yet", point=after("store.record_started", NAME), asks=2),
    Row(
        number=4,
        what="thread opened, not remembered",
        point=after("platform.open_thread"),
        asks=2,
        platforms=("discord",),
    ),
    Row(number=4, what="intended, not posted", point=after("store.record_intended", NAME), asks=2),
    Row(number=4, what="posted, its id not known", point=after("platform.send", NAME), asks=2),
    Row(number=4, what="posted, before its id is stored", point=before("store.record_posted", NAME), asks=2),
    Row(number=6, what="posted and stored", point=after("store.record_posted", NAME), asks=2),
    Row(number=6, what="in mid-stream", point=before("backend.event", NAME, nth=30), asks=2, slow=True),
    Row(
        number=6,
        what="in mid-stream of an agent",
        point=before("backend.event", NAME, nth=30),
        asks=2,
        slow=True,
        mode="agent-chat",
    ),
    Row(
        number=6,
        what="in mid-stream of a chatflow",
        point=before("backend.event", NAME, nth=30),
        slow=True,
        mode="advanced-chat",
    ),
    Row(
        number=6,
        what="in mid-stream of a chatflow on a Dify that forgets",
        point=before("backend.event", NAME, nth=30),
        asks=2,
        slow=True,
        mode="advanced-chat",
        version="0.15.3",
    ),
    Row(number=6, what="before an edit", point=before("platform.edit", NAME), asks=2, slow=True),
    Row(number=6, what="after an edit", point=after("platform.edit", NAME), asks=2, slow=True),
    Row(number=7, what="said all, outcome not stored", point=before("store.record_outcome", NAME)),
    Row(number=7, what="outcome stored, end not shown", point=after("store.record_outcome", NAME)),
    Row(number=7, what="before the second message", point=before("platform.send", NAME, nth=2), words=MANY, asks=2),
    Row(
        number=7,
        what="second message posted, id unknown",
        point=after("platform.send", NAME, nth=2),
        words=MANY,
        asks=2,
    ),
    Row(number=7, what="second message stored", point=after("store.record_posted", NAME, nth=2), words=MANY, asks=2),
    Row(
        number=7,
        what="file posted, its id unknown",
        point=after("platform.send_file", NAME),
        words=HUGE,
        notes=True,
        asks=2,
    ),
    Row(number=8, what="all shown, before it is done", point=before("store.finish", NAME)),
    Row(number=9, what="done, before the next one", point=after("store.finish", NAME)),
)
