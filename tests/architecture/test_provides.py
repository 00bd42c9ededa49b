"""`adapters` is a top-level name that an unrelated package owns too: in an environment of ours nobody else may provide it."""

from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["bridge", "adapters"])
def test_nothing_but_us_provides_our_packages(name: str) -> None:
    assert set(packages_distributions()[name]) == {"dify-chat-bridge"}


@pytest.mark.parametrize("name", ["bridge", "adapters"])
def test_what_is_imported_is_this_checkout(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == Path(__file__).resolve().parents[2] / name / "__init__.py"


def test_the_sdk_of_discord_is_not_shadowed_by_a_folder_of_ours() -> None:
    spec = find_spec("discord")
    assert spec is not None
    assert spec.origin is not None
    assert "site-packages" in Path(spec.origin).parts
