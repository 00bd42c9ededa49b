"""From the events of a stream to those of an answer: what is shown, what is hidden, whether it is whole. Pure."""

from bridge.backend_api import AnswerCompleted, BackendEvent, TextDelta, UsageReported
from bridge.backends.openai.chunks import Chunk
from bridge.backends.openai.errors import explain_trouble
from bridge.backends.openai.sentences import (
    CUT_BY_FILTER,
    CUT_BY_LENGTH,
    FILTERED_ANSWER,
    TOO_LONG_TO_SAY,
    WANTS_TOOLS,
)
from bridge.errors import BackendCut, BackendFailed
from bridge.remote.thinking import ThinkFilter

_BY_TOOLS = ("tool_calls", "function_call")


class AnswerMachine:
    """One per answer."""

    def __init__(self, longest: int) -> None:
        """`longest`: characters of an answer, thoughts included. A model that repeats itself need not come to an end."""
        self._left = longest
        self._thoughts = ThinkFilter()
        self._usage: UsageReported | None = None
        self._finish = ""
        self._done = False
        self._answered = False
        """Something of an answer has come, be it empty."""
        self.said = False
        """Text has come that can be seen."""

    def is_over(self) -> bool:
        return self._done

    def is_finishing(self) -> bool:
        """The answer is whole; what may still come is what it has cost, and `[DONE]`."""
        return bool(self._finish)

    def take(self, chunk: Chunk) -> list[BackendEvent]:
        """Raises `BackendError` for a complaint."""
        if chunk.trouble is not None:
            raise explain_trouble(chunk.trouble)
        self._left -= len(chunk.text)
        if self._left < 0:
            raise BackendFailed("the answer has become too long", code="reply_too_large")
        self._done = self._done or chunk.done
        self._answered = self._answered or chunk.answers
        # DB-GPT counts on every event anew, others once at the end.
        self._usage = chunk.usage or self._usage
        self._finish = chunk.finish or self._finish
        return self._say(self._thoughts.feed(chunk.text))

    def flush(self) -> list[BackendEvent]:
        """What was held back when nothing more came."""
        return self._say(self._thoughts.flush())

    def end(self, *, stopped: bool) -> list[BackendEvent]:
        """The last events of an answer, after `flush`. Raises `BackendError` when it is not whole, unless somebody stopped it."""
        if stopped:
            return [*self._account(), AnswerCompleted(stopped=True)]
        if not self._done and not self._finish:
            raise BackendCut("the stream ended without [DONE] and without a finish_reason", code="no_ending")
        if not self._answered:
            raise BackendFailed("the stream ended without an answer in it", code="nothing_said")
        if not self.said:
            self._explain_silence()
        note = {"length": CUT_BY_LENGTH, "content_filter": CUT_BY_FILTER}.get(self._finish, "")
        return [*self._account(), AnswerCompleted(note=note)]

    def _account(self) -> list[BackendEvent]:
        return [] if self._usage is None else [self._usage]

    def _explain_silence(self) -> None:
        if self._finish == "length":
            raise BackendFailed("all tokens were used up before any text", code="length", user_message=TOO_LONG_TO_SAY)
        if self._finish == "content_filter":
            raise BackendFailed("the answer was filtered", code="content_filter", user_message=FILTERED_ANSWER)
        if self._finish in _BY_TOOLS:
            raise BackendFailed("the model called a tool", code="tool_calls", user_message=WANTS_TOOLS)

    def _say(self, text: str) -> list[BackendEvent]:
        if not text:
            return []
        self.said = self.said or not text.isspace()
        return [TextDelta(text=text)]
