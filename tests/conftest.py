"""What every test shares: no proxies, no network but loopback, no task that outlives its test."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

for _name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    # The Slack SDK honours these even for loopback and ignores NO_PROXY.
    os.environ.pop(_name, None)

# How long an example takes says how busy the machine is: whole bridges run beside these tests.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that leaves this machine fails loudly."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            try:
                allowed = ip_address(host).is_loopback
            except ValueError:
                allowed = host == "localhost"
            if not allowed:
                raise AssertionError(f"a test tried to reach {host}")
        connect(self, address)  # type: ignore[arg-type]  # the stub wants the union of all address families

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
async def no_task_outlives_its_test() -> AsyncIterator[None]:
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert not left, f"tasks outlived the test: {left}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts several processes at a time must not compete with more of its kind: `make test` runs tests side by side."""
    for item in items:
        if {"many", "dispatch"} & set(item.path.relative_to(Path(__file__).parent).parts):
            item.add_marker(pytest.mark.xdist_group("many processes"))
