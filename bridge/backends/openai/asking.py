"""Has a question accepted. A server that refuses it for something that can be left out is asked once more without."""

from dataclasses import dataclass

from bridge import logs
from bridge.backend_api import Question
from bridge.backends.openai.client import OpenAIClient
from bridge.backends.openai.errors import TOO_LONG, WRONG_PATH, explain_refusal
from bridge.backends.openai.prompting import compose
from bridge.backends.openai.settings import Settings
from bridge.errors import BackendMisconfigured
from bridge.remote.calling import Answering
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal

log = logs.get("openai")

_MOST_TRIES = 4
"""Each but the last is for another reason, or with half of the conversation."""


@dataclass(slots=True)
class _Habits:
    """What is known of the server by now."""

    reports_usage: bool
    length: str = "max_tokens"
    """OpenAI's models that think want it to be called `max_completion_tokens`; most other servers do not know that."""


class Asker:
    def __init__(self, client: OpenAIClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._habits = _Habits(reports_usage=settings.openai_report_usage)

    async def ask(self, question: Question) -> Answering:
        """A refusal is no acceptance, so asking again is not asking twice. Raises `BackendError`."""
        tokens = self._settings.openai_history_tokens
        tries = 0
        while True:
            tries += 1
            body = self._body(question, tokens)
            reply = await self._client.ask(body)
            if isinstance(reply, Answering):
                if "html" not in reply.content_type:
                    return reply
                reply.close()
                raise BackendMisconfigured("the server answered with a web page", code=WRONG_PATH)
            error = explain_refusal(reply)
            if tries >= _MOST_TRIES:
                raise error
            if self._learn_from(reply, body):
                log.info("asked_without", code=error.code, detail=str(error))
            elif error.code == TOO_LONG and question.history and tokens:
                # The estimate was wrong, or the model has less room than we were told.
                tokens = tokens // 2 if tries < _MOST_TRIES - 1 else 0
                log.warning("asked_with_less_history", tokens=tokens, detail=str(error))
            else:
                raise error

    def _body(self, question: Question, tokens: int) -> Json:
        settings = self._settings
        body: Json = {
            "model": settings.openai_model,
            "messages": compose(question, settings.openai_system_prompt, tokens),
            "stream": True,
        }
        if self._habits.reports_usage:
            body["stream_options"] = {"include_usage": True}
        if settings.openai_temperature is not None:
            body["temperature"] = settings.openai_temperature
        if settings.openai_max_tokens is not None:
            body[self._habits.length] = settings.openai_max_tokens
        return body

    def _learn_from(self, refusal: Refusal, sent: Json) -> bool:
        """True: it refused something that it need not be sent again, which another question may have learned meanwhile."""
        if refusal.status not in (400, 422):
            return False
        if "stream_options" in sent and (b"stream_options" in refusal.body or b"include_usage" in refusal.body):
            self._habits.reports_usage = False
            return True
        if "max_tokens" in sent and b"max_completion_tokens" in refusal.body:
            self._habits.length = "max_completion_tokens"
            return True
        return False
