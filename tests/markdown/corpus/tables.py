"""Tables, narrow and wide."""

from tests.markdown.corpus.document import Document


def pipes(*rows: tuple[str, ...]) -> str:
    """A pipe table of these cells."""
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join((head, "|" + " --- |" * len(rows[0]), *body))


NARROW = (("Name", "Age"), ("Ann", "30"), ("Bob", "4"))
WIDE = (
    ("City", "Description of the place", "Recommended season"),
    ("Lisbon", "Hills, trams and a long waterfront", "Spring, before the heat"),
    ("Oslo", "Museums, islands and saunas by the fjord", "Midsummer"),
)
MANY = (("Number", "Square"), *((f"n{n}", f"s{n * n}") for n in range(60)))

DOCUMENTS = (
    Document(name="table", source=pipes(*NARROW), see=("Name", "Age", "Ann", "30", "Bob", "4"), table=NARROW),
    Document(
        name="table-with-text",
        source=f"Before:\n\n{pipes(*NARROW)}\n\nAfter.",
        see=("Before:", "Name", "Bob", "After."),
        table=NARROW,
    ),
    Document(
        name="table-right-after-text", source=f"Before:\n{pipes(*NARROW)}", see=("Before:", "Name", "Bob"), table=NARROW
    ),
    Document(
        name="table-without-outer-pipes",
        source="Name | Age\n--- | ---\nAnn | 30\nBob | 4",
        see=("Name", "Bob"),
        table=NARROW,
    ),
    Document(
        name="table-aligned",
        source="| Name | Age |\n|:---|---:|\n| Ann | 30 |\n| Bob | 4 |",
        see=("Name", "Bob"),
        unseen=(":--", "--:"),
        table=NARROW,
    ),
    Document(
        name="table-wide",
        source=pipes(*WIDE),
        see=("Lisbon", "Hills, trams", "Spring", "Oslo", "Museums", "Midsummer"),
        table=WIDE,
        wide=True,
    ),
    Document(
        name="table-styled-cells",
        source=pipes(("Key", "Value"), ("**bold**", "`a b`"), ("*it*", "~~no~~")),
        see=("Key", "Value", "bold", "a b", "it", "no"),
        table=(("Key", "Value"), ("bold", "a b"), ("it", "no")),
        unseen=("**", "~~"),
        slack={"bold": ("bold",), "italic": ("it",), "strike": ("no",), "code": ("a b",)},
    ),
    Document(
        name="table-pipe-in-cell",
        source="| a | b |\n|---|---|\n| x \\| y | `p \\| q` |",
        see=("x | y", "p | q"),
        table=(("a", "b"), ("x | y", "p | q")),
        slack={"code": ("p | q",)},
    ),
    Document(
        name="table-links",
        source=pipes(("Site", "Link"), ("A", "[docs](https://a.example/x)")),
        see=("Site", "A", "docs"),
        table=None,
        links=None,
    ),
    Document(
        name="table-empty-cells",
        source=pipes(("a", "b"), ("x", ""), ("", "y")),
        see=("x", "y"),
        table=(("a", "b"), ("x", ""), ("", "y")),
    ),
    Document(
        name="table-ragged",
        source="| a | b |\n|---|---|\n| x |\n| y | z | lost |",
        see=("x", "y", "z", "lost"),
        table=None,
    ),
    Document(
        name="table-cjk",
        source=pipes(("名前", "都市"), ("田中", "東京"), ("Ann", "京都市")),
        see=("名前", "田中", "京都市"),
        table=(("名前", "都市"), ("田中", "東京"), ("Ann", "京都市")),
    ),
    Document(
        name="table-emoji",
        source=pipes(("State", "Meaning"), ("✅", "good"), ("👩‍💻", "busy")),
        see=("State", "good", "busy"),
        table=(("State", "Meaning"), ("✅", "good"), ("👩‍💻", "busy")),
    ),
    Document(name="table-header-only", source="| a | b |\n|---|---|", see=("a", "b"), table=(("a", "b"),)),
    Document(
        name="table-one-column", source="| Name |\n|---|\n| Ann |", see=("Name", "Ann"), table=(("Name",), ("Ann",))
    ),
    Document(
        name="table-long", source=pipes(*MANY), see=("Number", "n0", "s0", "n30", "s900", "n59", "s3481"), table=MANY
    ),
    Document(name="table-break-tag", source=pipes(("a", "b"), ("x<br>y", "z")), see=("x", "y", "z"), table=None),
    Document(
        name="table-ticks-in-cell",
        source=pipes(("a", "b"), ("x ``` y", "z")),
        see=("x", "y", "z"),
        literal=("```",),
        table=None,
    ),
    Document(
        name="table-escaped-markers",
        source=pipes(("a", "b"), ("2 \\* 3", "x_y"), ("\\<b>", "&amp;")),
        see=("2 * 3", "x_y", "<b>", "&"),
        table=(("a", "b"), ("2 * 3", "x_y"), ("<b>", "&")),
    ),
    Document(
        name="table-two",
        source=pipes(*NARROW) + "\n\nand\n\n" + pipes(("X", "Y"), ("p", "q")),
        see=("Ann", "Bob", "and", "X", "p", "q"),
        table=None,
    ),
    Document(name="not-a-table", source="a | b is a choice", see=("a | b is a choice",)),
)
