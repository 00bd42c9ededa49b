"""The installations that tests keep in memory promise what the real ones do."""

import pytest

from bridge.installations_api import Installations
from tests.contracts.store_installations_suite import InstallationsContract
from tests.fakes.installations import FakeInstallations


@pytest.fixture
def installations() -> Installations:
    return FakeInstallations()


class TestFakeInstallations(InstallationsContract):
    pass
