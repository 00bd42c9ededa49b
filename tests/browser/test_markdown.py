"""The page's renderer, in the browser that it is written for: what text becomes, and what it must never become."""

from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from playwright.async_api import Page

from bridge.clock import SystemClock
from bridge.playground.bodies import Act, Post, React, Turn
from bridge.playground.discord_bodies import DiscordAct
from bridge.playground.server import PageServer, ShownFile
from bridge.playground.slack_bodies import SlackAct

pytestmark = pytest.mark.browser

SLOWEST = 1_500
"""Milliseconds. The slowest takes a tenth of it; what is not linear takes many times as long."""

RENDER = """async ([text, dialect, live]) => {
  const { render } = await import("/page/markdown.js");
  const box = document.createElement("div");
  box.append(render(text, dialect, { U1: "Ada", "1300000000000000042": "bot" }, live));
  return box.innerHTML;
}"""


class EmptyStage:
    async def picture(self) -> Mapping[str, object]:
        nothing: dict[str, object] = {"bot": {"id": "B", "name": "bot"}, "people": [], "channels": []}
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

    async def act(self, platform: str, act: Act) -> None:
        raise NotImplementedError

    async def use_slack(self, act: SlackAct) -> None:
        raise NotImplementedError

    async def use_discord(self, act: DiscordAct) -> str:
        raise NotImplementedError

    def find_file(self, platform: str, file_id: str) -> ShownFile | None:
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


LINK = 'target="_blank" rel="noopener noreferrer"'

MARKDOWN = [
    ("**bold** *it* ~~gone~~ `a*b*`", "<p><strong>bold</strong> <em>it</em> <s>gone</s> <code>a*b*</code></p>"),
    ("***a*** **a *b*** *a **b** c*",
     ("<p><em><strong>a</strong></em> <strong>a <em>b</em></strong> <em>a <strong>b</strong> c</em></p>")),
    ("2 * 3 * 4, snake_case_name, a*b*c", "<p>2 * 3 * 4, snake_case_name, a<em>b</em>c</p>"),
    ("太**字**太 **注意：**请 **注意**：请", "<p>太<strong>字</strong>太 **注意：**请 <strong>注意</strong>：请</p>"),
    (r"\*plain\* \[x\]\(y\) \`z\`", "<p>*plain* [x](y) `z`</p>"),
    ("&lt;b&gt; &amp;amp; &copy; &#128512; &nothing;", "<p>&lt;b&gt; &amp;amp; © 😀 &amp;nothing;</p>"),
    ("`` a`b `` `&lt;` `", "<p><code>a`b</code> <code>&amp;lt;</code> `</p>"),
    ("# Top #\ntext", '<p class="heading h1" role="heading" aria-level="3">Top</p><p>text</p>'),
    ("#### Deep\n#no", '<p class="heading h4" role="heading" aria-level="6">Deep</p><p>#no</p>'),
    ("Top\n===\nNext\n---",
     ('<p class="heading h1" role="heading" aria-level="3">Top</p>'
      '<p class="heading h2" role="heading" aria-level="4">Next</p>')),
    ("a\nb  \nc\\\nd\n\ne", "<p>a<br>b<br>c<br>d</p><p>e</p>"),
    ("- a\n- b\n  1. c\n     - d\n\ntext",
     "<ul><li><p>a</p></li><li><p>b</p><ol start=\"1\"><li><p>c</p><ul><li><p>d</p></li></ul></li></ol></li></ul><p>text</p>"),
    ("7. a\n8. b\n\n   c", '<ol start="7"><li><p>a</p></li><li><p>b</p><p>c</p></li></ol>'),
    ("- ```py\n  a\n  ```\n- b",
     '<ul><li><pre tabindex="0"><code data-language="py">a</code></pre></li><li><p>b</p></li></ul>'),
    ("- [x] a\n- [ ] b",
     ('<ul><li class="task"><input type="checkbox" disabled="" checked="" aria-label="done"><p>a</p></li>'
      '<li class="task"><input type="checkbox" disabled="" aria-label="to do"><p>b</p></li></ul>')),
    ("> quoted\n> more\nlazy\n\nplain", "<blockquote><p>quoted<br>more<br>lazy</p></blockquote><p>plain</p>"),
    ("> - a\n>\n> ```\n> x\n> ```\ny",
     '<blockquote><ul><li><p>a</p></li></ul><pre tabindex="0"><code>x</code></pre></blockquote><p>y</p>'),
    ("```py\na = '<b>'\n\n# no heading\n```\nz",
     '<pre tabindex="0"><code data-language="py">a = \'&lt;b&gt;\'\n\n# no heading</code></pre><p>z</p>'),
    ("````md\n```py\n````", '<pre tabindex="0"><code data-language="md">```py</code></pre>'),
    ("```\nstill growing", '<pre tabindex="0"><code>still growing</code></pre>'),
    ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
    ("|a|b|c|\n|-|:-:|-:|\n|`2\\|3`|*x*|\nafter",
     ('<div class="table" tabindex="0"><table><thead><tr><th scope="col">a</th><th scope="col" class="center">b</th>'
      '<th scope="col" class="right">c</th></tr></thead><tbody><tr><td><code>2|3</code></td>'
      '<td class="center"><em>x</em></td><td class="right"></td></tr><tr><td>after</td><td class="center"></td>'
      '<td class="right"></td></tr></tbody></table></div>')),
    ("|a|b|\n|-|", "<p>|a|b|<br>|-|</p>"),
    ("[docs](https://x.example/a_b) and https://y.example/z.",
     f'<p><a href="https://x.example/a_b" {LINK}>docs</a> and <a href="https://y.example/z" {LINK}>https://y.example/z</a>.</p>'),
    ("[a **b** [c]](<https://x.example/(d)> \"t\") <https://y.example> <mailto:a@b.example>",
     (f'<p><a href="https://x.example/(d)" {LINK}>a <strong>b</strong> [c]</a> '
      f'<a href="https://y.example" {LINK}>https://y.example</a> <a href="mailto:a@b.example" {LINK}>a@b.example</a></p>')),
    ("![a chart](https://x.example/a.png) [![](https://x.example/b.png)](https://y.example)",
     f'<p><a href="https://x.example/a.png" {LINK}>a chart</a> <a href="https://y.example" {LINK}>image</a></p>'),
    ("[x](javascript:alert(1)) [y](data:text/html,z) [z](/here)",
     "<p>[x](javascript:alert(1)) [y](data:text/html,z) [z](/here)</p>"),
    ("[x](java&#115;cript:alert) [y](https://a.example\"onclick=\"z)",
     f'<p>[x](javascript:alert) <a href="https://a.example&quot;onclick=&quot;z" {LINK}>y</a></p>'),
    ("<img src=x onerror=alert(1)> & <b>", "<p>&lt;img src=x onerror=alert(1)&gt; &amp; &lt;b&gt;</p>"),
    ("<@U1> <!channel> <!subteam^S1|@team> @here <\u200b@U1> @\u200bhere a@here.example `<@U1>`",
     ('<p><span class="mention">@Ada</span> <span class="mention">@channel</span> <span class="mention">@team</span> '
      '<span class="mention">@here</span> &lt;\u200b@U1&gt; @\u200bhere a@here.example <code>&lt;@U1&gt;</code></p>')),
]  # fmt: skip

