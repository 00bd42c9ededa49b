"""`dify-chat-bridge playground`, as far as it can be wrong before anything starts."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli import cli


def test_a_kind_of_app_that_does_not_exist_is_named_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    # It would hold for every test after this one.
    monkeypatch.setattr("bridge.logs.configure", lambda *_: None)

    result = CliRunner().invoke(cli, ["playground", "--no-browser", "--app", "chatbot"])

    assert result.exit_code != 0
    assert "'chatbot'" in result.output
    assert "chat, agent-chat, advanced-chat, completion, workflow" in " ".join(result.output.split())
