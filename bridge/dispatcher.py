"""The seam to whoever decides *where and when* a conversation's waiting questions are worked on.

Correctness never rests on it: the store's epoch fences every write, and waking twice, late or for nothing is harmless.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

from bridge.messages import ConversationId

Drain = Callable[[ConversationId], Awaitable[None]]
"""Works off everything that waits in one conversation, in order, and returns. Never raises."""

Look = Callable[[ConversationId], Awaitable[None]]
"""Has a running turn of this conversation, if this process has one, look at its `Orders`. Never raises."""


class Dispatcher(Protocol):
    def wake(self, conversation: ConversationId) -> None:
        """Says that questions wait in this conversation. Never blocks; may be called before `run`."""
        ...

    def nudge(self, conversation: ConversationId) -> None:
        """Says that there are new `Orders` for what is being answered there, in whichever process that is. Never blocks."""
        ...

    async def run(self) -> None:
        """Works until cancelled. One `Drain` at a time per conversation, many conversations at once."""
        ...

    async def drain(self, grace: timedelta) -> bool:
        """Starts nothing new and waits for what runs. False when some of it was still running after `grace`."""
        ...
