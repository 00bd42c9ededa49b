"""Before anybody asks, an operator is told what an app wants to know and nobody tells it."""

from dataclasses import replace

import pytest

from bridge.errors import BackendUnreachable
from bridge.inputs import Source, Sourced
from bridge.inspecting import find_gaps, inspect_inputs
from bridge.messages import AppName
from bridge.platform_api import Severity
from bridge.routing import AppPolicy
from bridge.variables_api import InputKind, InputVariable
from tests.core.test_gathering import WantingBackend
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock

POLICY = AppPolicy(name=AppName("support"))
TEAM = InputVariable(name="team", label="Your team", required=True)
PLAN = InputVariable(name="plan", label="Plan", kind=InputKind.SELECT, required=True, options=("Gold", "Silver"))


def told(policy: AppPolicy, *variables: InputVariable) -> list[tuple[Severity, str]]:
    return [(one.severity, one.problem) for one in find_gaps(policy, variables)]


def test_a_required_input_without_a_source_is_named() -> None:
    (finding,) = find_gaps(POLICY, [TEAM])
    assert finding.severity is Severity.WARNING
    assert finding.problem == "team (Your team): members are asked for it once in each thread"
    assert "apps.support.inputs.team = { ask = true }" in finding.fix


@pytest.mark.parametrize(
    "policy",
    [
        replace(POLICY, inputs={"team": "sales"}),
        replace(POLICY, sourced={"team": Sourced(source=Source.ASKER_NAME)}),
        replace(POLICY, asked=frozenset({"team"})),
    ],
)
def test_one_that_has_a_source_is_well(policy: AppPolicy) -> None:
    assert [severity for severity, _ in told(policy, TEAM)] == [Severity.OK]


def test_an_app_that_wants_nothing_that_must_be_told_is_well() -> None:
    optional = replace(TEAM, required=False)
    assert told(POLICY, optional) == [(Severity.OK, "the app gets all that it wants to know")]


def test_a_constant_that_the_app_would_refuse_is_an_error_that_does_not_tell_it() -> None:
    ((severity, problem),) = told(replace(POLICY, inputs={"plan": "s3cret"}), PLAN)
    assert severity is Severity.ERROR
    assert "apps.support.inputs.plan must be one of: Gold, Silver" in problem
    assert "s3cret" not in problem


def test_a_fallback_that_the_app_would_refuse_is_an_error() -> None:
    policy = replace(POLICY, sourced={"plan": Sourced(source=Source.ASKER_NAME, fallback="Bronze")})
    assert [severity for severity, _ in told(policy, PLAN)] == [Severity.ERROR]


def test_an_input_that_the_app_does_not_have_is_named() -> None:
    policy = replace(POLICY, inputs={"taem": "sales"}, asked=frozenset({"team"}))
    assert told(policy, TEAM)[0] == (
        Severity.WARNING,
        "apps.support.inputs.taem is told to nobody: the app has no input of that name",
    )


@pytest.mark.parametrize(
    "variable", [replace(TEAM, kind=InputKind.OTHER), replace(TEAM, hidden=True)], ids=["of another kind", "hidden"]
)
def test_a_required_input_that_nobody_can_be_asked_for_is_an_error(variable: InputVariable) -> None:
    assert [severity for severity, _ in told(POLICY, variable)] == [Severity.ERROR]
    assert [severity for severity, _ in told(replace(POLICY, inputs={"team": "x"}), variable)] == [Severity.OK]


def test_files_come_with_questions() -> None:
    assert [severity for severity, _ in told(POLICY, replace(TEAM, kind=InputKind.FILE))] == [Severity.OK]


async def test_a_backend_that_knows_of_no_inputs_or_does_not_answer_adds_nothing() -> None:
    clock = FakeClock()
    assert await inspect_inputs(POLICY, FakeBackend(clock)) == ()
    away = WantingBackend(clock, trouble=[BackendUnreachable("away")])
    assert await inspect_inputs(POLICY, away) == ()
    assert len(await inspect_inputs(POLICY, WantingBackend(clock))) == 1
