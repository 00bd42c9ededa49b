"""From bytes to events: server-sent events as backends frame them. Knows nothing of what the events mean.

Each event is one `data: ...` line and a blank line, and nearly always JSON. A keep-alive is `event: ping` or a comment and a
blank line, without data. Bytes arrive cut anywhere, also inside a character, so lines are split before anything is decoded.
"""

import json

from bridge import logs

Json = dict[str, object]

DONE = b"[DONE]"
"""What most servers but Dify say at the end."""

_log = logs.get("remote")


class EventTooLarge(Exception):
    """One event is larger than allowed."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"one event is larger than {max_bytes} bytes")


class FrameParser:
    """Fed with whatever arrived, gives back the data of the events that are complete. Holds at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._searched = 0
        """How much of `_rest` is known to hold no line end, so that a huge line is not searched again and again."""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._first_line = True
        self._too_large = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises `EventTooLarge`, after the events before the large one were given back."""
        self.check()
        self._rest += chunk
        events: list[bytes] = []
        start = 0
        while (end := self._rest.find(b"\n", max(start, self._searched))) >= 0:
            event = self._take_line(bytes(self._rest[start:end]))
            if event is not None:
                events.append(event)
            start = end + 1
            self._searched = start
        del self._rest[:start]
        self._searched = len(self._rest)
        if len(self._rest) + self._data_bytes > self._max_bytes:
            self._too_large = True
        if self._too_large and not events:
            raise EventTooLarge(self._max_bytes)
        return events

    def check(self) -> None:
        """Raises `EventTooLarge` when nothing that is fed from now on will be read."""
        if self._too_large:
            raise EventTooLarge(self._max_bytes)

    def finish(self) -> list[bytes]:
        """The stream has ended: an event whose blank line never came still counts if it is whole."""
        return self.feed(b"\n\n")

    def _take_line(self, line: bytes) -> bytes | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.removesuffix(b"\r")
        if not line:
            whole, self._data, self._data_bytes = b"\n".join(self._data), [], 0
            return whole or None
        if line.startswith(b"data:"):
            value = line[5:].removeprefix(b" ")
            self._data.append(value)
            # The list needs its eight bytes for an empty line too.
            self._data_bytes += len(value) + 8
        # `event:` (only used for ping), `id:`, `retry:` and comments carry nothing for us.
        return None


class EventParser:
    """The same, for servers that say everything in JSON objects. What is no object is left out."""

    def __init__(self, max_bytes: int) -> None:
        self._frames = FrameParser(max_bytes)

    def feed(self, chunk: bytes) -> list[Json]:
        return _read_all(self._frames.feed(chunk))

    def check(self) -> None:
        self._frames.check()

    def finish(self) -> list[Json]:
        return _read_all(self._frames.finish())


def _read_all(frames: list[bytes]) -> list[Json]:
    read = (read_object(raw) for raw in frames if raw != DONE)
    return [event for event in read if event is not None]


def read_object(raw: bytes) -> Json | None:
    """A JSON object, or None when it is anything else."""
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        _log.warning("event_unreadable", bytes=len(raw))
        return None
    return value if isinstance(value, dict) else None


def text_of(event: Json, key: str) -> str:
    """A string field, "" when it is missing or of another type.

    Without NUL characters and lone surrogates: JSON can spell both, and neither a database nor a chat platform takes them.
    """
    value = event.get(key)
    if not isinstance(value, str):
        return ""
    if "\0" in value:
        value = value.replace("\0", "")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def object_of(event: Json, key: str) -> Json:
    value = event.get(key)
    return value if isinstance(value, dict) else {}
