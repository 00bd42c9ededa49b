"""A real Chromium for the tests of this folder, and the whole playground in it. Without a Chromium they are skipped, and say what
to install."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from bridge.playground.dify import DifyServer
from bridge.playground.server import PageServer
from bridge.playground.stage import Stage

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


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    for name in [name for name in os.environ if name.startswith("DIFY_")]:
        monkeypatch.delenv(name)
    stage = Stage(database=tmp_path / "playground.db", grace=5.0)
    await stage.start()
    yield stage
    await stage.stop(kill=True)


@pytest.fixture
def dify(stage: Stage) -> DifyServer:
    assert stage.dify is not None
    stage.dify.first_token, stage.dify.per_token = 0.05, 0.01
    return stage.dify


@pytest.fixture
async def page(stage: Stage, dify: DifyServer, tab: Page, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    server = PageServer(stage, stage.clock, port=0)
    stage.on_change(server.changed)
    await server.start()
    await tab.goto(server.url)
    await expect(tab.get_by_test_id("bridge-light")).to_have_attribute("data-state", "ready")
    yield tab
    await take_picture(tab, request.node.name)
    await server.stop()
    await expect(tab.get_by_test_id("bridge-light")).to_have_attribute("data-state", "stopped")
