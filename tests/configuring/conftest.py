"""Every test has an empty working directory and an environment with a platform and two keys."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(
            (
                "SLACK_",
                "DISCORD_",
                "DIFY_",
                "OPENAI_",
                "DATABASE_",
                "RECOVER",
                "MOST_",
                "BRIDGE_CONFIG",
                "EXTERNAL_",
                "ALLOWED_",
                "QUESTIONS_",
            )
        ):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1-2-abc")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1-A1-2-abc")
    monkeypatch.setenv("SUPPORT_KEY", "app-support")
    monkeypatch.setenv("SALES_KEY", "app-sales")
