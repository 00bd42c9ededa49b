"""One run of a workflow app at the stand-in Dify: no message and no conversation, and outputs at its end."""

import uuid

from bridge.playground.dify.kept_files import run_file
from bridge.playground.dify.records import ChatRequest, Unheard
from bridge.playground.dify.run import ChatRun
from bridge.playground.dify.script import Reply
from bridge.playground.dify.wire import EventStream, Json


class WorkflowRun(ChatRun):
    async def _open(self, out: EventStream) -> None:
        await out.send(self._event("workflow_started", data={"id": self._run_id, "inputs": {"sys.user_id": "SECRET"}}))
        await self._node(out, "start", "Start")
        for number, title in enumerate(self._reply.nodes, 1):
            await self._node(out, "code", title, f"node-{number}", self._reply.step_seconds)
        await out.send(self._node_event("node_started", "llm", "LLM"))

    def leave(self, *, server_dies: bool = False) -> Unheard:
        if self.workflow_run is not None and self._reply.outputs is not None:
            self.workflow_run.outputs_unheard = dict(self._reply.outputs)
        return super().leave(server_dies=server_dies)

    async def _link_files(self, out: EventStream) -> None:
        """A workflow's text does not name its files."""
        self._message.made = self._pending

    async def _close(self, out: EventStream) -> None:
        status, error = self._standing()
        if status != "stopped":
            await out.send(self._node_event("node_finished", "llm", "LLM"))
            await self._node(out, "end", "End")
        await self._finish_workflow(out, status, error)

    async def _fail(self, out: EventStream) -> None:
        """With `workflow_finished` alone: no `error` comes (measured on both versions)."""
        message = self._fault.message if self._fault is not None else "a node failed"
        failed = self._node_event("node_finished", "llm", "LLM")
        data = failed["data"]
        if isinstance(data, dict):
            data |= {"status": "failed", "error": message}
        await out.send(failed)
        await self._finish_workflow(out, "failed", message)

    async def _finish_workflow(self, out: EventStream, status: str, error: str | None) -> None:
        ended = status in ("failed", "stopped")
        files = [run_file(file, self._address_of(file.path)) for file in self._message.made]
        outputs = {} if ended else outputs_of(self._reply, self._said, files)
        if (run := self.workflow_run) is not None:
            run.status, run.error, run.outputs = status, error or "", outputs
        none_told = ended and self._dialect.is_old
        data: Json = {
            "id": self._run_id,
            "workflow_id": str(uuid.uuid4()),
            "status": status,
            "outputs": None if none_told else outputs,
            "error": error,
            "elapsed_time": 0.5,
            "total_tokens": 0 if ended else len(self._reply.tokens) + 10,
            "total_steps": len(self._reply.nodes) + 3,
            "exceptions_count": int(status == "partial-succeeded"),
            "files": [] if ended else files,
        }
        await out.send(self._event("workflow_finished", data=data))

    def _text(self, name: str, token: str) -> Json:
        return self._event("text_chunk", data={"text": token, "from_variable_selector": ["llm", "text"]})

    def _event(self, name: str, **more: object) -> Json:
        more.pop("workflow_run_id", None)
        return {"event": name, "workflow_run_id": self._run_id, "task_id": self._record.task_id, **more}


def outputs_of(reply: Reply, said: str, files: list[Json]) -> Json:
    outputs: Json = {"result": said} if reply.outputs is None else dict(reply.outputs)
    return outputs | {"files": files} if files else outputs


def whole_run(record: ChatRequest, reply: Reply) -> Json:
    """The reply in one piece."""
    run_id = str(uuid.uuid4())
    data: Json = {
        "id": run_id,
        "workflow_id": str(uuid.uuid4()),
        "status": "partial-succeeded" if reply.partial else "succeeded",
        "outputs": outputs_of(reply, "".join(reply.tokens), []),
        "error": None,
        "elapsed_time": 0.5,
        "total_tokens": len(reply.tokens) + 10,
        "total_steps": 3,
    }
    return {"task_id": record.task_id, "workflow_run_id": run_id, "data": data}
