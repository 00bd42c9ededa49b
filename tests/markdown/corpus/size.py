"""Documents that need several messages."""

from tests.markdown.corpus.document import Document

WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa "
FENCE = "\n".join(f"line_{n} = f(x[{n}]) * 2 ** {n}  # <T> & `y`" for n in range(90))

DOCUMENTS = (
    Document(name="size-words", source=WORDS * 60, see=("alpha beta", "iota kappa")),
    Document(
        name="size-paragraphs", source="\n\n".join(f"P{n}. {WORDS}" for n in range(70)), see=("P0.", "P35.", "P69.")
    ),
    Document(
        name="size-fence",
        source=f"Code:\n\n```python\n{FENCE}\n```\n\nend",
        see=("Code:", "line_0", "line_89", "end"),
        fences=(("python", FENCE),),
    ),
    Document(
        name="size-fence-in-list",
        source="1. Run\n\n"
        + "\n".join("   " + line for line in ("```python", *FENCE.split("\n"), "```"))
        + "\n\n2. Next",
        see=("Run", "line_0", "line_89", "Next"),
        fences=(("python", FENCE),),
        marks="1.2.",
    ),
    Document(
        name="size-quote-fence",
        source="\n".join("> " + line for line in ("```python", *FENCE.split("\n"), "```")) + "\n\nend",
        see=("line_0", "line_89", "end"),
        fences=(("python", FENCE),),
        quote=(FENCE,),
        fallback={"quote": None},
    ),
    Document(
        name="size-headings",
        source="\n\n".join(f"## H{n}\n\nText {n}." for n in range(60)),
        see=("H0", "Text 30.", "H59"),
        headings=tuple((2, f"H{n}") for n in range(60)),
    ),
    Document(
        name="size-rules",
        source="\n\n---\n\n".join(f"Part {n}" for n in range(60)),
        see=("Part 0", "Part 59"),
        unseen=("---",),
    ),
    Document(
        name="size-list",
        source="\n".join(f"- item {n} with `code{n}`" for n in range(150)),
        see=("item 0", "item 149"),
        marks="•" * 150,
        code=tuple(f"code{n}" for n in range(150)),
    ),
    Document(
        name="size-numbers",
        source="\n".join(f"{n}. **item** {WORDS}" for n in range(1, 61)),
        see=("alpha", "kappa"),
        marks="".join(f"{n}." for n in range(1, 61)),
        bold=("item",) * 60,
    ),
    Document(
        name="size-nested-list",
        source="\n".join(f"- top {n}\n  - inner {n}\n    1. deep {n}" for n in range(50)),
        see=("top 0", "inner 20", "deep 49"),
        marks="••1." * 50,
    ),
    Document(name="size-bold", source=f"**{WORDS * 30}end**", see=("alpha", "end"), bold=(WORDS * 30 + "end",)),
    Document(name="size-cjk", source="这是一个很长的句子没有空格" * 150, see=("这是一个",)),
    Document(name="size-cjk-bold", source="这是**重点：**内容，" * 80, see=("这是重点：内容",), bold=("重点",) * 80),
    Document(name="size-one-word", source="x" * 3_000, see=("xxx",)),
    Document(
        name="size-links",
        source=" ".join(f"[label{n}](https://a.example/{n}?q=1&r=2)" for n in range(80)),
        see=("label0", "label79"),
        links=tuple((f"label{n}", f"https://a.example/{n}?q=1&r=2") for n in range(80)),
    ),
    Document(
        name="size-long-address",
        source="see https://a.example/" + "path/" * 300 + "end now",
        see=("see", "now"),
        links=None,
    ),
    Document(
        name="size-inline-code",
        source=" ".join(f"`a_{n} * b`" for n in range(150)),
        see=("a_0 * b", "a_149 * b"),
        code=tuple(f"a_{n} * b" for n in range(150)),
    ),
    Document(name="size-entities", source="<&> " * 500, see=("<&> <&>",)),
    Document(
        name="size-quote",
        source="\n".join(f"> line {n} {WORDS}" for n in range(60)),
        see=("line 0", "line 59"),
        quote=tuple(f"line {n} {WORDS}" for n in range(60)),
    ),
)
