"""The DB-GPT backend: asks, stops, rates and checks over API v2. What the bridge loads is `Settings` and `create`."""

import secrets
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace

from yarl import URL

from bridge import logs
from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    Backend,
    BackendEvent,
    Choice,
    Question,
    Recovered,
)
from bridge.backends.dbgpt.checks import check_dbgpt
from bridge.backends.dbgpt.client import Asked, DbgptClient
from bridge.backends.dbgpt.conversations import begin, belongs_to, name_round, order_of
from bridge.backends.dbgpt.frames import FramesParser
from bridge.backends.dbgpt.hearing import AnswerMachine, nothing_said
from bridge.backends.dbgpt.history import Round, delete_rounds, list_conversations, list_rounds
from bridge.backends.dbgpt.listing import KeptListing, target_of
from bridge.backends.dbgpt.modes import SNAPSHOTS, Target
from bridge.backends.dbgpt.rating import send_opinions
from bridge.backends.dbgpt.recovering import find_fate, find_latest
from bridge.backends.dbgpt.sentences import CHOICE_GONE, NO_RATING, put_in_words
from bridge.backends.dbgpt.settings import Settings
from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, ConversationMissing, QuestionRefused
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendTaskId, BackendUser, Rating
from bridge.opinions import Opinion, Opinions
from bridge.past_api import KeptConversation
from bridge.platform_api import Finding
from bridge.remote.framing import Json
from bridge.remote.gates import Gate
from bridge.remote.reading import EventReader

__all__ = ["DbgptBackend", "Settings", "create"]

log = logs.get("dbgpt")


def create(settings: Settings, clock: Clock) -> Backend:
    return DbgptBackend(settings, clock)


