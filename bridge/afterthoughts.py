"""What people want otherwise once they have asked: a stop, another try, nothing at all.

Edits are taken in by `intake` itself, since what is edited may become a question by that.
"""

from typing import assert_never

from bridge import logs
from bridge.clock import Clock
from bridge.decisions import Retry, Stop, Withdraw
from bridge.dispatcher import Dispatcher
from bridge.limiting import LimitTeller
from bridge.messages import ConversationId
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.picking import Picking
from bridge.store import RetryResult, StopResult, Store, Touched

_log = logs.get("intake")

STOPPED = "Stopped."
_NOTHING_TO_STOP = "I am not answering anything here."
_FORGOTTEN = "I no longer have that question. Please ask it again."
_OUTDATED = "That answer is not the newest any more; ask again below."

_RECORDED_SOON = (0.1, 0.3, 0.6)
"""Seconds between looks for an answer that is not known: a message can be pressed as soon as its platform shows it, which is
before the store hears of it. Platforms wait three seconds for a press to be taken."""


class Afterthoughts:
    """Each is durable when its method returns. All raise `StoreUnavailable`."""

    def __init__(
        self,
        *,
        store: Store,
        picking: Picking,
        dispatcher: Dispatcher,
        notices: Notices,
        limits: LimitTeller,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._picking = picking
        self._dispatcher = dispatcher
        self._notices = notices
        self._limits = limits
        self._clock = clock
        self._metrics = metrics

    async def follow(self, decision: Stop | Retry | Withdraw) -> None:
        match decision:
            case Stop():
                await self.stop(decision)
            case Retry():
                await self.retry(decision)
            case Withdraw():
                await self.withdraw(decision)
            case _:
                assert_never(decision)

    async def stop(self, stop: Stop) -> None:
        answer = stop.answer
        conversation = await self._store.conversation_of(answer) if answer is not None else None
        conversations = [] if conversation is None else [conversation]
        if conversation is None and stop.key is not None and stop.app is not None:
            # A message that began to grow a moment ago may not be recorded yet.
            answer = None
            conversations = [*await self._picking.begun(stop.key, stop.app, stop.choices)]
        if not conversations:
            _log.debug("ignored", event_id=stop.event_id, kind="Stop", reason="not on an answer")
            self._tell_stopped(stop, StopResult.NOTHING_RUNS)
            return
        result = StopResult.NOTHING_RUNS
        for one in conversations:
            result = await self._store.request_stop(stop.event_id, one, answer=answer)
            self.nudge_to_stop(one, result)
            if result is not StopResult.NOTHING_RUNS:
                break
        self._tell_stopped(stop, result)

    def _tell_stopped(self, stop: Stop, result: StopResult) -> None:
        if stop.tell is not None:
            self._notices.tell(stop.tell, _NOTHING_TO_STOP if result is StopResult.NOTHING_RUNS else STOPPED)

    def nudge_to_stop(self, conversation: ConversationId, result: StopResult) -> None:
        _log.info("stop_requested", conversation=conversation, result=result.value)
        if result is not StopResult.NOTHING_RUNS:
            # A duplicate too: its first delivery may have been given up just when it was stored.
            self.call(conversation)

    def call(self, conversation: ConversationId) -> None:
        """There are orders for what is being answered there, by somebody, or by nobody as long as it waits for people."""
        self._dispatcher.nudge(conversation)
        self._dispatcher.wake(conversation)

    async def retry(self, retry: Retry) -> None:
        retried = await self._store.retry(retry.event_id, retry.answer, retry.again)
        for pause in _RECORDED_SOON if retry.ours else ():
            # What is known and cannot be retried now was pressed in vain, perhaps twice.
            if retried.result is not RetryResult.NOTHING or await self._store.conversation_of(retry.answer) is not None:
                break
            await self._clock.sleep(pause)
            retried = await self._store.retry(retry.event_id, retry.answer, retry.again)
        target = retry.private or retried.target
        _log.info("retry_requested", conversation=retried.conversation_id, result=retried.result.value)
        if retried.result is RetryResult.ACCEPTED:
            self._metrics.retried(retry.answer.platform)
        match retried.result:
            case RetryResult.ACCEPTED | RetryResult.DUPLICATE:
                if retried.conversation_id is not None:
                    self._dispatcher.wake(retried.conversation_id)
            case RetryResult.FORGOTTEN | RetryResult.OUTDATED:
                if target is not None:
                    forgotten = retried.result is RetryResult.FORGOTTEN
                    self._notices.tell(target, _FORGOTTEN if forgotten else _OUTDATED)
            case RetryResult.LIMITED:
                if retried.limited is not None and retry.again is not None and target is not None:
                    self._limits.tell(retried.limited, retry.again.by, target, retry.private)
            case RetryResult.NOTHING:
                pass
            case _:
                assert_never(retried.result)

    async def withdraw(self, withdraw: Withdraw) -> None:
        change = await self._store.withdraw(withdraw.event_id, withdraw.message)
        if change.touched is Touched.NOTHING or change.conversation_id is None:
            return
        _log.info("withdrawn", conversation=change.conversation_id, touched=change.touched.value)
        if change.touched is Touched.RUNNING:
            self.call(change.conversation_id)
