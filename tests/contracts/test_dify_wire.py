"""The wire contract, bound to Dify."""

import pytest

from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dialects import Dialect
from tests.contracts.dify_dialect import DifyDialect


@pytest.fixture
def dialect() -> Dialect:
    return DifyDialect()


class TestDifyWire(WireContract):
    pass
