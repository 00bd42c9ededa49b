"""Backslashes, entities and literal characters."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="escaped-stars", source="\\*not italic\\*", see=("*not italic*",), literal=("*", "*")),
    Document(name="escaped-double-stars", source="\\*\\*not bold\\*\\*", see=("**not bold**",), literal=("**", "**")),
    Document(
        name="escaped-underscores",
        source="\\_not\\_ \\_\\_here\\_\\_",
        see=("_not_ __here__",),
        literal=("_", "_", "__", "__"),
    ),
    Document(name="escaped-tildes", source="\\~\\~not gone\\~\\~", see=("~~not gone~~",), literal=("~~", "~~")),
    Document(
        name="escaped-backtick",
        source="a \\`b\\` c",
        see=("a `b` c",),
        literal=("`", "`"),
        fallback={"see": ("a", "b", "c"), "code": None},
    ),
    Document(
        name="escaped-link",
        source="\\[a\\](https://a.example/x)",
        see=("[a](", "https://a.example/x"),
        literal=("](",),
        links=None,
    ),
    Document(name="escaped-backslash", source="a \\\\ b", see=("a \\ b",)),
    Document(name="backslash-before-letter", source="C:\\new\\dir", see=("C:\\new\\dir",)),
    Document(
        name="backslash-path-at-markers",
        source="\\\\server\\_share\\*",
        see=("\\server_share*",),
        literal=("_", "*", "\\"),
    ),
    Document(name="hard-break-backslash", source="one\\\ntwo", see=("one two",), unseen=("\\",)),
    Document(name="hard-break-spaces", source="one  \ntwo", see=("one two",)),
    Document(name="entity-amp", source="R&amp;D and AT&T", see=("R&D and AT&T",)),
    Document(name="entity-lt", source="a &lt; b &gt; c", see=("a < b > c",)),
    Document(name="entity-named", source="&copy; 2026 &mdash; caf&eacute;", see=("© 2026 — café",)),
    Document(name="entity-numeric", source="&#65;&#x42;", see=("AB",)),
    Document(name="entity-double", source="&amp;lt; stays", see=("&lt; stays",), literal=("&lt;",)),
    Document(name="entity-star", source="&#42;x&#42; &#95;y&#95;", see=("*x* _y_",), literal=("*", "*", "_", "_")),
    Document(name="angle-comparison", source="a < b and c > d, x<y, i->j", see=("a < b and c > d, x<y, i->j",)),
    Document(name="generics", source="A List<String> of T<K, V>", see=("A List<String> of T<K, V>",)),
    Document(
        name="dollars",
        source="It costs $5 to $10; $x_1$ is $$E=mc^2$$",
        see=("It costs $5 to $10; $x_1$ is $$E=mc^2$$",),
    ),
    Document(name="plus-and-hash", source="C++ and C# and 3+4", see=("C++ and C# and 3+4",)),
    Document(name="emoji-codes", source="a :smile: and 10:30:45", see=(":smile: and 10:30:45",)),
    Document(name="square-brackets", source="x[0] = [1, 2]", see=("x[0] = [1, 2]",)),
    Document(name="rule-between", source="above\n\n---\n\nbelow", see=("above", "below"), unseen=("---",)),
    Document(name="rule-stars", source="above\n\n***\n\nbelow", see=("above", "below"), unseen=("***",)),
    Document(
        name="windows-lines", source="# T\r\n\r\n- a\r\n- b\r\n", see=("T", "a", "b"), headings=((1, "T"),), marks="••"
    ),
    Document(name="old-mac-lines", source="one\r\rtwo", see=("one two",)),
    Document(name="many-blank-lines", source="one\n\n\n\n\ntwo", see=("one two",)),
)
