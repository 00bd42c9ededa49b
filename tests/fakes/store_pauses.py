"""What the store in memory keeps of answers that wait for people."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.messages import (
    AnswerId,
    AnswerState,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    PlatformName,
    Turn,
)
from bridge.pauses import DuePause, Given, OpenForm, Pause, PauseStep
from bridge.pauses_api import Gave, GiveResult
from tests.fakes.rows import UNFINISHED, KeptAnswer, KeptConversation, KeptPause


class PauseMemory:
    """A part of `FakeStore`."""

    conversations: list[KeptConversation]
    answers: list[KeptAnswer]

    def _work(self) -> None:
        raise NotImplementedError

    def _owned(self, turn: Turn) -> KeptConversation:
        raise NotImplementedError

    def _answer_of(self, message: MessageRef) -> KeptAnswer | None:
        raise NotImplementedError

    def _turn(self, conversation: KeptConversation, answer: KeptAnswer) -> Turn:
        raise NotImplementedError

    async def _tell(self, conversation: ConversationId) -> None:
        raise NotImplementedError

    async def _rouse_in(self, conversation: KeptConversation) -> None:
        if conversation.resting:
            conversation.resting = False
            await self._tell(conversation.id)

    def _waits_for_people(self, conversation: KeptConversation) -> bool:
        kept = self.answers[conversation.active - 1].pause if conversation.active else None
        return kept is not None and kept.pause.step is PauseStep.WAITING

    async def pause_of(self, answer: AnswerId) -> Pause | None:
        self._work()
        kept = self.answers[answer - 1].pause
        return kept.pause if kept else None

    async def record_paused(self, turn: Turn, pause: Pause) -> Pause:
        self._work()
        conversation, answer = self._owned(turn), self.answers[turn.answer_id - 1]
        conversation.resting = False
        kept = answer.pause
        if kept is None or kept.pause.number != pause.number:
            answer.pause = KeptPause(pause)
        elif kept.pause.step is PauseStep.GIVEN and pause.step is PauseStep.WAITING:
            kept.pause = pause = replace(pause, step=PauseStep.GIVEN, given=kept.pause.given)
        else:
            kept.pause = pause
        if answer.state in UNFINISHED:
            answer.state = AnswerState.PAUSED
        return pause

    async def rest(self, turn: Turn, pause: Pause, *, look_at: datetime, remind_at: datetime | None) -> bool:
        self._work()
        conversation, answer = self._owned(turn), self.answers[turn.answer_id - 1]
        kept, asked = answer.pause, conversation.questions[turn.seq - 1]
        if kept is None or answer.state is not AnswerState.PAUSED or answer.stop is not None:
            return False
        if asked.revision > answer.asked_revision:
            return False
        if (kept.pause.number, kept.pause.step) != (pause.number, pause.step):
            return False
        kept.look_at = look_at
        kept.remind_at = None if kept.reminded else kept.remind_at or remind_at
        conversation.resting = True
        return True

    async def open_form(self, message: MessageRef, within: ConversationKey) -> OpenForm | None:
        self._work()
        answer = self._answer_of(message)
        if answer is None:
            there = next((one.active for one in self.conversations if one.active and one.key == within), None)
            answer = self.answers[there - 1] if there else None
        if answer is None or answer.pause is None or answer.state not in UNFINISHED:
            return None
        turn = self._turn(self.conversations[answer.turn.conversation_id - 1], answer)
        return OpenForm(
            answer=turn.answer_id,
            conversation=turn.conversation_id,
            app=turn.app,
            asker=turn.question.author,
            target=turn.target,
            pause=answer.pause.pause,
            stopped=turn.stop is not None,
        )

    async def give(self, event_id: EventId, answer: AnswerId, number: int, given: Given) -> Gave:
        self._work()
        found = self.answers[answer - 1] if 0 < answer <= len(self.answers) else None
        kept = found.pause if found else None
        if found is None or kept is None or kept.pause.number != number or found.stop is not None:
            return Gave(result=GiveResult.OVER)
        conversation = self.conversations[found.turn.conversation_id - 1]
        if kept.pause.step is not PauseStep.WAITING:
            if kept.event == event_id:
                return Gave(result=GiveResult.TAKEN, conversation=conversation.id)
            by = kept.pause.given.name if kept.pause.given else ""
            return Gave(result=GiveResult.EARLIER, conversation=conversation.id, by=by)
        if kept.pause.is_late:
            return Gave(result=GiveResult.OVER)
        kept.pause, kept.event = replace(kept.pause, step=PauseStep.GIVEN, given=given), event_id
        kept.remind_at = None
        await self._rouse_in(conversation)
        return Gave(result=GiveResult.TAKEN, conversation=conversation.id)

    async def rouse(self, answer: AnswerId) -> ConversationId | None:
        self._work()
        conversation = next((one for one in self.conversations if one.active == answer and one.resting), None)
        if conversation is None:
            return None
        await self._rouse_in(conversation)
        return conversation.id

    async def due_pauses(
        self, platforms: Collection[PlatformName], now: datetime, again_at: datetime, limit: int
    ) -> Sequence[DuePause]:
        self._work()
        due: list[DuePause] = []
        for conversation in self.conversations:
            answer = self.answers[conversation.active - 1] if conversation.active else None
            kept = answer.pause if answer else None
            if answer is None or kept is None or not conversation.resting or conversation.key.platform not in platforms:
                continue
            if kept.look_at is None or kept.look_at > now or len(due) >= limit:
                continue
            kept.look_at = again_at
            remind = kept.remind_at is not None and kept.remind_at <= now and not kept.reminded
            kept.reminded = kept.reminded or remind
            turn = self._turn(conversation, answer)
            due.append(
                DuePause(
                    answer=turn.answer_id,
                    conversation=turn.conversation_id,
                    app=turn.app,
                    backend_user=turn.backend_user,
                    ids=turn.ids,
                    target=turn.target,
                    pause=kept.pause,
                    remind=remind,
                )
            )
        return due
