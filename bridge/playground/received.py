"""What Dify was asked and told, as the page shows it: read from the stand-in, or noted on the way to a real one."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from bridge.backend_api import AnswerStarted, Backend, BackendEvent, Question, Recovered
from bridge.clock import Clock
from bridge.errors import BackendError
from bridge.messages import BackendIds, BackendMessageId, BackendUser, Rating
from bridge.platform_api import Finding
from bridge.playground.dify import DifyServer
from bridge.playground.dify.records import ChatRequest, Ended
from bridge.registry import Part

_ACCEPTED = 200


@dataclass(slots=True, kw_only=True)
class Request:
    """One question, as it went to Dify."""

    question: str
    user: str
    conversation: str
    """Empty while it is not known which one a first question started."""
    message: str = ""
    """Dify's id of the answer."""
    ended: str = ""
    """Empty while it runs; then "done", or in a word why not."""


@dataclass(slots=True)
class Received:
    requests: list[Request] = field(default_factory=list)
    """Oldest first."""
    ratings: dict[str, Rating | None] = field(default_factory=dict)
    """By Dify's id of the answer; None where a rating was taken away again."""
    comments: dict[str, str] = field(default_factory=dict)
    """What was said with the rating, by the same id."""


class WitnessedBackend:
    """A backend that notes what passes. Changes nothing."""

    def __init__(self, backend: Backend, received: Received) -> None:
        self.name = backend.name
        self._backend = backend
        self._received = received
        # What it offers besides (files, forms, lists) is passed on as it is. On the instance: protocols are looked for there.
        for name in dir(backend):
            if not name.startswith("_") and not hasattr(type(self), name) and callable(value := getattr(backend, name)):
                setattr(self, name, value)

    @property
    def capacity(self) -> int:
        return self._backend.capacity

    @property
    def server(self) -> str:
        return self._backend.server

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        request = Request(question=question.text, user=question.user, conversation=question.conversation or "")
        self._received.requests.append(request)
        try:
            async with aclosing(self._backend.answer(question)) as events:
                async for event in events:
                    if isinstance(event, AnswerStarted):
                        request.conversation = event.ids.conversation or request.conversation
                        request.message = event.ids.message or request.message
                    yield event
            request.ended = "done"
        except BackendError as error:
            request.ended = type(error).__name__
            raise
        finally:
            request.ended = request.ended or "abandoned"

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        await self._backend.stop(ids, user)

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        return await self._backend.recover(question, ids, last_seen)

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        await self._backend.rate(ids, user, rating, content)
        if ids.message:
            self._received.ratings[ids.message] = rating
            self._received.comments[ids.message] = content

    async def check(self) -> Sequence[Finding]:
        return await self._backend.check()

    async def close(self) -> None:
        await self._backend.close()


@dataclass(frozen=True, slots=True)
class WitnessedPart(Part[Backend]):
    """A configured backend that is made with a witness around it."""

    received: Received = field(default_factory=Received)

    def create(self, clock: Clock) -> Backend:
        return WitnessedBackend(Part.create(self, clock), self.received)


_WORDS = {
    "running": "",
    "finished": "done",
    "error": "failed",
    "cut": "connection cut",
    "client_closed": "abandoned by the bridge",
}
"""How the stand-in's endings read on the page; the others are words already."""


WAITING = "waits for people"


def _ending(server: DifyServer, asked: ChatRequest) -> str:
    """Also of a run that waited for people and went on by itself since."""
    if asked.ended is not Ended.PAUSED:
        return _WORDS.get(asked.ended, str(asked.ended))
    run = next((one.run for one in server.paused if one.task_id == asked.task_id), None)
    status = run.status if run else ""
    return {"paused": WAITING, "running": "", "succeeded": "done"}.get(status, status)


def read_stand_in(server: DifyServer) -> Received:
    """What the stand-in knows for itself, in the same shape."""
    conversations = {message.id: one.id for one in server.conversations.values() for message in one.messages}
    requests = [
        Request(
            question=one.query,
            user=one.user,
            conversation=one.conversation_id or conversations.get(one.message_id, ""),
            message=one.message_id,
            ended=_ending(server, one),
        )
        for one in server.requests
    ]
    # The log says also what was taken away again.
    accepted = [one for one in server.rating_log if one.status == _ACCEPTED]
    ratings = {one.message_id: Rating(one.rating) if one.rating else None for one in accepted}
    return Received(requests, ratings, {one.message_id: one.content for one in accepted})
