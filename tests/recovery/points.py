"""Where and how a bridge process is made to die. Values only: the test says them, the victim reads them."""

import json
import signal
from dataclasses import asdict, dataclass
from typing import Literal, Self

When = Literal["before", "after"]
How = Literal["kill", "pause"]

SIGNALS: dict[How, signal.Signals] = {"kill": signal.SIGKILL, "pause": signal.SIGSTOP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A call between two rooms, at which the process gets a signal that it cannot handle."""

    where: str
    """Seam and method: "store.accept", "platform.send", "backend.answer"; "backend.event" is one event of an answer."""
    when: When = "before"
    """Before the call (the event is handed on) or after it came back."""
    needle: str = ""
    """Counts only calls with this in what they take, or where `when` is "after", also in what they give back."""
    nth: int = 1
    how: How = "kill"

    def __str__(self) -> str:
        which = f"#{self.nth}" if self.nth > 1 else ""
        return f"{self.how} {self.when} {self.where}{which}"

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls(**json.loads(text))


def before(where: str, needle: str = "", nth: int = 1) -> Point:
    return Point(where=where, when="before", needle=needle, nth=nth)


def after(where: str, needle: str = "", nth: int = 1) -> Point:
    return Point(where=where, when="after", needle=needle, nth=nth)
