"""What a stream says of an answer so far, and what one call may add: text at its end, and steps, which stand between two blocks
of the text or above all of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.slack.writing.growth import block_end, continue_after, open_fence, settled
from adapters.slack.writing.tasks import Chunk, Tasks, chunks
from bridge.messages import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    before: str = ""
    """Text that stands before the steps."""
    steps: tuple[Step, ...] = ()
    text: str = ""
    seen: str = ""
    """All of the text as it was then, whether it could be added or not."""

    @property
    def said(self) -> str:
        return self.before + self.text

    def arguments(self, *, in_chunks: bool) -> tuple[str | None, list[Chunk] | None]:
        """`markdown_text` or `chunks`."""
        if not in_chunks or not (self.said or self.steps):
            return self.said or None, None
        return None, [*_spoken(self.before), *chunks(self.steps), *_spoken(self.text)]


@dataclass(slots=True, kw_only=True)
class SoFar:
    """Changed by `confirm` only."""

    in_chunks: bool
    """The content comes as chunks rather than as `markdown_text`. Decided by the first call: Slack does not let them mix
    (hermes-agent pull 104173, reported)."""
    said: str = ""
    """What Slack has of the text, to the letter."""
    below_step: bool = False
    """What comes next stands below a step, apart from the text above that."""
    seen: str = ""
    tasks: Tasks = field(default_factory=Tasks)

    def continues(self, text: str) -> bool:
        """Whether `text` goes on where it was; otherwise something else stands there now."""
        return continue_after(self.said, text) is not None

    def next(self, text: str, steps: Sequence[Step], *, listed: bool) -> Addition:
        """What may be added of a text that is still being written. `listed`: steps may be shown."""
        at = continue_after(self.said, text)
        chunk = "" if at is None else self._fitting(text[at : settled(text, at)])
        if not (listed and self.in_chunks):
            return Addition(text=chunk, seen=text)
        news = tuple(self.tasks.news(steps))
        known = tuple(step for step in news if step.id in self.tasks.told)
        if news == known or not self.said or self.below_step:
            return Addition(steps=news, text=chunk, seen=text)
        if cut := block_end(self.said, chunk):
            return Addition(before=chunk[:cut], steps=news, text=chunk[cut:], seen=text)
        # What is open at the end of the text is closed there. The app has stopped writing, though, to do something else.
        if at is not None and text == self.seen and not open_fence(text.removesuffix("```")):
            return Addition(before=self._fitting(text[at:]), steps=news, seen=text)
        return Addition(steps=known, text=chunk, seen=text)

    def last(self, text: str, steps: Sequence[Step], *, listed: bool, failed: bool) -> Addition | None:
        """What is missing of a text that is complete. None: that cannot be added at the end of what was. `failed`: so did its
        unfinished steps."""
        tail = text[len(self.said) :]
        if not text.startswith(self.said) or self._fitting(tail) != tail:
            return None
        news = tuple(self.tasks.news(steps, ended=True, failed=failed)) if listed and self.in_chunks else ()
        if self.said and not self.below_step:
            return Addition(before=tail, steps=news, seen=text)
        return Addition(steps=news, text=tail, seen=text)

    def confirm(self, addition: Addition) -> None:
        """Slack has it."""
        self.said += addition.said
        self.seen = addition.seen
        fresh = any(step.id not in self.tasks.told for step in addition.steps)
        self.below_step = (self.below_step or fresh) and not addition.text
        self.tasks.confirm(addition.steps)

    def _fitting(self, chunk: str) -> str:
        """What Slack makes of it behind what it has. Above all text and below a step nobody misses the white space, but alone it
        is nothing to add."""
        if not chunk.strip():
            return ""
        return chunk.lstrip() if self.said and not self.below_step else chunk


def _spoken(text: str) -> list[Chunk]:
    return [{"type": "markdown_text", "text": text}] if text else []
