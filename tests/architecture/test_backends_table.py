"""The README's table of backends is true line by line: every cell that promises something has its tests here, and every ability
that the code has stands in the table."""

import importlib
import re
from functools import cache

import pytest

from bridge import backend_api, history_api, input_api, past_api, variables_api
from tests.architecture.proofs import BINDINGS, CLASSES, COLUMNS, ROWS, WIRES
from tests.architecture.sources import ROOT

BEGIN, END = "<!-- backends -->", "<!-- /backends -->"
"""The table stands between these in the README."""

NOTHING = "–"

ABILITIES = {
    name: value
    for seam in (backend_api, history_api, input_api, past_api, variables_api)
    for name, value in vars(seam).items()
    if getattr(value, "_is_runtime_protocol", False) and value.__module__ == seam.__name__
}
"""What a backend may offer besides answers: protocols by their names."""

pytestmark = pytest.mark.skipif(BEGIN not in (ROOT / "README.md").read_text(), reason="the README has no such table")


@cache
def table() -> dict[str, dict[str, str]]:
    """Row to column to cell."""
    text = (ROOT / "README.md").read_text()
    lines = [line for line in text.split(BEGIN, 1)[1].split(END, 1)[0].splitlines() if line.startswith("|")]
    (head, _, *rows) = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rows}


def test_the_table_has_the_columns_and_rows_that_are_proven() -> None:
    assert list(table()) == list(ROWS)
    assert all(tuple(cells) == COLUMNS for cells in table().values())


@pytest.mark.parametrize("row", ROWS)
def test_a_cell_promises_something_exactly_where_a_test_proves_it(row: str) -> None:
    promised = {column for column, cell in table()[row].items() if cell != NOTHING}
    proven = {column for columns, _ in ROWS[row].proofs for column in columns}
    assert promised == proven


@pytest.mark.parametrize("row", ROWS)
def test_every_proof_is_a_test(row: str) -> None:
    for columns, proof in ROWS[row].proofs:
        path, _, name = proof.partition("::")
        assert re.search(rf"^ *(?:async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), proof
        if "_suite.py" in path:
            bindings = WIRES if "wire" in path else BINDINGS
            unbound = [column for column in columns if not _is_bound(path, bindings[column])]
            assert not unbound, f"{proof} is not bound to {unbound}"


def _is_bound(suite: str, binding: str) -> bool:
    """Whether a module has test classes made of a suite."""
    module = suite.removesuffix(".py").replace("/", ".")
    (name,) = re.findall(r"^class (\w+Contract):", (ROOT / suite).read_text(), re.MULTILINE)
    text = (ROOT / binding).read_text()
    return f"from {module} import" in text and re.search(rf"^class \w+\(.*\b{name}\b", text, re.MULTILINE) is not None


@pytest.mark.parametrize("row", [name for name, row in ROWS.items() if row.ability])
def test_a_backend_has_the_ability_exactly_where_the_table_says_so(row: str) -> None:
    ability = ABILITIES[ROWS[row].ability]
    wanted = [name for name in vars(ability) if not name.startswith("_")]
    for path in set(CLASSES.values()):
        module, _, name = path.rpartition(".")
        backend = getattr(importlib.import_module(module), name)
        has = all(hasattr(backend, one) for one in wanted)
        promised = any(table()[row][column] != NOTHING for column, of in CLASSES.items() if of == path)
        assert has == promised, f"{name}: {ROWS[row].ability}"


def test_every_ability_of_the_seam_has_its_row() -> None:
    named = {row.ability for row in ROWS.values()} | {one for row in ROWS.values() for one in row.also}
    assert set(ABILITIES) - named == set()
