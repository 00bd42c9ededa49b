"""After a restart: what was half shown gets an ending, what was accepted and not yet asked is answered."""

import asyncio
from collections.abc import Mapping, Sequence

from bridge import logs
from bridge.clock import Clock
from bridge.dispatcher import Dispatcher
from bridge.errors import Fenced, MessageGone, MessageRefused, NotAllowed, PlatformError, RateLimited, StoreUnavailable
from bridge.markdown.repair import close
from bridge.messages import AnswerState, OutgoingMessage, PlatformName
from bridge.platform_api import Platform, ReadsBack
from bridge.store import InterruptedAnswer, PostedPart, Store
from bridge.turns import new_reference

_log = logs.get("recovery")

_NOTE = "⚠️ I was restarted while answering, so this answer is incomplete. Please ask again. (Reference {reference})"
_NOTHING_SHOWN = "⚠️ I was restarted before I could answer this. Please ask again. (Reference {reference})"


class Recovery:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        dispatcher: Dispatcher,
        clock: Clock,
        attempts: int = 8,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._dispatcher = dispatcher
        self._clock = clock
        self._attempts = attempts

    async def find(self) -> Sequence[InterruptedAnswer]:
        """Takes over what an earlier process left. Called once, before any platform is heard. Raises `StoreUnavailable`."""
        return await self._store.interrupted_answers()

    async def resume(self, interrupted: Sequence[InterruptedAnswer]) -> None:
        """Wakes what waits, then ends what was interrupted; a conversation goes on once its own interruption is ended."""
        held = {one.turn.conversation_id for one in interrupted}
        # What belongs to a platform that is switched off stays as it is until that platform is back.
        interrupted = [one for one in interrupted if one.turn.target.platform in self._platforms]
        try:
            waiting = await self._store.waiting_conversations(self._platforms)
        except StoreUnavailable as error:
            # The next sweep finds them. What was interrupted is known here alone, so that goes on.
            _log.warning("store_unavailable", doing="waiting_conversations", detail=str(error))
            waiting = ()
        for conversation in waiting:
            if conversation not in held:
                self._dispatcher.wake(conversation)
        async with asyncio.TaskGroup() as tasks:
            # One after the other on each platform, so that a platform that is down holds up only its own.
            for name in {one.turn.target.platform for one in interrupted}:
                tasks.create_task(self._end_all([one for one in interrupted if one.turn.target.platform == name]))

    async def _end_all(self, interrupted: Sequence[InterruptedAnswer]) -> None:
        for one in interrupted:
            await self._end(one)
            self._dispatcher.wake(one.turn.conversation_id)

    async def sweep(self) -> None:
        """Wakes every conversation in which something waits. Harmless at any time."""
        for conversation in await self._store.waiting_conversations(self._platforms):
            self._dispatcher.wake(conversation)

    async def _end(self, one: InterruptedAnswer) -> None:
        reference = new_reference()
        shown = await self._say_so(one, reference)
        _log.warning(
            "answer_interrupted",
            answer=one.turn.answer_id,
            state=one.state.value,
            messages=len(one.parts),
            reference=reference,
            ending_shown=shown,
        )
        pause = 0.5
        while True:
            # Until this is recorded nothing else in the conversation can begin.
            try:
                await self._store.finish(one.turn, AnswerState.FAILED, "interrupted")
            except Fenced as error:
                _log.error("ending_not_recorded", answer=one.turn.answer_id, detail=str(error))
                return
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="finish", answer=one.turn.answer_id, detail=str(error))
                await self._clock.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                return

    async def _say_so(self, one: InterruptedAnswer, reference: str) -> bool:
        platform = self._platforms.get(one.turn.target.platform)
        if platform is None:
            return False
        for attempt in range(self._attempts):
            try:
                if one.parts:
                    await self._amend(platform, one, one.parts[-1], reference)
                else:
                    await self._post(platform, one, _NOTHING_SHOWN.format(reference=reference))
            except (MessageGone, NotAllowed, MessageRefused) as error:
                _log.warning("ending_not_shown", answer=one.turn.answer_id, code=error.code)
                return False
            except PlatformError as error:
                _log.warning("ending_delayed", answer=one.turn.answer_id, code=error.code, detail=str(error))
                told = error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0
                await self._clock.sleep(max(told, min(2.0**attempt, 30.0)))
            else:
                return True
        return False

    async def _amend(self, platform: Platform, one: InterruptedAnswer, last: PostedPart, reference: str) -> None:
        target = one.turn.target
        text = last.text
        if isinstance(platform, ReadsBack):
            text = await platform.read_back(target, last.ref)
        amended = f"{close(text)}\n\n{_NOTE.format(reference=reference)}"
        dialect = platform.dialect
        if not text or dialect.render(amended, one.turn.question.people).length > dialect.limit:
            await self._post(platform, one, _NOTE.format(reference=reference))
            return
        try:
            await platform.edit(target, last.ref, _ending(one, amended))
        except (MessageGone, MessageRefused) as error:
            # It may stand in a smaller form than the dialect's, or somebody has deleted just this one.
            _log.info("ending_apart", answer=one.turn.answer_id, code=error.code)
            await self._post(platform, one, _NOTE.format(reference=reference))

    async def _post(self, platform: Platform, one: InterruptedAnswer, text: str) -> None:
        message = _ending(one, text)
        ref = await platform.send(one.turn.target, message)
        try:
            await self._store.record_posted(one.turn, len(one.parts), message.nonce, ref, text)
        except StoreUnavailable as error:
            # It stands; only reactions on this line go unnoticed.
            _log.warning("store_unavailable", doing="record_posted", detail=str(error))


def _ending(one: InterruptedAnswer, text: str) -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=f"end{one.turn.answer_id}", people=one.turn.question.people)
