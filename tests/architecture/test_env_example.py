"""`.env.example` is made from the settings classes and may not fall behind them."""

import re

from bridge import registry
from tests.architecture.sources import ROOT


def test_the_example_file_is_what_the_settings_classes_say() -> None:
    written = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert written == registry.example(), "run `make env-example`"


def test_every_variable_of_the_example_says_what_it_means() -> None:
    lines = registry.example().splitlines()
    variables = [number for number, line in enumerate(lines) if re.match(r"#[A-Z][A-Z0-9_]*=", line)]
    assert len(variables) > 15
    assert [lines[number] for number in variables if not re.match(r"# \S.{9,}", lines[number - 1])] == []


def test_no_variable_is_claimed_by_two_folders() -> None:
    names = re.findall(r"^#([A-Z][A-Z0-9_]*)=", registry.example(), re.MULTILINE)
    assert sorted(names) == sorted(set(names))
