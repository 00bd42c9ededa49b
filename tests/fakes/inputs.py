"""What members have filled in, in memory: the same promises as of the real store."""

from collections.abc import Mapping
from dataclasses import replace

from bridge.kept_inputs import UNUSED_FOR, InputRequest
from bridge.messages import AnswerId, ConversationId, Inputs, Turn
from bridge.storage.inputs import LONG_UP
from tests.fakes.rows import RUNNING
from tests.fakes.store import FakeStore

Value = str | int | float | bool


class FakeInputs:
    def __init__(self, store: FakeStore) -> None:
        self._store = store
        self._kept: dict[tuple[ConversationId, str], tuple[Value, int]] = {}
        self._requests = store.input_requests

    async def known(self, turn: Turn) -> Inputs:
        self._store._work()
        conversation = self._store.conversations[turn.conversation_id - 1]
        fresh_after = conversation.fresh_after if conversation.fresh_after < turn.seq else 0
        return {
            name: value
            for (where, name), (value, seq) in self._kept.items()
            if where == turn.conversation_id and seq > fresh_after
        }

    async def ask(self, request: InputRequest) -> InputRequest:
        self._store._work()
        standing = self._requests.get(request.answer_id, request)
        self._requests[request.answer_id] = replace(request, expires_at=standing.expires_at)
        return self._requests[request.answer_id]

    async def asked(self, answer_id: AnswerId) -> InputRequest | None:
        self._store._work()
        return self._requests.get(answer_id) if self._is_open(answer_id) else None

    async def fill_in(self, answer_id: AnswerId, values: Mapping[str, Value]) -> ConversationId | None:
        self._store._work()
        request = self._requests.get(answer_id)
        if request is None or not self._is_open(answer_id):
            return None
        answer = self._store.answers[answer_id - 1]
        conversation = answer.turn.conversation_id
        for field in request.form.fields:
            if field.name in values:
                self._kept[conversation, field.name] = (values[field.name], answer.turn.seq)
        left = tuple(field for field in request.form.fields if field.name not in values)
        if left:
            self._requests[answer_id] = replace(request, form=replace(request.form, fields=left))
        else:
            del self._requests[answer_id]
        return conversation

    async def keep_house(self) -> None:
        self._store._work()
        now = self._store._now()
        for key in [key for key, one in self._requests.items() if one.expires_at < now - LONG_UP]:
            del self._requests[key]
        for number, one in enumerate(self._store.conversations, 1):
            if one.active_at < now - UNUSED_FOR and not one.active:
                self._kept = {key: value for key, value in self._kept.items() if key[0] != number}

    def _is_open(self, answer_id: AnswerId) -> bool:
        answers = self._store.answers
        return 0 < answer_id <= len(answers) and answers[answer_id - 1].state in RUNNING
