"""The wire contract, bound to DB-GPT."""

import json

import pytest

from bridge.backend_api import Backend
from bridge.backends.dbgpt.backend import DbgptBackend
from bridge.clock import SystemClock
from bridge.playground.dbgpt.spelling import DONE, frame, piece
from bridge.registry import Part, backend
from tests.backends.dbgpt.asking import make_settings
from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dialects import Dialect, Limits
from tests.contracts.wire import Said


class DbgptDialect:
    path = "/api/v2/chat/completions"

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        settings = make_settings(
            origin,
            dbgpt_api_key=key,
            dbgpt_idle_timeout=limits.idle,
            dbgpt_progress_timeout=limits.progress,
            dbgpt_connect_timeout=0.1,
            dbgpt_max_event_bytes=limits.largest_event,
            dbgpt_max_concurrent=limits.most,
        )
        return DbgptBackend(settings, SystemClock())

    def configure(self, origin: str, key: str, limits: Limits) -> Part[Backend]:
        return backend(
            "dbgpt",
            dbgpt_base_url=origin,
            dbgpt_api_key=key,
            dbgpt_idle_timeout=limits.idle,
            dbgpt_progress_timeout=limits.progress,
            dbgpt_connect_timeout=0.1,
            dbgpt_max_event_bytes=limits.largest_event,
            dbgpt_max_concurrent=limits.most,
        )

    def others(self) -> dict[str, Said]:
        return {}

    def said(self, text: str) -> bytes:
        return piece("chatcmpl-1", "fake", text)

    def ended(self) -> bytes:
        return DONE

    def bulk(self, size: int) -> bytes:
        return frame(
            {"id": "1", "choices": [{"index": 0, "delta": {"content": None, "reasoning_content": "x" * size}}]}
        )

    def ping(self) -> bytes:
        return b": ping\n\n"

    def failed(self, words: str) -> bytes:
        return f"data: [SERVER_ERROR]{words}\n\n".encode() + DONE

    def refused(self, status: int, words: str) -> bytes:
        return json.dumps({"success": False, "err_code": str(status), "err_msg": words, "data": None}).encode()


@pytest.fixture
def dialect() -> Dialect:
    return DbgptDialect()


class TestDbgptWire(WireContract):
    pass
