"""What members have filled in for an app, and what they are being asked for."""

import json
from collections.abc import Mapping
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import and_, case, delete, select, update

from bridge.clock import Clock
from bridge.forms_api import Form
from bridge.kept_inputs import UNUSED_FOR, InputRequest
from bridge.messages import AnswerId, ConversationId, Inputs, PersonId, Turn
from bridge.storage.owning import RUNNING, lock_conversation
from bridge.storage.portable import insert_into
from bridge.storage.store import SqlStore
from bridge.storage.tables import answer, conversation, conversation_input, input_request
from bridge.storage.whole import whole

_FORM = TypeAdapter(Form)
_VALUE: TypeAdapter[str | int | float | bool] = TypeAdapter(str | int | float | bool)

LONG_UP = timedelta(days=1)
"""What was asked for so long ago may go; whoever presses its button until then is told that its time is up."""


class SqlInputs:
    """A `KeepsInputs`."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @whole
    async def known(self, turn: Turn) -> Inputs:
        fresh_after = (
            select(case((conversation.c.fresh_after < turn.seq, conversation.c.fresh_after), else_=0))
            .where(conversation.c.id == turn.conversation_id)
            .scalar_subquery()
        )
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(conversation_input.c.name, conversation_input.c.value).where(
                    conversation_input.c.conversation_id == turn.conversation_id,
                    conversation_input.c.seq > fresh_after,
                )
            )
            return {row.name: _VALUE.validate_json(row.value, strict=True) for row in rows}

    @whole
    async def ask(self, request: InputRequest) -> InputRequest:
        async with self._store.writing() as connection:
            row = {
                "person_id": request.person,
                "form": _FORM.dump_json(request.form).decode(),
                "expires_at": request.expires_at,
            }
            # The time that was given first holds, however often this is asked for.
            standing = await connection.execute(
                insert_into(connection, input_request)
                .values(answer_id=request.answer_id, **row)
                .on_conflict_do_update(
                    index_elements=["answer_id"], set_={key: row[key] for key in ("person_id", "form")}
                )
                .returning(input_request.c.expires_at)
            )
            return InputRequest(
                answer_id=request.answer_id,
                person=request.person,
                form=request.form,
                expires_at=standing.scalar_one(),
            )

    @whole
    async def asked(self, answer_id: AnswerId) -> InputRequest | None:
        async with self._store.reading() as connection:
            found = await connection.execute(
                select(input_request)
                .join(answer, answer.c.id == input_request.c.answer_id)
                .where(input_request.c.answer_id == answer_id, answer.c.state.in_(RUNNING))
            )
            row = found.one_or_none()
        if row is None:
            return None
        return InputRequest(
            answer_id=answer_id,
            person=PersonId(row.person_id),
            form=_FORM.validate_json(row.form),
            expires_at=row.expires_at,
        )

    @whole
    async def fill_in(
        self, answer_id: AnswerId, values: Mapping[str, str | int | float | bool]
    ) -> ConversationId | None:
        async with self._store.writing() as connection:
            found = await connection.execute(
                select(answer.c.conversation_id, answer.c.seq).where(answer.c.id == answer_id)
            )
            mine = found.one_or_none()
            if mine is None or await lock_conversation(connection, ConversationId(mine.conversation_id)) is None:
                return None
            standing = await connection.execute(
                select(input_request.c.form)
                .join(answer, answer.c.id == input_request.c.answer_id)
                .where(input_request.c.answer_id == answer_id, answer.c.state.in_(RUNNING))
            )
            written = standing.scalar_one_or_none()
            if written is None:
                return None
            form = _FORM.validate_json(written)
            wanted = {field.name for field in form.fields}
            for name in wanted & values.keys():
                row = {"value": json.dumps(values[name]), "seq": mine.seq, "updated_at": self._clock.now()}
                await connection.execute(
                    insert_into(connection, conversation_input)
                    .values(conversation_id=mine.conversation_id, name=name, **row)
                    .on_conflict_do_update(index_elements=["conversation_id", "name"], set_=row)
                )
            left = tuple(field for field in form.fields if field.name not in values)
            this = input_request.c.answer_id == answer_id
            if left:
                rest = Form(id=form.id, title=form.title, fields=left, intro=form.intro, submit=form.submit)
                await connection.execute(update(input_request).where(this).values(form=_FORM.dump_json(rest).decode()))
            else:
                await connection.execute(delete(input_request).where(this))
            return ConversationId(mine.conversation_id)

    @whole
    async def keep_house(self) -> None:
        now = self._clock.now()
        unused = select(conversation.c.id).where(
            and_(conversation.c.updated_at < now - UNUSED_FOR, conversation.c.active_answer_id.is_(None))
        )
        async with self._store.writing() as connection:
            await connection.execute(delete(input_request).where(input_request.c.expires_at < now - LONG_UP))
            await connection.execute(delete(conversation_input).where(conversation_input.c.conversation_id.in_(unused)))
