"""What backends may do with what was said earlier, besides answering: name it, list it, delete it, read it aloud."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.messages import BackendConversationId, BackendIds, BackendUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """Something read aloud. All of it is in memory."""

    content: bytes
    """Not empty."""
    media_type: str
    """"audio/mpeg" and the like."""


@runtime_checkable
class Speaks(Protocol):
    """The backend reads answers aloud, where its app does."""

    async def speaks(self) -> bool:
        """Raises `BackendError`."""
        ...

    async def speak(self, ids: BackendIds, text: str, user: BackendUser, most: int) -> Speech:
        """Reads this answer, at most `most` bytes of sound. `text` is what it says, "" where that is not known any more. May take
        a minute. Raises `BackendError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptConversation:
    """A conversation as its backend lists it."""

    id: BackendConversationId
    title: str
    """Plain text; "" where it has none."""


@runtime_checkable
class ListsConversations(Protocol):
    """The backend keeps conversations and can go on with any of them, for the `user` who began it."""

    async def conversations(self, user: BackendUser, limit: int) -> Sequence[KeptConversation]:
        """At most `limit` of those that this `user` has there, the latest first. Raises `BackendError`."""
        ...


@runtime_checkable
class DeletesConversations(Protocol):
    async def delete_conversation(self, conversation: BackendConversationId, user: BackendUser) -> None:
        """Has the backend forget it for good. One that is not there (any more) is success. Whether whoever wants it may want it
        is the caller's to know: some backends delete whatever they are told. Raises `BackendError`, with the code "cannot_delete"
        where the server deletes nothing at all."""
        ...


@runtime_checkable
class NamesConversations(Protocol):
    """The backend thinks of a title for a conversation."""

    async def name_of(self, conversation: BackendConversationId, user: BackendUser) -> str:
        """A few words of plain text; "" where it has none. Raises `BackendError`."""
        ...
