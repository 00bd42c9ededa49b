"""The hall: an event becomes a durable row, claimed once, and only then may the platform be acknowledged."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from bridge import logs
from bridge.afterthoughts import STOPPED, Afterthoughts
from bridge.archivist import Archivist
from bridge.clock import Clock
from bridge.commands import REFUSE, Commands
from bridge.decisions import (
    Ask,
    Comment,
    Decision,
    FillIn,
    Greet,
    Ignore,
    Obey,
    Pick,
    Rate,
    Refuse,
    Retry,
    Revise,
    Speak,
    Stop,
    Withdraw,
)
from bridge.dispatcher import Dispatcher
from bridge.errors import StoreUnavailable
from bridge.events import ChatOpened, CommentGiven, FormSubmitted, HomeOpened, InboundEvent, MessageReceived
from bridge.fact_finding import Gatherer
from bridge.facts import Facts, Policy
from bridge.feedback import Feedback
from bridge.helping import Guide
from bridge.home import HelpWanted
from bridge.labelling import Praised
from bridge.limiting import LimitTeller
from bridge.menus import AppMenu
from bridge.messages import (
    AppName,
    ConversationId,
    MessageRef,
    Origin,
    Rating,
)
from bridge.metrics import Metrics, QuestionResult
from bridge.notices import Lately, Notices
from bridge.picking import Picking
from bridge.router import (
    decide,
    is_addressed,
    question_in,
)
from bridge.routing import Place, Resolution
from bridge.store import Full, Limited, NewQuestion, StopResult, Store, Touched
from bridge.whereabouts import backend_user, place_of, place_of_message, settle

_log = logs.get("intake")

_REMEMBERED = 2_000
"""Messages whose claim is remembered in memory. Slack tells of each mention twice; the second need not ask the store."""

_PRESSED_AGAIN = "You asked that a moment ago."
_NOWHERE = Resolution(app=None)


class Intake:
    """The `Inbox` that platforms are given.

    `resolve` says what holds in a place; `queued` how many turns wait for a place at an app. `refused_again` is how long
    somebody who was told that the bot does not answer (them) in a place is not told so again; `late_mention` is how old a
    message may be that becomes a question because it is edited; `pressed_again` is how soon the same press of the same person
    is taken for a slip. `guide` explains the bot to who asks for help; `greet` is
    told of those who look at the bot's own page, `fill_in` of what was filled in, which it makes durable. `picking` knows which
    app members chose, and `menu` lets them.
    """

    def __init__(
        self,
        *,
        store: Store,
        dispatcher: Dispatcher,
        feedback: Feedback,
        policy: Policy,
        resolve: Callable[[Place], Resolution],
        notices: Notices,
        queued: Callable[[AppName], int],
        clock: Clock,
        metrics: Metrics | None = None,
        guide: Guide | None = None,
        archivist: Archivist | None = None,
        greet: Callable[[HomeOpened | ChatOpened], None] | None = None,
        introduce: Callable[[HelpWanted], None] | None = None,
        speak: Callable[[Speak], None] | None = None,
        praise: Callable[[Praised], None] | None = None,
        picking: Picking | None = None,
        menu: AppMenu | None = None,
        fill_in: Callable[[FormSubmitted], Awaitable[None]] | None = None,
        refused_again: timedelta = timedelta(hours=1),
        late_mention: timedelta = timedelta(minutes=10),
        pressed_again: timedelta = timedelta(seconds=3),
    ) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._feedback = feedback
        self._policy = policy
        self._resolve = resolve
        self._notices = notices
        self._queued = queued
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._picking = picking or Picking(store, None, {})
        self._gather = Gatherer(store, self._picking, policy).gather
        self._commands = Commands(
            store=store,
            notices=notices,
            guide=guide or Guide(policy=policy),
            picking=self._picking,
            menu=menu,
            archivist=archivist,
            introduce=introduce,
        )
        self._greet = greet or _note_nothing
        self._praise = praise or _note_nothing
        self._speak = speak or _note_nothing
        self._fill_in = fill_in or _take_nothing
        self._limits = LimitTeller(notices, clock)
        self._afterthoughts = Afterthoughts(
            store=store,
            picking=self._picking,
            dispatcher=dispatcher,
            notices=notices,
            limits=self._limits,
            clock=clock,
            metrics=self._metrics,
        )
        self._late_mention = late_mention
        self._refused = Lately(clock, refused_again, _REMEMBERED)
        self._refused_presses = Lately(clock, refused_again, _REMEMBERED)
        self._pressed = Lately(clock, pressed_again, _REMEMBERED)
        self._claimed: dict[MessageRef, None] = {}

    async def __call__(self, event: InboundEvent) -> None:
        try:
            await self._take(event)
        except StoreUnavailable:
            # Whoever delivered it does not acknowledge it, and tells the log.
            self._metrics.store_unavailable()
            raise

    async def _take(self, event: InboundEvent) -> None:
        place = place_of(event)
        resolution = self._resolve(place) if place else _NOWHERE
        if isinstance(event, MessageReceived):
            event = settle(event, resolution)
        resolution = await self._picking.settle_for(event, resolution)
        facts = await self._gather(event, resolution) if isinstance(event, MessageReceived) else Facts()
        decision = await self._picking.complete(decide(event, facts, self._policy, resolution), resolution)
        if isinstance(decision, Ignore):
            _log.debug("ignored", event_id=event.event_id, kind=type(event).__name__, reason=decision.reason)
        else:
            await self._carry_out(decision)

    async def _carry_out(self, decision: Decision) -> None:
        match decision:
            case Ask():
                await self._ask(decision)
            case Rate():
                await self._rate(decision)
            case Comment(given=given):
                await self._comment(given)
            case FillIn(submitted=submitted):
                await self._fill_in(submitted)
            case Stop() | Retry() | Withdraw():
                await self._afterthoughts.follow(decision)
            case Revise():
                await self._revise(decision)
            case Obey() | Pick():
                await self._obey(decision)
            case Greet() | Speak():
                self._greet(decision.event) if isinstance(decision, Greet) else self._speak(decision)
            case Refuse():
                self._refuse(decision)
            case Ignore():
                pass
            case _:
                assert_never(decision)

    # Questions

    async def _ask(self, ask: Ask) -> bool:
        """Whether the message was claimed now, and not before."""
        message, key = ask.message, ask.message.target.conversation
        if message.ref in self._claimed:
            self._note_duplicate(message)
            return False
        if not message.unseen:
            return await self._claim(ask)
        # Nothing tells a finger that slipped from a second press. The platform has another id for it.
        press = (key, message.author.id, message.text, message.about)
        if self._pressed.seconds_left(press) > 0:
            self._note_duplicate(message)
            if message.private is not None:
                self._notices.tell(message.private, _PRESSED_AGAIN)
            return False
        self._pressed.note(press)
        try:
            return await self._claim(ask)
        except StoreUnavailable:
            self._pressed.forget(press)
            raise

    async def _claim(self, ask: Ask) -> bool:
        message, key = ask.message, ask.message.target.conversation
        if ask.may_stop and await self._stop_instead(ask):
            return True
        if ask.about_question_in is not None and ask.about_question_in == await self._conversation(ask):
            # The app was asked just that.
            message = replace(message, about=None)
        queued = self._queued(ask.app.name)
        busy = queued >= ask.app.most_queued
        accepted = await self._store.accept(
            NewQuestion(
                event_id=message.event_id,
                key=key,
                app=ask.app.name,
                backend_user=backend_user(key),
                question=replace(question_in(message), choice=ask.choice),
                join=ask.join,
                most_waiting=REFUSE if busy else ask.app.most_waiting,
                most_by_bots=self._policy.bot_turns,
                quotas=ask.quotas,
            )
        )
        # Durable now, whoever claimed it.
        self._remember(message.ref)
        if accepted is None:
            self._note_duplicate(message)
            # Its first delivery may have been given up just when it was stored; waking for nothing is harmless.
            known = await self._conversation(ask)
            if known is not None:
                self._dispatcher.wake(known)
            return False
        if isinstance(accepted, Limited):
            self._metrics.question(key.platform, QuestionResult.REFUSED)
            _log.info("limited", event_id=message.event_id, platform=key.platform, until=accepted.until.isoformat())
            if message.origin is Origin.PERSON:
                self._limits.tell(accepted, message.author.id, message.target, message.private)
            return True
        if isinstance(accepted, Full):
            waiting = queued if busy else accepted.waiting
            self._metrics.question(key.platform, QuestionResult.REFUSED)
            _log.info(
                "refused",
                event_id=message.event_id,
                platform=key.platform,
                busy=busy,
                waiting=waiting,
                by_bots=accepted.by_bots,
            )
            if message.origin is Origin.PERSON:  # bots would answer
                self._limits.tell_full(waiting, message.private or message.target, busy=busy)
            return True
        self._metrics.question(key.platform, QuestionResult.ACCEPTED)
        _log.info(
            "accepted",
            event_id=message.event_id,
            platform=key.platform,
            app=ask.app.name,
            conversation=accepted.conversation_id,
            seq=accepted.seq,
            waiting=accepted.waiting,
        )
        self._dispatcher.wake(accepted.conversation_id)
        if accepted.behind_form and message.origin is Origin.PERSON:
            self._limits.tell_behind_form(message.private or message.target)
        return True

    async def _stop_instead(self, ask: Ask) -> bool:
        """Whether the message is dealt with: it ended what was running, or had done so before."""
        message, key = ask.message, ask.message.target.conversation
        begun = [ask.join] if ask.join is not None else await self._picking.begun(key, ask.app.name, ask.choices)
        for conversation in begun:
            result = await self._store.request_stop(message.event_id, conversation, by=message.ref)
            if result is not StopResult.NOTHING_RUNS:
                break
        else:
            return False
        self._remember(message.ref)
        self._afterthoughts.nudge_to_stop(conversation, result)
        if message.private is not None and result is StopResult.STOPPING:
            self._notices.tell(message.private, STOPPED)
        return True

    async def _conversation(self, ask: Ask) -> ConversationId | None:
        if ask.join is not None:
            return ask.join
        return await self._store.find_conversation(ask.message.target.conversation, ask.app.name)

    def _note_duplicate(self, message: MessageReceived) -> None:
        self._metrics.question(message.ref.platform, QuestionResult.DUPLICATE)
        _log.info("duplicate", event_id=message.event_id, platform=message.ref.platform)

    def _remember(self, ref: MessageRef) -> None:
        self._claimed[ref] = None
        if len(self._claimed) > _REMEMBERED:
            del self._claimed[next(iter(self._claimed))]

    def _refuse(self, refuse: Refuse) -> None:
        key = refuse.key
        _log.info("refused", event_id=refuse.event_id, platform=key.platform, reason=refuse.reason)
        if refuse.message is not None:
            self._refused_presses.note((refuse.message, refuse.person))
        who_and_where = (key.platform, key.installation, key.channel, refuse.person)
        awaited = refuse.awaited and refuse.tell is not None and refuse.tell.private
        if refuse.tell is not None and (awaited or self._refused.seconds_left(who_and_where) == 0):
            self._refused.note(who_and_where)
            self._notices.tell(refuse.tell, refuse.notice)

    # What is wanted of the bot itself

    async def _obey(self, obey: Obey | Pick) -> None:
        if isinstance(obey, Pick):
            await self._commands.pick(obey)
            return
        said = obey.said
        if said is not None and said.ref in self._claimed:
            _log.info("duplicate", event_id=said.event_id, platform=said.ref.platform)
            return
        if said is not None:
            # Before it is done: Slack tells of a mention twice at once, and what is said of it is said once.
            self._remember(said.ref)
        try:
            await self._commands.obey(obey)
        except StoreUnavailable:
            if said is not None:
                self._claimed.pop(said.ref, None)
            raise

    async def _rate(self, rate: Rate) -> None:
        vote = rate.vote
        if await self._feedback.vote(vote) and vote.active and vote.rating is Rating.LIKE:
            self._praise(Praised(message=vote.message, target=rate.target))

    async def _comment(self, given: CommentGiven) -> None:
        # A form may be shown before it is known that its button was pressed in vain.
        if self._refused_presses.seconds_left((given.message, given.person)) > 0:
            _log.info("refused", event_id=given.event_id, platform=given.message.platform, reason="as the press before")
            return
        await self._feedback.comment(given)

    # What is already asked

    async def _revise(self, revise: Revise) -> None:
        resolution = self._resolve(place_of_message(revise.message))
        message = settle(revise.message, resolution)
        revise = replace(revise, message=message)
        known = message.ref in self._claimed
        if await self._revise_asked(revise) or known or not self._may_be_asked_late(message):
            return
        resolution = await self._picking.settle_for(message, resolution)
        facts = await self._gather(message, resolution)
        decision = await self._picking.complete(decide(message, facts, self._policy, resolution), resolution)
        if isinstance(decision, Refuse):
            self._refuse(decision)
        elif isinstance(decision, Ask) and not await self._ask(decision):
            # It was claimed by what it said before, and perhaps only since we looked.
            await self._revise_asked(revise)

    def _may_be_asked_late(self, message: MessageReceived) -> bool:
        """A forgotten mention is often put in by an edit. What merely stands near the bot was not meant for it before either."""
        return is_addressed(message) and self._clock.now() - message.sent_at < self._late_mention

    async def _revise_asked(self, revise: Revise) -> bool:
        message = revise.message
        change = await self._store.revise(
            message.event_id, question_in(message), revise.revision, running=revise.running
        )
        if change.touched is Touched.NOTHING or change.conversation_id is None:
            return False
        _log.info("revised", conversation=change.conversation_id, touched=change.touched.value)
        if change.touched is Touched.RUNNING:
            self._afterthoughts.call(change.conversation_id)
        return True


def _note_nothing(_: object) -> None:
    pass


async def _take_nothing(submitted: FormSubmitted) -> None:
    _log.debug("ignored", event_id=submitted.event_id, kind="FormSubmitted", reason="nothing is asked for in forms")