class DbgptBackend:
    """One app of agents, knowledge space, data source, flow or model on one DB-GPT server."""

    name = "dbgpt"

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._client = DbgptClient(settings, clock)
        self._listing = KeptListing(self._client, clock, settings.dbgpt_choices, settings.dbgpt_listing_age)
        self._gate = Gate(settings.dbgpt_max_concurrent, variable="DBGPT_MAX_CONCURRENT")
        self._asked: dict[BackendTaskId, Asked] = {}
        """Answers that are under way, so that they can be stopped. There is no call for it: who hangs up, stops."""

    @property
    def capacity(self) -> int:
        return self._settings.dbgpt_max_concurrent

    @property
    def server(self) -> str:
        return str(URL(self._settings.base_url).origin())

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        async with self._gate.enter():
            with _explaining():
                if question.conversation is not None and not belongs_to(question.conversation, question.user):
                    raise ConversationMissing(
                        "the conversation is not one that was begun for this user", code="not_theirs"
                    )
                target = await self._target_of(question)
            conversation = question.conversation or begin(question.user)
            machine = AnswerMachine(target.mode, question.text)
            try:
                async with aclosing(self._hear(question, target, conversation, machine)) as events:
                    async for event in events:
                        yield event
            except BackendError as error:
                for event in (*machine.finish(), *machine.end_steps(failed=True)):
                    yield event
                put_in_words(error, said=machine.said)
                raise

    async def _hear(
        self, question: Question, target: Target, conversation: BackendConversationId, machine: AnswerMachine
    ) -> AsyncGenerator[BackendEvent, None]:
        task = BackendTaskId(secrets.token_hex(8))
        ids = BackendIds(conversation=conversation, task=task)
        async with self._client.ask(self._request_for(question, target, conversation)) as asked:
            self._asked[task] = asked
            try:
                yield AnswerStarted(ids=ids)
                async with aclosing(self._read(asked, machine)) as events:
                    async for event in events:
                        yield event
            except BackendCut as problem:
                if not asked.was_cut:
                    if target.mode in SNAPSHOTS and not machine.heard:
                        raise nothing_said() from problem
                    raise
            finally:
                del self._asked[task]
        for event in machine.finish():
            yield event
        if asked.was_cut:
            # What was cut off is not in the history, so there is nothing to look for and nothing to rate.
            for event in machine.end_steps(failed=False):
                yield event
            yield AnswerCompleted(stopped=True)
            return
        kept = None if machine.has_failed else await self._look_up(question, conversation)
        if kept is not None:
            yield AnswerStarted(ids=replace(ids, message=name_round(conversation, kept.order)))
        for event in machine.settle(kept):
            yield event
        machine.end()
        for event in machine.end_steps(failed=False):
            yield event
        yield AnswerCompleted()

    async def _read(self, asked: Asked, machine: AnswerMachine) -> AsyncGenerator[BackendEvent, None]:
        """Everything up to the end of the stream. Raises `BackendError`."""
        for event in machine.begin():
            yield event
        reader = EventReader(
            asked.answering,
            FramesParser(self._settings.dbgpt_max_event_bytes),
            idle=self._settings.dbgpt_idle_timeout,
            progress=self._settings.dbgpt_progress_timeout,
        )
        while not machine.is_over():
            frames = await reader.read()
            if frames is None:
                raise BackendCut("the stream ended without [DONE]", code="no_ending")
            for frame in machine.choose(frames):
                for event in machine.take(frame):
                    yield event
                if machine.is_over():
                    return

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        """Hangs up, with which DB-GPT ends the answer. One that another process hears is not reached, and needs not be: whoever
        asks for it to be stopped is who hears it."""
        asked = self._asked.get(ids.task) if ids.task else None
        if asked is not None and ids.conversation and belongs_to(ids.conversation, user):
            asked.cut()

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        with _explaining():
            try:
                target = await self._target_of(question)
            except QuestionRefused:
                target = self._settings.target
            limit = self._settings.dbgpt_max_event_bytes
            return await find_fate(self._client, question, target, ids, last_seen, limit)

    def rates(self, ids: BackendIds) -> bool:
        """Feedback names a round, which is known once the history has it."""
        return order_of(ids.message) is not None

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        await self.rate_each(ids, user, {user: Opinion(rating=rating, comment=content)})

    async def rate_each(self, ids: BackendIds, user: BackendUser, opinions: Opinions) -> None:
        order = order_of(ids.message)
        if order is None or ids.conversation is None or not belongs_to(ids.conversation, user):
            raise QuestionRefused("DB-GPT has no such round of this user", code="no_round", user_message=NO_RATING)
        with _explaining():
            limit = self._settings.dbgpt_max_event_bytes
            await send_opinions(self._client, ids.conversation, order, opinions, max_bytes=limit)

    async def conversations(self, user: BackendUser, limit: int) -> Sequence[KeptConversation]:
        with _explaining():
            return await list_conversations(self._client, user, limit, self._settings.dbgpt_max_event_bytes)

    async def delete_conversation(self, conversation: BackendConversationId, user: BackendUser) -> None:
        if not belongs_to(conversation, user):
            return
        with _explaining():
            await delete_rounds(self._client, conversation)

    async def choices(self) -> Sequence[Choice]:
        with _explaining():
            return tuple([one.choice for one in await self._listing.get()])

    async def check(self) -> Sequence[Finding]:
        return await check_dbgpt(self._client, self._settings, self._listing)

    async def close(self) -> None:
        await self._client.close()

    async def _target_of(self, question: Question) -> Target:
        """Raises `QuestionRefused` for a choice that is gone, and `BackendError`."""
        if not question.choice or not self._settings.dbgpt_choices:
            return self._settings.target
        listed = await self._listing.find(question.choice)
        if listed is None:
            raise QuestionRefused(
                "the choice is not among what DB-GPT lists", code="choice_gone", user_message=CHOICE_GONE
            )
        return target_of(listed, self._settings.target)

    async def _look_up(self, question: Question, conversation: BackendConversationId) -> Round | None:
        """What the history has of a question whose stream has just ended. The answer stands without it."""
        try:
            rounds = await list_rounds(self._client, conversation, self._settings.dbgpt_max_event_bytes)
        except BackendError as error:
            log.warning("no_history", code=error.code, detail=str(error))
            return None
        return find_latest(rounds, question)

    def _request_for(self, question: Question, target: Target, conversation: BackendConversationId) -> Json:
        body: Json = {
            # Must be there; an empty one is DB-GPT's default.
            "model": target.model,
            # A string: of a list of messages DB-GPT would answer the first one.
            "messages": question.text,
            "chat_mode": target.mode.value,
            "conv_uid": conversation,
            "user_name": question.user,
            # Both have other defaults than one would think.
            "stream": True,
            "incremental": True,
        }
        if target.param:
            body["chat_param"] = target.param
        if self._settings.dbgpt_temperature is not None:
            body["temperature"] = self._settings.dbgpt_temperature
        if self._settings.dbgpt_max_tokens is not None:
            body["max_tokens"] = self._settings.dbgpt_max_tokens
            body["max_new_tokens"] = self._settings.dbgpt_max_tokens
        return body


@contextmanager
def _explaining() -> Iterator[None]:
    """What is raised tells a member a sentence that fits its cause."""
    try:
        yield
    except BackendError as error:
        put_in_words(error)
        raise
