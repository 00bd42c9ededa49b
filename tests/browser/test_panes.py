"""Both panes with a long answer in them, as the stand-ins hold it: what a member sees, and what it looks like."""

from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.discord import DiscordServer
from bridge.playground.discord_view import discord_view
from bridge.playground.server import PageServer
from bridge.playground.slack import SlackServer
from bridge.playground.slack_view import slack_view
from tests.browser.conftest import PATIENCE, take_picture
from tests.browser.test_markdown import EmptyStage

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)

SLACK_ANSWER = """# Setting up

Take **three steps**, see the [documentation](https://docs.example/a_b). **注意**：请先运行 `make install`。

1. Install
2. Configure
   - copy it
     - and edit it
3. Run

```python
print("<b>你好</b>")
```

| Planet | 名称 | Radius |
| --- | :-: | ---: |
| Jupiter | 木星 | 69,911 |
| Saturn | 土星 | 58,232 |

> Quoted,
> twice.

- [x] done

---

Asked by <@U0ADA>, not by <\u200b!channel>.
"""

SLACK_TEXT = "*Setting up*\n\nSee the <https://docs.example/a_b|documentation> &amp; ```x = 1```\n&gt; quoted"

DISCORD_ANSWER = """# Setting up
Take **three steps**, see the [documentation](<https://docs.example/a_b>). **注意：**请先运行 `make install`。

1. Install
2. Configure
  - copy it
    - and edit it
3. Run
```python
print("<b>你好</b>")
```
```
Planet   名称  Radius
───────  ────  ──────
Jupiter  木星  69,911
Saturn   土星  58,232
```
> Quoted,
> twice.
☑ done
────────
Asked by <@{ada}>, not by <@{grace}> or @everyone.
-# small print
| raw | table |
"""


class Platforms(EmptyStage):
    """What two stand-ins hold, without a bridge."""

    def __init__(self, slack: SlackServer, discord: DiscordServer) -> None:
        self.slack = slack
        self.discord = discord

    async def picture(self) -> Mapping[str, object]:
        return {
            **await super().picture(),
            "slack": slack_view(self.slack, lambda *_: None),
            "discord": discord_view(self.discord, lambda *_: None),
        }


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    server = DiscordServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def page(
    tab: Page, slack: SlackServer, discord: DiscordServer, request: pytest.FixtureRequest
) -> AsyncIterator[Page]:
    server = PageServer(Platforms(slack, discord), SystemClock(), port=0)
    await server.start()
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=[{"type": "markdown", "text": SLACK_ANSWER}])
    await client.chat_postMessage(channel="C0GENERAL", text=SLACK_TEXT)
    content = DISCORD_ANSWER.format(ada=discord.ada, grace=discord.grace)
    body = {"content": content, "allowed_mentions": {"parse": [], "users": [discord.ada]}}
    headers = {"Authorization": f"Bot {discord.token}"}
    address = f"{discord.api_url}/channels/{discord.general}/messages"
    async with aiohttp.ClientSession() as http, http.post(address, json=body, headers=headers) as answer:
        assert answer.status == 200
    await tab.goto(server.url)
    yield tab
    await take_picture(tab, request.node.name)
    await tab.goto("about:blank")
    await server.stop()


def text_of(page: Page, where: str, index: int = 0) -> Locator:
    return page.get_by_test_id(where).get_by_test_id("text").nth(index)


async def style(found: Locator, name: str) -> str:
    return str(await found.evaluate("(node, name) => getComputedStyle(node)[name]", name))


async def size(found: Locator) -> float:
    return float((await style(found, "fontSize")).removesuffix("px"))


