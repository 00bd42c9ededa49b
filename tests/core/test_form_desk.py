"""Who may open a form, and who knows it."""

from dataclasses import replace

from bridge.admitting import NOT_ADMITTED, SHARED_CHANNEL
from bridge.events import FormSubmitted
from bridge.form_desk import UNKNOWN, FormDesk
from bridge.forms_api import Form, FormField, FormRequest
from bridge.messages import EventId, InstallationId, PersonId
from bridge.routing import DEFAULT_APP, Access, AppPolicy, Place, Resolution
from tests.fakes import values

FORM = Form(id="tea:7", title="Tea", fields=(FormField(name="milk", label="Milk?"),))
OPEN = Resolution(app=AppPolicy(name=DEFAULT_APP))


class TeaForms:
    """Keeps one kind of form."""

    def __init__(self) -> None:
        self.filled: list[FormSubmitted] = []

    async def find(self, request: FormRequest) -> Form | str:
        return FORM if request.form == FORM.id else "That tea is cold."

    async def fill_in(self, submitted: FormSubmitted) -> None:
        self.filled.append(submitted)


def desk(resolution: Resolution = OPEN, tea: TeaForms | None = None) -> FormDesk:
    def resolve(_: Place) -> Resolution:
        return resolution

    return FormDesk(resolve=resolve, keepers={"tea": tea or TeaForms()})


def request(form: str) -> FormRequest:
    return FormRequest(form=form, message=values.ref("a1"), author=values.person(), target=values.target())


async def test_each_kind_of_form_is_asked_of_its_own_keeper() -> None:
    assert await desk().find(request("tea:7")) == FORM
    assert await desk().find(request("tea:8")) == "That tea is cold."


async def test_a_form_of_an_unknown_kind_is_said_to_be_unknown() -> None:
    for form in ("coffee:7", "tea", "", ":"):
        assert await desk().find(request(form)) == UNKNOWN


async def test_who_may_not_use_the_bot_there_opens_no_form() -> None:
    closed = replace(OPEN, access=Access(users=frozenset({PersonId("somebody")})))
    assert await desk(closed).find(request("tea:7")) == NOT_ADMITTED


async def test_somebody_of_another_organisation_opens_no_form() -> None:
    stranger = replace(request("tea:7"), author=replace(values.person(), home=InstallationId("elsewhere")))
    assert await desk().find(stranger) == SHARED_CHANNEL


async def test_a_form_that_was_begun_can_be_filled_in_although_no_app_answers_there_any_more() -> None:
    assert await desk(Resolution(app=None)).find(request("tea:7")) == FORM


async def test_what_was_filled_in_goes_to_the_keeper_of_its_kind_alone() -> None:
    tea = TeaForms()
    one = FormSubmitted(
        event_id=EventId("f1"),
        form="tea:7",
        message=values.ref("a1"),
        author=values.person(),
        target=values.target(),
        values={"milk": "yes"},
        revision=1,
    )
    await desk(tea=tea).fill_in(one)
    await desk(tea=tea).fill_in(replace(one, form="coffee:7"))
    assert tea.filled == [one]
