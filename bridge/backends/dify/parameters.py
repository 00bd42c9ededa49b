"""What an app says about itself in `GET /parameters`, narrowed to what matters here and kept for a while."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.backend_api import FileRules, Opening
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.file_inputs import FileVariable, join_rules, read_file_variables
from bridge.backends.dify.filetypes import read_file_rules
from bridge.backends.dify.form import read_variables
from bridge.backends.dify.lacking import is_absent
from bridge.clock import Clock
from bridge.remote.framing import Json, object_of, text_of
from bridge.remote.plain import make_plain
from bridge.variables_api import InputVariable

PARAMETERS_BYTES = 256 * 1024
"""A form with long drop-down lists is some tens of KiB."""

MOST_QUESTIONS = 10
"""Opening questions passed on. Dify's editor takes ten."""

LONGEST_QUESTION = 200
"""Characters of a question that is offered. A longer one is left out: cut short, it would ask something else."""

LONGEST_OPENING = 4000
"""Characters."""

_VARIABLE = re.compile(r"([ \t]*)\{\{\s*([A-Za-z_]\w*)\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    files: FileRules = field(default_factory=FileRules)
    """What members may attach, wherever it goes."""
    with_question: FileRules = field(default_factory=FileRules)
    """What goes with the question itself, rather than into a variable."""
    file_variables: tuple[FileVariable, ...] = ()
    opening: Opening = field(default_factory=Opening)
    suggests: bool = False
    """Questions that could come after an answer."""
    cites: bool = False
    speaks: bool = False
    """Answers can be read aloud."""
    hears: bool = False
    """Recordings can be turned into text."""
    variables: tuple[InputVariable, ...] = ()
    """In the order of the app's form, the one for the question included."""
    tells_form: bool = False


def read_parameters(reply: Json) -> Parameters:
    values = _defaults_of(reply.get("user_input_form"))
    system = object_of(reply, "system_parameters")
    with_question = read_file_rules(object_of(reply, "file_upload"), system)
    variables = read_file_variables(reply.get("user_input_form"), system)
    return Parameters(
        files=join_rules(with_question, variables) if variables else with_question,
        with_question=with_question,
        file_variables=variables,
        opening=Opening(
            text=_fill_in(text_of(reply, "opening_statement"), values).strip()[:LONGEST_OPENING],
            questions=choose_questions(
                [_fill_in(question, values) for question in _strings(reply.get("suggested_questions"))], MOST_QUESTIONS
            ),
        ),
        suggests=object_of(reply, "suggested_questions_after_answer").get("enabled") is True,
        cites=object_of(reply, "retriever_resource").get("enabled") is True,
        speaks=object_of(reply, "text_to_speech").get("enabled") is True,
        hears=object_of(reply, "speech_to_text").get("enabled") is True,
        variables=read_variables(reply.get("user_input_form")),
        tells_form=isinstance(reply.get("user_input_form"), list),
    )


def choose_questions(told: object, most: int) -> tuple[str, ...]:
    """The first few questions of a list that can be offered, each once, as plain text of one line."""
    lines = (make_plain(question, LONGEST_QUESTION + 1) for question in _strings(told))
    return tuple(dict.fromkeys(line for line in lines if 0 < len(line) <= LONGEST_QUESTION))[:most]


async def fetch_parameters(client: DifyClient) -> Json:
    """As Dify gives them; nothing where the server only speaks like it and describes no app. Raises `BackendError`."""
    reply = await client.call("GET", "/parameters", max_bytes=PARAMETERS_BYTES)
    if is_absent(reply):
        return {}
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply)
    return reply.read()


class KeptParameters:
    """An app's parameters, asked for again after `max_age` seconds. Whoever comes meanwhile waits for the one call."""

    def __init__(self, client: DifyClient, clock: Clock, max_age: float) -> None:
        self._client = client
        self._clock = clock
        self._max_age = max_age
        self._asking = asyncio.Lock()
        self._kept: Parameters | None = None
        self._kept_at = 0.0

    async def get(self) -> Parameters:
        """Raises `BackendError`."""
        async with self._asking:
            if self._kept is None or self._clock.monotonic() - self._kept_at >= self._max_age:
                self._kept = read_parameters(await fetch_parameters(self._client))
                self._kept_at = self._clock.monotonic()
            return self._kept


def _defaults_of(form: object) -> Mapping[str, str]:
    """The default of each variable of the app's form. Each entry is an object with one key, the kind of field."""
    entries = [entry for entry in form if isinstance(entry, dict)] if isinstance(form, list) else []
    fields = [field for entry in entries for field in entry.values() if isinstance(field, dict)]
    return {text_of(field, "variable"): text_of(field, "default") for field in fields}


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    """Variables as Dify's own page shows them before anybody has filled in the form: the default, or nothing."""

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[2], "")
        return found[1] + value if value else ""

    return _VARIABLE.sub(fill, text)


def _strings(value: object) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
