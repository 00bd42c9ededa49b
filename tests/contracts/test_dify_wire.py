"""The wire contract, bound to Dify in each of its ways of answering."""

import pytest

from tests.contracts.backend_wire_suite import WireContract
from tests.contracts.dialects import Dialect
from tests.contracts.dify_dialect import DifyCompletionDialect, DifyDialect, DifyWorkflowDialect


@pytest.fixture(params=[DifyDialect, DifyCompletionDialect, DifyWorkflowDialect], ids=lambda make: make.mode)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    made: Dialect = request.param()
    return made


class TestDifyWire(WireContract):
    pass
