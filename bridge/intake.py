"""The hall: an event becomes a durable row, claimed once, and only then may the platform be acknowledged."""

from collections.abc import Callable

from bridge import logs
from bridge.dispatcher import Dispatcher
from bridge.feedback import Feedback
from bridge.messages import (
    AppName,
    AskedQuestion,
    BackendUser,
    ConversationId,
    ConversationKey,
    InboundEvent,
    MessageReceived,
    MessageRef,
    ReplyTarget,
)
from bridge.router import Ask, Facts, Ignore, Policy, Rate, decide, wants_facts
from bridge.store import NewQuestion, Store

_log = logs.get("intake")

_REMEMBERED = 2_000
"""Messages whose claim is remembered in memory. Slack tells of each mention twice; the second need not ask the store."""

_LONGEST_USER = 255
"""Dify answers 500 to a longer `user` (measured on 0.15.3 and 1.12.1)."""


def backend_user(key: ConversationKey) -> BackendUser:
    """The backend's `user`: the person in direct messages, the thread everywhere else, so that a thread shares one memory."""
    place = [key.person] if key.person else [key.channel, key.thread]
    return BackendUser(":".join([key.platform, key.installation, *place])[:_LONGEST_USER])


class Intake:
    """The `Inbox` that platforms are given."""

    def __init__(
        self,
        *,
        store: Store,
        dispatcher: Dispatcher,
        feedback: Feedback,
        policy: Policy,
        app: AppName,
        expect: Callable[[ConversationId, ReplyTarget], None],
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._feedback = feedback
        self._policy = policy
        self._app = app
        self._expect = expect
        self._claimed: dict[MessageRef, None] = {}

    async def __call__(self, event: InboundEvent) -> None:
        facts = await self._gather(event) if isinstance(event, MessageReceived) else Facts()
        decision = decide(event, facts, self._policy)
        match decision:
            case Ask():
                assert isinstance(event, MessageReceived)  # noqa: S101  # only messages are asked; for the type checker
                await self._ask(event, decision)
            case Rate(vote=vote):
                await self._feedback.vote(vote)
            case Ignore(reason=reason):
                _log.debug("ignored", event_id=event.event_id, kind=type(event).__name__, reason=reason)

    async def _gather(self, event: MessageReceived) -> Facts:
        if not wants_facts(event):
            return Facts()
        replied = await self._store.conversation_of(event.reply_to) if event.reply_to else None
        thread = None
        if event.in_thread and not event.mentions_bot:
            thread = await self._store.find_conversation(event.target.conversation, self._app)
        return Facts(thread=thread, replied=replied)

    async def _ask(self, event: MessageReceived, ask: Ask) -> None:
        key = event.target.conversation
        if event.ref in self._claimed:
            _log.info("duplicate", event_id=event.event_id, platform=key.platform)
            return
        accepted = await self._store.accept(
            NewQuestion(
                event_id=event.event_id,
                key=key,
                app=self._app,
                backend_user=backend_user(key),
                question=AskedQuestion(
                    ref=event.ref,
                    author=event.author,
                    text=event.text,
                    target=event.target,
                    attachments=event.attachments,
                    named=event.named,
                    sent_at=event.sent_at,
                ),
                join=ask.join,
            )
        )
        # Durable now, whoever claimed it.
        self._claimed[event.ref] = None
        if len(self._claimed) > _REMEMBERED:
            del self._claimed[next(iter(self._claimed))]
        if accepted is None:
            _log.info("duplicate", event_id=event.event_id, platform=key.platform)
            # Its first delivery may have been given up just when it was stored; waking for nothing is harmless.
            known = ask.join or await self._store.find_conversation(key, self._app)
            if known is not None:
                self._dispatcher.wake(known)
            return
        _log.info(
            "accepted",
            event_id=event.event_id,
            platform=key.platform,
            conversation=accepted.conversation_id,
            seq=accepted.seq,
            waiting=accepted.waiting,
        )
        self._expect(accepted.conversation_id, event.target)
        self._dispatcher.wake(accepted.conversation_id)
