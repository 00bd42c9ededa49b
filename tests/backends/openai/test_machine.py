"""A stream's events as an answer's: what is shown, what is hidden, how it ends. Events as servers really spell them."""

import json
from collections.abc import Sequence

import pytest

from bridge.backend_api import AnswerCompleted, BackendEvent, TextDelta, UsageReported
from bridge.backends.openai.chunks import Chunk, ChunkParser, read_chunk
from bridge.backends.openai.machine import AnswerMachine
from bridge.errors import BackendBusy, BackendCut, BackendError, BackendFailed, QuestionRefused

DONE = b"[DONE]"


def delta(finish: str | None = None, **said: object) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": said, "finish_reason": finish}]}).encode()


def play(*frames: bytes) -> list[BackendEvent]:
    machine = AnswerMachine(1_000_000)
    events: list[BackendEvent] = []
    for frame in frames:
        chunk = read_chunk(frame)
        events += machine.take(chunk) if chunk is not None else []
    return [*events, *machine.flush(), *machine.end(stopped=False)]


def text_of(events: Sequence[BackendEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([delta(role="assistant", content=""), delta(content="ok"), delta("stop"), DONE], id="OpenAI"),
        pytest.param([delta(role="assistant"), delta(content="ok"), DONE], id="no reason"),
        pytest.param([delta(content="ok"), delta("stop")], id="no [DONE]"),
        pytest.param([b'{"choices":[]}', delta(content="ok"), b'{"choices":[]}', DONE], id="empty choices"),
        pytest.param([delta(content=None), delta(content="ok"), DONE], id="null content"),
        pytest.param([b'{"choices":[{"delta":{"content":"ok"}}]}', DONE], id="bare"),
        pytest.param([b'{"choices":[{"index":0,"delta":null}]}', delta(content="ok"), DONE], id="null delta"),
        pytest.param([b'{"error":null,"choices":[{"delta":{"content":"ok"}}]}', DONE], id="null error"),
        pytest.param([b'{"choices":[{"message":{"content":"ok"}}]}', DONE], id="message"),
        pytest.param([delta(refusal="ok"), DONE], id="refusal"),
        pytest.param([b"garbage", b"[1]", delta(content="ok"), DONE], id="unreadable events"),
        pytest.param(
            [delta(content=[{"type": "thinking", "thinking": []}, {"type": "text", "text": "ok"}]), DONE], id="parts"
        ),
        pytest.param(
            [b'{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"ok"}}]}', DONE],
            id="second choice",
        ),
        pytest.param([delta(reasoning_content="hm"), delta(content="ok"), DONE], id="reasoning_content"),
        pytest.param([delta(reasoning="hm", content=""), delta(content="ok"), DONE], id="reasoning"),
        pytest.param([delta(content="<thi"), delta(content="nk>hm</think>\n\nok"), DONE], id="think tags"),
    ],
)
def test_every_spelling_of_an_answer_is_understood(frames: list[bytes]) -> None:
    events = play(*frames)

    assert text_of(events) == "ok"
    assert events[-1] == AnswerCompleted()


def test_what_it_has_cost_is_told_once_with_the_last_numbers() -> None:
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
    frames = [
        json.dumps({"choices": [{"delta": {"content": "a"}}], "usage": usage}).encode(),
        json.dumps({"choices": [], "usage": {**usage, "completion_tokens": 2, "total_tokens": 9}}).encode(),
        json.dumps({"choices": [], "usage": None}).encode(),
    ]

    events = play(*frames, DONE)

    assert events[-2:] == [
        UsageReported(prompt_tokens=7, completion_tokens=2, total_tokens=9),
        AnswerCompleted(),
    ]


@pytest.mark.parametrize(
    ("finish", "words"), [("length", "longest that the model may say"), ("content_filter", "content filter")]
)
def test_an_answer_that_was_cut_short_says_so(finish: str, words: str) -> None:
    last = play(delta(content="half"), delta(finish), DONE)[-1]

    assert isinstance(last, AnswerCompleted)
    assert words in last.note


@pytest.mark.parametrize("finish", ["length", "content_filter", "tool_calls", "function_call"])
def test_an_answer_without_a_word_for_a_reason_fails_with_the_reason(finish: str) -> None:
    with pytest.raises(BackendFailed) as caught:
        play(delta(role="assistant"), delta(finish), DONE)

    assert caught.value.user_message != BackendFailed.user_message


def test_an_answer_without_a_word_and_without_a_reason_is_an_empty_answer() -> None:
    assert play(delta(role="assistant", content=""), delta("stop"), DONE) == [AnswerCompleted()]


def test_a_stream_without_any_answer_has_failed() -> None:
    with pytest.raises(BackendFailed, match="without an answer"):
        play(DONE)


def test_a_stream_without_an_end_was_cut() -> None:
    with pytest.raises(BackendCut):
        play(delta(content="half"))


def test_what_was_stopped_need_not_be_whole() -> None:
    assert AnswerMachine(1).end(stopped=True) == [AnswerCompleted(stopped=True)]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"error": {"message": "boom", "type": "server_error", "code": None}}, BackendFailed),
        ({"error": "boom"}, BackendFailed),
        ({"error": {"message": "slow", "type": "rate_limit_error", "code": 429}}, BackendBusy),
        ({"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"message": "x", "code": 502}}, BackendFailed),
        ({"object": "error", "message": "boom", "code": 50001}, BackendFailed),
        ({"text": "**LLMServer Generate Error**", "error_code": 1, "usage": None}, BackendFailed),
        ({"text": "This model's maximum context length is 4096 tokens", "error_code": 1}, QuestionRefused),
        ({"error": {"message": "x", "code": "content_filter"}}, QuestionRefused),
    ],
)
def test_a_complaint_in_the_stream_is_told_and_counts_as_asked(
    frame: dict[str, object], kind: type[BackendError]
) -> None:
    with pytest.raises(kind) as caught:
        play(delta(content="some"), json.dumps(frame).encode(), DONE)

    assert caught.value.accepted


def test_an_answer_without_an_end_is_given_up() -> None:
    machine = AnswerMachine(1000)
    for _ in range(100):
        machine.take(Chunk(text="x" * 10, answers=True))

    with pytest.raises(BackendFailed, match="too long"):
        machine.take(Chunk(text="x", answers=True))


def test_only_what_says_something_is_news() -> None:
    empty = [read_chunk(raw) for raw in (b'{"choices":[]}', delta(role="assistant"), delta(content=""))]
    news = [
        read_chunk(raw) for raw in (delta(content="a"), delta(reasoning="a"), delta("stop"), DONE, b'{"error":"x"}')
    ]

    assert [chunk.is_news for chunk in empty if chunk] == [False] * 3
    assert [chunk.is_news for chunk in news if chunk] == [True] * 5


def test_the_parser_understands_data_without_a_space() -> None:
    assert ChunkParser(1000).feed(b"data:" + delta(content="a") + b"\r\n\r\ndata:[DONE]\r\n\r\n") == [
        Chunk(text="a", answers=True),
        Chunk(done=True),
    ]
