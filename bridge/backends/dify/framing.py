"""From bytes to JSON events: the server-sent-events framing that Dify uses. Knows nothing of what the events mean.

Each event is one `data: {json}` line and a blank line. A keep-alive is `event: ping` and a blank line, without data. Bytes
arrive cut anywhere, also inside a character, so lines are split before anything is decoded.
"""

import json

from bridge import logs

Json = dict[str, object]

log = logs.get("dify")


class EventTooLarge(Exception):
    """One event is larger than allowed."""


class EventParser:
    """Fed with whatever arrived, gives back the events that are complete. Holds at most `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._searched = 0
        """How much of `_rest` is known to hold no line end, so that a huge line is not searched again and again."""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._first_line = True
        self._too_large = False

    def feed(self, chunk: bytes) -> list[Json]:
        """Raises `EventTooLarge`, after the events before the large one were given back."""
        self.check()
        self._rest += chunk
        events: list[Json] = []
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
            raise EventTooLarge
        return events

    def check(self) -> None:
        """Raises `EventTooLarge` when nothing that is fed from now on will be read."""
        if self._too_large:
            raise EventTooLarge

    def finish(self) -> list[Json]:
        """The stream has ended: an event whose blank line never came still counts if it is whole."""
        return self.feed(b"\n\n")

    def _take_line(self, line: bytes) -> Json | None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        line = line.removesuffix(b"\r")
        if not line:
            whole, self._data, self._data_bytes = b"\n".join(self._data), [], 0
            return _read_json(whole) if whole else None
        if line.startswith(b"data:"):
            value = line[5:].removeprefix(b" ")
            self._data.append(value)
            # The list needs its eight bytes for an empty line too.
            self._data_bytes += len(value) + 8
        # `event:` (only used for ping), `id:`, `retry:` and comments carry nothing for us.
        return None


def _read_json(raw: bytes) -> Json | None:
    if raw == b"[DONE]":
        return None
    return read_object(raw)


def read_object(raw: bytes) -> Json | None:
    """A JSON object, or None when it is anything else."""
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):
        log.warning("event_unreadable", bytes=len(raw))
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
