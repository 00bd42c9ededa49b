"""What an app is told of its own conversation, where its server keeps none: the bridge's own record of it."""

from collections.abc import Mapping
from dataclasses import replace

from bridge import logs
from bridge.backend_api import Backend, Question
from bridge.errors import StoreUnavailable
from bridge.history_api import Exchange, KeepsNoHistory
from bridge.messages import AppName, AskedQuestion, Turn
from bridge.metrics import Metrics
from bridge.questions import words_of
from bridge.store import Store

_log = logs.get("recalling")


class Recaller:
    def __init__(self, *, store: Store, backends: Mapping[AppName, Backend], metrics: Metrics) -> None:
        self._store = store
        self._backends = backends
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
        return replace(question, history=tuple(Exchange(question=one.question, answer=one.answer) for one in past))
