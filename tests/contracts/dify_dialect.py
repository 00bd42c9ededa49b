"""How Dify spells an answer."""

import json

from bridge.backend_api import Backend
from bridge.clock import SystemClock
from bridge.registry import Part, backend
from tests.backends.dify.scripted import IDS, MESSAGE_END, PING, data, said
from tests.contracts.dialects import Limits
from tests.contracts.wire import JSON, Said

_RUN = {"workflow_run_id": "r-1", "task_id": "t-1"}

_FORMS: dict[str, list[object]] = {
    "chat": [],
    "completion": [{"paragraph": {"variable": "query", "required": True}}],
    "workflow": [{"paragraph": {"variable": "text", "required": True}}],
}
"""The app's inputs, by its kind."""


class DifyDialect:
    """Of an app with conversations."""

    path = "/v1/chat-messages"
    mode = "chat"

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        return self.configure(origin, key, limits).create(SystemClock())

    def configure(self, origin: str, key: str, limits: Limits) -> Part[Backend]:
        return backend(
            "dify",
            dify_base_url=f"{origin}/v1",
            dify_api_key=key,
            dify_app_type=self.mode,
            dify_idle_timeout=limits.idle,
            dify_progress_timeout=limits.progress,
            dify_connect_timeout=0.1,
            dify_max_event_bytes=limits.largest_event,
            dify_max_concurrent=limits.most,
        )

    def others(self) -> dict[str, Said]:
        # What makes it Dify: another server would be looked over before anybody asks it.
        headers = {**JSON, "X-Version": "1.12.1"}
        info = json.dumps({"name": "Wire", "mode": self.mode}).encode()
        parameters = json.dumps({"user_input_form": _FORMS[self.mode]}).encode()
        return {
            "/v1/info": Said(headers=headers, steps=[info]),
            "/v1/parameters": Said(headers=headers, steps=[parameters]),
        }

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


class DifyCompletionDialect(DifyDialect):
    path = "/v1/completion-messages"
    mode = "completion"


class DifyWorkflowDialect(DifyDialect):
    """Of an app whose answer is a run."""

    path = "/v1/workflows/run"
    mode = "workflow"

    def said(self, text: str) -> bytes:
        return data(event="text_chunk", **_RUN, data={"text": text})

    def ended(self) -> bytes:
        return self._finished("succeeded", None)

    def failed(self, words: str) -> bytes:
        return self._finished("failed", words)

    def _finished(self, status: str, error: str | None) -> bytes:
        return data(event="workflow_finished", **_RUN, data={"status": status, "outputs": {}, "error": error})
