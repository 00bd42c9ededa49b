"""Between rows and values: the JSON that is stored, and what is built from what was stored."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row

from bridge.errors import StoreUnavailable
from bridge.messages import (
    Address,
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendRunId,
    BackendTaskId,
    BackendUser,
    ConversationId,
    MessageRef,
    Outcome,
    PartRole,
    PersonId,
    PlatformName,
    Rating,
    ReplyTarget,
    SentPart,
    StopReason,
    Turn,
)
from bridge.pauses import Pause
from bridge.storage.portable import storable
from bridge.votes import Vote

AnyRow = Row[*tuple[Any, ...]]
"""A row as the database library types it: each column is checked by being put into a typed value here."""

T = TypeVar("T")

_QUESTION = TypeAdapter(AskedQuestion)
_TARGET = TypeAdapter(ReplyTarget)
_OUTCOME = TypeAdapter(Outcome)
_PAUSE = TypeAdapter(Pause)


def dump_question(question: AskedQuestion) -> str:
    return _dump(_QUESTION, question)


def load_question(payload: str) -> AskedQuestion:
    return _load(_QUESTION, payload, "question")


def dump_target(target: ReplyTarget) -> str:
    return _dump(_TARGET, target)


def load_target(payload: str) -> ReplyTarget:
    return _load(_TARGET, payload, "reply target")


def dump_outcome(outcome: Outcome) -> str:
    return _dump(_OUTCOME, outcome)


def load_outcome(payload: str) -> Outcome | None:
    """None: it is not settled yet, or was blanked."""
    return _load(_OUTCOME, payload, "outcome") if payload else None


def dump_pause(pause: Pause) -> str:
    return _dump(_PAUSE, pause)


def load_pause(payload: str) -> Pause:
    return _load(_PAUSE, payload, "pause")


def ref_from(platform: str, address: str) -> MessageRef:
    return MessageRef(platform=PlatformName(platform), address=Address(address))


def rating_from(value: str | None) -> Rating | None:
    return None if value is None else Rating(value)


def ids_from(row: AnyRow) -> BackendIds:
    """The ids on an answer's row."""
    return BackendIds(
        conversation=_optional(BackendConversationId, row.backend_conversation_id),
        message=_optional(BackendMessageId, row.backend_message_id),
        task=_optional(BackendTaskId, row.task_id),
        run=_optional(BackendRunId, row.run_id),
    )


def turn_from(row: AnyRow, parts: Sequence[SentPart], last_seen: BackendMessageId | None) -> Turn:
    """A turn from the columns of conversation, question and answer, as `turns.load_turn` names them."""
    question = load_question(row.payload)
    ids = ids_from(row)
    state = AnswerState(row.state)
    return Turn(
        answer_id=AnswerId(row.answer_id),
        conversation_id=ConversationId(row.conversation_id),
        epoch=row.epoch,
        seq=row.seq,
        app=AppName(row.app),
        backend_user=BackendUser(row.backend_user),
        question=question,
        target=target_from(row.reply_target, question),
        # Without a conversation of its own it was, or is to be, asked in the one that goes on.
        ids=ids if ids.conversation is not None else replace(ids, conversation=conversation_in(row)),
        state=state,
        attempt=row.attempt,
        last_seen=last_seen,
        parts=tuple(parts),
        outcome=load_outcome(row.outcome),
        stop=stop_from(row.stop_reason),
        superseded=is_superseded(row),
        poisoned=row.poisoned,
        fresh=bool(row.fresh),
    )


def conversation_in(row: AnyRow) -> BackendConversationId | None:
    """The backend conversation that a conversation goes on in, selected as `going_on`."""
    return _optional(BackendConversationId, row.going_on)


def target_from(moved_to: str | None, question: AskedQuestion) -> ReplyTarget:
    return question.target if moved_to is None else load_target(moved_to)


def is_superseded(row: AnyRow) -> bool:
    """Whether the question changed after it was asked. As long as it was not asked, nothing was."""
    return row.state != AnswerState.PLANNED and bool(row.edit_revision > row.asked_revision)


def stop_from(value: str | None) -> StopReason | None:
    return None if value is None else StopReason(value)


def part_from(row: AnyRow) -> SentPart:
    """A message of an answer. `answer_made_at` stands in for a moment that earlier releases did not record."""
    stands = row.message_address is not None
    return SentPart(
        part=row.part,
        nonce=row.nonce,
        role=PartRole(row.role),
        ref=ref_from(row.platform, row.message_address) if stands else None,
        text=row.shown_text,
        intended_at=row.intended_at or row.posted_at or row.answer_made_at,
    )


def votes_from(rows: Sequence[AnyRow], comments: Mapping[PersonId, str]) -> list[Vote]:
    return [
        Vote(
            message=ref_from(row.platform, row.message_address),
            person=PersonId(row.person_id),
            source=row.source,
            rating=Rating(row.rating),
            active=row.active,
            revision=row.revision,
            comment=comments.get(PersonId(row.person_id), ""),
        )
        for row in rows
    ]


def _optional(kind: Callable[[str], T], value: str | None) -> T | None:
    return None if value is None else kind(value)


def _dump(adapter: TypeAdapter[T], value: T) -> str:
    # Halves of surrogate pairs become storable before the JSON is read again, and NULs stay what they are: escapes.
    return storable(json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False, separators=(",", ":")))


def _load(adapter: TypeAdapter[T], payload: str, what: str) -> T:
    try:
        return adapter.validate_json(payload)
    except ValidationError as error:
        # `from None`: the library's words quote the payload, which is what somebody wrote.
        raise StoreUnavailable(f"a stored {what} cannot be read: {error.error_count()} fields are wrong") from None
