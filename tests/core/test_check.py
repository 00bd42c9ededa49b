"""What `check` prints can be read on a wide terminal and on a narrow one, and its exit code says whether to worry."""

import pytest

from bridge.check import PartFindings, print_findings
from bridge.platform_api import Finding, Severity

FINE = Finding(severity=Severity.OK, subject="token", problem="accepted")
ODD = Finding(
    severity=Severity.WARNING, subject="scope", problem="reactions:read is missing", fix="Add it and reinstall."
)
WRONG = Finding(severity=Severity.ERROR, subject="key", problem="refused [x]", fix="Copy DIFY_API_KEY again.")


@pytest.mark.parametrize("columns", ["80", "200"])
def test_every_finding_and_fix_is_readable_at_any_width(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert print_findings([PartFindings("slack", [FINE, ODD]), PartFindings("dify", [WRONG])]) == 1
    out = capsys.readouterr().out
    for words in ("accepted", "reactions:read is missing", "refused [x]", "Copy DIFY_API_KEY again.", "ERROR"):
        assert words in out


def test_warnings_alone_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_findings([PartFindings("slack", [FINE, ODD])]) == 0
    assert "All is well." in capsys.readouterr().out
