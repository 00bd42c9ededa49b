"""Inline code and code blocks, closed and unclosed, holding what looks like markup."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="code-inline", source="call `f(x)` now", see=("call f(x) now",), code=("f(x)",)),
    Document(
        name="code-inline-markers",
        source="`**x** _y_ ~~z~~ [a](b)`",
        see=("**x** _y_ ~~z~~ [a](b)",),
        code=("**x** _y_ ~~z~~ [a](b)",),
    ),
    Document(
        name="code-inline-angle",
        source="`Vec<String>` and `a && b`",
        see=("Vec<String> and a && b",),
        code=("Vec<String>", "a && b"),
    ),
    Document(
        name="code-inline-entity",
        source="write `&lt;b&gt;` or `&amp;`",
        see=("write &lt;b&gt; or &amp;",),
        code=("&lt;b&gt;", "&amp;"),
    ),
    Document(name="code-inline-double", source="type `` a b `` here", see=("type a b here",), code=("a b",)),
    Document(
        name="code-inline-backslash", source="path `C:\\new\\*` ok", see=("path C:\\new\\* ok",), code=("C:\\new\\*",)
    ),
    Document(
        name="code-inline-bars",
        source="`a || b` and `#x` and `> y`",
        see=("a || b and #x and > y",),
        code=("a || b", "#x", "> y"),
    ),
    Document(
        name="code-inline-in-bold", source="**the `x` flag**", see=("the x flag",), bold=("the flag",), code=("x",)
    ),
    Document(name="code-inline-cjk", source="请用`命令`运行", see=("请用", "命令", "运行"), code=("命令",)),
    Document(name="code-inline-unclosed", source="a `b that never ends", see=("a `b that never ends",), literal=("`",)),
    Document(
        name="code-inline-backtick",
        source="type `` a`b `` here",
        see=("type", "here"),
        code=("a`b",),
        fallback={"code": None, "literal": ("`",)},
    ),
    Document(
        name="code-block-info-odd",
        source="``` {.python .numberLines}\nx\n```",
        see=("x",),
        unseen=("numberLines",),
        fences=None,
    ),
    Document(
        name="code-block-empty",
        source="before\n\n```\n```\n\nafter",
        see=("before", "after"),
        fences=None,
        unseen=("```",),
    ),
    Document(name="code-block", source="```\nx = 1\n```", see=("x = 1",), fences=(("", "x = 1"),)),
    Document(
        name="code-block-language",
        source="```python\nx = 1\n```",
        see=("x = 1",),
        unseen=("python",),
        fences=(("python", "x = 1"),),
    ),
    Document(
        name="code-block-language-cpp", source="```c++\nint x;\n```", see=("int x;",), fences=(("c++", "int x;"),)
    ),
    Document(
        name="code-block-info-words",
        source='```js title="a b.js" {1,3}\nlet x\n```',
        see=("let x",),
        unseen=("title",),
        fences=(("js", "let x"),),
    ),
    Document(
        name="code-block-markers",
        source="```md\n# T\n**b** [a](b)\n> q\n| a |\n```",
        see=("# T **b** [a](b) > q | a |",),
        fences=(("md", "# T\n**b** [a](b)\n> q\n| a |"),),
    ),
    Document(
        name="code-block-entities",
        source="```html\n<b>&amp; &lt;</b>\n```",
        see=("<b>&amp; &lt;</b>",),
        fences=(("html", "<b>&amp; &lt;</b>"),),
    ),
    Document(name="code-block-tildes", source="~~~py\nx = 1\n~~~", see=("x = 1",), fences=(("py", "x = 1"),)),
    Document(
        name="code-block-four-ticks",
        source="````md\n```py\nx\n```\n````\n\nafter",
        see=("py", "x", "after"),
        fences=(("md", "```py\nx\n```"),),
    ),
    Document(
        name="code-block-ticks-inside",
        source="~~~\nuse ``` here\n~~~\nafter",
        see=("use", "here", "after"),
        fences=(("", "use ``` here"),),
    ),
    Document(
        name="code-block-unclosed",
        source="text\n\n```py\nx = 1\ny = 2",
        see=("text", "x = 1 y = 2"),
        fences=(("py", "x = 1\ny = 2"),),
    ),
    Document(name="code-block-blank-lines", source="```\na\n\n\nb\n```", see=("a b",), fences=(("", "a\n\n\nb"),)),
    Document(
        name="code-block-indentation",
        source="```py\ndef f():\n    if x:\n        y\n```",
        see=("def f():",),
        fences=(("py", "def f():\n    if x:\n        y"),),
    ),
    Document(
        name="code-block-first-line-indented",
        source="```\n    deep\n  less\n```",
        see=("deep less",),
        fences=(("", "    deep\n  less"),),
    ),
    Document(
        name="code-block-by-indentation",
        source="text\n\n    x = 1\n    y = 2\n\nafter",
        see=("text", "x = 1 y = 2", "after"),
        fences=(("", "x = 1\ny = 2"),),
    ),
    Document(
        name="code-block-two", source="```a\n1\n```\n```b\n2\n```", see=("1", "2"), fences=(("a", "1"), ("b", "2"))
    ),
    Document(
        name="code-block-between-text",
        source="before\n```sh\nls\n```\nafter",
        see=("before", "ls", "after"),
        fences=(("sh", "ls"),),
    ),
    Document(
        name="code-block-after-bold",
        source="**File:**\n```\na*b*c\n```",
        see=("File:", "a*b*c"),
        bold=("File",),
        fences=(("", "a*b*c"),),
    ),
    Document(
        name="code-block-backslashes",
        source='```\nre.sub("\\\\d", "\\*")\n```',
        see=('re.sub("\\\\d", "\\*")',),
        fences=(("", 're.sub("\\\\d", "\\*")'),),
    ),
    Document(
        name="code-block-dollar-and-bars",
        source="```sh\necho $a || true; cat <<EOF\n```",
        see=("echo $a || true; cat <<EOF",),
        fences=(("sh", "echo $a || true; cat <<EOF"),),
    ),
    Document(
        name="code-block-tabs",
        source="```make\nall:\n\tgo build\n```",
        see=("all: go build",),
        fences=(("make", "all:\n\tgo build"),),
    ),
    Document(
        name="diff-block", source="```diff\n- old\n+ new\n```", see=("- old + new",), fences=(("diff", "- old\n+ new"),)
    ),
    Document(
        name="code-inline-looks-like-fence",
        source="use ```x``` inline",
        see=("use", "x", "inline"),
        code=("x",),
        fallback={"code": ("x",)},
    ),
)