DISCORD = [
    ("**b** *i* _i_ __u__ ~~s~~ ***bi*** `c`",
     "<p><strong>b</strong> <em>i</em> <em>i</em> <u>u</u> <s>s</s> <strong><em>bi</em></strong> <code>c</code></p>"),
    ("||so||", '<p><span class="spoiler" tabindex="0">so</span></p>'),
    ("**a `**` b** *a * b* _a_b_", "<p><strong>a `</strong>` b** *a * b* <em>a_b</em></p>"),
    ("**a\nb** *a **2 * 3 snake_case", "<p><strong>a<br>b</strong> *a **2 * 3 snake_case</p>"),
    ("# A\n## B #\n### C\ntext\n#### D",
     ('<p class="heading h1" role="heading" aria-level="3">A</p><p class="heading h2" role="heading" aria-level="4">B</p>'
      '<p class="heading h3" role="heading" aria-level="5">C</p><p>text<br>#### D</p>')),
    ("-# small\nbig", '<p class="small">small</p><p>big</p>'),
    ("- a\n  - b\n    - c\n* d\n3. e\n4. f",
     ("<ul><li><p>a</p><ul><li><p>b</p><ul><li><p>c</p></li></ul></li></ul></li><li><p>d</p></li></ul>"
      '<ol start="3"><li><p>e</p></li><li><p>f</p></li></ol>')),
    ("- a\n  ```py\n  def f():\n      pass\n  ```\nb",
     ('<ul><li><p>a</p><pre tabindex="0"><code data-language="py">def f():\n    pass</code></pre></li></ul><p>b</p>')),
    ("> a **b\n> c**\n> > d\ne", "<blockquote><p>a <strong>b<br>c</strong><br>&gt; d</p></blockquote><p>e</p>"),
    (">>> a\n\nb", "<blockquote><p>a<br><br>b</p></blockquote>"),
    ("a\n\n```py\nx = '**'\n```\n\n\nb ```c``` d",
     ('<p>a</p><p><br></p><pre tabindex="0"><code data-language="py">x = \'**\'</code></pre><p><br></p><p><br></p><p>b </p>'
      '<pre tabindex="0"><code>c</code></pre><p> d</p>')),
    ("```two words\nx```", '<pre tabindex="0"><code>two words\nx</code></pre>'),
    ("```\nopen **b**", "<p>```<br>open <strong>b</strong></p>"),
    ("|a|b|\n|-|-|\n|1|2|\n---\n![x](<https://i.example/a>)",
     f'<p>|a|b|<br>|-|-|<br>|1|2|<br>---<br>!<a href="https://i.example/a" {LINK}>x</a></p>'),
    ("[a **b**](<https://x.example/a_b>) [c](https://y.example/(d)) <https://z.example> https://w.example/x.",
     (f'<p><a href="https://x.example/a_b" {LINK}>a <strong>b</strong></a> <a href="https://y.example/(d)" {LINK}>c</a> '
      f'<a href="https://z.example" {LINK}>https://z.example</a> <a href="https://w.example/x" {LINK}>https://w.example/x</a>.</p>')),
    ("[https://bank.example](<https://evil.example>)",
     (f'<p>[<a href="https://bank.example" {LINK}>https://bank.example</a>]'
      f'(<a href="https://evil.example" {LINK}>https://evil.example</a>)</p>')),
    ("[x](javascript:alert(1)) <javascript:alert(1)> <b>",
     "<p>[x](javascript:alert(1)) &lt;javascript:alert(1)&gt; &lt;b&gt;</p>"),
    (r"\*a\* \# b \` \<@1300000000000000042> \😀 \c", "<p>*a* # b ` &lt;@1300000000000000042&gt; 😀 \\c</p>"),
    ("&lt; &amp;", "<p>&amp;lt; &amp;amp;</p>"),
]  # fmt: skip

