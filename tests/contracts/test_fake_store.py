"""The store in memory keeps the promises of the real one."""

import pytest

from bridge.feedback import aggregate
from tests.contracts.store_suite import StoreContract
from tests.fakes.store import FakeStore


class TestFakeStore(StoreContract):
    @pytest.fixture
    def store(self) -> FakeStore:
        return FakeStore(aggregate)
