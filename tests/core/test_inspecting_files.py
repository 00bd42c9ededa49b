"""Inputs that are files need no configuration: members attach them."""

import pytest

from bridge.inspecting import find_gaps
from bridge.messages import AppName
from bridge.platform_api import Severity
from bridge.routing import AppPolicy
from bridge.variables_api import InputKind, InputVariable

APP = AppPolicy(name=AppName("support"))


@pytest.mark.parametrize("kind", [InputKind.FILE, InputKind.FILES])
def test_a_required_file_is_attached_by_whoever_asks(kind: InputKind) -> None:
    (finding,) = find_gaps(APP, [InputVariable(name="doc", label="Document", kind=kind, required=True)])

    assert finding.severity is Severity.OK
    assert "every question needs one" in finding.problem


def test_a_hidden_required_file_is_beyond_anybody() -> None:
    doc = InputVariable(name="doc", label="Document", kind=InputKind.FILE, required=True, hidden=True)

    assert [one.severity for one in find_gaps(APP, [doc])] == [Severity.ERROR]
