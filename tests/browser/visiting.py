"""What the tests of this folder do on the page, and where they look."""

from playwright.async_api import Locator, Page

SLACK, SLACK_THREAD = "slack-messages", "slack-thread-messages"
DISCORD = "discord-messages"


async def write(page: Page, box: str, text: str) -> None:
    """Types like a person and sends with Enter."""
    await page.get_by_test_id(box).click()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


def answers(page: Page, where: str) -> Locator:
    return page.get_by_test_id(where).locator('[data-testid="message"][data-author="bot"]')
