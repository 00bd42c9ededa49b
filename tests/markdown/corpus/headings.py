"""Headings of every spelling and depth."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="heading-1", source="# Title\n\ntext", see=("Title", "text"), headings=((1, "Title"),)),
    Document(
        name="heading-3", source="### Small title\ntext", see=("Small title text",), headings=((3, "Small title"),)
    ),
    Document(name="heading-4", source="#### Deep\n\ntext", see=("Deep", "text"), headings=((4, "Deep"),)),
    Document(name="heading-6", source="###### Deepest\n\ntext", see=("Deepest", "text"), headings=((6, "Deepest"),)),
    Document(
        name="heading-ladder",
        source="# A1\n## B2\n### C3\n#### D4\n##### E5\n\nend",
        see=("A1 B2 C3 D4 E5 end",),
        headings=((1, "A1"), (2, "B2"), (3, "C3"), (4, "D4"), (5, "E5")),
    ),
    Document(
        name="heading-underlined",
        source="Big\n===\n\nSmaller\n-------\n\ntext",
        see=("Big", "Smaller", "text"),
        unseen=("=", "---"),
        headings=((1, "Big"), (2, "Smaller")),
    ),
    Document(
        name="heading-closed-with-hashes", source="## Title ##\n\ntext", see=("Title text",), headings=((2, "Title"),)
    ),
    Document(
        name="heading-with-styles",
        source="## The `run` *quick* start\n\ntext",
        see=("The run quick start", "text"),
        code=("run",),
        italic=("quick",),
        headings=((2, "The run quick start"),),
    ),
    Document(
        name="heading-all-bold",
        source="## **Overview**\n\ntext",
        see=("Overview", "text"),
        bold=("Overview",),
        headings=((2, "Overview"),),
    ),
    Document(
        name="heading-deep-all-bold",
        source="#### **1. Overview**\n\ntext",
        see=("1. Overview", "text"),
        bold=("1. Overview",),
        headings=((4, "1. Overview"),),
    ),
    Document(
        name="heading-with-link",
        source="### See [docs](https://docs.example/a)\n\ntext",
        see=("See docs", "text"),
        headings=((3, "See docs"),),
        links=(("docs", "https://docs.example/a"),),
    ),
    Document(
        name="not-a-heading-no-space", source="#hashtag is a word\n\n#2 too", see=("#hashtag is a word", "#2 too")
    ),
    Document(name="not-a-heading-seven", source="####### seven", see=("####### seven",), literal=("######", "#######")),
    Document(
        name="heading-escaped",
        source="\\# not a title\n\nC# is fine",
        see=("# not a title", "C# is fine"),
        literal=("#",),
    ),
    Document(
        name="heading-in-list",
        source="- ## Point\n\n  text",
        see=("Point", "text"),
        marks="•",
        bold=("Point",),
    ),
    Document(
        name="heading-directly-after-paragraph",
        source="Intro line\n## Next\nmore",
        see=("Intro line Next more",),
        headings=((2, "Next"),),
    ),
    Document(
        name="heading-number-first",
        source="## 1. First step\n\ngo",
        see=("1. First step", "go"),
        headings=((2, "1. First step"),),
    ),
)
