"""The scanner that knows the lines of a TOML file sees the same keys as the standard library, on the lines where they stand."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.configuring.lines import Path, find_lines, line_of


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Every key and every position in what the standard library read."""
    children: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    for key, child in children:
        yield (*path, key)
        yield from paths(child, (*path, key))


SCALARS = st.sampled_from(
    [
        *("1", "-0.5", "true", "1979-05-27 07:32:00", "0xff", "inf"),
        *('"plain"', '"# no ] comment } = ["', '"escaped \\" \\\\"', "''", '""', "'\\'", "'\"# ]'"),
        *('"""two\nlines # ]"""', '"""\n"quoted" \\""" """', '"""ends in a quote""""', "'''\n# ] \\'''", "'''two''''"),
    ]
)
KEYS = {"k": "k", "k-2": "k-2", '"a b"': "a b", "'c.d'": "c.d", '"e\\"\\u00e9"': 'e"é', '"#"': "#", "7": "7"}
GAPS = st.sampled_from(["\n", "\n\n", '  # it\'s "odd" [[\n', "\n\t# x = 1\n  "])


class Writer:
    """Writes a document and notes where it put things."""

    def __init__(self, data: st.DataObject) -> None:
        self.text = ""
        self.lines: dict[Path, int] = {}
        self._data = data

    def put(self, text: str) -> None:
        self.text += text

    def note(self, path: Path) -> None:
        self.lines[path] = self.text.count("\n") + 1

    def draw(self, strategy: st.SearchStrategy[str]) -> str:
        return self._data.draw(strategy)

    def keys(self, most: int) -> list[str]:
        return self._data.draw(st.lists(st.sampled_from(list(KEYS)), max_size=most, unique=True))

    def value(self, path: Path, depth: int) -> None:
        kind = self.draw(st.sampled_from(["scalar", "array", "inline"] if depth else ["scalar"]))
        if kind == "scalar":
            self.put(self.draw(SCALARS))
        elif kind == "array":
            self.put("[")
            for position in range(self._data.draw(st.integers(0, 3))):
                self.put(self.draw(GAPS | st.just(" ")))
                self.note((*path, position))
                self.value((*path, position), depth - 1)
                self.put(self.draw(GAPS | st.just("")) + ",")
            self.put(self.draw(GAPS | st.just("")) + "]")
        else:
            self.put("{ ")
            for position, key in enumerate(self.keys(3)):
                self.put(", " if position else "")
                self.pair(path, key, depth - 1)
            self.put(" }")

    def pair(self, table: Path, key: str, depth: int) -> None:
        path = (*table, KEYS[key])
        self.note(path)
        dotted = self.draw(st.sampled_from(["", "x", "'y z'"]))
        self.put(key)
        if dotted:
            path = (*path, dotted.strip("'"))
            self.note(path)
            self.put(f" . {dotted}")
        self.put(self.draw(st.sampled_from(["=", " = ", "\t=  "])))
        self.value(path, depth)

    def table(self, path: Path) -> None:
        for key in self.keys(4):
            self.pair(path, key, 2)
            self.put(self.draw(GAPS))


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_every_key_and_item_is_found_on_its_line(data: st.DataObject) -> None:
    writer = Writer(data)
    writer.put(writer.draw(GAPS | st.just("")))
    writer.table(())
    for name in ("apps", "more"):
        for position in range(data.draw(st.integers(0, 2))):
            if not position:
                writer.note((name,))
            writer.note((name, f"n{position}"))
            writer.put(f"[ {name} . 'n{position}' ]" + writer.draw(GAPS))
            writer.table((name, f"n{position}"))
    for position in range(data.draw(st.integers(0, 3))):
        if not position:
            writer.note(("routes",))
        writer.note(("routes", position))
        writer.put("[[routes]]" + writer.draw(GAPS))
        writer.table(("routes", position))
        if data.draw(st.booleans()):
            writer.note(("routes", position, "inner"))
            writer.put("[routes.inner]" + writer.draw(GAPS))
            writer.table(("routes", position, "inner"))
    read = tomllib.loads(writer.text)
    assert set(find_lines(writer.text)) == set(paths(read))
    assert find_lines(writer.text) == writer.lines


def test_lines_count_the_same_with_the_line_ends_of_windows() -> None:
    text = '# one\n[apps.x]\nk = """\na\n"""\nl = [\n1,\n2]\n'
    assert find_lines(text.replace("\n", "\r\n")) == find_lines(text)


def test_a_table_in_pieces_stands_where_its_first_piece_does() -> None:
    lines = find_lines("[apps.x]\na = 1\n[routes]\n[apps.y]\n[apps]\nb = 2\n")
    assert (lines["apps",], lines["apps", "x"], lines["apps", "y"], lines["apps", "b"]) == (1, 1, 4, 6)


@pytest.mark.parametrize(
    ("path", "line"), [(("apps", "x", "missing"), 2), (("routes", 0, "app"), 4), (("nowhere", 7), 1), ((), 1)]
)
def test_what_is_not_written_is_looked_for_where_it_would_stand(path: Path, line: int) -> None:
    assert line_of(path, find_lines("\n[apps.x]\na = 1\n[[routes]]\n")) == line
