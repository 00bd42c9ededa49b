"""From bytes to events: server-sent events as backends frame them. Knows nothing of what the events mean.

Each event is one `data: ...` line and a blank line, and nearly always JSON. A keep-alive is `event: ping` or a comment and a
blank line, without data. Bytes arrive cut anywhere, also inside a character, so lines are split before anything is decoded.
"""

import json

from bridge import logs

Json = dict[str, object]

DONE = b"[DONE]"
"""What most servers but Dify say at the end."""

_DECODER = json.JSONDecoder()

_log = logs.get("remote")


class EventTooLarge(Exception):
    """One event is larger than allowed."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"one event is larger than {max_bytes} bytes")


class FrameParser:
    """Fed with whatever arrived, gives back the data of the events that are complete. Holds at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._line = bytearray()
        """The beginning of a line whose end has not come."""
        self._data: list[bytes] = []
        """What the event under way has said so far."""
        self._data_bytes = 0
        self._begun = False
        self._too_large = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """Raises `EventTooLarge`, after the events before the large one were given back."""
        self.check()
        events: list[bytes] = []
        end = chunk.rfind(b"\n")
        if end < 0:
            self._line += chunk
        elif self._line:
            self._line += chunk[:end]
            events = self._take(bytes(self._line))
            self._line = bytearray(chunk[end + 1 :])
        else:
            events = self._take(chunk[:end])
            self._line += chunk[end + 1 :]
        if len(self._line) + self._data_bytes > self._max_bytes:
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

    def _take(self, lines: bytes) -> list[bytes]:
        """Whole lines, the last one without its end. All in one go: a call for each would take longer than its work."""
        if not self._begun:
            self._begun = True
            lines = lines.removeprefix(b"\xef\xbb\xbf")
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n").removesuffix(b"\r")
        events: list[bytes] = []
        data = self._data
        for line in lines.split(b"\n"):
            if line.startswith(b"data:"):
                value = line[6:] if line.startswith(b"data: ") else line[5:]
                data.append(value)
                # The list needs its eight bytes for an empty line too.
                self._data_bytes += len(value) + 8
            elif not line and data:
                if whole := data[0] if len(data) == 1 else b"\n".join(data):
                    events.append(whole)
                data.clear()
                self._data_bytes = 0
            # `event:` (only used for ping), `id:`, `retry:` and comments carry nothing for us.
        return events


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
        # What `json.loads` does, without its looks at what nearly every event is: UTF-8 from one brace to the other.
        text = raw.decode() if raw.startswith(b"{") else ""
        value, end = _DECODER.raw_decode(text) if text else (None, -1)
        if end != len(text):
            value = json.loads(raw)
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
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def object_of(event: Json, key: str) -> Json:
    value = event.get(key)
    return value if isinstance(value, dict) else {}
