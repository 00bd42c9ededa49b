"""Chat platforms in memory that can be read: the files that members attach, and what was said in a thread before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bridge.errors import FileTooLarge, NotAllowed, PlatformError
from bridge.messages import Address, Attachment, MessageRef, ReplyTarget, Said
from tests.fakes.platform import FilePlatform


@dataclass
class ReadingPlatform(FilePlatform):
    """Errors are met one at a time, those of files by their names. The seconds are what each call takes."""

    contents: dict[Address, bytes] = field(default_factory=dict)
    """What members have attached."""
    told_types: dict[Address, str] = field(default_factory=dict)
    """Media types that are told with the content."""
    fetch_errors: dict[str, list[PlatformError]] = field(default_factory=dict)
    fetch_seconds: float = 0.0
    fetched: list[str] = field(default_factory=list)
    """Names, in the order of the calls."""
    said: list[Said] = field(default_factory=list)
    """In the thread, the oldest first."""
    read: list[tuple[ReplyTarget, MessageRef | None, int]] = field(default_factory=list)
    """Every call of `read_thread`."""
    thread_errors: list[PlatformError] = field(default_factory=list)
    thread_seconds: float = 0.0

    def attach(self, name: str, content: bytes, *, media_type: str = "", size: int | None = None) -> Attachment:
        """As somebody would, beside a message. `size` is what the platform says of it."""
        address = Address(f"files/{len(self.contents)}")
        self.contents[address] = content
        return Attachment(name=name, media_type=media_type, size=size, address=address)

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        self.fetched.append(file.name)
        await self.clock.sleep(self.fetch_seconds)
        if errors := self.fetch_errors.get(file.name):
            raise errors.pop(0)
        if file.address not in self.contents:
            raise NotAllowed("")
        content = self.contents[file.address]
        if len(content) > most:
            raise FileTooLarge("too large")
        into.write_bytes(content)
        return self.told_types.get(file.address, "")

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        self.read.append((target, before, limit))
        await self.clock.sleep(self.thread_seconds)
        if self.thread_errors:
            raise self.thread_errors.pop(0)
        return self.said[-limit:]
