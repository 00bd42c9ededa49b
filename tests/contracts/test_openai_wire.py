"""The wire contract, bound to servers with OpenAI's API."""

import json

import pytest

from bridge.backend_api import Backend
from bridge.backends.openai.backend import OpenAIBackend
from bridge.clock import SystemClock
from bridge.registry import Part, backend
from tests.backends.openai.asking import make_settings
from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dialects import Dialect, Limits
from tests.contracts.wire import Said


def data(**event: object) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


class OpenAIDialect:
    path = "/v1/chat/completions"

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        settings = make_settings(
            f"{origin}/v1",
            openai_api_key=key,
            openai_idle_timeout=limits.idle,
            openai_progress_timeout=limits.progress,
            openai_connect_timeout=0.1,
            openai_max_event_bytes=limits.largest_event,
            openai_max_concurrent=limits.most,
        )
        return OpenAIBackend(settings, SystemClock(), grace=0.2)

    def configure(self, origin: str, key: str, limits: Limits) -> Part[Backend]:
        return backend(
            "openai",
            openai_base_url=f"{origin}/v1",
            openai_api_key=key,
            openai_model="fake",
            openai_idle_timeout=limits.idle,
            openai_progress_timeout=limits.progress,
            openai_connect_timeout=0.1,
            openai_max_event_bytes=limits.largest_event,
            openai_max_concurrent=limits.most,
        )

    def others(self) -> dict[str, Said]:
        return {}

    def said(self, text: str) -> bytes:
        return data(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])

    def ended(self) -> bytes:
        return b"data: [DONE]\n\n"

    def bulk(self, size: int) -> bytes:
        return data(choices=[{"index": 0, "delta": {"reasoning_content": "x" * size}}])

    def ping(self) -> bytes:
        return b": keep-alive\n\n"

    def failed(self, words: str) -> bytes:
        return data(error={"message": words, "type": "server_error", "code": 500})

    def refused(self, status: int, words: str) -> bytes:
        return json.dumps({"error": {"message": words, "type": "some_type", "param": None, "code": None}}).encode()


class EmptyEventsDialect(OpenAIDialect):
    """Signs of life that look like events: neither text nor a reason."""

    def ping(self) -> bytes:
        return data(choices=[], usage=None) + data(choices=[{"index": 0, "delta": {"role": "assistant"}}])


class ModelApiDialect(OpenAIDialect):
    """DB-GPT's model API."""

    def failed(self, words: str) -> bytes:
        return data(text=words, error_code=1, model_context=None, finish_reason=None, usage=None)

    def refused(self, status: int, words: str) -> bytes:
        return json.dumps({"object": "error", "message": words, "code": 40001}).encode()


@pytest.fixture(params=[OpenAIDialect, EmptyEventsDialect, ModelApiDialect])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    made: Dialect = request.param()
    return made


class TestOpenAIWire(WireContract):
    pass