async def test_slack_shows_its_markdown(page: Page, slack: SlackServer) -> None:
    answer = text_of(page, "slack-messages")
    await expect(answer.get_by_role("heading")).to_have_text("Setting up")
    assert await size(answer.get_by_role("heading")) > 1.3 * await size(answer)
    await expect(answer.locator("strong").nth(1)).to_have_text("注意")
    link = answer.get_by_role("link")
    await expect(link).to_have_attribute("href", "https://docs.example/a_b")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    bullets = [answer.locator("ol > li > ul"), answer.locator("ol > li > ul ul")]
    assert [await style(one, "listStyleType") for one in bullets] == ["circle", "square"]
    await expect(answer.locator("pre code")).to_have_text('print("<b>你好</b>")')
    assert "monospace" in await style(answer.locator("pre code"), "fontFamily")
    assert await style(answer.locator("pre code"), "color") != await style(answer.locator("p > code"), "color")
    await expect(answer.get_by_role("columnheader")).to_have_text(["Planet", "名称", "Radius"])
    await expect(answer.get_by_role("row").nth(2)).to_contain_text("Saturn")
    cells = answer.get_by_role("cell")
    assert [await style(cells.nth(n), "textAlign") for n in range(3)] == ["left", "center", "right"]
    await expect(answer.locator("blockquote")).to_have_text("Quoted,twice.")
    await expect(answer.get_by_role("checkbox")).to_be_checked()
    assert await style(answer.locator("li.task"), "listStyleType") == "none"
    await expect(answer.locator("hr")).to_be_visible()
    await expect(answer.locator(".mention")).to_have_text(["@Ada"])
    assert [token for _, token in slack.pings] == ["<@U0ADA>"]


async def test_slack_shows_the_text_of_a_message_without_blocks(page: Page) -> None:
    answer = text_of(page, "slack-messages", 1)
    await expect(answer.locator("strong")).to_have_text("Setting up")
    await expect(answer.get_by_role("link")).to_have_text("documentation")
    await expect(answer.locator("p").nth(1)).to_contain_text("documentation &")
    await expect(answer.locator("pre")).to_have_text("x = 1")
    await expect(answer.locator("blockquote")).to_have_text("quoted")


async def test_discord_shows_its_dialect(page: Page, discord: DiscordServer) -> None:
    answer = text_of(page, "discord-messages")
    await expect(answer.get_by_role("heading")).to_have_text("Setting up")
    assert await size(answer.get_by_role("heading")) > 1.3 * await size(answer)
    await expect(answer.get_by_role("link")).to_have_attribute("href", "https://docs.example/a_b")
    await expect(answer.locator("ol > li > ul > li > ul > li")).to_have_text("and edit it")
    await expect(answer.locator("pre").first).to_have_text('print("<b>你好</b>")')
    await expect(answer.get_by_text("python", exact=True)).to_have_count(0)
    await expect(answer.locator("pre").nth(1)).to_contain_text("Jupiter  木星  69,911")
    await expect(answer.locator("blockquote")).to_have_text("Quoted,twice.")
    await expect(answer.locator(".mention")).to_have_text(["@Ada"])
    await expect(answer).to_contain_text("not by @Grace or @everyone.")
    assert [token for _, token in discord.pings] == [f"<@{discord.ada}>"]
    assert await size(answer.locator(".small")) < await size(answer)
    await expect(answer.locator("table")).to_have_count(0)
    await expect(answer).to_contain_text("| raw | table |")


async def test_an_aligned_table_in_code_is_aligned_with_cjk_in_it(page: Page) -> None:
    """The column after the CJK one begins at the same place in every row."""
    places = (
        await text_of(page, "discord-messages")
        .locator("pre code")
        .nth(1)
        .evaluate(
            """(code) => {
          const text = code.firstChild;
          return ["Radius", "──────", "69,911", "58,232"].map((word) => {
            const range = document.createRange();
            const at = text.data.lastIndexOf(word);
            range.setStart(text, at);
            range.setEnd(text, at + 1);
            return range.getBoundingClientRect().left;
          });
        }"""
        )
    )
    assert max(places) - min(places) < 3


async def test_a_spoiler_is_hidden_until_it_is_chosen(page: Page, discord: DiscordServer) -> None:
    await discord.post_as(discord.ada, discord.support, "it was ||the butler||")
    await page.reload()
    await page.get_by_test_id(f"discord-channel-{discord.support}").click()
    spoiler = text_of(page, "discord-messages").locator(".spoiler")
    assert await style(spoiler, "color") == "rgba(0, 0, 0, 0)"
    await spoiler.click()
    await expect(spoiler).not_to_have_css("color", "rgba(0, 0, 0, 0)")
