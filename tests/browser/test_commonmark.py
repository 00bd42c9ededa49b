"""The page reads Slack's markdown as CommonMark says: compared with an independent parser over made-up documents."""

import random
import re

import pytest
from markdown_it import MarkdownIt
from playwright.async_api import Page

from tests.browser.test_markdown import page

__all__ = ["page"]

pytestmark = pytest.mark.browser

DOCUMENTS = 600

OPENINGS = [
    *("", "", "", "", "- ", "* ", "1. ", "4. ", "7) ", "> ", "> - ", "- > "),
    *("  ", "   ", "    ", "# ", "### ", "- # ", "-"),
]
LINES = ["---", "===", "***", "```", "```py", "~~~", "````", "", "", "| a | b |\n|---|:-:|\n| 1 | 2 |", "- \n\n  x"]
WORDS = [
    *("*", "**", "***", "_", "__", "~~", "\\*", "\\", "[", "]", "(", ")", "#", "1.", " ", " "),
    *("a", "b c", "foo", "漢字", "。", "（", "😀", "`x`", "`` ` ``", "&amp;", "&lt;b&gt;", "<b>"),
    *("[x](mailto:x)", '[y *z*](<https://y.example> "t")'),
]

_SPACE = re.compile(r"(<(?:br /|hr /|/?(?:ul|ol|li|blockquote|table|thead|tbody|tr|th|td|p|pre|h\d))[^>]*>)\n")

COMPARE = """async (pairs) => {
  const { render } = await import("/page/markdown.js");
  // Both as one text: tags with the few attributes that matter, line breaks in text as they are.
  const write = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const inner = [...node.childNodes].map(write).join("");
    const tag = node.nodeName.toLowerCase();
    if (tag === "br") return "\\n";
    if (tag === "div" || tag === "body") return inner;
    return `{${tag}${node.getAttribute("start") ?? ""}${node.getAttribute("href") ?? ""} ${inner}}`;
  };
  const tidy = (text) => text.replace(/ *\\n */g, "\\n").replace(/\\s+}/g, "}");
  return pairs.map(([text, html]) => {
    const own = document.createElement("div");
    own.append(render(text, "markdown", {}));
    for (const heading of own.querySelectorAll(".heading")) {
      const made = document.createElement(heading.classList[1]);
      made.append(...heading.childNodes);
      heading.replaceWith(made);
    }
    const other = new DOMParser().parseFromString(html, "text/html").body;
    return [tidy(write(own)), tidy(write(other))];
  });
}"""


def make_document(seed: int) -> str:
    chance = random.Random(seed)
    lines = []
    for _ in range(chance.randint(1, 9)):
        words = "".join(chance.choice(WORDS) for _ in range(chance.randint(1, 7))).strip()
        lines.append(chance.choice(OPENINGS) + words if chance.random() < 0.75 else chance.choice(LINES))
    return "\n".join(lines)


def parse(parser: MarkdownIt, document: str) -> str:
    """As HTML, with the choices that the page makes: no white space between blocks, a paragraph in every list item."""
    tokens = parser.parse(document)
    for token in tokens:
        token.hidden = False
    rendered = str(parser.renderer.render(tokens, parser.options, {}))
    return _SPACE.sub(r"\1", rendered).replace("<ol>", '<ol start="1">')


async def test_made_up_documents_are_read_as_an_independent_parser_reads_them(page: Page) -> None:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["html_block", "html_inline", "reference", "image"])
    documents = [make_document(seed) for seed in range(DOCUMENTS)]
    pairs = [[document, parse(parser, document)] for document in documents]
    different = [
        (document, own, other)
        for document, (own, other) in zip(documents, await page.evaluate(COMPARE, pairs), strict=True)
        if own != other
    ]
    assert different == []
