"""What an app is told of its own conversation, where its server keeps none: the bridge's own record of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bridge import logs
from bridge.backend_api import AcceptsFiles, Backend, Question
from bridge.clock import Clock, within
from bridge.errors import BackendError, StoreUnavailable
from bridge.history_api import Exchange, KeepsNoHistory, PastTurn
from bridge.messages import AppName, AskedQuestion, Turn
from bridge.metrics import Metrics
from bridge.questions import words_of
from bridge.store import Store
from bridge.surroundings import Surroundings

_log = logs.get("recalling")

FILE_PATIENCE = timedelta(seconds=15)
"""For all that came with earlier questions. It was seen once, and an answer about it stands there."""


class Recaller:
    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        surroundings: Surroundings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._backends = backends
        self._surroundings = surroundings
        self._clock = clock
        self._metrics = metrics

    def is_wanted(self, app: AppName) -> bool:
        return isinstance(self._backends[app], KeepsNoHistory)

    def told(self, app: AppName, asked: AskedQuestion) -> str:
        """What the app was told when this was asked before; "" when that is not known. An edit may have come in between."""
        words = words_of(asked)
        return asked.told if self.is_wanted(app) and asked.told.endswith(words) else ""

    async def recall(self, turn: Turn, question: Question, asked: AskedQuestion) -> Question:
        """The question with what was said before. What the app is told with it beyond its words is kept, since it will have to be
        told again."""
        backend = self._backends[turn.app]
        if not isinstance(backend, KeepsNoHistory):
            return question
        try:
            told = question.text if question.text != words_of(asked) else ""
            if told != asked.told:
                await self._store.record_told(turn, told)
            past = await self._store.recent_turns(turn, backend.history_turns)
        except StoreUnavailable as error:
            # Better an answer out of context than none.
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="recall", detail=str(error))
            return question
        return replace(question, history=await self._exchanges(turn, asked, past, len(question.files)))

    async def _exchanges(
        self, turn: Turn, asked: AskedQuestion, past: Sequence[PastTurn], before: int
    ) -> tuple[Exchange, ...]:
        """With as many of the newest files as the app takes at once, beside `before` of the question's own."""
        files: list[tuple[str, ...]] = [()] * len(past)
        try:
            await within(self._clock, FILE_PATIENCE.total_seconds(), self._find_files(turn, asked, past, before, files))
        except (BackendError, TimeoutError) as error:
            # What was said tells of them too.
            _log.warning("earlier_files_not_had", detail=str(error))
        return tuple(
            Exchange(question=one.question, answer=one.answer, files=found)
            for one, found in zip(past, files, strict=True)
        )

    async def _find_files(
        self, turn: Turn, asked: AskedQuestion, past: Sequence[PastTurn], before: int, into: list[tuple[str, ...]]
    ) -> None:
        backend = self._backends[turn.app]
        written = [[file for file in one.attachments if not file.is_voice] for one in past]
        if not isinstance(backend, AcceptsFiles) or not any(written):
            return
        room = (await backend.file_rules()).most - before
        for number in reversed(range(len(past))):
            if room <= 0:
                return
            wanted = tuple(written[number][:room])
            handed = await self._surroundings.hand_over(turn, replace(asked, attachments=wanted))
            into[number] = tuple(file.id for file in handed.files)
            room -= len(handed.files)
