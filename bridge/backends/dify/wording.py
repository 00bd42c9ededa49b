"""Where in a request a member's question goes: chat apps have a place for it, workflows one of their own input variables."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.backend_api import Question
from bridge.backends.dify.errors import NO_QUERY_INPUT
from bridge.backends.dify.file_inputs import place_files
from bridge.backends.dify.kinds import Kind, KindOfApp
from bridge.backends.dify.parameters import KeptParameters, Parameters
from bridge.backends.dify.sentences import too_long_for
from bridge.errors import BackendMisconfigured, QuestionRefused
from bridge.remote.framing import Json
from bridge.variables_api import InputKind, InputVariable

_QUERY = "query"
"""The variable that Dify gives every new completion app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    path: str
    body: Json


class Wording:
    def __init__(self, kinds: KindOfApp, parameters: KeptParameters, wanted: str) -> None:
        """`wanted`: the variable that the operator named, "" where none was."""
        self._kinds = kinds
        self._parameters = parameters
        self._wanted = wanted

    async def variable(self) -> str | None:
        """Among the app's inputs, the one that the question goes into; None where it has a place of its own. Raises
        `BackendError`."""
        found = await self._find(await self._kinds.get())
        return found.name if found is not None else None

    async def put(self, question: Question, kind: Kind) -> Request:
        """The question to an app of that kind. Raises `BackendError`."""
        # Dify refuses a request without `inputs`, and falls back to blocking without `response_mode`.
        inputs: Json = dict(question.inputs)
        body: Json = {"inputs": inputs, "response_mode": "streaming", "user": question.user}
        if question.files:
            told = await self._parameters.get()
            placed = place_files(question.files, told.file_variables, told.with_question)
            inputs.update(placed.inputs)
            if placed.files:
                body["files"] = list(placed.files)
        variable = await self._find(kind)
        if variable is not None:
            if variable.most is not None and len(question.text) > variable.most:
                raise QuestionRefused(
                    f"the question has {len(question.text)} characters, the input {variable.name} takes {variable.most}",
                    code="too_long",
                    user_message=too_long_for(variable.most),
                )
            inputs[variable.name] = question.text
        else:
            body["query"] = question.text
        if kind is Kind.CHAT:
            # Naming costs a second before the first token of every conversation (measured on 1.12.1).
            body["auto_generate_name"] = False
            if question.conversation:
                body["conversation_id"] = question.conversation
        return Request(path=kind.asking, body=body)

    async def _find(self, kind: Kind) -> InputVariable | None:
        if kind is Kind.CHAT:
            return None
        return find_variable(kind, await self._parameters.get(), self._wanted)


def find_variable(kind: Kind, parameters: Parameters, wanted: str) -> InputVariable | None:
    """None: the question goes nowhere among the inputs. Raises `BackendMisconfigured`, which says what to set."""
    texts = [one for one in parameters.variables if one.kind in (InputKind.TEXT, InputKind.PARAGRAPH)]
    known = {one.name: one for one in texts}
    if wanted:
        if parameters.tells_form and wanted not in known:
            raise BackendMisconfigured(
                f"the app has no text input {wanted!r} for the question; {_list(texts)}",
                code=NO_QUERY_INPUT,
                fix="Set DIFY_QUERY_INPUT to one of the app's text inputs.",
            )
        return known.get(wanted) or InputVariable(name=wanted, label=wanted)
    if kind is Kind.COMPLETION and _QUERY in known:
        return known[_QUERY]
    shown = [one for one in texts if not one.hidden]
    required = [one for one in shown if one.required]
    if len(required) == 1:
        return required[0]
    if kind is Kind.COMPLETION:
        # It takes a question beside its inputs, as the last thing that the model is told.
        return None
    if not required and len(shown) == 1:
        return shown[0]
    raise BackendMisconfigured(
        f"it is not clear which input of the workflow a question goes into; {_list(texts)}",
        code=NO_QUERY_INPUT,
        fix="Set DIFY_QUERY_INPUT to the name of the text input that takes the question."
        if known
        else "Give the workflow's Start node a text input for the question.",
    )


def _list(texts: Sequence[InputVariable]) -> str:
    if not texts:
        return "it has no text input"
    return f"it has {', '.join(one.name[:60] for one in texts[:20])}"
