"""The page's renderer, in the browser that it is written for: what text becomes, and what it must never become."""

from collections.abc import AsyncIterator, Mapping

import pytest
from playwright.async_api import Page

from bridge.clock import SystemClock
from bridge.playground.bodies import Post, React, Turn
from bridge.playground.server import PageServer

pytestmark = pytest.mark.browser

RENDER = """async ([text, dialect]) => {
  const { render } = await import("/page/markdown.js");
  const box = document.createElement("div");
  box.append(render(text, dialect, { U1: "Ada", 42: "bot" }));
  return box.innerHTML;
}"""


class EmptyStage:
    async def picture(self) -> Mapping[str, object]:
        nothing = {"bot": {"id": "B", "name": "bot"}, "people": [], "channels": []}
        return {
            "bridge": {"state": "ready", "words": "Ready"},
            "slack": nothing,
            "discord": nothing,
            "dify": {"stand_in": True, "requests": []},
            "faults": [],
        }

    async def readiness(self) -> tuple[bool, Mapping[str, object]]:
        return True, {}

    async def post(self, platform: str, post: Post) -> str:
        raise NotImplementedError

    async def react(self, platform: str, react: React) -> None:
        raise NotImplementedError

    async def turn(self, turn: Turn) -> None:
        raise NotImplementedError

    async def restart_bridge(self, *, kill: bool = False) -> None:
        raise NotImplementedError


@pytest.fixture
async def page(tab: Page) -> AsyncIterator[Page]:
    server = PageServer(EmptyStage(), SystemClock(), port=0)
    await server.start()
    await tab.goto(server.url)
    yield tab
    await tab.goto("about:blank")
    await server.stop()


CASES = [
    ("markdown", "**bold** *it* ~~gone~~ `a*b*`", "<p><strong>bold</strong> <em>it</em> <s>gone</s> <code>a*b*</code></p>"),
    ("markdown", "2 * 3 * 4 and snake_case_name", "<p>2 * 3 * 4 and snake_case_name</p>"),
    ("markdown", r"\*plain\*", "<p>*plain*</p>"),
    ("markdown", "# Top\ntext", '<p class="heading h1" role="heading" aria-level="3">Top</p><p>text</p>'),
    ("markdown", "a\nb\n\nc", "<p>a<br>b</p><p>c</p>"),
    ("markdown", "- a\n- b\n  1. c\n\ntext",
     "<ul><li><p>a</p></li><li><p>b</p><ol start=\"1\"><li><p>c</p></li></ol></li></ul><p>text</p>"),
    ("markdown", "> quoted\n> more\nplain", "<blockquote><p>quoted<br>more</p></blockquote><p>plain</p>"),
    ("markdown", "```py\na = '<b>'\n\n# no heading\n```\nz",
     '<pre tabindex="0"><code data-language="py">a = \'&lt;b&gt;\'\n\n# no heading</code></pre><p>z</p>'),
    ("markdown", "```\nstill growing", '<pre tabindex="0"><code>still growing</code></pre>'),
    ("markdown", "|a|\n|-|\n|`2`|",
     ('<div class="table" tabindex="0"><table><thead><tr><th scope="col">a</th></tr></thead>'
      "<tbody><tr><td><code>2</code></td></tr></tbody></table></div>")),
    ("markdown", "[docs](https://x.example/a_b) and https://y.example/z.",
     ('<p><a href="https://x.example/a_b" target="_blank" rel="noopener noreferrer">docs</a> and '
      '<a href="https://y.example/z" target="_blank" rel="noopener noreferrer">https://y.example/z</a>.</p>')),
    ("markdown", "[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>"),
    ("markdown", "<img src=x onerror=alert(1)> & <b>", "<p>&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;</p>"),
    ("discord", "|a|b|\n|-|-|\n|1|2|", "<p>|a|b|<br>|-|-|<br>|1|2|</p>"),
    ("discord", "__u__ <@42> #### no", '<p><u>u</u> <span class="mention">@bot</span> #### no</p>'),
    ("discord", "-# small", '<p class="small">small</p>'),
    ("mrkdwn", "*b* _i_ ~s~ <@U1> &lt;b&gt; &amp;lt;",
     '<p><strong>b</strong> <em>i</em> <s>s</s> <span class="mention">@Ada</span> &lt;b&gt; &amp;lt;</p>'),
    ("mrkdwn", "<https://x.example/?a=1&amp;b=2|here>",
     '<p><a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">here</a></p>'),
    ("mrkdwn", "<javascript:alert(1)|x> `**`", "<p>&lt;javascript:alert(1)|x&gt; <code>**</code></p>"),
    ("mrkdwn", "<!channel> # no heading", '<p><span class="mention">@channel</span> # no heading</p>'),
]  # fmt: skip


async def test_text_becomes_what_its_dialect_says_and_never_markup(page: Page) -> None:
    shown = [(dialect, text, await page.evaluate(RENDER, [text, dialect])) for dialect, text, _ in CASES]
    assert shown == CASES


async def test_any_beginning_of_a_text_can_be_shown(page: Page) -> None:
    whole = "# A\n- **b\n  1. `c\n> ~~d\n```x\n|e|\n|-|\n[f](https://g" + "*_`[(<" * 5
    for dialect in ("markdown", "discord", "mrkdwn"):
        for end in range(len(whole)):
            assert isinstance(await page.evaluate(RENDER, [whole[:end], dialect]), str)


async def test_deep_nesting_and_long_texts_are_shown_in_reasonable_time(page: Page) -> None:
    for text in (">" * 3000 + " x", "- " * 2000 + "x", "**" * 4000, "[" * 4000, "`" * 3000 + "a", "*a " * 3000):
        for dialect in ("markdown", "discord", "mrkdwn"):
            took = await page.evaluate(
                f"async (arguments_) => {{ const start = performance.now(); await ({RENDER})(arguments_);"
                " return performance.now() - start; }",
                [text, dialect],
            )
            assert took < 1500, (dialect, text[:5], took)
