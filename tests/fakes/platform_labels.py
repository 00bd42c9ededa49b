"""A chat platform in memory whose threads can be given names and marks."""

from dataclasses import dataclass, field

from bridge.errors import PlatformError
from bridge.messages import ReplyTarget
from tests.fakes.platform import ThreadingPlatform


@dataclass
class LabellingPlatform(ThreadingPlatform):
    """Errors are met one at a time. The seconds are what each call takes."""

    renamed: list[tuple[str, str]] = field(default_factory=list)
    """Address and title, in the order of the calls."""
    rename_errors: list[PlatformError] = field(default_factory=list)
    rename_seconds: float = 0.0
    solved: list[ReplyTarget] = field(default_factory=list)

    async def rename_thread(self, target: ReplyTarget, title: str) -> None:
        await self.clock.sleep(self.rename_seconds)
        if self.rename_errors:
            raise self.rename_errors.pop(0)
        self.renamed.append((target.address, title))

    async def mark_solved(self, target: ReplyTarget) -> None:
        self.solved.append(target)