MRKDWN = [
    ("*b* _i_ ~s~ <@U1> &lt;b&gt; &amp;lt;",
     '<p><strong>b</strong> <em>i</em> <s>s</s> <span class="mention">@Ada</span> &lt;b&gt; &amp;lt;</p>'),
    ("漢*字*漢 漢\u200b*字*\u200b漢 a*b*c **d** *e\nf*",
     "<p>漢*字*漢 漢\u200b<strong>字</strong>\u200b漢 a*b*c **d** *e<br>f*</p>"),
    ("*\u200bnot*\u200b *not\u200b* 2 *\u200b 3", "<p>*\u200bnot*\u200b *not\u200b* 2 *\u200b 3</p>"),
    ("*a _b `*c*`_* *it`s* _see <https://x.example/a_b|c>_",
     ("<p><strong>a <em>b <code>*c*</code></em></strong> <strong>it`s</strong> "
      f'<em>see <a href="https://x.example/a_b" {LINK}>c</a></em></p>')),
    ("<https://x.example/?a=1&amp;b=2|here> https://y.example/a&amp;b. <mailto:a@b.example|mail>",
     (f'<p><a href="https://x.example/?a=1&amp;b=2" {LINK}>here</a> '
      f'<a href="https://y.example/a&amp;b" {LINK}>https://y.example/a&amp;b</a>. '
      f'<a href="mailto:a@b.example" {LINK}>mail</a></p>')),
    ("<javascript:alert(1)|x> `**`", "<p>&lt;javascript:alert(1)|x&gt; <code>**</code></p>"),
    ("<!channel> # no heading\n- no list\n\n\nnext",
     '<p><span class="mention">@channel</span> # no heading<br>- no list</p><p>next</p>'),
    ("```py\na &lt; *b*\n``` and ```open",
     '<pre tabindex="0"><code>py\na &lt; *b*</code></pre><p> and ```open</p>'),
    ("&gt; q\n&gt; *r*\nplain", "<blockquote><p>q<br><strong>r</strong></p></blockquote><p>plain</p>"),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "cases"), [("markdown", MARKDOWN), ("discord", DISCORD), ("mrkdwn", MRKDWN)])
