"""Attempts to call somebody, in every place and spelling. Nobody is called; the words stay readable."""

from tests.markdown.corpus.document import Document

TOKENS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!subteam^S0123|team>",
    "<@U0123ABC>",
    "<@W0123|Ann>",
    "<#C0123|general>",
    "@channel",
    "@here",
    "@everyone",
    "<@123456789012345678>",
    "<@!123456789012345678>",
    "<@&123456789012345678>",
    "<#123456789012345678>",
)
"""Everything that calls or links on either platform."""

EVERY = " ".join(TOKENS)


def _quiet(name: str, source: str, *see: str, literal: tuple[str, ...] = ()) -> Document:
    return Document(name=f"mention-{name}", source=source, see=see or ("before", "after"), literal=literal)


def entity(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def numeric(text: str) -> str:
    return "".join(f"&#{ord(letter)};" for letter in text)


DOCUMENTS = (
    _quiet("prose", f"before {EVERY} after", "before", "channel", "here", "everyone", "U0123ABC", "after"),
    *(_quiet(f"alone-{n}", token, token.strip("<>@#!&").split("|")[0]) for n, token in enumerate(TOKENS)),
    _quiet("entity", f"before {entity(EVERY)} after"),
    _quiet("entity-twice", f"before {entity(entity(EVERY))} after", literal=("&lt;", "&gt;", "&amp;") * 40),
    _quiet("entity-numeric", f"before {numeric(EVERY)} after"),
    _quiet("entity-hexadecimal", "before &#x3c;!channel&#x3E; &#x40;here after"),
    _quiet("entity-of-at", "before &commat;everyone &lt;&commat;U0123ABC&gt; after"),
    _quiet("entity-without-semicolon", "before &lt!channel&gt after", literal=("&lt", "&gt")),
    _quiet(
        "backslash",
        "before \\<!channel\\> \\<@U0123ABC> <\\@U0123ABC> \\@here @\\everyone \\<\\@123456789012345678> after",
    ),
    _quiet("two-backslashes", "before \\\\<!channel> \\\\@everyone after", literal=("\\", "\\")),
    Document(
        name="mention-bold",
        source="before **@everyone <!here>** after",
        see=("before", "after"),
        bold=("everyone here",),
    ),
    Document(
        name="mention-split-by-bold",
        source="before <**!channel**> @**everyone** after",
        see=("before", "after"),
        bold=("channel everyone",),
    ),
    Document(
        name="mention-split-by-italic",
        source="before @*here* <*@U0123ABC*> after",
        see=("before", "after"),
        italic=("here U0123ABC",),
    ),
    Document(
        name="mention-split-by-code",
        source="before @`everyone` <`@U0123ABC`> after",
        see=("before", "after"),
        code=None,
    ),
    _quiet("split-by-comment", "before <!<!-- -->channel> after"),
    Document(
        name="mention-code",
        source="before `<!channel>` `@everyone` `<@123456789012345678>` after",
        see=("before", "after"),
        code=("<!channel>", "@everyone", "<@123456789012345678>"),
    ),
    Document(
        name="mention-code-block",
        source=f"before\n\n```\n{EVERY}\n```\n\nafter",
        see=("before", "after"),
        fences=(("", EVERY),),
    ),
    Document(
        name="mention-info",
        source="before\n\n```<!channel>\nx\n```\n\n```@everyone\ny\n```\n\nafter",
        see=("before", "x", "y", "after"),
        fences=None,
    ),
    Document(name="mention-info-tildes", source="~~~<@U0123ABC> `@here`\nx\n~~~", see=("x",), fences=None),
    Document(
        name="mention-heading",
        source="# <!channel> news\n\n#### @everyone",
        see=("channel", "news", "everyone"),
        headings=((1, "channel news"), (4, "everyone")),
    ),
    Document(
        name="mention-heading-underlined",
        source="@here <@U0123ABC>\n===\n\nx",
        see=("x",),
        headings=((1, "here U0123ABC"),),
    ),
    Document(
        name="mention-list",
        source="- <!here>\n- @everyone\n  1. <@U0123ABC>",
        see=("here", "everyone", "U0123ABC"),
        marks="••1.",
    ),
    Document(
        name="mention-quote",
        source="> <!here> @everyone\n\nplain",
        see=("here", "everyone", "plain"),
        quote=("here everyone",),
    ),
    Document(
        name="mention-table",
        source="| <!channel> | b |\n|---|---|\n| <@U0123ABC> | @everyone <@123456789012345678> |",
        see=("channel", "U0123ABC", "everyone"),
        table=None,
    ),
    Document(
        name="mention-link-label",
        source="[<!channel> @everyone](https://a.example/x)",
        see=("channel", "everyone"),
        links=None,
    ),
    Document(
        name="mention-link-target",
        source="[x](<!channel>) [y](@everyone) [z](https://a.example/@everyone)",
        see=("x", "y", "z"),
        links=None,
        literal=("](", "<", "]("),
    ),
    Document(
        name="mention-link-target-token",
        source="[x](https://a.example/<@U0123ABC>) [y](<https://a.example/?<!here>>)",
        see=("x", "y"),
        links=None,
        literal=("](", "](", "<"),
    ),
    Document(
        name="mention-link-title", source='[x](https://a.example/x "<!channel> @everyone")', see=("x",), links=None
    ),
    Document(
        name="mention-bare-address",
        source="before https://a.example/@everyone and https://a.example/<!here> after",
        see=("before", "after"),
        links=None,
    ),
    Document(
        name="mention-autolink", source="<https://a.example/@here/x> <mailto:@everyone>", see=("a.example",), links=None
    ),
    Document(
        name="mention-reference",
        source="[<!here>]\n\n[<!here>]: https://a.example/@channel '<!channel>'",
        see=("here",),
        links=None,
    ),
    Document(
        name="mention-image", source="![<!channel> @everyone](https://a.example/x.png)", see=("channel",), links=None
    ),
    Document(
        name="mention-image-target",
        source="![](https://a.example/<!channel>.png) after",
        see=("after",),
        links=None,
        literal=("![", "]("),
    ),
    Document(
        name="mention-slack-link",
        source="before <https://a.example/x|@everyone> <mailto:a@b.example|<!here>> after",
        see=("before", "after"),
        links=None,
        literal=("<", "<"),
    ),
    Document(name="mention-html", source="<div>\n<!channel>\n</div>\n\n<!here>", see=("channel", "here")),
    _quiet("full-width", "before ＠channel ＠here ＠everyone after"),
    _quiet("case", "before <!CHANNEL> @Channel @EVERYONE after"),
    _quiet("control-inside", "before <\x00!channel> <@\x07U0123ABC> @\x1feveryone <\x7f@123456789012345678> after"),
    _quiet("byte-order-mark-inside", "before @\ufeffeveryone <\ufeff!here> after"),
    _quiet("surrogate-inside", "before <\ud800!channel> @\udfffeveryone after"),
    _quiet("direction-inside", "before @\u202eeveryone <\u202d!here> after"),
    _quiet("line-inside", "before <!\nchannel> @\neveryone after"),
    _quiet("unclosed", "before <!channel", "before", "channel"),
    _quiet("touching", "x@everyone(@here)<!channel>@channel", "x", "everyone", "here", "channel"),
    Document(
        name="mention-address-of-mail", source="write to a@here.example", see=("write to a@here.example",), links=None
    ),
    Document(
        name="mention-allowed-slack",
        source="Hello <@U0123ABC> and <@U0999>",
        see=("Hello",),
        people={"U0123ABC": "Ann"},
        slack={"mentions": frozenset({"@U0123ABC"})},
        fallback={"mentions": frozenset({"@U0123ABC"})},
    ),
    Document(
        name="mention-allowed-discord",
        source="Hello <@123456789012345678> and <@5>",
        see=("Hello",),
        people={"123456789012345678": "Ann"},
        discord={"mentions": frozenset({"@123456789012345678"})},
    ),
    Document(
        name="mention-allowed-name-in-another",
        source="Hello @Annie and ann and x@Ann.example",
        see=("Hello", "Annie", "Ann.example"),
        people={"123456789012345678": "Ann"},
        links=None,
    ),
    Document(
        name="mention-allowed-but-all",
        source="Hello <!channel> @everyone <@&123456789012345678>",
        see=("Hello",),
        people={"123456789012345678": "Ann", "U0123ABC": "channel", "S0123": "everyone"},
    ),
)
