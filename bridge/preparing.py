"""A question made ready for the backend, with everything that the app should know; and after the answer, what could follow it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge import logs
from bridge.backend_api import Backend, Question, StandsAlone, SuggestsQuestions
from bridge.clock import Clock
from bridge.errors import BackendError, StoreUnavailable
from bridge.messages import AppName, AskedQuestion, BackendIds
from bridge.metrics import Metrics
from bridge.questions import lead_of, with_past, with_thread, words_of
from bridge.recalling import Recaller
from bridge.routing import AppPolicy
from bridge.running import Running
from bridge.store import Store
from bridge.surroundings import HandedOver, Surroundings
from bridge.transcribing import Heard, Transcriber

_log = logs.get("preparing")

_NOTHING_READ = "(There was nothing in it that the app could read.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareLimits:
    suggestions: timedelta = timedelta(seconds=3)
    """How long the end of a complete answer waits for questions that could follow; 0: none are asked for."""


class Preparer:
    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        policies: Mapping[AppName, AppPolicy],
        surroundings: Surroundings,
        transcriber: Transcriber,
        clock: Clock,
        metrics: Metrics,
        limits: PrepareLimits,
    ) -> None:
        self._store = store
        self._backends = backends
        self._policies = policies
        self._surroundings = surroundings
        self._transcriber = transcriber
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._recaller = Recaller(
            store=store, backends=backends, surroundings=surroundings, clock=clock, metrics=metrics
        )

    def plain(self, running: Running, asked: AskedQuestion, ids: BackendIds) -> Question:
        """The question alone, as an earlier owner asked it."""
        turn = running.turn
        return Question(
            text=words_of(asked),
            user=turn.backend_user,
            conversation=ids.conversation,
            inputs=self._policies[turn.app].inputs if running.inputs is None else running.inputs,
            sent_at=asked.sent_at,
            choice=asked.choice or None,
        )

    async def prepare(self, running: Running, asked: AskedQuestion) -> Question | None:
        """With its files, and with what was said before where the app does not know it. None: without its files, which the app
        could not be given, there is nothing to ask; `running` says so. Raises `BackendError`."""
        if running.handed is None or running.handed[0] != asked.attachments:
            running.handed = asked.attachments, await self._hand_over(running, asked)
        files = running.handed[1].files
        asked = replace(asked, spoken=running.handed[1].spoken)
        running.draft.lead = lead_of(asked)
        if not asked.words.strip() and not files:
            running.notes = [_NOTHING_READ]
            return None
        question = replace(self.plain(running, asked, running.ids), files=files)
        if told := self._recaller.told(running.turn.app, asked):
            question = replace(question, text=told)
        elif running.ids.conversation is None and not await self._stands_alone(running):
            if running.above is None and not running.healed and not running.turn.fresh:
                running.above = tuple(await self._surroundings.thread(running.turn, asked))
            question = replace(question, text=with_thread(running.above or (), asked.about, question.text))
        elif asked.about is not None:
            question = replace(question, text=with_thread((), asked.about, question.text))
        if self._recaller.is_wanted(running.turn.app):
            return await self._recaller.recall(running.turn, question, asked)
        return await self._with_past(running, question)

    async def _stands_alone(self, running: Running) -> bool:
        backend = self._backends[running.turn.app]
        return isinstance(backend, StandsAlone) and await backend.stands_alone()

    async def _hand_over(self, running: Running, asked: AskedQuestion) -> HandedOver:
        recordings = [file for file in asked.attachments if file.is_voice]
        if not recordings:
            return await self._surroundings.hand_over(running.turn, asked)
        if asked.spoken:
            heard = Heard(words=asked.spoken)
        else:
            heard = await self._transcriber.listen(running.turn, recordings)
            await self._keep(running, heard.words)
        files = tuple(file for file in asked.attachments if not file.is_voice or file in heard.unheard)
        handed = await self._surroundings.hand_over(running.turn, replace(asked, attachments=files), heard.unheard)
        return replace(handed, spoken=heard.words)

    async def _keep(self, running: Running, words: str) -> None:
        """So that nobody has to listen again, and whoever takes over knows what the app was asked."""
        try:
            if words:
                await self._store.record_spoken(running.turn, words)
        except StoreUnavailable as error:
            self._store_away("record_spoken", error)

    def _store_away(self, doing: str, error: StoreUnavailable) -> None:
        self._metrics.store_unavailable()
        _log.warning("store_unavailable", doing=doing, detail=str(error))

    async def _with_past(self, running: Running, question: Question) -> Question:
        turns = self._policies[running.turn.app].context_turns
        if not running.healed or not turns:
            return question
        try:
            past = await self._store.recent_turns(running.turn, turns)
        except StoreUnavailable as error:
            self._store_away("recent_turns", error)
            return question
        return replace(question, text=with_past(past, question.text))

    async def suggest(self, running: Running) -> None:
        """Asks what could be asked next, for as long as nobody minds."""
        backend = self._backends[running.turn.app]
        wait = self._limits.suggestions
        wanted = running.wants_suggestions and wait and running.draft.text.strip() and not running.handed_over
        if not wanted or not isinstance(backend, SuggestsQuestions):
            return
        running.woken.clear()
        looking = backend.suggestions(running.ids, running.turn.backend_user)
        # The answer is there: whoever closes waits for its end rather than have it fetched by the next owner.
        running.asked = True
        try:
            found = await running.until_woken(looking, self._clock, wait, running.woken.set)
        except BackendError as error:
            _log.info("no_suggestions", code=error.code, detail=str(error))
            return
        finally:
            running.asked = False
        running.suggestions = tuple(found or ())
