"""One answer of the stand-in Dify as a stream of events, in the order that each kind of app was seen to use."""

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.playground.dify.faults import StreamFault, Trouble
from bridge.playground.dify.kept_files import MadeFile, file_event, resources, run_file
from bridge.playground.dify.people import PeopleForm, Speed, WaitingRun
from bridge.playground.dify.records import ChatRequest, Ended, StoredMessage, StoredRun, Unheard
from bridge.playground.dify.script import Reply
from bridge.playground.dify.spending import usage_of
from bridge.playground.dify.wire import Dialect, EventStream, Json

_ANNOTATION = "1f2e3d4c-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    first_token: float
    per_token: float


class ChatRun:
    """Streams one `Reply`. `stop` ends it early, as the stop call does."""

    def __init__(
        self,
        *,
        mode: str,
        dialect: Dialect,
        record: ChatRequest,
        conversation_id: str,
        message: StoredMessage,
        reply: Reply,
        timing: Timing,
        fault: StreamFault | None,
        text_event: str,
        began: float,
        address_of: Callable[[str], str],
        cites: bool,
        pauses: bool,
        speed: Callable[[Reply], Speed],
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._mode = mode
        self._dialect = dialect
        self._record = record
        self._message = message
        self._reply = reply
        self._fault = fault
        self._text_event = text_event
        self._first_due = began + timing.first_token
        self._per_token = timing.per_token
        self._began = began
        self.stop = asyncio.Event()
        self._run_id = str(uuid.uuid4())
        self.workflow_run = (
            StoredRun(id=self._run_id, query=record.query, user=record.user, created_at=message.created_at)
            if mode in ("advanced-chat", "workflow")
            else None
        )
        self._address_of = address_of
        self._cites = cites
        self._form = reply.form if pauses and mode in ("advanced-chat", "workflow") else None
        self._going_on = (clock, speed, changed)
        self.on_pause: Callable[[WaitingRun], None] = lambda paused: None
        """Told of the run when it begins to wait for people."""
        self._pending = tuple(reply.files)
        """Files that are still to be told."""
        message.tool = reply.tool
        message.suggestions = reply.suggestions
        self._thought_id = str(uuid.uuid4())
        self._position = 1
        self._worked = 0.0
        self._said = ""
        self._ids: Json = {
            **({} if mode == "completion" else {"conversation_id": conversation_id}),
            "message_id": message.id,
            "created_at": message.created_at,
            "task_id": record.task_id,
        }

    @property
    def files(self) -> Sequence[MadeFile]:
        return self._reply.files

    async def stream(self, out: EventStream) -> None:
        """Says everything. Sets the record's ending and what is stored."""
        if self._fault is not None and await self._spoil_beginning(out, self._fault):
            return
        await self._open(out)
        ending = await self._say_tokens(out)
        match ending:
            case Ended.CUT:
                # Whoever broke the connection, Dify sees a client that is gone.
                self.leave()
                out.cut()
            case Ended.ERROR:
                await self._fail(out)
            case Ended.FINISHED if self._form is not None and self.workflow_run is not None:
                ending = Ended.PAUSED
                await self._wait_for_people(out, self.workflow_run, self._form)
            case _:
                await self._close(out)
        self._record.ended = ending

    async def _wait_for_people(self, out: EventStream, run: StoredRun, form: PeopleForm) -> None:
        await out.send(self._node_event("node_finished", "llm", "LLM"))
        clock, speed, changed = self._going_on
        paused = WaitingRun(
            run=run,
            message=self._message,
            conversation_id=str(self._ids["conversation_id"]),
            task_id=self._record.task_id,
            said=self._said,
            form=form,
            clock=clock,
            speed=speed,
            changed=changed,
            alone=self._mode == "workflow",
        )
        self.on_pause(paused)
        for event in paused.pause_events():
            await out.send(event)

    def leave(self, *, server_dies: bool = False) -> Unheard:
        """Nobody reads any more. The model goes on, but the answer's row keeps what it has: nothing (measured on both)."""
        breaks = self._fault
        due = self._first_due + len(self._reply.tokens) * self._per_token
        error = ""
        if breaks is not None and breaks.kind is Trouble.ERROR_EVENT:
            due, error = self._first_due + breaks.at * self._per_token, breaks.message
        hangs = breaks is not None and breaks.kind in (Trouble.PING_ONLY, Trouble.SILENT, Trouble.BARE_ERROR)
        unheard = Unheard(due=math.inf if hangs or server_dies else due, text="".join(self._reply.tokens), error=error)
        self._message.unheard = unheard
        if self.workflow_run is not None:
            self.workflow_run.unheard = unheard
        return unheard

    async def _spoil_beginning(self, out: EventStream, fault: StreamFault) -> bool:
        """True when nothing else is to be said."""
        match fault.kind:
            case Trouble.SILENT:
                await out.send_headers()
                await asyncio.Event().wait()
            case Trouble.PING_ONLY:
                await out.pause_until(math.inf, self.stop)
                self._record.ended = Ended.STOPPED
                return True
            case Trouble.BARE_ERROR:
                await out.send({"event": "error", "message": "", "status": 500})
                self._record.ended = Ended.ERROR
                await out.pause_until(math.inf, self.stop)
                return True
            case Trouble.SLOW_HEADERS:
                await out.stay_silent_until(self._began + fault.seconds)
            case Trouble.ERROR_EVENT | Trouble.CUT | Trouble.NO_MESSAGE_END | Trouble.DROPPED:
                pass
        return False

    async def _open(self, out: EventStream) -> None:
        if self._mode == "advanced-chat":
            await out.send(
                self._event("workflow_started", workflow_run_id=self._run_id, data={"id": self._run_id, "inputs": {}})
            )
            await self._node(out, "start", "Start")
            for number, title in enumerate(self._reply.nodes, 1):
                await self._node(out, "code", title, f"node-{number}", self._reply.step_seconds)
            await out.send(self._node_event("node_started", "llm", "LLM"))
        if self._mode == "agent-chat":
            await self._thought(out, "")
            if tool := self._reply.tool:
                await self._thought(out, "", tool)
                await self._work(out, self._reply.step_seconds)
                await self._tell_files(out)
                await self._thought(out, "", tool, json.dumps({tool: "SECRET OBSERVATION"}))
                self._thought_id, self._position = str(uuid.uuid4()), 2
                await self._thought(out, "")
        if self._mode != "advanced-chat":
            await self._tell_files(out)

    async def _work(self, out: EventStream, seconds: float) -> None:
        """A step takes its time, and all that follows is later by that."""
        if seconds > 0:
            self._first_due += seconds
            await out.pause_until(self._began + self._worked + seconds, self.stop)
            self._worked += seconds

    async def _tell_files(self, out: EventStream) -> None:
        """Files that a chat app's model or an agent's tool made, each in an event of its own."""
        pending, self._pending = self._pending, ()
        self._message.made = (*self._message.made, *pending)
        for file in pending:
            await out.send(self._event("message_file", **file_event(file, self._address_of(file.path))))

    async def _say_tokens(self, out: EventStream) -> Ended:
        breaks = self._fault if self._fault and self._fault.kind in (Trouble.ERROR_EVENT, Trouble.CUT) else None
        name = "agent_message" if self._mode == "agent-chat" else self._text_event
        for index, token in enumerate(self._reply.tokens):
            if await out.pause_until(self._first_due + index * self._per_token, self.stop):
                return Ended.STOPPED
            if breaks is not None and index >= breaks.at:
                break
            self._said += token
            await out.send(self._text(name, token))
        if breaks is None:
            await self._link_files(out)
            return Ended.FINISHED
        return Ended.CUT if breaks.kind is Trouble.CUT else Ended.ERROR

    async def _link_files(self, out: EventStream) -> None:
        """A chatflow writes its files into the text; what is kept of the answer is without them (from the source)."""
        for file in self._pending:
            mark = "!" if file.kind == "image" else ""
            await out.send(self._text("message", f"\n\n{mark}[{file.name}]({self._address_of(file.path)})"))
        self._message.made = (*self._message.made, *self._pending)

    async def _close(self, out: EventStream) -> None:
        """The ordinary end, also of a stopped answer. A chatflow tells its `workflow_finished` before `message_end`."""
        stopped = self.stop.is_set()
        self._message.answer = self._said
        self._message.sources = self._reply.sources if self._cites and not stopped else ()
        self._message.step = "" if stopped else self._said
        if self._reply.replaced_by is not None and not stopped:
            self._message.answer = self._reply.replaced_by
            await out.send(self._event("message_replace", answer=self._reply.replaced_by, reason="output_moderation"))
        if self._mode == "agent-chat":
            await self._thought(out, self._said)
        if self._mode == "advanced-chat":
            if not stopped:
                await out.send(self._node_event("node_finished", "llm", "LLM"))
                await self._node(out, "answer", "Answer")
            if not self._dialect.ends_with_run:
                await self._finish_workflow(out, *self._standing())
        if not self._is_silent_at_the_end():
            metadata: Json = {
                "annotation_reply": self._annotation(),
                "retriever_resources": resources(self._message.sources),
                "usage": usage_of(len(self._reply.tokens), stopped=stopped),
            }
            await out.send(self._event("message_end", id=self._message.id, metadata=metadata, files=self._run_files()))
        if self._mode == "advanced-chat" and self._dialect.ends_with_run:
            await self._finish_workflow(out, *self._standing())

    def _is_silent_at_the_end(self) -> bool:
        """The first relays stopped at `workflow_finished`, and so lost `message_end`."""
        lost = self._mode == "advanced-chat" and self._dialect.relays and not self._dialect.ends_with_run
        return lost or (self._fault is not None and self._fault.kind is Trouble.NO_MESSAGE_END)

    def _standing(self) -> tuple[str, str | None]:
        """How the run ends, and what is said of it."""
        if self.stop.is_set():
            return "stopped", "Stopped by user."
        return ("partial-succeeded", "a node failed") if self._reply.partial else ("succeeded", None)

    def _annotation(self) -> Json | None:
        if not self._reply.annotated or self._mode == "advanced-chat":
            return None
        return {"id": _ANNOTATION, "account": {"id": _ANNOTATION, "name": "Grace"}}

    async def _fail(self, out: EventStream) -> None:
        fault = self._fault or StreamFault(kind=Trouble.ERROR_EVENT)
        self._message.status, self._message.error = "error", fault.message
        code, message = fault.code, fault.message
        if self._mode == "advanced-chat":
            code, message = "invalid_param", f"Run failed: {fault.message}"
            await out.send(self._node_event("node_finished", "llm", "LLM"))
            await self._finish_workflow(out, "failed", fault.message)
            if self._dialect.relays:
                return
        await out.send(
            {
                "event": "error",
                **{key: self._ids[key] for key in ("conversation_id",) if key in self._ids},
                "message_id": self._message.id,
                "created_at": self._message.created_at,
                "code": code,
                "status": 500 if code == "internal_server_error" else 400,
                "message": message,
            }
        )

    async def _finish_workflow(self, out: EventStream, status: str, error: str | None) -> None:
        if self.workflow_run is not None:
            self.workflow_run.status, self.workflow_run.error = status, error or ""
            self.workflow_run.answer = "" if status == "failed" else self._said
        data: Json = {
            "id": self._run_id,
            "status": status,
            "outputs": {"answer": self._said},
            "exceptions_count": int(status == "partial-succeeded"),
            "error": error,
            "files": self._run_files() or [],
        }
        await out.send(self._event("workflow_finished", workflow_run_id=self._run_id, data=data))

    def _run_files(self) -> list[Json] | None:
        """Only a chatflow lists its files at the end."""
        if self._mode != "advanced-chat":
            return None
        return [run_file(file, self._address_of(file.path)) for file in self._message.made]

    async def _thought(self, out: EventStream, thought: str, tool: str = "", observation: str = "") -> None:
        labels: Json = {one: {"en_US": one.replace("_", " ").title()} for one in tool.split(";") if one}
        await out.send(
            self._event(
                "agent_thought",
                id=self._thought_id,
                position=self._position,
                thought=thought,
                observation=observation,
                tool=tool,
                tool_labels=labels,
                tool_input="",
                message_files=[],
            )
        )

    async def _node(self, out: EventStream, kind: str, title: str, node: str = "", seconds: float = 0.0) -> None:
        await out.send(self._node_event("node_started", kind, title, node))
        await self._work(out, seconds)
        await out.send(self._node_event("node_finished", kind, title, node))

    def _node_event(self, name: str, kind: str, title: str, node: str = "") -> Json:
        # The real one puts prompts and retrieved documents into `inputs`; nobody may show them.
        data: Json = {
            "id": str(uuid.uuid4()),
            "node_id": node or kind,
            "node_type": kind,
            "title": title,
            "index": 1,
            "inputs": {"prompt": "SECRET PROMPT"},
        }
        return self._event(name, workflow_run_id=self._run_id, data=data)

    def _text(self, name: str, token: str) -> Json:
        return self._event(name, id=self._message.id, answer=token, from_variable_selector=None)

    def _event(self, name: str, **more: object) -> Json:
        return {"event": name, **self._ids, **more}
