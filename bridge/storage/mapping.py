"""Between rows and values: the JSON that is stored, and what is built from what was stored."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Row

from bridge.errors import StoreUnavailable
from bridge.messages import (
    Address,
    AnswerId,
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
    PersonId,
    PlatformName,
    Rating,
    ReplyTarget,
    Turn,
    Vote,
)

AnyRow = Row[*tuple[Any, ...]]
"""A row as the database library types it: each column is checked by being put into a typed value here."""

T = TypeVar("T")

_QUESTION = TypeAdapter(AskedQuestion)
_TARGET = TypeAdapter(ReplyTarget)


def storable(text: str) -> str:
    """Text that UTF-8 can hold: halves of surrogate pairs are joined, and lone ones become U+FFFD.

    JSON escapes let such halves in ("\\ud83d"), and the database refuses them, which would refuse the question for ever.
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def dump_question(question: AskedQuestion) -> str:
    return _dump(_QUESTION, question)


def load_question(payload: str) -> AskedQuestion:
    return _load(_QUESTION, payload, "question")


def dump_target(target: ReplyTarget) -> str:
    return _dump(_TARGET, target)


def load_target(payload: str) -> ReplyTarget:
    return _load(_TARGET, payload, "reply target")


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


def turn_from(row: AnyRow, *, answer: int, epoch: int, ids: BackendIds) -> Turn:
    """A turn from the columns of conversation and question."""
    question = load_question(row.payload)
    return Turn(
        answer_id=AnswerId(answer),
        conversation_id=ConversationId(row.conversation_id),
        epoch=epoch,
        seq=row.seq,
        app=AppName(row.app),
        backend_user=BackendUser(row.backend_user),
        question=question,
        target=question.target if row.reply_target is None else load_target(row.reply_target),
        ids=ids,
    )


def votes_from(rows: Sequence[AnyRow]) -> list[Vote]:
    return [
        Vote(
            message=ref_from(row.platform, row.message_address),
            person=PersonId(row.person_id),
            source=row.source,
            rating=Rating(row.rating),
            active=row.active,
            revision=row.revision,
        )
        for row in rows
    ]


def _optional(kind: Callable[[str], T], value: str | None) -> T | None:
    return None if value is None else kind(value)


def _dump(adapter: TypeAdapter[T], value: T) -> str:
    return storable(json.dumps(adapter.dump_python(value, mode="json"), ensure_ascii=False, separators=(",", ":")))


def _load(adapter: TypeAdapter[T], payload: str, what: str) -> T:
    try:
        return adapter.validate_json(payload)
    except ValidationError as error:
        # `from None`: the library's words quote the payload, which is what somebody wrote.
        raise StoreUnavailable(f"a stored {what} cannot be read: {error.error_count()} fields are wrong") from None
