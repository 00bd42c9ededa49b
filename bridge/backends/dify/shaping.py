"""What is shown of the text that Dify gives: neither what a model thought aloud, nor links to Dify's own files."""

from bridge.backends.dify.linking import LinkFilter, OwnFiles
from bridge.messages import ProducedFile
from bridge.remote.thinking import ThinkFilter


class TextShaper:
    """One per answer, and a fresh one after the answer was replaced."""

    def __init__(self, own: OwnFiles) -> None:
        self._thoughts = ThinkFilter()
        self._links = LinkFilter(own)

    @property
    def files(self) -> tuple[ProducedFile, ...]:
        """Those that the text names, as far as it came."""
        return self._links.files

    def feed(self, text: str) -> str:
        """What may be shown now; the rest is held back until it is clear what it becomes."""
        return self._links.feed(self._thoughts.feed(text))

    def flush(self) -> str:
        """What was held back when the answer ended."""
        return self._links.feed(self._thoughts.flush()) + self._links.flush()


def shape(answer: str, own: OwnFiles) -> tuple[str, tuple[ProducedFile, ...]]:
    """A whole answer as it would have been streamed, and the files that it names."""
    shaper = TextShaper(own)
    return shaper.feed(answer) + shaper.flush(), shaper.files
