"""One event of a streamed chat completion, read leniently: servers leave out what OpenAI sends, and add what it never does."""

from dataclasses import dataclass

from bridge.backend_api import UsageReported
from bridge.backends.openai.troubles import Trouble, find_trouble
from bridge.remote.framing import DONE, FrameParser, Json, object_of, read_object, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    text: str = ""
    thinks: bool = False
    """The model thinks; what, is nobody's business."""
    finish: str = ""
    """Why the answer is over, in the server's word; "" while it goes on."""
    usage: UsageReported | None = None
    trouble: Trouble | None = None
    done: bool = False
    """`[DONE]`: nothing more comes."""
    answers: bool = False
    """It has a choice in it, be it empty."""

    @property
    def is_news(self) -> bool:
        """Whether it says more than that the server is alive."""
        return bool(self.text or self.thinks or self.finish or self.trouble or self.done)


class ChunkParser:
    """As `FrameParser`, with its frames read."""

    def __init__(self, max_bytes: int) -> None:
        self._frames = FrameParser(max_bytes)

    def feed(self, chunk: bytes) -> list[Chunk]:
        return _read_all(self._frames.feed(chunk))

    def check(self) -> None:
        self._frames.check()

    def finish(self) -> list[Chunk]:
        return _read_all(self._frames.finish())


def read_chunk(raw: bytes) -> Chunk | None:
    """None: it is no JSON object, so it says nothing."""
    if raw.strip() == DONE:
        return Chunk(done=True)
    event = read_object(raw)
    return None if event is None else read_reply(event)


def read_reply(reply: Json) -> Chunk:
    """An event of a stream, or the whole reply of a server that does not stream."""
    trouble = find_trouble(reply)
    usage = _usage_in(reply)
    choice = _first_choice(reply)
    if trouble is not None or choice is None:
        return Chunk(usage=usage, trouble=trouble)
    said = object_of(choice, "delta") or object_of(choice, "message")
    # vLLM, DeepSeek and DB-GPT say `reasoning_content`, OpenRouter and Ollama `reasoning`.
    thinks = bool(text_of(said, "reasoning_content") or text_of(said, "reasoning"))
    return Chunk(
        text=_text_in(said) or text_of(said, "refusal"),
        thinks=thinks,
        finish=text_of(choice, "finish_reason"),
        usage=usage,
        answers=True,
    )


def _first_choice(reply: Json) -> Json | None:
    choices = reply.get("choices")
    if not isinstance(choices, list):
        return None
    found = [one for one in choices if isinstance(one, dict) and one.get("index", 0) in (0, None)]
    return found[0] if found else None


def _text_in(said: Json) -> str:
    """Mostly a text; Mistral gives parts where its models think."""
    content = said.get("content")
    if isinstance(content, list):
        parts = [one for one in content if isinstance(one, dict) and one.get("type", "text") == "text"]
        return "".join(text_of(part, "text") for part in parts)
    return text_of(said, "content")


def _usage_in(reply: Json) -> UsageReported | None:
    usage = object_of(reply, "usage")
    asked, said = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    total = _number(usage, "total_tokens") or asked + said
    return UsageReported(prompt_tokens=asked, completion_tokens=said, total_tokens=total) if total else None


def _number(usage: Json, key: str) -> int:
    value = usage.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _read_all(frames: list[bytes]) -> list[Chunk]:
    read = (read_chunk(raw) for raw in frames)
    return [chunk for chunk in read if chunk is not None]
