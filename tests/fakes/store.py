"""The store in memory: the same promises, no waiting. `failures` makes the next calls raise."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.backend_api import UsageReported
from bridge.clock import Clock
from bridge.errors import Fenced, StoreUnavailable
from bridge.feedback import standing
from bridge.history_api import PastTurn
from bridge.kept_inputs import InputRequest
from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendIds,
    ConversationId,
    ConversationKey,
    EventId,
    InstallationId,
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
from bridge.questions import as_edited
from bridge.quotas import Quotas
from bridge.store import (
    Accepted,
    Again,
    Aggregate,
    Change,
    Endorsed,
    Full,
    Limited,
    NewQuestion,
    Orders,
    Retried,
    RetryResult,
    StopResult,
    Touched,
    Usage,
)
from bridge.votes import PendingRating, Vote
from tests.fakes import values
from tests.fakes.rows import (
    RUNNING,
    UNFINISHED,
    KeptAnswer,
    KeptComment,
    KeptConversation,
    KeptQuestion,
    KeptRating,
)
from tests.fakes.store_pauses import PauseMemory

NOTHING = Change(touched=Touched.NOTHING)


class FakeStore(PauseMemory):
    """`clock` dates what is written (default: always the moment `values.THEN`); `on_work` is told of new work."""

    def __init__(
        self,
        aggregate: Aggregate,
        clock: Clock | None = None,
        on_work: Callable[[ConversationId], Awaitable[None]] | None = None,
    ) -> None:
        self._aggregate = aggregate
        self._clock = clock
        self._on_work = on_work
        self._claimed: set[tuple[str, ...]] = set()
        self.conversations: list[KeptConversation] = []
        self.answers: list[KeptAnswer] = []
        self._votes: dict[tuple[MessageRef, str, str], Vote] = {}
        self._past: dict[tuple[MessageRef, str, str], AnswerId] = {}
        """Votes on answers whose messages have become another's since."""
        self._comments: dict[tuple[MessageRef, PersonId], KeptComment] = {}
        self._ratings: dict[AnswerId, KeptRating] = {}
        self.spent: dict[tuple[AnswerId, int], UsageReported] = {}
        self.bookmarks: dict[tuple[PlatformName, str], str] = {}
        self.input_requests: dict[AnswerId, InputRequest] = {}
        """What askers are being asked for (see `FakeInputs`)."""
        self.failures = 0
        """How many of the next calls raise `StoreUnavailable`."""
        self.closed = False

    # Tools

    def _work(self) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the store is away")

    def _now(self) -> datetime:
        return self._clock.now() if self._clock else values.THEN

    def _seen(self, turn: Turn) -> KeptConversation:
        found = self.conversations[turn.conversation_id - 1]
        if found.epoch != turn.epoch:
            raise Fenced("another owner")
        return found

    def _owned(self, turn: Turn) -> KeptConversation:
        found = self._seen(turn)
        found.active_at = self._now()
        return found

    def _answer(self, turn: Turn) -> KeptAnswer:
        self._owned(turn)
        return self.answers[turn.answer_id - 1]

    def _answer_of(self, message: MessageRef) -> KeptAnswer | None:
        for answer in self.answers:
            if any(part.ref == message for part in answer.parts.values()):
                return answer
        return None

    def _question_of(self, message: MessageRef) -> tuple[KeptConversation, KeptQuestion] | None:
        """The newest: a question that is asked again is a further one with the same message."""
        found = [(one, asked) for one in self.conversations for asked in one.questions if asked.ref == message]
        return found[-1] if found else None

    def _running(self, conversation: KeptConversation) -> KeptAnswer | None:
        answer = conversation.active and self.answers[conversation.active - 1]
        return answer if answer and answer.state in RUNNING else None

    def _claim_for(self, conversation: ConversationId, event_id: EventId) -> KeptConversation | None:
        """The conversation, when there is one and the event was not claimed before."""
        if not 0 < conversation <= len(self.conversations):
            return None
        found = self.conversations[conversation - 1]
        claim = _event(found.key, event_id)
        if claim in self._claimed:
            return None
        self._claimed.add(claim)
        return found

    async def _tell(self, conversation: ConversationId) -> None:
        if self._on_work:
            await self._on_work(conversation)

    async def ping(self) -> None:
        self._work()

    async def close(self) -> None:
        self.closed = True

    # Intake

    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None:
        self._work()
        return next((one.id for one in self.conversations if (one.key, one.app) == (key, app)), None)

    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        self._work()
        answer = self._answer_of(message)
        return answer.turn.conversation_id if answer else None

    async def asked_in(self, message: MessageRef) -> ConversationId | None:
        self._work()
        found = self._question_of(message)
        return found[0].id if found else None

    async def is_muted(self, conversation: ConversationId) -> bool:
        self._work()
        return 0 < conversation <= len(self.conversations) and self.conversations[conversation - 1].muted

    async def set_muted(self, event_id: EventId, conversation: ConversationId, *, muted: bool) -> bool:
        self._work()
        found = self._claim_for(conversation, event_id)
        if found is None or found.muted == muted:
            return False
        found.muted = muted
        return True

    async def start_afresh(self, event_id: EventId, conversation: ConversationId) -> bool:
        self._work()
        found = self._claim_for(conversation, event_id)
        if found is None:
            return False
        last = found.head + 1 if found.active else found.head
        if last <= found.fresh_after and found.backend_conversation is None:
            return False
        found.fresh_after, found.backend_conversation, found.poisoned = last, None, False
        return True

    async def accept(self, new: NewQuestion) -> Accepted | Full | Limited | None:
        self._work()
        ref = new.question.ref
        claims = {_event(new.key, new.event_id), _message(ref)}
        if claims & self._claimed:
            return None
        self._claimed |= claims
        found = new.join or await self.find_conversation(new.key, new.app)
        if found is None:
            found = ConversationId(len(self.conversations) + 1)
            self.conversations.append(KeptConversation(found, new.key, new.app, new.backend_user))
        conversation = self.conversations[found - 1]
        conversation.active_at = self._now()
        waiting = sum(not asked.withdrawn for asked in conversation.questions[conversation.head :])
        by_bot = new.question.author.is_bot
        if by_bot and new.most_by_bots is not None and conversation.bots_in_a_row >= new.most_by_bots:
            return Full(waiting=waiting, by_bots=True)
        if new.most_waiting is not None and waiting > new.most_waiting:
            return Full(waiting=waiting)
        limited = self._limit(new.key, new.app, new.question.author.id, new.quotas)
        if limited is not None:
            return limited
        conversation.bots_in_a_row = conversation.bots_in_a_row + 1 if by_bot else 0
        conversation.questions.append(
            KeptQuestion(
                ref, new.question, new.question.author.id, channel=new.key.channel, asked_at=conversation.active_at
            )
        )
        await self._tell(found)
        return Accepted(
            conversation_id=found,
            seq=len(conversation.questions),
            waiting=waiting,
            behind_form=waiting > 0 and (self._waits_for_people(conversation) or self._asks_for_inputs(conversation)),
        )

    def _asks_for_inputs(self, conversation: KeptConversation) -> bool:
        return conversation.active in self.input_requests and self._running(conversation) is not None

    def _limit(self, key: ConversationKey, app: AppName, person: PersonId, quotas: Quotas) -> Limited | None:
        counted = [
            (one.key.installation, asked)
            for one in self.conversations
            if (one.key.platform, one.app) == (key.platform, app)
            for asked in one.questions
            if not asked.withdrawn and (asked.retry_of is None or asked.again_by is not None)
        ]
        mine = [asked for _, asked in counted if (asked.again_by or asked.person) == person]
        here = [asked for where, asked in counted if (where, asked.channel) == (key.installation, key.channel)]
        found = []
        for quota, asked, of_channel in ((quotas.per_person, mine, False), (quotas.per_channel, here, True)):
            if quota is None or (of_channel and key.person):
                continue
            times = sorted(one.asked_at for one in asked if one.asked_at > self._now() - quota.window)
            if len(times) >= quota.most:
                until = times[-quota.most] + quota.window
                found.append(Limited(quota=quota, until=until, of_channel=of_channel))
        return max(found, key=lambda one: one.until, default=None)

    async def revise(self, event_id: EventId, question: AskedQuestion, revision: int, *, running: bool) -> Change:
        self._work()
        found = self._question_of(question.ref)
        if found is None:
            return NOTHING
        conversation, asked = found
        seq = conversation.questions.index(asked) + 1
        if seq <= conversation.head or asked.withdrawn or revision <= asked.revision:
            return NOTHING
        answer = self._running(conversation)
        if conversation.active and seq == conversation.head + 1:
            if not running or answer is None or answer.stop is StopReason.WITHDRAWN:
                return NOTHING
            touched = Touched.RUNNING
        else:
            touched = Touched.WAITING
        if asked.question is not None and _said(asked.question) == _said(question):
            return NOTHING
        self._claimed.add(_event(conversation.key, event_id))
        assert asked.question is not None
        asked.question, asked.revision = as_edited(asked.question, question), revision
        if touched is Touched.RUNNING:
            await self._rouse_in(conversation)
        return Change(touched=touched, conversation_id=conversation.id)

    async def withdraw(self, event_id: EventId, ref: MessageRef) -> Change:
        self._work()
        found = self._question_of(ref)
        if found is None:
            return NOTHING
        conversation, asked = found
        seq = conversation.questions.index(asked) + 1
        if seq <= conversation.head:
            return NOTHING
        if conversation.active and seq == conversation.head + 1:
            answer = self._running(conversation)
            if answer is None:
                return NOTHING
            answer.stop = StopReason.WITHDRAWN
            await self._rouse_in(conversation)
            touched = Touched.RUNNING
        else:
            asked.question, asked.withdrawn = None, True
            touched = Touched.WAITING
        self._claimed.add(_event(conversation.key, event_id))
        return Change(touched=touched, conversation_id=conversation.id)

    async def request_stop(
        self,
        event_id: EventId,
        conversation: ConversationId,
        *,
        by: MessageRef | None = None,
        answer: MessageRef | None = None,
    ) -> StopResult:
        self._work()
        if not 0 < conversation <= len(self.conversations):
            return StopResult.NOTHING_RUNS
        found = self.conversations[conversation - 1]
        claims = {_event(found.key, event_id)} | ({_message(by)} if by else set())
        if claims & self._claimed:
            return StopResult.DUPLICATE
        running = self._running(found)
        if running is None or (answer is not None and self._answer_of(answer) is not running):
            return StopResult.NOTHING_RUNS
        self._claimed |= claims
        running.stop = running.stop or StopReason.MEMBER
        await self._rouse_in(found)
        return StopResult.STOPPING

    async def retry(self, event_id: EventId, answer: MessageRef, again: Again | None = None) -> Retried:
        self._work()
        old = self._answer_of(answer)
        shown = old.outcome.state if old and old.state is AnswerState.FINALISING and old.outcome else None
        ended = (shown or old.state) if old else None
        wanted = (AnswerState.FAILED, AnswerState.STOPPED, *((AnswerState.DONE,) if again else ()))
        if old is None or ended not in wanted:
            return Retried(result=RetryResult.NOTHING)
        conversation = self.conversations[old.turn.conversation_id - 1]
        asked = conversation.questions[old.turn.seq - 1]
        target = conversation.home or (asked.question.target if asked.question else None)
        claim = _event(conversation.key, event_id)
        again = again if ended is AnswerState.DONE else None
        limited = self._limit(conversation.key, conversation.app, again.by, again.quotas) if again else None
        if old.retried or claim in self._claimed:
            result = RetryResult.DUPLICATE
        elif again and any(not newer.withdrawn for newer in conversation.questions[old.turn.seq :]):
            result = RetryResult.OUTDATED
        elif asked.question is None:
            result = RetryResult.FORGOTTEN
        elif limited is not None:
            return Retried(result=RetryResult.LIMITED, conversation_id=conversation.id, target=target, limited=limited)
        else:
            result = RetryResult.ACCEPTED
            self._claimed.add(claim)
            old.retried = True
            conversation.active_at = self._now()
            conversation.questions.append(
                replace(
                    asked,
                    answer=None,
                    retry_of=old.turn.answer_id,
                    again_by=again.by if again else None,
                    channel=conversation.key.channel,
                    asked_at=conversation.active_at,
                )
            )
            await self._tell(conversation.id)
        return Retried(result=result, conversation_id=conversation.id, target=target)

    # Turns

    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        self._work()
        return [
            one.id
            for one in self.conversations
            if one.head < len(one.questions) and not one.resting and one.key.platform in platforms
        ]

    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        self._work()
        if not 0 < conversation <= len(self.conversations):
            return None
        found = self.conversations[conversation - 1]
        if epoch is not None and found.epoch != epoch:
            raise Fenced("another owner")
        if found.active:
            going_on = self.answers[found.active - 1]
            if found.resting or (epoch is not None and going_on.state is not AnswerState.PAUSED):
                return None
            found.epoch += epoch is None
            return self._turn(found, going_on)
        while found.head < len(found.questions) and found.questions[found.head].withdrawn:
            found.head += 1
        if found.head >= len(found.questions):
            return None
        asked = found.questions[found.head]
        assert asked.question is not None
        found.epoch = found.epoch + 1 if epoch is None else epoch
        found.active = asked.answer = AnswerId(len(self.answers) + 1)
        found.active_at = self._now()
        turn = Turn(
            answer_id=found.active,
            conversation_id=conversation,
            epoch=found.epoch,
            seq=found.head + 1,
            app=found.app,
            backend_user=found.backend_user,
            question=asked.question,
            target=asked.question.target,
        )
        answer = KeptAnswer(turn)
        self.answers.append(answer)
        if asked.retry_of is not None:
            old = self.answers[asked.retry_of - 1]
            whole = old.state is AnswerState.DONE
            if whole:
                self._keep_with(old)
            answer.parts, old.parts = old.parts, {}
            for moved in (answer,) if whole else (old, answer):
                self._recount(moved.turn.answer_id)
        return self._turn(found, answer)

    def _keep_with(self, old: KeptAnswer) -> None:
        """What was thought of it stays with it."""
        refs = {part.ref for part in old.parts.values()}
        for name, vote in self._votes.items():
            if vote.message in refs:
                self._past.setdefault(name, old.turn.answer_id)
        for comment in self._comments.values():
            if comment.message in refs and comment.past is None:
                comment.past = old.turn.answer_id

    def _turn(self, conversation: KeptConversation, answer: KeptAnswer) -> Turn:
        asked = conversation.questions[answer.turn.seq - 1]
        assert asked.question is not None
        current = conversation.backend_conversation
        ids = replace(answer.ids, conversation=answer.ids.conversation or current)
        seen = [
            earlier.ids.message
            for earlier in self.answers
            if earlier.turn.conversation_id == conversation.id
            and earlier.turn.seq < answer.turn.seq
            and earlier.ids.conversation == ids.conversation
            and earlier.ids.message is not None
        ]
        return replace(
            answer.turn,
            epoch=conversation.epoch,
            question=asked.question,
            target=conversation.home or asked.question.target,
            ids=ids,
            state=answer.state,
            attempt=answer.attempt,
            last_seen=answer.last_seen or (seen[-1] if seen and ids.conversation is not None else None),
            parts=tuple(answer.parts[number] for number in sorted(answer.parts)),
            outcome=answer.outcome,
            stop=answer.stop,
            superseded=answer.state is not AnswerState.PLANNED and asked.revision > answer.asked_revision,
            poisoned=conversation.poisoned,
            fresh=0 < conversation.fresh_after < answer.turn.seq,
        )

    async def orders(self, turn: Turn) -> Orders:
        self._work()
        asked = self._seen(turn).questions[turn.seq - 1]
        answer = self.answers[turn.answer_id - 1]
        edited = answer.state is not AnswerState.PLANNED and asked.revision > answer.asked_revision
        return Orders(stop=answer.stop, question=asked.question if edited else None)

    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        self._work()
        conversation = self._owned(turn)
        conversation.home = target
        key = target.conversation
        if all((one.key, one.app) != (key, conversation.app) for one in self.conversations):
            conversation.key = key

    async def record_asked(self, turn: Turn, attempt: int) -> AskedQuestion:
        self._work()
        conversation, answer = self._owned(turn), self._answer(turn)
        asked = conversation.questions[turn.seq - 1]
        assert asked.question is not None
        if answer.state in UNFINISHED:
            current = conversation.backend_conversation
            if current is None or answer.ids.conversation not in (None, current):
                answer.last_seen = None
            elif answer.ids.message is not None:
                answer.last_seen = answer.ids.message
            answer.state, answer.attempt, answer.outcome = AnswerState.ASKED, attempt, None
            answer.ids, answer.asked_revision, answer.pause = BackendIds(), asked.revision, None
        return asked.question

    async def record_spoken(self, turn: Turn, words: str) -> None:
        self._work()
        asked = self._owned(turn).questions[turn.seq - 1]
        if asked.question is not None:
            asked.question = replace(asked.question, spoken=words)

    async def record_told(self, turn: Turn, text: str) -> None:
        self._work()
        asked = self._owned(turn).questions[turn.seq - 1]
        if asked.question is not None:
            asked.question = replace(asked.question, told=text)

    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        self._work()
        conversation, answer = self._owned(turn), self._answer(turn)
        forgotten = turn.seq <= conversation.fresh_after
        if not forgotten and ids.conversation not in (None, conversation.backend_conversation):
            conversation.backend_conversation, conversation.poisoned = ids.conversation, False
        if answer.state not in UNFINISHED:
            return
        answer.ids = BackendIds(
            conversation=ids.conversation or answer.ids.conversation,
            message=ids.message or answer.ids.message,
            task=ids.task or answer.ids.task,
            run=ids.run or answer.ids.run,
        )
        if answer.state in RUNNING:
            answer.state = AnswerState.STREAMING

    async def record_lost(self, turn: Turn) -> None:
        self._work()
        conversation = self._owned(turn)
        conversation.poisoned = conversation.backend_conversation is not None

    async def forget_backend_conversation(self, turn: Turn) -> None:
        self._work()
        conversation = self._owned(turn)
        conversation.backend_conversation, conversation.poisoned = None, False

    async def recent_turns(self, turn: Turn, limit: int) -> Sequence[PastTurn]:
        self._work()
        conversation = self.conversations[turn.conversation_id - 1]
        first = conversation.fresh_after if turn.seq > conversation.fresh_after else 0
        past = [
            PastTurn(
                question=asked.question.told or asked.question.words,
                answer=answer.outcome.text,
                attachments=asked.question.attachments,
            )
            for asked in conversation.questions[first : turn.seq - 1]
            if asked.question is not None and asked.answer is not None
            for answer in [self.answers[asked.answer - 1]]
            if answer.state not in UNFINISHED and not answer.retried and answer.outcome and answer.outcome.text
        ]
        return past[-limit:] if limit > 0 else []

    async def record_intended(self, turn: Turn, part: int, nonce: str, role: PartRole, text: str) -> None:
        self._work()
        self._put(turn, SentPart(part=part, nonce=nonce, role=role, text=text, intended_at=self._now()))

    async def record_posted(
        self, turn: Turn, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str
    ) -> None:
        self._work()
        self._put(turn, SentPart(part=part, nonce=nonce, role=role, ref=ref, text=text, intended_at=self._now()))
        self._recount(turn.answer_id)

    def _put(self, turn: Turn, part: SentPart) -> None:
        parts = self._answer(turn).parts
        known = parts.get(part.part)
        same = known is not None and known.nonce == part.nonce
        parts[part.part] = replace(part, intended_at=known.intended_at) if known and same else part

    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        self._work()
        parts = self._answer(turn).parts
        if part in parts:
            parts[part] = replace(parts[part], text=text)

    async def record_spent(self, turn: Turn, attempt: int, usage: UsageReported) -> None:
        self._work()
        self.spent[turn.answer_id, attempt] = usage

    async def record_outcome(self, turn: Turn, outcome: Outcome) -> None:
        self._work()
        answer = self._answer(turn)
        if answer.state in UNFINISHED:
            answer.state, answer.outcome = AnswerState.FINALISING, outcome

    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        self._work()
        conversation = self._owned(turn)
        if conversation.active != turn.answer_id:
            return
        conversation.head, conversation.active, conversation.resting = turn.seq, None, False
        answer = self._answer(turn)
        answer.pause = None
        answer.state, answer.error, answer.finished_at = state, error, self._now()

    async def claim_title(self, conversation: ConversationId) -> bool:
        self._work()
        found = self.conversations[conversation - 1] if 0 < conversation <= len(self.conversations) else None
        if found is None or found.titled or found.home is None:
            return False
        found.titled = True
        return True

    # Housekeeping

    async def blank_payloads(self, before: datetime, longer: Mapping[AppName, datetime] | None = None) -> int:
        self._work()
        count = 0
        for answer in self.answers:
            asked = self.conversations[answer.turn.conversation_id - 1].questions[answer.turn.seq - 1]
            then = (longer or {}).get(answer.turn.app, before)
            if answer.finished_at is not None and answer.finished_at < before:
                answer.parts = {number: replace(part, text="") for number, part in answer.parts.items()}
            if answer.finished_at is None or answer.finished_at >= then:
                continue
            count += asked.question is not None
            asked.question = answer.outcome = None
        for comment in self._comments.values():
            of = self.answers[comment.past - 1] if comment.past else self._answer_of(comment.message)
            rating = self._ratings.get(of.turn.answer_id) if of and of.ids.message is not None else None
            if comment.given_at < before and not (rating and rating.dirty):
                comment.text = ""
        return count

    async def bookmark(self, platform: PlatformName, name: str) -> str | None:
        self._work()
        return self.bookmarks.get((platform, name))

    async def set_bookmark(self, platform: PlatformName, name: str, value: str) -> None:
        self._work()
        self.bookmarks[platform, name] = value

    async def recent_targets(self, platform: PlatformName, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        self._work()
        active = [one for one in self.conversations if one.key.platform == platform and one.active_at >= since]
        found = []
        for one in sorted(active, key=lambda one: (one.active_at, one.id), reverse=True):
            kept = [asked.question.target for asked in one.questions if asked.question is not None]
            if one.home or kept:
                found.append(one.home or kept[-1])
        return found[:limit]

    async def usage(self, platform: PlatformName, installation: InstallationId, person: PersonId) -> Usage:
        self._work()
        here = {
            one.id: one
            for one in self.conversations
            if (one.key.platform, one.key.installation) == (platform, installation)
        }
        asked = [
            question
            for one in here.values()
            for question in one.questions
            if question.person == person and not question.withdrawn and question.again_by is None
        ]
        ended = [question.answer for question in asked if question.answer is not None]
        answered = sum(self.answers[answer - 1].state is AnswerState.DONE for answer in ended)
        voted = {
            self._past.get(name, answer.turn.answer_id)
            for name, vote in self._votes.items()
            if vote.person == person and vote.active
            for answer in [self._answer_of(vote.message)]
            if answer is not None and answer.turn.conversation_id in here
        }
        questions = sum(question.retry_of is None for question in asked)
        return Usage(questions=questions, answered=answered, votes=len(voted))

    # Feedback

    async def record_comment(
        self, event_id: EventId, message: MessageRef, person: PersonId, text: str, revision: int
    ) -> bool:
        self._work()
        known = self._comments.get((message, person))
        if known is not None and revision <= known.revision:
            return False
        self._comments[message, person] = KeptComment(message, person, text, revision, self._now())
        answer = self._answer_of(message)
        if answer is not None:
            self._recount(answer.turn.answer_id)
        return True

    def _comments_on(self, answer_id: AnswerId) -> list[KeptComment]:
        """The latest of each person, the oldest first."""
        refs = {part.ref for part in self.answers[answer_id - 1].parts.values()}
        found = [
            comment
            for comment in self._comments.values()
            if comment.past == answer_id or (comment.past is None and comment.message in refs)
        ]
        found.sort(key=lambda comment: comment.revision)
        return sorted({one.person: one for one in found}.values(), key=lambda comment: comment.revision)

    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        self._work()
        name = (vote.message, vote.person, vote.source)
        known = self._votes.get(name)
        if known is not None and vote.revision <= known.revision:
            return False
        self._votes[name] = vote
        self._past.pop(name, None)
        answer = self._answer_of(vote.message)
        if answer is not None:
            self._recount(answer.turn.answer_id, aggregate)
        return True

    def _votes_on(self, answer: KeptAnswer) -> list[Vote]:
        refs = {part.ref for part in answer.parts.values()}
        return [vote for name, vote in self._votes.items() if vote.message in refs and name not in self._past]

    async def endorsed(self, message: MessageRef) -> Endorsed | None:
        self._work()
        answer = self._answer_of(message)
        if answer is None:
            return None
        conversation = self.conversations[answer.turn.conversation_id - 1]
        asked = conversation.questions[answer.turn.seq - 1]
        if standing(self._votes_on(answer)).get(asked.person) is not Rating.LIKE:
            return None
        return Endorsed(target=conversation.home or (asked.question.target if asked.question else None))

    def _recount(self, answer_id: AnswerId, aggregate: Aggregate | None = None) -> None:
        votes = self._votes_on(self.answers[answer_id - 1])
        comments = self._comments_on(answer_id)
        if not votes and not comments and answer_id not in self._ratings:
            return
        why = {comment.person: comment.text for comment in comments}
        votes = [replace(vote, comment=why.get(vote.person, "")) for vote in votes]
        opinions = list(standing(votes).values())
        rating = self._ratings.setdefault(answer_id, KeptRating(None, 0, 0))
        rating.wanted = (aggregate or self._aggregate)(votes)
        rating.likes, rating.dislikes = opinions.count(Rating.LIKE), opinions.count(Rating.DISLIKE)
        rating.comments = frozenset((comment.person, comment.revision) for comment in comments)
        rating.dirty = (rating.wanted, rating.comments) != (rating.sent, rating.comments_sent)
        rating.attempts, rating.retry_at = 0, None

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
                comments=tuple(comment.text for comment in self._comments_on(answer_id) if comment.text),
            )
            for answer_id, rating in self._ratings.items()
            if rating.dirty
            and (rating.retry_at is None or rating.retry_at <= now)
            and self.answers[answer_id - 1].ids.message is not None
        ]
        for handed in due[:limit]:
            self._ratings[handed.answer_id].comments_handed = self._ratings[handed.answer_id].comments
        return due[:limit]

    async def rating_sent(self, answer: AnswerId, rating: Rating | None) -> None:
        self._work()
        known = self._ratings[answer]
        known.sent, known.comments_sent, known.attempts, known.retry_at = rating, known.comments_handed, 0, None
        known.dirty = (known.wanted, known.comments) != (known.sent, known.comments_sent)

    async def rating_failed(self, answer: AnswerId, retry_at: datetime | None) -> None:
        self._work()
        known = self._ratings[answer]
        known.attempts, known.retry_at, known.dirty = known.attempts + 1, retry_at, retry_at is not None


def _said(question: AskedQuestion) -> tuple[object, ...]:
    return question.text, question.attachments, question.named


def _event(key: ConversationKey, event_id: EventId) -> tuple[str, ...]:
    return ("event", key.platform, key.installation, event_id)


def _message(ref: MessageRef) -> tuple[str, ...]:
    return ("message", ref.platform, ref.address)
