"""Whether everything that an app wants to know can be told: looked at before anybody asks, by `check` and at every start."""

from collections.abc import Sequence

from bridge.backend_api import Backend
from bridge.errors import BackendError
from bridge.inputs import FIELDS, Known, Wrong, convert, wants_asking
from bridge.platform_api import Finding, Severity
from bridge.routing import AppPolicy
from bridge.variables_api import DescribesInputs, InputKind, InputVariable

SUBJECT = "inputs"

_ATTACHED = (InputKind.FILE, InputKind.FILES)


async def inspect_inputs(policy: AppPolicy, backend: Backend) -> Sequence[Finding]:
    """One finding where all is well, and none where the backend knows of no inputs, or cannot be asked (of which its own check
    speaks). Never raises."""
    if not isinstance(backend, DescribesInputs):
        return ()
    try:
        variables = await backend.input_form()
    except BackendError:
        return ()
    return find_gaps(policy, variables)


def find_gaps(policy: AppPolicy, variables: Sequence[InputVariable]) -> Sequence[Finding]:
    where = f"apps.{policy.name}.inputs"
    found = [*_unknown(policy, variables, where)]
    known = Known(constants=policy.inputs, sourced=policy.sourced, asked=policy.asked)
    for variable in variables:
        found += _look_at(variable, known, where)
    if any(one.severity is not Severity.OK for one in found):
        return found
    return found or [_finding(Severity.OK, "the app gets all that it wants to know")]


def _look_at(variable: InputVariable, known: Known, where: str) -> Sequence[Finding]:
    name = variable.name
    if name in known.constants:
        wrong = convert(variable, known.constants[name])
        problem = f"{where}.{name} {wrong.problem}, as the app has it" if isinstance(wrong, Wrong) else ""
        return (
            [_finding(Severity.ERROR, problem, "Correct it in bridge.toml, or the form of the app.")] if problem else ()
        )
    sourced = known.sourced.get(name)
    if sourced is not None and sourced.fallback is not None:
        wrong = convert(variable, sourced.fallback)
        if isinstance(wrong, Wrong):
            return [
                _finding(Severity.ERROR, f"{where}.{name}: its `else` {wrong.problem}", "Correct it in bridge.toml.")
            ]
    if variable.kind in _ATTACHED and not variable.hidden and name not in known.asked:
        needed = ", and every question needs one" if variable.required else ""
        return [_finding(Severity.OK, f"{name} ({variable.label}): what members attach goes into it{needed}")]
    if variable.kind not in FIELDS and (variable.required or name in known.asked):
        return [
            _finding(
                Severity.ERROR,
                f"the app requires {name}, which no member can be asked for in a chat",
                f"Make it optional in the app's form, or give {where}.{name} a constant where that is possible.",
            )
        ]
    if name in known.asked or (sourced is None and wants_asking(variable, known)):
        by_choice = name in known.asked
        return [
            _finding(
                Severity.OK if by_choice else Severity.WARNING,
                f"{name} ({variable.label}): members are asked for it once in each thread",
                ""
                if by_choice
                else f"If that is meant, say so: {where}.{name} = {{ ask = true }}. Else give it a value there.",
            )
        ]
    if sourced is None and variable.required and variable.hidden and variable.default in (None, ""):
        return [
            _finding(
                Severity.ERROR,
                f"the app requires {name}, which its form hides, so nobody is asked for it",
                f"Give {where}.{name} a value in bridge.toml.",
            )
        ]
    return ()


def _unknown(policy: AppPolicy, variables: Sequence[InputVariable], where: str) -> Sequence[Finding]:
    names = {variable.name for variable in variables}
    given = {*policy.inputs, *policy.sourced, *policy.asked}
    return [
        _finding(
            Severity.WARNING,
            f"{where}.{name} is told to nobody: the app has no input of that name",
            "Correct its name, or remove it.",
        )
        for name in sorted(given - names)
    ]


def _finding(severity: Severity, problem: str, fix: str = "") -> Finding:
    return Finding(severity=severity, subject=SUBJECT, problem=problem, fix=fix)
