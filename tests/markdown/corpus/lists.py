"""Bulleted, numbered, nested, loose and task lists."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="list", source="- one\n- two", see=("one", "two"), marks="••", depths=(1, 1)),
    Document(name="list-stars", source="* one\n* two", see=("one", "two"), marks="••"),
    Document(name="list-plus", source="+ one\n+ two", see=("one", "two"), marks="••"),
    Document(name="list-numbers", source="1. one\n2. two\n3. three", see=("one", "two", "three"), marks="1.2.3."),
    Document(name="list-all-ones", source="1. one\n1. two\n1. three", see=("one", "two", "three"), marks="1.2.3."),
    Document(name="list-from-seven", source="7. seven\n8. eight", see=("seven", "eight"), marks="7.8."),
    Document(name="list-parens", source="1) one\n2) two", see=("one", "two"), marks="1.2."),
    Document(name="list-from-zero", source="0. nought\n1. one", see=("nought", "one"), marks="0.1."),
    Document(
        name="list-nested",
        source="- a\n  - b\n    - c\n- d",
        see=("a", "b", "c", "d"),
        marks="••••",
        depths=(1, 2, 3, 1),
    ),
    Document(
        name="list-nested-four-spaces", source="- a\n    - b\n- c", see=("a", "b", "c"), marks="•••", depths=(1, 2, 1)
    ),
    Document(
        name="list-bullets-in-numbers",
        source="1. a\n   - b\n   - c\n2. d",
        see=("a", "b", "c", "d"),
        marks="1.••2.",
        depths=(1, 2, 2, 1),
    ),
    Document(
        name="list-numbers-in-bullets",
        source="- a\n  1. b\n  2. c\n- d",
        see=("a", "b", "c", "d"),
        marks="•1.2.•",
        depths=(1, 2, 2, 1),
    ),
    Document(name="list-loose", source="- one\n\n- two\n\n- three", see=("one", "two", "three"), marks="•••"),
    Document(
        name="list-second-paragraph",
        source="1. one\n\n   more of one\n\n2. two",
        see=("one", "more of one", "two"),
        marks="1.2.",
    ),
    Document(name="list-wrapped-lines", source="- one is\n  long\n- two", see=("one is long", "two"), marks="••"),
    Document(
        name="list-tasks",
        source="- [x] done\n- [ ] open\n- [X] also",
        see=("done", "open", "also"),
        marks="•☑•☐•☑",
        unseen=("[x]", "[ ]"),
    ),
    Document(name="list-tasks-nested", source="- [ ] a\n  - [x] b", see=("a", "b"), marks="•☐•☑"),
    Document(name="list-numbered-tasks", source="1. [x] a\n2. [ ] b", see=("a", "b"), marks="1.☑2.☐"),
    Document(
        name="list-with-fence",
        source="1. Run:\n\n   ```sh\n   make all\n   ```\n\n2. Done",
        see=("Run:", "make all", "Done"),
        marks="1.2.",
        fences=(("sh", "make all"),),
    ),
    Document(
        name="list-with-fence-tight",
        source="- a\n  ```py\n  x = 1\n    y\n  ```\n- b",
        see=("a", "x = 1", "b"),
        marks="••",
        fences=(("py", "x = 1\n  y"),),
    ),
    Document(
        name="list-with-quote",
        source="- a\n\n  > said\n- b",
        see=("a", "said", "b"),
        marks="••",
        quote=("said",),
        fallback={"quote": None},
    ),
    Document(
        name="list-with-styles",
        source="- **Name:** value\n- *it*: `code`",
        see=("Name: value", "it: code"),
        marks="••",
        bold=("Name",),
        italic=("it",),
        code=("code",),
    ),
    Document(
        name="list-after-paragraph", source="Steps:\n- a\n- b\nEnd?", see=("Steps:", "a", "b", "End?"), marks="••"
    ),
    Document(name="list-numbered-after-paragraph", source="Steps:\n1. a\n2. b", see=("Steps:", "a", "b"), marks="1.2."),
    Document(
        name="list-two-lists", source="- a\n- b\n\ntext\n\n1. c\n2. d", see=("a", "b", "text", "c", "d"), marks="••1.2."
    ),
    Document(
        name="list-numbers-interrupted",
        source="1. a\n\n```\ncode\n```\n\n2. b",
        see=("a", "code", "b"),
        marks="1.2.",
        fences=(("", "code"),),
    ),
    Document(
        name="not-a-list-year",
        source="In\n1986. A great year\n\n1986\\. too",
        see=("1986. A great year", "1986. too"),
        marks="",
        fallback={"marks": "1986.1986."},
    ),
    Document(
        name="not-a-list-minus",
        source="temperature is\n\\- 5 degrees",
        see=("- 5 degrees",),
        literal=("-",),
        fallback={"marks": "•", "see": ("5 degrees",)},
    ),
    Document(name="list-empty-item", source="- a\n-\n- b", see=("a", "b"), marks=None),
    Document(
        name="list-deep",
        marks="•" * 8,
        source="\n".join("  " * n + f"- level{n}" for n in range(8)),
        see=tuple(f"level{n}" for n in range(8)),
    ),
)