async def test_text_becomes_what_its_dialect_says_and_never_markup(
    page: Page, dialect: str, cases: Sequence[tuple[str, str]]
) -> None:
    shown = [(text, await page.evaluate(RENDER, [text, dialect])) for text, _ in cases]
    assert shown == list(cases)


@pytest.mark.parametrize(
    ("people", "everyone", "shown"),
    [
        ([], False, '<span class="silent">@bot</span> <span class="silent">@bot</span> @everyone @here'),
        (["1300000000000000042"], False, '<span class="mention">@bot</span> <span class="mention">@bot</span> @everyone @here'),
        ([], True,
         ('<span class="silent">@bot</span> <span class="silent">@bot</span> <span class="mention">@everyone</span> '
          '<span class="mention">@here</span>')),
    ],
)  # fmt: skip
async def test_in_discord_only_what_the_message_really_mentions_is_highlighted(
    page: Page, people: Sequence[str], everyone: bool, shown: str
) -> None:
    text = "<@1300000000000000042> <@!1300000000000000042> @everyone @here"
    live = {"people": people, "everyone": everyone}
    assert await page.evaluate(RENDER, [text, "discord", live]) == f"<p>{shown}</p>"
    unknown = "<@1300000000000000043> <@&1300000000000000042> <#1300000000000000042> `<@1300000000000000042>`"
    assert "mention" not in await page.evaluate(RENDER, [unknown, "discord", live])


async def test_any_beginning_of_a_text_can_be_shown(page: Page) -> None:
    whole = "# A\n- **b\n  1. `c\n> ~~d\n```x\n|e|\n|-|\n[f](https://g" + "*_`[(<" * 5
    for dialect in ("markdown", "discord", "mrkdwn"):
        for end in range(len(whole)):
            assert isinstance(await page.evaluate(RENDER, [whole[:end], dialect]), str)


HOSTILE = [
    "[", "![", "](", "[](", "[a](<", "[a](b \"", "<", "<!a", "<http://", "`", "` `` ", "**", "*a ", "_a", "__a ", "~~_", "||a ",
    "***a", "*a **b ", ">", "> ", ">>> ", "- ", "  - a\n", "1. ", "# ", "|", "|a\n", "|-|\n", "|a|\n|-|\n", "\\", "&", "&amp;",
    "&a1;", "http://", "http://a.b/(", "h", "@here ", "<@U1> ", "```", "```\n", "~~~a\n", "\n", "\t", " ", "a\n===\n", "漢*",
    "\u200d", "\ud83d", "\0", "*_", "[x](https://a.example) ",
]  # fmt: skip


@pytest.mark.parametrize("dialect", ["markdown", "discord", "mrkdwn"])
async def test_twenty_thousand_characters_of_anything_are_shown_at_once(page: Page, dialect: str) -> None:
    clocked = f"""async (texts) => {{
      const took = [];
      for (const text of texts) {{
        const start = performance.now();
        const shown = await ({RENDER})([text, {dialect!r}]);
        took.push([performance.now() - start, shown.length]);
      }}
      return took;
    }}"""
    texts = [(piece * 20_000)[:20_000] for piece in HOSTILE]
    texts += [">" * 10_000 + "[" * 10_000, "**a" * 3_000 + "a**" * 3_000, "[" * 10_000 + "](https://a.example)" * 500]
    texts += [
        "- " + " " * 19_000 + "x",
        "a\n-" + " " * 19_000 + "x",
        "<!" + "a" * 19_000,
        "`" * 9_999 + "a" + "`" * 10_000,
    ]
    for text, (took, length) in zip(texts, await page.evaluate(clocked, texts), strict=True):
        assert took < SLOWEST, (dialect, text[:12], took)
        assert length < 40 * len(text)


async def test_nesting_is_shown_flat_before_it_gets_too_deep_for_a_browser(page: Page) -> None:
    depth = f"""async (arguments_) => {{
      const box = document.createElement("div");
      box.innerHTML = await ({RENDER})(arguments_);
      let deepest = 0;
      for (const node of box.querySelectorAll("*")) {{
        let depth = 0;
        for (let up = node; up !== box; up = up.parentNode) depth += 1;
        deepest = Math.max(deepest, depth);
      }}
      return deepest;
    }}"""
    for text in (
        ">" * 3000 + " x",
        "- " * 2000 + "x",
        "*a **b " * 500 + "b** a*" * 500,
        "".join(f"{' ' * n}- a\n" for n in range(99)),
    ):
        for dialect in ("markdown", "discord", "mrkdwn"):
            assert await page.evaluate(depth, [text, dialect]) < 60, (dialect, text[:9])
