"""The wire contract, bound to Dify."""

import json

import pytest

from bridge.backend_api import Backend
from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from tests.backends.dify.asking import make_settings
from tests.backends.dify.scripted import IDS, MESSAGE_END, PING, data, said
from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dialects import Dialect, Limits
from tests.contracts.wire import Said


class DifyDialect:
    path = "/v1/chat-messages"

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        settings = make_settings(
            f"{origin}/v1",
            dify_api_key=key,
            dify_idle_timeout=limits.idle,
            dify_progress_timeout=limits.progress,
            dify_connect_timeout=0.1,
            dify_max_event_bytes=limits.largest_event,
            dify_max_concurrent=limits.most,
        )
        return DifyBackend(settings, SystemClock(), linger=0.01)

    def others(self) -> dict[str, Said]:
        return {}

    def said(self, text: str) -> bytes:
        return said(text)

    def ended(self) -> bytes:
        return MESSAGE_END

    def bulk(self, size: int) -> bytes:
        return data(event="node_finished", **IDS, data={"outputs": {"text": "x" * size}})

    def ping(self) -> bytes:
        return PING

    def failed(self, words: str) -> bytes:
        return data(event="error", code="completion_request_error", status=400, message=words)

    def refused(self, status: int, words: str) -> bytes:
        return json.dumps({"code": "some_code", "message": words, "status": status}).encode()


@pytest.fixture
def dialect() -> Dialect:
    return DifyDialect()


class TestDifyWire(WireContract):
    pass
