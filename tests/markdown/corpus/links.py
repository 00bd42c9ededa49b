"""Links of every spelling, and images, which become links."""

from tests.markdown.corpus.document import Document

A = "https://a.example/x"

DOCUMENTS = (
    Document(name="link", source=f"see [the docs]({A}) now", see=("see the docs now",), links=(("the docs", A),)),
    Document(name="link-with-title", source=f'[docs]({A} "The title")', see=("docs",), links=(("docs", A),)),
    Document(name="link-angled-target", source=f"[docs](<{A}>)", see=("docs",), links=(("docs", A),)),
    Document(
        name="link-target-with-space",
        source="[docs](<https://a.example/a b>)",
        see=("docs",),
        links=(("docs", "https://a.example/a%20b"),),
    ),
    Document(
        name="link-target-with-parens",
        source="[wiki](https://a.example/x_(y)) ok",
        see=("wiki ok",),
        links=(("wiki", "https://a.example/x_(y)"),),
    ),
    Document(
        name="link-target-with-query",
        source="[q](https://a.example/?a=1&b=2#f)",
        see=("q",),
        links=(("q", "https://a.example/?a=1&b=2#f"),),
    ),
    Document(
        name="link-target-with-markers",
        source="[q](https://a.example/_a_*b*~~c~~)",
        see=("q",),
        links=(("q", "https://a.example/_a_*b*~~c~~"),),
    ),
    Document(
        name="link-target-with-bar",
        source="[q](https://a.example/a|b) end",
        see=("q end",),
        links=(("q", "https://a.example/a%7Cb"),),
    ),
    Document(
        name="link-label-bold",
        source=f"[**bold** label]({A})",
        see=("bold label",),
        bold=("bold",),
        links=(("bold label", A),),
        fallback={"bold": ()},
    ),
    Document(name="link-label-code", source=f"[`run()`]({A})", see=("run()",), links=(("run()", A),), code=None),
    Document(name="link-label-brackets", source=f"[a [b] c]({A})", see=("a [b] c",), links=(("a [b] c", A),)),
    Document(name="link-label-angle", source=f"[a < b > c]({A})", see=("a < b > c",), links=(("a < b > c", A),)),
    Document(
        name="link-label-bar",
        source=f"[a | b]({A})",
        see=("a | b",),
        links=(("a | b", A),),
        fallback={"see": ("a", "b"), "links": None},
    ),
    Document(name="link-label-address", source=f"[{A}]({A})", see=(A,), links=((A, A),)),
    Document(name="link-label-broken-line", source=f"[two\nwords]({A})", see=("two words",), links=None),
    Document(name="link-autolink", source=f"see <{A}> now", see=(f"see {A} now",), links=((A, A),)),
    Document(name="link-bare", source=f"see {A} now", see=(f"see {A} now",), links=((A, A),)),
    Document(
        name="link-bare-full-stop",
        source=f"see {A}. Then ({A}).",
        see=(f"see {A}. Then ({A}).",),
        links=((A, A), (A, A)),
    ),
    Document(
        name="link-bare-underscores",
        source="https://a.example/a_b_c/__d__/e x",
        see=("https://a.example/a_b_c/__d__/e x",),
        links=(("https://a.example/a_b_c/__d__/e",) * 2,),
    ),
    Document(
        name="link-bare-bold", source=f"**{A}** end", see=(f"{A} end",), bold=("https a example x",), links=((A, A),)
    ),
    Document(
        name="link-mailto",
        source="write to <me@a.example> or [me](mailto:me@a.example)",
        see=("me@a.example", "me"),
        links=None,
    ),
    Document(
        name="link-reference",
        source=f"see [the docs][1] now\n\n[1]: {A}",
        see=("see the docs now",),
        unseen=("[1]",),
        links=(("the docs", A),),
    ),
    Document(
        name="link-reference-shortcut",
        source=f"see [docs] and [docs][]\n\n[docs]: {A}",
        see=("see docs and docs",),
        links=(("docs", A), ("docs", A)),
    ),
    Document(name="link-citation", source=f"As shown [1].\n\n[1]: {A}", see=("As shown 1.",), links=(("1", A),)),
    Document(
        name="link-two", source=f"[a]({A}/1), [b]({A}/2)", see=("a, b",), links=(("a", A + "/1"), ("b", A + "/2"))
    ),
    Document(
        name="link-touching", source=f"[a]({A}/1)[b]({A}/2)", see=("ab",), links=(("a", A + "/1"), ("b", A + "/2"))
    ),
    Document(name="link-script", source="[click](javascript:alert) here", see=("click", "here")),
    Document(name="link-data", source="[click](data:text/html;base64,AAAA) here", see=("click", "here")),
    Document(
        name="link-half",
        source="see [the docs](https://a.exam",
        see=("see [the docs](", "a.exam"),
        literal=("](",),
        links=None,
    ),
    Document(
        name="link-brackets-only", source="an [aside] and arr[0] and [x][y]", see=("an [aside] and arr[0] and [x][y]",)
    ),
    Document(
        name="link-call-lookalike", source="f\\[0\\](x) and a\\](b)", see=("f[0](x) and a](b)",), literal=("](", "](")
    ),
    Document(
        name="link-in-list",
        source=f"- [a]({A}): first\n- [b]({A})",
        see=("a: first", "b"),
        marks="••",
        links=(("a", A), ("b", A)),
    ),
    Document(name="link-www", source="see www.a.example for more", see=("see www.a.example for more",), links=None),
    Document(
        name="link-long-label",
        source=f"[{'label ' * 12}end]({A})",
        see=("label label", "end"),
        links=(("label " * 12 + "end", A),),
    ),
    Document(
        name="footnote",
        source="A claim[^1].\n\n[^1]: The long note here.",
        see=("A claim", "The long note here."),
        links=None,
    ),
    Document(name="image", source=f"![a cat]({A}.png)", see=("a cat",), unseen=("!",), links=(("a cat", A + ".png"),)),
    Document(
        name="image-without-alt", source=f"![]({A}.png)", see=("image",), unseen=("!",), links=(("image", A + ".png"),)
    ),
    Document(
        name="image-in-text",
        source=f"Look: ![a *cat*]({A}.png) nice",
        see=("Look: a cat nice",),
        unseen=("!",),
        links=(("a cat", A + ".png"),),
    ),
    Document(
        name="image-reference",
        source=f"![cat][c]\n\n[c]: {A}.png",
        see=("cat",),
        unseen=("!",),
        resolved_late=True,
        links=(("cat", A + ".png"),),
    ),
    Document(name="image-in-link", source=f"[![badge]({A}.svg)]({A})", see=("badge",), unseen=("!",), links=None),
    Document(name="image-relative", source="![plot](plot.png) after", see=("plot", "after"), unseen=("!",)),
    Document(
        name="exclamation-before-link",
        source=f"Wow\\![docs]({A})",
        see=("Wow!", "docs"),
        literal=("![",),
        links=(("docs", A),),
    ),
)
