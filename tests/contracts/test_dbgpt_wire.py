"""The wire contract, bound to DB-GPT."""

import pytest

from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dbgpt_dialect import DbgptDialect, DbgptFlowDialect
from tests.contracts.dialects import Dialect


@pytest.fixture(params=[DbgptDialect, DbgptFlowDialect], ids=lambda make: make.mode)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    made: Dialect = request.param()
    return made


class TestDbgptWire(WireContract):
    pass
