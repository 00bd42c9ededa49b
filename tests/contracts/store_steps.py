"""What the store's contract and its other tests do again and again."""

from dataclasses import replace

from bridge.messages import (
    AnswerState,
    AskedQuestion,
    Author,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    ConversationId,
    EventId,
    NamedPerson,
    Outcome,
    PartRole,
    PersonId,
    Rating,
    Turn,
)
from bridge.store import Accepted, NewQuestion, Retried, RetryResult, Store
from bridge.votes import Vote
from tests.fakes import values

IDS = BackendIds(
    conversation=BackendConversationId("c1"), message=BackendMessageId("m1"), task=BackendTaskId("t1"), run=None
)


def ids(message: str, conversation: str = "c1") -> BackendIds:
    return BackendIds(conversation=BackendConversationId(conversation), message=BackendMessageId(message))


def new(
    number: int,
    *,
    thread: str = "1",
    event: str = "",
    join: ConversationId | None = None,
    text: str = "Why?",
    named: tuple[NamedPerson, ...] = (),
    most_waiting: int | None = None,
    who: Author | None = None,
    most_by_bots: int | None = None,
) -> NewQuestion:
    where = values.target(thread)
    question = values.question(text, number=number, where=where, named=named)
    return NewQuestion(
        event_id=EventId(event or f"e{number}"),
        key=where.conversation,
        app=values.APP,
        backend_user=BackendUser(f"user of {thread}"),
        question=replace(question, author=who) if who else question,
        join=join,
        most_waiting=most_waiting,
        most_by_bots=most_by_bots,
    )


def edited(number: int, text: str) -> AskedQuestion:
    """Question `number` as its author changed it."""
    return values.question(text, number=number)


def vote(
    address: str, rating: Rating = Rating.LIKE, *, who: str = "ada", active: bool = True, revision: int = 1
) -> Vote:
    return Vote(
        message=values.ref(address),
        person=PersonId(who),
        source=rating.value,
        rating=rating,
        active=active,
        revision=revision,
    )


def outcome(text: str = "Because.", state: AnswerState = AnswerState.DONE) -> Outcome:
    return Outcome(state=state, text=text)


async def accept(store: Store, question: NewQuestion) -> Accepted:
    accepted = await store.accept(question)
    assert isinstance(accepted, Accepted)
    return accepted


async def begin(store: Store, conversation: ConversationId, epoch: int | None = None) -> Turn:
    turn = await store.begin_next(conversation, epoch)
    assert turn is not None
    return turn


async def post(store: Store, turn: Turn, address: str, *, part: int = 0, text: str = "", nonce: str = "") -> None:
    name = nonce or f"nonce {turn.answer_id}.{part}"
    await store.record_posted(turn, part, name, PartRole.TEXT, values.ref(address), text)


async def ask(store: Store, number: int, *, thread: str = "1", text: str = "Why?") -> Turn:
    """A question that the backend was asked once."""
    accepted = await accept(store, new(number, thread=thread, text=text))
    turn = await begin(store, accepted.conversation_id)
    await store.record_asked(turn, 1)
    return turn


async def answered(
    store: Store,
    number: int,
    address: str,
    *,
    thread: str = "",
    state: AnswerState = AnswerState.DONE,
    given: BackendIds = IDS,
    text: str = "Why?",
    said: str = "Because.",
) -> Turn:
    """An answer that was posted at `address` and finished, in a conversation of its own unless `thread` names one."""
    turn = await ask(store, number, thread=thread or str(number), text=text)
    await store.record_started(turn, given)
    await post(store, turn, address)
    await store.record_outcome(turn, outcome(said, state))
    await store.finish(turn, state)
    return turn


async def retried(store: Store, address: str, *, event: str = "again") -> Retried:
    result = await store.retry(EventId(event), values.ref(address))
    assert result.result is RetryResult.ACCEPTED
    return result
