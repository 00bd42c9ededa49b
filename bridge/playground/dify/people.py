"""Runs of the stand-in Dify that wait for people (1.13 and newer): what they ask, what was answered, and how they go on.

A run goes on by itself, as with the real one's worker, whether or not anybody listens; what is said while nobody does is heard by
nobody.
"""

import asyncio
import math
import secrets
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.clock import Clock
from bridge.playground.dify.records import StoredMessage, StoredRun
from bridge.playground.dify.wire import Json

if TYPE_CHECKING:
    from bridge.playground.dify.script import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleForm:
    """What a human-input node asks, and what the app says to what is answered."""

    content: str
    then: "Callable[[str, Mapping[str, str]], Reply]"
    """What the app says to an action (its id) and the values of the fields."""
    late: "Reply | None" = None
    """What it says when nobody answered in time; None: its workflow has no way on from there and fails."""
    title: str = "Human Input"
    inputs: Sequence[Json] = ()
    """As the real one spells them: `type`, `output_variable_name`, `default`."""
    actions: Sequence[tuple[str, str]] = (("approve", "Approve"), ("reject", "Reject"))
    """Id and title."""
    seconds: float = 36 * 3600
    by_mail: bool = False
    """Only those who are written to may answer: no token is told."""


class Standing(StrEnum):
    WAITING = "waiting"
    SUBMITTED = "submitted"
    TIMEOUT = "timeout"


