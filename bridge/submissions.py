"""What people answer to an app that waits for them: asked for in a form or given by a press, checked, and made durable.

Who may answer is the app's policy; whether somebody may use the bot at all was asked before.
"""

from collections.abc import Mapping

from bridge import logs
from bridge.clock import Clock
from bridge.dispatcher import Dispatcher
from bridge.events import FormSubmitted
from bridge.forms_api import FieldKind, Form, FormField, FormRequest
from bridge.markdown.characters import literally
from bridge.messages import AnswerId, AppName, Author, MessageRef, PersonId, ReplyTarget
from bridge.notices import Notices
from bridge.pauses import FieldKind as Kind
from bridge.pauses import Given, InputAction, InputField, OpenForm, PauseStep
from bridge.pauses_api import GiveResult
from bridge.pausing import name_of, whom
from bridge.routing import AppPolicy, MayAnswer
from bridge.store import Store

_log = logs.get("submissions")

OVER = "This is not asked any more."
TOO_LATE = "The time to answer this is over."
ANSWERED = "This was answered already."
ANSWERED_BY = "{name} was faster: this was answered already."
NOT_YOURS = "Only {whom} can answer this."

_KINDS = {
    Kind.TEXT: FieldKind.TEXT,
    Kind.PARAGRAPH: FieldKind.PARAGRAPH,
    Kind.SELECT: FieldKind.SELECT,
    Kind.OTHER: FieldKind.TEXT,
}

MORE = "Thank you. There is more to fill in: please press the button once more."

_Step = tuple[AnswerId, int, str, PersonId]
"""Which form, how it is to be answered, and by whom."""

MOST_BEGUN = 500

MOST_CHARACTERS = 3000
"""Of one field; as much as every platform's forms take."""


class Submissions:
    """A keeper of forms (see `form_desk`)."""

    def __init__(
        self,
        *,
        store: Store,
        policies: Mapping[AppName, AppPolicy],
        dispatcher: Dispatcher,
        notices: Notices,
        clock: Clock,
    ) -> None:
        self._store = store
        self._policies = policies
        self._dispatcher = dispatcher
        self._notices = notices
        self._clock = clock
        self._begun: dict[_Step, dict[str, str]] = {}
        """What was filled in of forms that do not fit into one of the platform's. Gone with the process: asked again then."""

    async def find(self, request: FormRequest) -> Form | str:
        found = await self._find(request.message, request.form, request.author, request.target)
        if isinstance(found, str):
            return found
        open_form, action = found
        asked, begun = open_form.pause.request, self._begun.get(_step(open_form, action, request.author), {})
        return Form(
            id=request.form,
            title=asked.title or action.title,
            fields=tuple(_field(one) for one in asked.fields if one.name not in begun),
            submit=action.title,
        )

    async def fill_in(self, submitted: FormSubmitted) -> None:
        found = await self._find(submitted.message, submitted.form, submitted.author, submitted.target)
        if isinstance(found, str):
            _log.info("form_not_taken", event_id=submitted.event_id, told=submitted.private is not None)
            self._tell(submitted, found)
            return
        open_form, action = found
        pause, step = open_form.pause, _step(open_form, action, submitted.author)
        values = {**self._begun.get(step, {}), **submitted.values}
        if any(one.name not in values for one in pause.request.fields):
            self._begin(step, values)
            self._tell(submitted, MORE)
            return
        gave = await self._store.give(
            submitted.event_id,
            open_form.answer,
            pause.number,
            Given(
                action=action.id,
                values=values,
                by=submitted.author.id,
                name=name_of(submitted.author) or "somebody",
            ),
        )
        self._begun.pop(step, None)
        _log.info(
            "form_answered",
            event_id=submitted.event_id,
            conversation=open_form.conversation,
            number=pause.number,
            result=gave.result.value,
        )
        match gave.result:
            case GiveResult.TAKEN:
                self._dispatcher.wake(open_form.conversation)
            case GiveResult.EARLIER:
                self._tell(submitted, ANSWERED_BY.format(name=gave.by) if gave.by else ANSWERED)
            case GiveResult.OVER:
                self._tell(submitted, OVER)

    async def _find(
        self, message: MessageRef, form: str, author: Author, target: ReplyTarget
    ) -> tuple[OpenForm, InputAction] | str:
        """The form and the way it is to be answered, or why this person cannot."""
        found = await self._store.open_form(message, target.conversation)
        number, choice = _read(form)
        if found is None or found.stopped or found.pause.number < number:
            return OVER
        pause = found.pause
        if pause.number > number:
            return ANSWERED
        may = self._may(found.app)
        if not may.admits(author, found.asker):
            _log.info("not_theirs", conversation=found.conversation, number=number)
            return NOT_YOURS.format(whom=whom(may, name_of(found.asker)))
        expires = pause.request.expires_at
        if pause.is_late or (expires is not None and self._clock.now() >= expires):
            return TOO_LATE
        if not 0 <= choice < len(pause.request.actions):
            return OVER
        given = pause.given
        # A delivery that comes twice is known by the store.
        if pause.step is not PauseStep.WAITING and (given is None or given.by != author.id):
            return ANSWERED_BY.format(name=given.name) if given else ANSWERED
        return found, pause.request.actions[choice]

    def _begin(self, step: _Step, values: dict[str, str]) -> None:
        self._begun[step] = values
        if len(self._begun) > MOST_BEGUN:
            del self._begun[next(iter(self._begun))]

    def _may(self, app: AppName) -> MayAnswer:
        policy = self._policies.get(app)
        return MayAnswer() if policy is None else policy.may_answer

    def _tell(self, submitted: FormSubmitted, why: str) -> None:
        if submitted.private is not None:
            self._notices.tell(submitted.private, literally(why))


def _step(form: OpenForm, action: InputAction, who: Author) -> _Step:
    return form.answer, form.pause.number, action.id, who.id


def _read(form: str) -> tuple[int, int]:
    """The number of the pause, and that of the action; what is no number is none of ours."""
    numbers = [int(one) for one in form.split(":")[1:] if one.isascii() and one.isdigit() and len(one) < 9]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, -1)


def _field(one: InputField) -> FormField:
    return FormField(
        name=one.name,
        label=one.name,
        kind=FieldKind.TEXT if one.kind is Kind.SELECT and not one.options else _KINDS[one.kind],
        # Dify takes an empty text for an answer; of a choice it wants one.
        required=one.kind is Kind.SELECT,
        options=one.options,
        most=MOST_CHARACTERS if one.kind is not Kind.SELECT else None,
        default=one.default[:MOST_CHARACTERS],
    )
