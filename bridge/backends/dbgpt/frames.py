"""The frames of an answer's stream: pieces of text, the end, and errors, some of which are no JSON."""

from dataclasses import dataclass

from bridge.remote.framing import DONE, FrameParser, Json, object_of, read_object, text_of

_SERVER_ERROR = b"[SERVER_ERROR]"


@dataclass(frozen=True, slots=True)
class Piece:
    """Something of the answer. May be empty: a model that thinks, or agents at work."""

    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    words: str
    """DB-GPT's own, for the log."""


class Done:
    """The stream is complete."""


Frame = Piece | Failed | Done


class FramesParser:
    """As `FrameParser`, with what the frames mean. What means nothing is left out."""

    def __init__(self, max_bytes: int) -> None:
        self._frames = FrameParser(max_bytes)

    def feed(self, chunk: bytes) -> list[Frame]:
        return _read_all(self._frames.feed(chunk))

    def check(self) -> None:
        self._frames.check()

    def finish(self) -> list[Frame]:
        return _read_all(self._frames.finish())


def _read_all(raws: list[bytes]) -> list[Frame]:
    return [frame for raw in raws if (frame := _read(raw)) is not None]


def _read(raw: bytes) -> Frame | None:
    if raw == DONE:
        return Done()
    if raw.startswith(_SERVER_ERROR):
        return Failed(raw.decode(errors="replace").strip())
    event = read_object(raw)
    if event is None:
        return None
    choices = event.get("choices")
    if isinstance(choices, list):
        choice: Json = choices[0] if choices and isinstance(choices[0], dict) else {}
        return Piece(text_of(object_of(choice, "delta"), "content"))
    # A flow says with the model's own output that it failed; a proxy of DB-GPT's may refuse in the stream.
    if event.get("error_code"):
        return Failed(text_of(event, "text") or "an error without words")
    if event.get("success") is False:
        return Failed(text_of(event, "err_msg") or "a refusal without words")
    return None
