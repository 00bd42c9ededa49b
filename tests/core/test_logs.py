"""Logs hold ids and causes, and nothing that people wrote."""

import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from bridge import logs


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**config)


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_a_traceback_shows_no_local_variables(
    fmt: Literal["console", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("INFO", fmt)

    def answer(text: str) -> None:
        raise RuntimeError(f"broke after {len(text)} characters")

    written = "my salary is 12345"
    try:
        answer(written)
    except RuntimeError:
        logs.get("test").exception("turn_broke", reference="ABC")
    err = capsys.readouterr().err
    assert "broke after 18 characters" in err
    assert "ABC" in err
    assert "12345" not in err


def test_libraries_that_log_payloads_are_kept_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("DEBUG", "json")
    logging.getLogger("slack_sdk.web").info("a payload")
    logging.getLogger("discord.gateway").debug("a payload")
    logging.getLogger("markdown_it.rules_block.list").debug("a payload")
    assert "payload" not in capsys.readouterr().err
