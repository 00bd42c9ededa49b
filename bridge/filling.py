"""Forms by which members tell an app what it wants to know: found when somebody wants to fill one in, and kept when they did."""

from collections.abc import Mapping

from bridge import logs
from bridge.clock import Clock
from bridge.dispatcher import Dispatcher
from bridge.events import FormSubmitted
from bridge.forms_api import Form, FormRequest, find_problems
from bridge.gathering import KIND
from bridge.inputs import Value, filled_in
from bridge.kept_inputs import InputRequest, KeepsInputs
from bridge.messages import AnswerId, PersonId
from bridge.notices import Notices

_log = logs.get("inputs")

NOT_YOURS = "Only who asked the question can fill this in."
DONE = "This is filled in already, or it is not needed any more."
TOO_LATE = "The time for this is up. Please press Try again, or ask once more."


class InputForms:
    """A `form_desk.KeepsForms`."""

    def __init__(self, *, kept: KeepsInputs, dispatcher: Dispatcher, notices: Notices, clock: Clock) -> None:
        self._kept = kept
        self._dispatcher = dispatcher
        self._notices = notices
        self._clock = clock

    async def find(self, request: FormRequest) -> Form | str:
        found = await self._find(request.form, request.author.id)
        return found if isinstance(found, str) else found.form

    async def fill_in(self, submitted: FormSubmitted) -> None:
        found = await self._find(submitted.form, submitted.author.id)
        if isinstance(found, str):
            _log.info("inputs_not_taken", event_id=submitted.event_id, reason=found)
            if submitted.private is not None:
                self._notices.tell(submitted.private, found)
            return
        form = found.form
        problems = find_problems(form, submitted.values)
        if problems:
            # Platforms look before they hand it in; what it says is none of the log's business.
            _log.warning("inputs_not_taken", event_id=submitted.event_id, reason="problems", fields=sorted(problems))
            if submitted.private is not None:
                self._notices.tell(submitted.private, next(iter(problems.values())))
            return
        conversation = await self._kept.fill_in(found.answer_id, _values(form, submitted.values))
        if conversation is not None:
            _log.info("inputs_given", event_id=submitted.event_id, conversation=conversation)
            self._dispatcher.nudge(conversation)

    async def _find(self, form: str, person: PersonId) -> InputRequest | str:
        number = form.removeprefix(f"{KIND}:")
        asked = await self._kept.asked(AnswerId(int(number))) if _is_number(number) else None
        if asked is None:
            return DONE
        if asked.person != person:
            return NOT_YOURS
        return asked if self._clock.now() < asked.expires_at else TOO_LATE


def _values(form: Form, submitted: Mapping[str, str]) -> Mapping[str, Value]:
    found: dict[str, Value] = {}
    for field in form.fields:
        value = filled_in(field, submitted[field.name]) if field.name in submitted else None
        if value is not None:
            found[field.name] = value
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
