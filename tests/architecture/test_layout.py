"""Where files lie and what they are called."""

import ast
import re
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, modules, place, repository_files, tree

OURS = ("bridge", "adapters")
MOST_LINES = 400
VAGUE_WORDS = {"manager", "helper", "helpers", "util", "utils", "handler", "service", "processor", "base"}
NOT_PACKAGES = {"bridge/playground/page"}
"""Folders below our packages that hold no Python: what a browser loads."""


def folders(package: str) -> list[Path]:
    found = (ROOT / package).iterdir()
    return sorted(path for path in found if path.is_dir() and path.name != "__pycache__")


def words(name: str) -> set[str]:
    """`ThreadPoolHandler` and `thread_pool_handler` have the words thread, pool and handler."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def test_every_platform_has_the_same_file_names() -> None:
    names = {folder.name: {path.name for path in folder.glob("*.py")} for folder in folders("adapters")}
    assert len(names) >= 2
    common = set.intersection(*names.values())
    assert {
        "settings.py",
        "adapter.py",
        "inbound.py",
        "outbound.py",
        "dialect.py",
        "markup.py",
        "capabilities.py",
        "addresses.py",
    } <= common
    assert {name: sorted(has - common) for name, has in names.items() if has != common} == {}


@pytest.mark.parametrize("package", ["adapters", "bridge/backends"])
def test_every_platform_and_backend_has_its_mirror_in_the_tests(package: str) -> None:
    mirror = ROOT / "tests" / Path(package).name
    without = [folder.name for folder in folders(package) if not list((mirror / folder.name).glob("test_*.py"))]
    assert without == []


def test_no_module_is_named_after_the_standard_library() -> None:
    names = {place(path): path.parent.name if path.stem == "__init__" else path.stem for path in modules(*OURS)}
    assert [where for where, name in names.items() if name in sys.stdlib_module_names] == []


def test_no_file_is_too_long_to_read() -> None:
    lines = {place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*OURS)}
    assert {where: count for where, count in lines.items() if count > MOST_LINES} == {}


def test_every_folder_with_python_is_a_package() -> None:
    # tests/adapters/discord without an __init__.py would be imported as the SDK `discord`.
    holding = {path.parent for path in modules(*OURS, "tests")}
    for path in list(holding):
        holding |= {above for above in path.parents if above.is_relative_to(ROOT) and above != ROOT}
    assert [place(path) for path in sorted(holding) if not (path / "__init__.py").is_file()] == []


def test_folders_without_python_are_known() -> None:
    holding = {path.parent for path in modules(*OURS)}
    empty = {
        place(path)
        for package in OURS
        for path in (ROOT / package).rglob("*")
        if path.is_dir() and path.name != "__pycache__" and path not in holding and any(path.iterdir())
    }
    assert empty == NOT_PACKAGES


def test_no_class_or_module_has_a_name_that_says_nothing() -> None:
    vague = [place(path) for path in modules(*OURS, "tests") if words(path.stem) & VAGUE_WORDS]
    for path in modules(*OURS, "tests"):
        vague += [
            f"{place(path, node)} {node.name}"
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ClassDef) and words(node.name) & VAGUE_WORDS
        ]
    assert vague == []


def test_the_repository_stands_alone() -> None:
    # Written in pieces, so that this file does not find itself.
    elsewhere = re.compile(r"\.\./" + r"shared\b|(?<![\w.])/" + r"work/")
    found = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{place(path)}: {match.group()}" for match in elsewhere.finditer(text)]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME)\b|#\s*X" + "XX", re.ASCII)
    found = []
    for path in modules(*OURS, "tests", "migrations"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if later.search(line):
                found.append(f"{place(path)}:{number}")
    assert found == []
