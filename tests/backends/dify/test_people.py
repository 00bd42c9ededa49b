"""Chatflows that wait for people: the form read, handed in, and the run heard again from wherever it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.backend_api import (
    AnswerStarted,
    Fate,
    InputRequired,
)
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.people import read_request
from bridge.clock import SystemClock
from bridge.errors import QuestionRefused
from bridge.input_api import Submitted, TakesInput
from bridge.messages import BackendIds, BackendRunId, BackendUser, PersonId
from bridge.pauses import FieldKind, Given, InputAction, InputField, InputRequest
from bridge.playground.dify import DifyServer
from bridge.playground.dify.people import PeopleForm
from bridge.playground.dify.script import Reply, split_tokens
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import (
    IDS,
    MESSAGE_END,
    PING,
    RUN_STARTED,
    Cut,
    Hang,
    ScriptedServer,
    Step,
    data,
    run_finished,
    said,
)

USER = BackendUser("thread-1")


def then(action: str, values: Mapping[str, str]) -> Reply:
    return Reply(tokens=split_tokens(f" It was {action} because of {values.get('why', 'nothing')}."))


FORM = PeopleForm(
    title="Review",
    content="Is **this** right? {{#$output.why#}}",
    then=then,
    inputs=({"type": "text_input", "output_variable_name": "why", "default": {"type": "constant", "value": "luck"}},),
    late=Reply(tokens=split_tokens(" Too late.")),
)


@pytest.fixture
async def server() -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock(), mode="advanced-chat")
    server.first_token = server.per_token = 0.0
    server.features.asks_people = True
    server.script = lambda query: Reply(tokens=split_tokens("Here it is."), form=FORM)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    made = make_backend(server.base_url, dify_api_key=server.api_key, look_again=0.02)
    yield made
    await made.close()


def request_in(outcome: Outcome) -> InputRequest:
    last = outcome.events[-1]
    assert isinstance(last, InputRequired)
    return last.requests[0]


def ids_in(outcome: Outcome) -> BackendIds:
    return next(event.ids for event in reversed(outcome.events) if isinstance(event, AnswerStarted))


def give(action: str = "approve", **values: str) -> Given:
    return Given(action=action, values=values, by=PersonId("ada"), name="Ada")


async def go_on(backend: DifyBackend, first: Outcome, said: str, answered: Sequence[str]) -> Outcome:
    async with asyncio.timeout(5):
        return await hear(backend.resume(ask(), ids_in(first), said, answered))


def test_the_backend_takes_input() -> None:
    assert isinstance(make_backend("http://localhost/v1"), TakesInput)


async def test_a_pause_ends_the_stream_with_the_form(backend: DifyBackend, server: DifyServer) -> None:
    outcome = await hear(backend.answer(ask()))

    assert (outcome.ending, outcome.text) == ("input", "Here it is.")
    asked = server.paused[0].form
    assert request_in(outcome) == InputRequest(
        id=asked.id,
        token=asked.token,
        title="Review",
        text="Is **this** right? ‹why›",
        fields=(InputField(name="why", kind=FieldKind.TEXT, default="luck"),),
        actions=(InputAction(id="approve", title="Approve"), InputAction(id="reject", title="Reject")),
        expires_at=datetime.fromtimestamp(asked.expires, UTC),
    )


async def test_what_is_handed_in_lets_the_run_go_on(backend: DifyBackend, server: DifyServer) -> None:
    first = await hear(backend.answer(ask()))
    request = request_in(first)

    assert await backend.submit(request, give(why="taste"), USER) is Submitted.TAKEN
    rest = await go_on(backend, first, first.text, [request.id])

    assert (rest.ending, first.text + rest.text) == ("completed", "Here it is. It was approve because of taste.")
    assert (server.paused[0].form.by, server.paused[0].form.values) == (USER, {"why": "taste"})


async def test_a_field_that_was_left_alone_has_its_default(backend: DifyBackend, server: DifyServer) -> None:
    request = request_in(await hear(backend.answer(ask())))
    await backend.submit(request, give("reject"), USER)

    assert server.paused[0].form.values == {"why": "luck"}


async def test_the_second_answer_is_told_to_be_late(backend: DifyBackend) -> None:
    request = request_in(await hear(backend.answer(ask())))
    await backend.submit(request, give(), USER)

    assert await backend.submit(request, give("reject"), USER) is Submitted.EARLIER


async def test_a_form_whose_time_is_over_takes_nothing(backend: DifyBackend, server: DifyServer) -> None:
    server.script = lambda query: Reply(form=replace(FORM, seconds=0))
    request = request_in(await hear(backend.answer(ask())))

    assert await backend.submit(request, give(), USER) is Submitted.EXPIRED


async def test_a_form_that_is_gone_takes_nothing(backend: DifyBackend) -> None:
    request = replace(request_in(await hear(backend.answer(ask()))), token="another")

    assert await backend.submit(request, give(), USER) is Submitted.EXPIRED


async def test_what_is_no_answer_to_the_form_is_refused_in_a_sentence(backend: DifyBackend) -> None:
    request = request_in(await hear(backend.answer(ask())))

    with pytest.raises(QuestionRefused) as refused:
        await backend.submit(request, give("maybe"), USER)
    assert refused.value.user_message == "The app did not accept what was filled in."
    assert request.token not in str(refused.value)


async def test_a_run_that_ended_while_nobody_listened_is_told_whole(backend: DifyBackend, server: DifyServer) -> None:
    first = await hear(backend.answer(ask()))
    await backend.submit(request_in(first), give(why="x"), USER)
    await server.until(lambda: server.paused[0].run.status == "succeeded")

    rest = await go_on(backend, first, first.text, [request_in(first).id])
    assert (rest.ending, first.text + rest.text) == ("completed", "Here it is. It was approve because of x.")


async def test_a_run_that_still_waits_tells_its_form_again(backend: DifyBackend) -> None:
    first = await hear(backend.answer(ask()))

    again = await go_on(backend, first, first.text, [])
    assert (again.ending, again.text, request_in(again).id) == ("input", "", request_in(first).id)


async def test_whoever_knows_nothing_of_the_text_is_told_all_of_it(backend: DifyBackend) -> None:
    first = await hear(backend.answer(ask()))

    assert (await go_on(backend, first, "", [])).text == "Here it is."


async def test_a_second_form_follows_the_first(backend: DifyBackend, server: DifyServer) -> None:
    second = replace(FORM, then=lambda action, values: Reply(tokens=[" Done."]), title="Again")
    server.script = lambda query: Reply(
        tokens=["One."],
        form=replace(FORM, then=lambda action, values: Reply(tokens=[" Two."], form=second)),
    )
    first = await hear(backend.answer(ask()))
    await backend.submit(request_in(first), give(), USER)
    middle = await go_on(backend, first, "One.", [request_in(first).id])

    assert (middle.ending, middle.text, request_in(middle).title) == ("input", " Two.", "Again")
    await backend.submit(request_in(middle), give(), USER)
    last = await go_on(backend, first, "One. Two.", [request_in(first).id, request_in(middle).id])
    assert (last.ending, last.text) == ("completed", " Done.")


async def test_a_form_that_nobody_answered_lets_the_run_go_its_other_way(
    backend: DifyBackend, server: DifyServer
) -> None:
    first = await hear(backend.answer(ask()))
    assert await backend.is_waiting(ids_in(first), USER)
    server.paused[0].expire()
    await server.until(lambda: server.paused[0].run.status == "succeeded")

    assert not await backend.is_waiting(ids_in(first), USER)
    rest = await go_on(backend, first, first.text, [])
    assert (rest.ending, rest.text) == ("completed", " Too late.")


async def test_a_run_that_fails_for_want_of_an_answer_is_told_to_have_failed(
    backend: DifyBackend, server: DifyServer
) -> None:
    server.script = lambda query: Reply(form=replace(FORM, late=None))
    first = await hear(backend.answer(ask()))
    server.paused[0].expire()
    await server.until(lambda: server.paused[0].run.status == "failed")

    assert (await go_on(backend, first, "", [])).ending == "BackendFailed"


async def test_a_pause_is_found_by_whoever_looks_for_a_lost_answer(backend: DifyBackend) -> None:
    first = await hear(backend.answer(ask()))

    assert (await backend.recover(ask(), ids_in(first), None)).fate is Fate.PAUSED


async def test_a_stream_of_another_user_is_not_heard(backend: DifyBackend) -> None:
    first = await hear(backend.answer(ask()))
    async with asyncio.timeout(5):
        outcome = await hear(backend.resume(ask(user="somebody"), ids_in(first), "", []))

    assert outcome.ending in ("BackendPaused", "ConversationMissing", "BackendMisconfigured")


async def test_what_is_said_while_nobody_listens_is_made_up_for_at_the_end() -> None:
    """The stream misses the middle; what the run says of itself is whole."""
    steps: list[Step] = [PING, RUN_STARTED, said(" end."), run_finished(), MESSAGE_END, Hang()]
    outcome = await resume_from(
        steps, "Start,", {"status": "succeeded", "outputs": '{"answer": "Start, middle, end."}'}
    )

    assert (outcome.ending, outcome.text) == ("completed", "Start, middle, end.")


async def test_a_text_that_was_taken_back_is_not_brought_back_by_its_run() -> None:
    taken_back = data(event="message_replace", **IDS, answer="No.", reason="output_moderation")
    steps: list[Step] = [RUN_STARTED, said(" and bad words"), taken_back, run_finished(), MESSAGE_END]
    outcome = await resume_from(steps, "Start", {"status": "succeeded", "outputs": '{"answer": "Start and bad words"}'})

    assert outcome.text == "No."


async def test_a_pause_that_is_over_is_waited_through() -> None:
    steps = [
        RUN_STARTED,
        data(event="workflow_paused", **IDS, data=REASONS),
        said(" end."),
        run_finished(),
        MESSAGE_END,
    ]
    outcome = await resume_from(steps, "Start", {"status": "running"}, answered=["f-1"])

    assert (outcome.ending, outcome.text) == ("completed", " end.")


async def test_a_stream_that_breaks_is_opened_again() -> None:
    run: dict[str, object] = {"id": "r-1", "status": "running"}
    async with scripted([RUN_STARTED, Cut()], run) as server:
        backend = make_backend(server.base_url, look_again=0.01)
        hearing = asyncio.ensure_future(hear(backend.resume(ask(), RUN, "Start", [])))
        await server.asked_times(2)
        server.steps = [RUN_STARTED, said(" end."), run_finished(), MESSAGE_END]
        outcome = await hearing
        await backend.close()

    assert (outcome.ending, outcome.text) == ("completed", " end.")


async def test_where_there_is_no_stream_the_run_is_looked_at_until_it_ends() -> None:
    run: dict[str, object] = {"id": "r-1", "status": "running"}
    async with scripted([], run) as server:
        server.streams = "/nowhere"
        backend = make_backend(server.base_url, look_again=0.01)
        hearing = asyncio.ensure_future(hear(backend.resume(ask(), RUN, "Start", [])))
        await server.called_times("/v1/workflows/run/r-1", 3)
        run |= {"status": "succeeded", "outputs": '{"answer": "Start and end."}'}
        outcome = await hearing
        await backend.close()

    assert (outcome.ending, outcome.text) == ("completed", " and end.")


async def test_a_run_that_does_not_go_on_is_given_up() -> None:
    outcome = await resume_from(
        [RUN_STARTED], "Start", {"status": "running"}, dify_progress_timeout=0.1, dify_idle_timeout=0.1
    )

    assert outcome.ending == "BackendTimeout"


RUN = BackendIds(run=BackendRunId("r-1"))
REASONS = {"reasons": [{"TYPE": "human_input_required", "form_id": "f-1", "form_content": "?"}]}


def scripted(steps: Sequence[Step], run: dict[str, object]) -> ScriptedServer:
    run.setdefault("id", "r-1")
    return ScriptedServer(steps, streams="/v1/workflow/r-1/events", others={"/v1/workflows/run/r-1": (200, run)})


async def resume_from(
    steps: Sequence[Step], said: str, run: dict[str, object], *, answered: Sequence[str] = (), **settings: object
) -> Outcome:
    async with scripted(steps, run) as server:
        backend = make_backend(server.base_url, look_again=0.01, **settings)
        try:
            async with asyncio.timeout(5):
                return await hear(backend.resume(ask(), RUN, said, answered))
        finally:
            await backend.close()


def test_a_form_in_the_spelling_of_the_first_versions_is_read() -> None:
    request = read_request(
        {
            "form_id": "f",
            "form_content": "{{#$outputs.a#}}",
            "inputs": [
                {"type": "paragraph", "output_variable_name": "a", "placeholder": {"type": "constant", "value": "v"}},
                {"type": "file", "output_variable_name": "b"},
                {"type": "select", "output_variable_name": "c", "option_source": {"value": ["x", "y"]}},
                "nonsense",
            ],
            "user_actions": [{"id": "ok", "title": ""}, {"title": "without id"}],
            "resolved_default_values": {"c": "y"},
            "expiration_time": "soon",
        }
    )

    assert request == InputRequest(
        id="f",
        text="‹a›",
        fields=(
            InputField(name="a", kind=FieldKind.PARAGRAPH, default="v"),
            InputField(name="b", kind=FieldKind.OTHER),
            InputField(name="c", kind=FieldKind.SELECT, default="y", options=("x", "y")),
        ),
        actions=(InputAction(id="ok", title="ok"),),
    )
    assert not request.is_for_chat


async def test_a_workflow_app_waits_for_people_too(backend: DifyBackend, server: DifyServer) -> None:
    server.mode = "workflow"
    first = await hear(backend.answer(ask()))
    assert (first.ending, first.text) == ("input", "Here it is.")
    await backend.submit(request_in(first), give(why="x"), USER)
    rest = await go_on(backend, first, first.text, [request_in(first).id])

    assert (rest.ending, first.text + rest.text) == ("completed", "Here it is. It was approve because of x.")


async def test_a_workflow_that_ended_while_nobody_listened_is_told_whole(
    backend: DifyBackend, server: DifyServer
) -> None:
    server.mode = "workflow"
    first = await hear(backend.answer(ask()))
    await backend.submit(request_in(first), give(why="x"), USER)
    await server.until(lambda: server.paused[0].run.status == "succeeded")
    rest = await go_on(backend, first, first.text, [request_in(first).id])

    assert (rest.ending, rest.text) == ("completed", " It was approve because of x.")
