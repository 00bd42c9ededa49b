"""A real Chromium for the tests of this folder. Without one they are skipped, and say what to install."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

PATIENCE = 15_000
"""Milliseconds that a test waits for something to appear; a busy machine needs some of them."""

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium was found; install one (Debian, Ubuntu: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, headless=True, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """An empty tab. The test fails when a script in it fails."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    assert not broken, broken


async def take_picture(page: Page, name: str) -> None:
    """Saves what the tab shows in the folder that PLAYGROUND_SCREENSHOTS names, if it does."""
    folder = os.environ.get("PLAYGROUND_SCREENSHOTS")
    if folder:
        target = Path(folder) / f"{re.sub(r'[^a-z0-9_]+', '-', name.lower())}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=target)