@dataclass(slots=True, kw_only=True)
class AskedForm:
    """One form of one run."""

    form: PeopleForm
    expires: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    standing: Standing = Standing.WAITING
    action: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    """The `user` that submitted it."""

    def as_told(self) -> Json:
        return {
            "form_id": self.id,
            "node_id": "human-input",
            "node_title": self.form.title,
            "form_content": self.form.content,
            "inputs": list(self.form.inputs),
            "actions": [
                {"id": ident, "title": title, "button_style": "primary" if number == 0 else "default"}
                for number, (ident, title) in enumerate(self.form.actions)
            ],
            "display_in_ui": True,
            "form_token": None if self.form.by_mail else self.token,
            "resolved_default_values": {},
            "expiration_time": self.expires,
        }

    def as_reason(self) -> Json:
        return {"TYPE": "human_input_required", **self.as_told()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    first_token: float
    per_token: float


class WaitingRun:
    """A run from its first pause on. Events go to whoever listens at that moment."""

    def __init__(
        self,
        *,
        run: StoredRun,
        message: StoredMessage,
        conversation_id: str,
        task_id: str,
        said: str,
        form: PeopleForm,
        clock: Clock,
        speed: "Callable[[Reply], Speed]",
        changed: Callable[[], None],
        alone: bool = False,
    ) -> None:
        """`alone`: of a workflow app, which has no messages."""
        self._alone = alone
        self.run = run
        self.task_id = task_id
        self.asked: list[AskedForm] = []
        self.stop = asyncio.Event()
        self._message = message
        self._conversation_id = conversation_id
        self._said = said
        self._clock = clock
        self._speed = speed
        self._changed = changed
        self._listeners: set[Listener] = set()
        self._work: asyncio.Task[None] | None = None
        self._pause(form)

    @property
    def form(self) -> AskedForm:
        """The newest."""
        return self.asked[-1]

    @property
    def is_running(self) -> bool:
        return self._work is not None and not self._work.done()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def close(self) -> None:
        """Its worker dies."""
        if self._work is not None:
            self._work.cancel()

    def pause_events(self) -> list[Json]:
        return [
            self.event("human_input_required", data=self.form.as_told()),
            self.event(
                "workflow_paused",
                data={
                    "workflow_run_id": self.run.id,
                    "paused_nodes": ["human-input"],
                    "outputs": {},
                    "reasons": [self.form.as_reason()],
                    "status": "paused",
                    "created_at": self.run.created_at,
                    "elapsed_time": 1.0,
                    "total_tokens": 0,
                    "total_steps": 2,
                },
            ),
        ]

    def snapshot(self) -> list[Json]:
        """How things stand, for somebody who comes to listen."""
        events = [self.event("workflow_started", data={"id": self.run.id, "inputs": {}, "reason": "initial"})]
        if not self._alone:
            events.append(self.event("message_replace", answer=self._message.answer, reason=""))
        # The reasons alone: the form's own event is not told again.
        return events + (self.pause_events()[1:] if self.run.status == "paused" else [])

    def finished(self) -> Json:
        """All that is told of a run that has ended: no message, and the run for a task."""
        return {
            "event": "workflow_finished",
            "task_id": self.run.id,
            "workflow_run_id": self.run.id,
            "data": self._run_data(),
        }

    def submit(self, action: str, values: Mapping[str, str], user: str) -> None:
        form = self.form
        form.standing, form.action, form.values, form.by = Standing.SUBMITTED, action, values, user
        title = dict(form.form.actions)[action]
        filled = self.event(
            "human_input_form_filled",
            data={
                "node_id": "human-input",
                "node_title": form.form.title,
                "rendered_content": form.form.content,
                "action_id": action,
                "action_text": title,
            },
        )
        self._go_on(filled, form.form.then(action, values))

    def expire(self) -> None:
        """What the real one's clock does, some time after the form's own."""
        form = self.form
        if form.standing is not Standing.WAITING:
            return
        form.standing = Standing.TIMEOUT
        late = self.event(
            "human_input_form_timeout",
            data={"node_id": "human-input", "node_title": form.form.title, "expiration_time": form.expires},
        )
        self._go_on(late, form.form.late)

    def event(self, name: str, **more: object) -> Json:
        of_message: Json = {
            "conversation_id": self._conversation_id,
            "message_id": self._message.id,
            "created_at": self._message.created_at,
        }
        return {
            "event": name,
            **({} if self._alone else of_message),
            "task_id": self.task_id,
            "workflow_run_id": self.run.id,
            **more,
        }

    @contextmanager
    def listening(self) -> "Iterator[Listener]":
        listener = Listener()
        self._listeners.add(listener)
        self._changed()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _publish(self, event: Json) -> None:
        for listener in self._listeners:
            listener.hear(event)

    def _pause(self, form: PeopleForm) -> None:
        self.asked.append(AskedForm(form=form, expires=int(self._clock.now().timestamp() + form.seconds)))
        self.run.status, self._message.status = "paused", "paused"
        self._message.answer = self._said

    def _go_on(self, first: Json, reply: "Reply | None") -> None:
        self._work = asyncio.ensure_future(self._speak(first, reply))

    async def _speak(self, first: Json, reply: "Reply | None") -> None:
        # The worker takes the job a moment after the form was taken.
        await self._clock.sleep(0.02)
        self.run.status = "running"
        self._publish(self.event("workflow_started", data={"id": self.run.id, "inputs": {}, "reason": "resumption"}))
        self._publish(first)
        if reply is None:
            self._end("failed", "the form was not answered in time")
            return
        speed = self._speed(reply)
        for number, token in enumerate(reply.tokens):
            wait = speed.first_token if number == 0 else speed.per_token
            if await self._clock.wait(self.stop, wait):
                break
            self._said += token
            self._publish(self._text(token))
        if reply.form is not None and not self.stop.is_set():
            self._pause(reply.form)
            for event in self.pause_events():
                self._publish(event)
            self._changed()
            return
        self._end("stopped" if self.stop.is_set() else "succeeded", "Stopped by user." if self.stop.is_set() else "")

    def _text(self, token: str) -> Json:
        if self._alone:
            return self.event("text_chunk", data={"text": token, "from_variable_selector": ["llm", "text"]})
        return self.event("message", id=self._message.id, answer=token, from_variable_selector=None)

    def _end(self, status: str, error: str) -> None:
        """Since 1.13 the message's end is told before the run's."""
        failed = status == "failed"
        self._message.answer, self._message.status = self._said, "error" if failed else "normal"
        self._message.error = error if failed else ""
        self.run.status, self.run.error, self.run.answer = status, error, "" if failed else self._said
        if self._alone:
            self.run.outputs = {} if status != "succeeded" else {"result": self._said}
        elif not failed:
            metadata: Json = {"annotation_reply": None, "retriever_resources": [], "usage": {"total_tokens": 1}}
            self._publish(self.event("message_end", id=self._message.id, metadata=metadata, files=None))
        self._publish(self.event("workflow_finished", data=self._run_data()))
        self._changed()

    def _run_data(self) -> Json:
        return {
            "id": self.run.id,
            "status": self.run.status,
            "outputs": self.run.outputs if self._alone else {"answer": self.run.answer},
            "error": self.run.error or None,
            "files": [],
        }


class Listener:
    def __init__(self) -> None:
        self.news = asyncio.Event()
        self._waiting: deque[Json] = deque()

    def hear(self, event: Json) -> None:
        self._waiting.append(event)
        self.news.set()

    def take(self) -> Json | None:
        if self._waiting:
            return self._waiting.popleft()
        self.news.clear()
        return None


FOREVER = math.inf
