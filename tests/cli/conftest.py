"""Commands that are run in this process set up logging as in their own; what comes after them shall find it as it was."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def put_logging_back() -> Iterator[None]:
    root, gateway = logging.getLogger(), logging.getLogger("discord.gateway")
    handlers, level, config, chatty = list(root.handlers), root.level, structlog.get_config(), gateway.level
    yield
    root.handlers[:], root.level = handlers, level
    gateway.setLevel(chatty)
    structlog.configure(**config)
