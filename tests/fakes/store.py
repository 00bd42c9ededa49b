"""The store in memory: the same promises, no waiting. `failures` makes the next calls raise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bridge.errors import Fenced, StoreUnavailable
from bridge.feedback import standing
from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendConversationId,
    BackendIds,
    BackendUser,
    ConversationId,
    ConversationKey,
    MessageRef,
    PlatformName,
    Rating,
    ReplyTarget,
    Turn,
    Vote,
)
from bridge.store import Accepted, Aggregate, InterruptedAnswer, NewQuestion, PendingRating, PostedPart


@dataclass
class _Conversation:
    id: ConversationId
    key: ConversationKey
    app: AppName
    backend_user: BackendUser
    backend_conversation: BackendConversationId | None = None
    home: ReplyTarget | None = None
    head: int = 0
    epoch: int = 0
    questions: list[tuple[AskedQuestion | None, AnswerId | None, datetime]] = field(default_factory=list)


@dataclass
class _Answer:
    turn: Turn
    state: AnswerState = AnswerState.ASKED
    ids: BackendIds = field(default_factory=BackendIds)
    error: str = ""
    parts: dict[int, PostedPart] = field(default_factory=dict)


@dataclass
class _Rating:
    wanted: Rating | None
    likes: int
    dislikes: int
    sent: Rating | None = None
    dirty: bool = False
    attempts: int = 0
    retry_at: datetime | None = None


class FakeStore:
    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self._claimed: set[tuple[str, ...]] = set()
        self.conversations: list[_Conversation] = []
        self.answers: list[_Answer] = []
        self._votes: dict[tuple[MessageRef, str, str], Vote] = {}
        self._ratings: dict[AnswerId, _Rating] = {}
        self.failures = 0
        """How many of the next calls raise `StoreUnavailable`."""
        self.closed = False

    def _work(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the store is away")

    def _owned(self, turn: Turn) -> _Conversation:
        found = self.conversations[turn.conversation_id - 1]
        if found.epoch != turn.epoch:
            raise Fenced("another owner")
        return found

    def _answer_of(self, message: MessageRef) -> _Answer | None:
        for answer in self.answers:
            if any(part.ref == message for part in answer.parts.values()):
                return answer
        return None

    async def ping(self) -> None:
        self._work()

    async def close(self) -> None:
        self.closed = True

    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None:
        self._work()
        return next((one.id for one in self.conversations if (one.key, one.app) == (key, app)), None)

    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        self._work()
        answer = self._answer_of(message)
        return answer.turn.conversation_id if answer else None

    async def accept(self, new: NewQuestion) -> Accepted | None:
        self._work()
        claims = {
            ("event", new.key.platform, new.key.installation, new.event_id),
            ("message", new.key.platform, new.question.ref.address),
        }
        if claims & self._claimed:
            return None
        self._claimed |= claims
        found = new.join or await self.find_conversation(new.key, new.app)
        if found is None:
            found = ConversationId(len(self.conversations) + 1)
            self.conversations.append(_Conversation(found, new.key, new.app, new.backend_user))
        conversation = self.conversations[found - 1]
        conversation.questions.append((new.question, None, new.question.sent_at))
        seq = len(conversation.questions)
        return Accepted(conversation_id=found, seq=seq, waiting=seq - conversation.head - 1)

    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        self._work()
        return [one.id for one in self.conversations if one.head < len(one.questions) and one.key.platform in platforms]

    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        self._work()
        found = self.conversations[conversation - 1]
        if found.head >= len(found.questions):
            return None
        if epoch is not None and found.epoch != epoch:
            raise Fenced("another owner")
        question, begun, at = found.questions[found.head]
        if begun is not None or question is None:
            return None
        found.epoch = found.epoch + 1 if epoch is None else epoch
        answer_id = AnswerId(len(self.answers) + 1)
        turn = Turn(
            answer_id=answer_id,
            conversation_id=conversation,
            epoch=found.epoch,
            seq=found.head + 1,
            app=found.app,
            backend_user=found.backend_user,
            question=question,
            target=found.home or question.target,
            ids=BackendIds(conversation=found.backend_conversation),
        )
        found.questions[found.head] = (question, answer_id, at)
        self.answers.append(_Answer(turn))
        return turn

    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        self._work()
        self._owned(turn).home = target

    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        self._work()
        conversation = self._owned(turn)
        if ids.conversation is not None:
            conversation.backend_conversation = ids.conversation
        answer = self.answers[turn.answer_id - 1]
        answer.ids, answer.state = ids, AnswerState.STREAMING

    async def forget_backend_conversation(self, turn: Turn) -> None:
        self._work()
        self._owned(turn).backend_conversation = None

    async def record_posted(self, turn: Turn, part: int, nonce: str, ref: MessageRef, text: str) -> None:
        self._work()
        self.answers[turn.answer_id - 1].parts[part] = PostedPart(part=part, ref=ref, text=text)
        if any(vote.message == ref for vote in self._votes.values()):
            self._recount(turn.answer_id, self._aggregate)

    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        self._work()
        parts = self.answers[turn.answer_id - 1].parts
        parts[part] = replace(parts[part], text=text)

    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        self._work()
        self._owned(turn).head = turn.seq
        answer = self.answers[turn.answer_id - 1]
        answer.state, answer.error = state, error

    async def interrupted_answers(self) -> Sequence[InterruptedAnswer]:
        self._work()
        found: list[InterruptedAnswer] = []
        for answer in self.answers:
            if answer.state not in (AnswerState.ASKED, AnswerState.STREAMING):
                continue
            conversation = self.conversations[answer.turn.conversation_id - 1]
            conversation.epoch += 1
            target = conversation.home or answer.turn.question.target
            turn = replace(answer.turn, epoch=conversation.epoch, ids=answer.ids, target=target)
            parts = tuple(answer.parts[number] for number in sorted(answer.parts))
            found.append(InterruptedAnswer(turn=turn, state=answer.state, parts=parts))
        return found

    async def blank_payloads(self, before: datetime) -> int:
        self._work()
        count = 0
        for conversation in self.conversations:
            for number, (question, answer, at) in enumerate(conversation.questions[: conversation.head]):
                if question is not None and at < before:
                    conversation.questions[number] = (None, answer, at)
                    count += 1
        return count

    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        self._work()
        name = (vote.message, vote.person, vote.source)
        known = self._votes.get(name)
        if known is not None and vote.revision <= known.revision:
            return False
        self._votes[name] = vote
        if known is not None and known.active == vote.active:
            return False
        answer = self._answer_of(vote.message)
        if answer is not None:
            self._recount(answer.turn.answer_id, aggregate)
        return True

    def _recount(self, answer_id: AnswerId, aggregate: Aggregate) -> None:
        refs = {part.ref for part in self.answers[answer_id - 1].parts.values()}
        votes = [vote for vote in self._votes.values() if vote.message in refs]
        opinions = list(standing(votes).values())
        wanted = aggregate(votes)
        sent = self._ratings[answer_id].sent if answer_id in self._ratings else None
        self._ratings[answer_id] = _Rating(
            wanted, opinions.count(Rating.LIKE), opinions.count(Rating.DISLIKE), sent, wanted != sent
        )

    async def due_ratings(self, now: datetime, limit: int) -> Sequence[PendingRating]:
        self._work()
        due = [
            PendingRating(
                answer_id=answer_id,
                app=self.answers[answer_id - 1].turn.app,
                backend_user=self.answers[answer_id - 1].turn.backend_user,
                ids=self.answers[answer_id - 1].ids,
                rating=rating.wanted,
                attempts=rating.attempts,
                likes=rating.likes,
                dislikes=rating.dislikes,
            )
            for answer_id, rating in self._ratings.items()
            if rating.dirty
            and (rating.retry_at is None or rating.retry_at <= now)
            and self.answers[answer_id - 1].ids.message is not None
        ]
        return due[:limit]

    async def rating_sent(self, answer: AnswerId, rating: Rating | None) -> None:
        self._work()
        known = self._ratings[answer]
        known.sent, known.dirty, known.attempts, known.retry_at = rating, known.wanted != rating, 0, None

    async def rating_failed(self, answer: AnswerId, retry_at: datetime | None) -> None:
        self._work()
        known = self._ratings[answer]
        known.attempts, known.retry_at, known.dirty = known.attempts + 1, retry_at, retry_at is not None
