"""What people want otherwise once they have asked: a stop, another try, nothing at all.

Edits are taken in by `intake` itself, since what is edited may become a question by that.
"""

from typing import assert_never

from bridge import logs
from bridge.decisions import Retry, Stop, Withdraw
from bridge.dispatcher import Dispatcher
from bridge.limiting import LimitTeller
from bridge.messages import ConversationId
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.store import RetryResult, StopResult, Store, Touched

_log = logs.get("intake")

_FORGOTTEN = "I no longer have that question. Please ask it again."
_OUTDATED = "That answer is not the newest any more; ask again below."


class Afterthoughts:
    """Each is durable when its method returns. All raise `StoreUnavailable`."""

    def __init__(
        self, *, store: Store, dispatcher: Dispatcher, notices: Notices, limits: LimitTeller, metrics: Metrics
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._notices = notices
        self._limits = limits
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
        if conversation is None and stop.key is not None and stop.app is not None:
            # A message that began to grow a moment ago may not be recorded yet.
            answer = None
            conversation = await self._store.find_conversation(stop.key, stop.app)
        if conversation is None:
            _log.debug("ignored", event_id=stop.event_id, kind="Stop", reason="not on an answer")
            return
        result = await self._store.request_stop(stop.event_id, conversation, answer=answer)
        self.nudge_to_stop(conversation, result)

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
