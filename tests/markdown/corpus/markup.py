"""HTML, which is text here, and formulas."""

from tests.markdown.corpus.document import Document

DOCUMENTS = (
    Document(name="html-inline", source="press <kbd>Ctrl</kbd> now", see=("press", "Ctrl", "now")),
    Document(name="html-bold", source="a <b>bold</b> word", see=("a", "bold", "word")),
    Document(name="html-block", source="<div class='x'>\n\ninside\n\n</div>\n\nafter", see=("inside", "after")),
    Document(name="html-comment", source="before <!-- note --> after", see=("before", "after")),
    Document(
        name="html-details",
        source="<details><summary>More</summary>\n\n**b**\n\n</details>",
        see=("More", "b"),
        bold=("b",),
    ),
    Document(name="html-script", source="<script>alert(1)</script> text", see=("alert(1)", "text")),
    Document(name="html-think", source="<think>\nhm\n</think>\n\nAnswer.", see=("hm", "Answer.")),
    Document(
        name="html-attribute-markers",
        source='<a href="https://a.example/_x_">**b**</a>',
        see=("b",),
        bold=("b",),
        links=None,
    ),
    Document(name="formula-block", source="$$\n\\frac{a}{b}\n$$", see=("\\frac{a}{b}",)),
    Document(name="formula-brackets", source="\\\\[ x = 1 \\\\]", see=("\\[ x = 1 \\]",), literal=("\\", "\\")),
)
