"""How DB-GPT spells an answer: of a model, and of a flow."""

import json

from bridge.backend_api import Backend
from bridge.clock import SystemClock
from bridge.playground.dbgpt.spelling import DONE, frame, piece
from bridge.registry import Part, backend
from tests.contracts.dialects import Limits
from tests.contracts.wire import Said


class DbgptDialect:
    """The model, piece by piece."""

    path = "/api/v2/chat/completions"
    mode = "chat_normal"

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        return self.configure(origin, key, limits).create(SystemClock())

    def configure(self, origin: str, key: str, limits: Limits) -> Part[Backend]:
        return backend(
            "dbgpt",
            dbgpt_base_url=origin,
            dbgpt_api_key=key,
            dbgpt_chat_mode=self.mode,
            dbgpt_chat_param="" if self.mode == "chat_normal" else "one",
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


class DbgptFlowDialect(DbgptDialect):
    """A flow, whose pieces may hold markup, and which says in its own way that it failed."""

    mode = "chat_flow"

    def failed(self, words: str) -> bytes:
        return frame({"error_code": 1, "text": words, "incremental": True}) + DONE
