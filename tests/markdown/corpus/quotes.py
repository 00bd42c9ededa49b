"""Quotes, nested and holding other blocks."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="quote", source="> said\n\nplain", see=("said", "plain"), quote=("said",)),
    Document(name="quote-two-lines", source="> one\n> two\n\nplain", see=("one two", "plain"), quote=("one two",)),
    Document(name="quote-lazy", source="> one\ntwo\n\nplain", see=("one two", "plain"), quote=("one two",)),
    Document(
        name="quote-nested",
        source="> outer\n>\n> > inner\n\nplain",
        see=("outer", "inner", "plain"),
        quote=("outer", "inner"),
    ),
    Document(
        name="quote-paragraphs", source="> one\n>\n> two\n\nplain", see=("one", "two", "plain"), quote=("one", "two")
    ),
    Document(
        name="quote-with-list", source="> - a\n> - b\n\nplain", see=("a", "b", "plain"), quote=("a", "b"), marks="••"
    ),
    Document(
        name="quote-with-fence",
        source="> ```py\n> x = 1\n> ```\n\nplain",
        see=("x = 1", "plain"),
        quote=("x = 1",),
        fences=(("py", "x = 1"),),
        fallback={"quote": None},
    ),
    Document(
        name="quote-with-styles",
        source="> **Note:** see `x` and *y*",
        see=("Note: see x and y",),
        quote=("Note: see x and y",),
        bold=("Note",),
        italic=("y",),
        code=("x",),
    ),
    Document(
        name="quote-with-heading",
        source="> ## T\n> text\n\nplain",
        see=("T", "text", "plain"),
        quote=("T", "text"),
        bold=("T",),
    ),
    Document(name="quote-without-space", source=">said\n\nplain", see=("said", "plain"), quote=("said",)),
    Document(name="quote-two", source="> a\n\nbetween\n\n> b", see=("a", "between", "b"), quote=("a", "b")),
    Document(
        name="not-a-quote-escaped", source="\\> not said", see=("not said",), literal=(">",), fallback={"quote": None}
    ),
    Document(name="not-a-quote-arrow", source="a -> b => c > d", see=("a -> b => c > d",)),
    Document(
        name="quote-alert",
        source="> [!NOTE]\n> Take care.\n\nplain",
        see=("NOTE", "Take care.", "plain"),
        quote=("NOTE Take care",),
    ),
)
