"""Bold, italic, strike, and what only looks like them."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="bold", source="a **bold** word", see=("a bold word",), bold=("bold",)),
    Document(name="bold-underscores", source="a __bold__ word", see=("a bold word",), bold=("bold",)),
    Document(name="italic", source="an *italic* word", see=("an italic word",), italic=("italic",)),
    Document(name="italic-underscore", source="an _italic_ word", see=("an italic word",), italic=("italic",)),
    Document(name="strike", source="a ~~gone~~ word", see=("a gone word",), strike=("gone",)),
    Document(name="bold-italic", source="a ***both*** word", see=("a both word",), bold=("both",), italic=("both",)),
    Document(
        name="italic-in-bold",
        source="**bold *and italic* here**",
        see=("bold and italic here",),
        bold=("bold and italic here",),
        italic=("and italic",),
    ),
    Document(
        name="bold-in-italic",
        source="*italic **and bold** here*",
        see=("italic and bold here",),
        bold=("and bold",),
        italic=("italic and bold here",),
    ),
    Document(
        name="bold-ends-in-italic",
        source="**bold *both***",
        see=("bold both",),
        bold=("bold both",),
        italic=("both",),
    ),
    Document(
        name="italic-ends-in-bold",
        source="*italic **both***",
        see=("italic both",),
        bold=("both",),
        italic=("italic both",),
    ),
    Document(
        name="strike-with-bold",
        source="~~old **very old**~~ new",
        see=("old very old new",),
        bold=("very old",),
        strike=("old very old",),
    ),
    Document(
        name="bold-with-code",
        source="**run `make *all*` now**",
        see=("run make *all* now",),
        bold=("run now",),
        code=("make *all*",),
    ),
    Document(
        name="bold-with-link",
        source="**see [the docs](https://docs.example/x) now**",
        see=("see the docs now",),
        bold=("see the docs now",),
        links=(("the docs", "https://docs.example/x"),),
    ),
    Document(
        name="bold-inside-a-word", source="un**frigging**believable", see=("unfriggingbelievable",), bold=("frigging",)
    ),
    Document(name="bold-label", source="**Note:** take care", see=("Note: take care",), bold=("Note",)),
    Document(name="bold-in-quotes", source='the "**word**" here', see=('the "word" here',), bold=("word",)),
    Document(name="bold-in-brackets", source="(**word**)", see=("(word)",), bold=("word",)),
    Document(
        name="bold-neighbours",
        source="**a****b** **c** **d**",
        see=("a", "b", "c d"),
        bold=("abcd",),
        literal=("****",),
    ),
    Document(name="bold-then-italic", source="**a** *b* **c**", see=("a b c",), bold=("ac",), italic=("b",)),
    Document(name="bold-next-to-italic", source="**a***b*", see=("ab",), bold=("a",), italic=("b",)),
    Document(
        name="bold-over-lines",
        source="**first\nsecond** third",
        see=("first second third",),
        bold=("first second",),
    ),
    Document(
        name="bold-paragraphs", source="**One**\n\n**Two**\n\nthree", see=("One", "Two", "three"), bold=("One Two",)
    ),
    Document(name="not-bold-spaces", source="2 ** 3 ** 4 and 2 * 3 * 4", see=("2 ** 3 ** 4 and 2 * 3 * 4",)),
    Document(
        name="not-italic-snake-case",
        source="use snake_case_name and _private",
        see=("use snake_case_name and _private",),
        literal=("_",),
    ),
    Document(name="not-italic-trailing", source="foo_bar_ baz_", see=("foo_bar_ baz_",), literal=("_", "_")),
    Document(name="not-strike-one-tilde", source="about ~5 or ~6 km", see=("about ~5 or ~6 km",)),
    Document(
        name="unclosed-bold", source="a **bold that never ends", see=("a **bold that never ends",), literal=("**",)
    ),
    Document(name="unopened-bold", source="never began** here", see=("never began** here",), literal=("**",)),
    Document(name="lone-star", source="5* hotel, C* algebra", see=("5* hotel, C* algebra",), literal=("*", "*")),
    Document(
        name="footnote-star",
        source="Price* applies\n\n\\* to all",
        see=("Price* applies", "* to all"),
        literal=("*", "*"),
    ),
    Document(
        name="arithmetic",
        source="x**2 is x squared, a * b is b * a, 2^3 is 8",
        see=("x**2 is x squared, a * b is b * a, 2^3 is 8",),
        literal=("**",),
    ),
    Document(name="spoiler-bars", source="a || b || c and ||x||", see=("a || b || c and ||x||",), literal=("||",) * 4),
    Document(name="small-print-lookalike", source="\\-# tiny", see=("-# tiny",)),
    Document(
        name="underscored-emphasis-with-punctuation",
        source="_Hello, world!_ he said",
        see=("Hello, world! he said",),
        italic=("Hello world",),
    ),
    Document(name="emphasis-of-number", source="**3.14** and *2*", see=("3.14 and 2",), bold=("314",), italic=("2",)),
    Document(name="emphasis-of-symbol", source="**✓** ok, **→** go", see=("✓ ok, → go",)),
)
