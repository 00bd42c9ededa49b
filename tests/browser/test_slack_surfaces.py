"""What Slack has besides messages, used from the page: the whole way through the bridge and the stand-in Dify, and back."""

import base64
import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from bridge.playground.dify import DifyServer
from bridge.playground.stage import Stage
from tests.browser.conftest import PATIENCE
from tests.browser.visiting import SLACK, SLACK_THREAD, answers, write

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def asked(dify: DifyServer) -> list[str]:
    return [one.query for one in dify.requests]


async def act_as(page: Page, name: str) -> None:
    await page.get_by_test_id("slack-person").select_option(label=name)


async def test_steps_sources_and_suggested_questions_are_shown_and_a_question_is_asked_by_pressing_it(
    page: Page, dify: DifyServer
) -> None:
    await write(page, "slack-composer", "@bot use tools")
    first = answers(page, SLACK_THREAD).first
    await expect(first.get_by_test_id("step").first).to_have_attribute("data-state", "in_progress")
    await expect(first.get_by_test_id("step")).to_have_text(["Search Handbook", "Current Time"])
    for index in range(2):
        await expect(first.get_by_test_id("step").nth(index)).to_have_attribute("data-state", "complete")
    await expect(first.get_by_test_id("text")).to_have_text(re.compile("forty-two"))
    await write(page, "slack-thread-composer", "cite your documents")
    second = answers(page, SLACK_THREAD).nth(1)
    await expect(second.get_by_test_id("context")).to_have_text(
        re.compile(r"Sources: 1\. Employee handbook\.pdf \(0\.90\), 2\. On-call")
    )
    await second.get_by_role("button", name="Show me a table").click()
    await expect(answers(page, SLACK_THREAD).nth(2).get_by_role("table")).to_be_visible()
    assert asked(dify) == ["use tools", "cite your documents", "Show me a table"]


async def test_what_the_app_wants_to_know_is_filled_in_in_a_modal(page: Page, dify: DifyServer) -> None:
    await page.get_by_label("Wants to know").check()
    await write(page, "slack-composer", "@bot hello")
    answer = answers(page, SLACK_THREAD).first
    await answer.get_by_role("button", name="Fill in…").click()
    modal = page.get_by_test_id("modal")
    await expect(modal.get_by_role("heading")).to_have_text("Before I ask the app")
    await modal.get_by_label("Customer").fill("ACME")
    await modal.get_by_label("Plan").select_option(label="Gold")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    await expect(answer.get_by_role("button", name="Fill in…")).to_have_count(0)
    await expect(page.get_by_test_id("dify-request")).to_have_count(1)
    assert [one.body["inputs"] for one in dify.requests] == [{"customer": "ACME", "plan": "Gold"}]


async def test_a_bad_answer_is_explained_in_a_modal_and_the_words_reach_dify(page: Page, dify: DifyServer) -> None:
    await write(page, "slack-composer", "@bot hello")
    answer = answers(page, SLACK_THREAD).first
    modal = page.get_by_test_id("modal")
    await answer.get_by_role("button", name="This answer is not good").click()
    await expect(modal.get_by_role("heading")).to_have_text("What was wrong?")
    field = modal.get_by_role("textbox")
    await expect(field).to_be_focused()
    await field.fill("It is far too short.")
    # What is below the modal is out of reach, and what was entered survives that something else changes.
    await expect(page.locator(".pane.slack .room")).to_have_attribute("inert", "")
    await expect(answer.get_by_test_id("rating")).to_have_text("Dify: dislike")
    await expect(field).to_have_value("It is far too short.")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    await expect(page.get_by_test_id("dify-request").first.get_by_test_id("comment")).to_have_text(
        "It is far too short."
    )
    assert dify.rating_log[-1].content == "It is far too short."
    await answer.get_by_test_id("bad").click()
    await expect(field).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await answer.get_by_test_id("good").click()
    await expect(answer.get_by_test_id("rating")).to_have_text("Dify: like")


async def test_commands_are_listed_completed_and_answered_to_who_typed_them(page: Page, dify: DifyServer) -> None:
    box = page.get_by_test_id("slack-composer")
    await box.click()
    await page.keyboard.type("/")
    await expect(page.get_by_test_id("command")).to_have_count(6)
    await page.keyboard.type("he")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/help ")
    await expect(page.get_by_test_id("command")).to_have_count(0)
    await page.keyboard.press("Enter")
    whisper = page.get_by_test_id(SLACK).get_by_test_id("message").filter(has_text="Only visible to you")
    await expect(whisper).to_contain_text("/ask")
    await act_as(page, "Grace")
    await expect(whisper).to_have_count(0)
    await write(page, "slack-composer", "/ask who are you?")
    await expect(page.get_by_test_id(SLACK_THREAD).get_by_test_id("message").first).to_contain_text("Grace")
    await expect(page.get_by_test_id(SLACK_THREAD)).to_contain_text("You said: who are you?")
    assert asked(dify) == ["who are you?"]
    await write(page, "slack-thread-composer", "/ask again")
    await expect(page.get_by_test_id("notice")).to_contain_text("/ask is not supported in threads")
    await write(page, "slack-composer", "/unheard of")
    await expect(page.get_by_test_id("notice")).to_contain_text("/unheard is not a valid command")


async def test_the_bots_messages_suggest_questions_and_its_home_tab_begins_anew(page: Page, dify: DifyServer) -> None:
    await page.get_by_test_id("slack-channel-D0ADA").click()
    await page.get_by_test_id("prompt").filter(has_text="Show me a table").click()
    await expect(answers(page, SLACK_THREAD).first.get_by_role("table")).to_be_visible()
    await expect(page.get_by_test_id("dify-request").first).to_contain_text("answered")
    await page.get_by_test_id("tab-home").click()
    home = page.get_by_test_id("home")
    await expect(home).to_contain_text("You have asked 1 question")
    begin = home.get_by_role("button", name="Begin a new conversation")
    await begin.click()
    await page.get_by_test_id("confirm-no").click()
    await expect(page.get_by_test_id("confirm")).to_have_count(0)
    await begin.click()
    await page.get_by_test_id("confirm-yes").click()
    await page.get_by_test_id("tab-messages").click()
    await expect(page.get_by_test_id(SLACK).get_by_test_id("only")).to_have_count(1)
    await write(page, "slack-composer", "and now?")
    await expect(answers(page, SLACK_THREAD).first).to_contain_text("This is a new conversation")
    assert len(dify.conversations) == 2


async def test_one_asks_about_a_message_from_its_menu(page: Page, dify: DifyServer) -> None:
    await write(page, "slack-composer", "The deploy is at noon.")
    message = page.get_by_test_id(SLACK).get_by_test_id("message").first
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.keyboard.press("Escape")
    await expect(message.get_by_role("menuitem")).to_have_count(0)
    await message.get_by_role("button", name="More actions").click()
    await message.get_by_role("menuitem", name="Ask about this").click()
    modal = page.get_by_test_id("modal")
    await expect(modal).to_contain_text("The deploy is at noon.")
    await modal.get_by_test_id("modal-submit").click()
    assert await modal.locator("textarea:invalid").count() == 1, "the browser itself wants the question filled in"
    await modal.get_by_role("textbox").fill("When is it?")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    await expect(answers(page, SLACK_THREAD).first).to_contain_text("You said:")
    [question] = asked(dify)
    assert "The deploy is at noon." in question
    assert "When is it?" in question


async def download(page: Page, card: Locator) -> bytes:
    async with page.expect_download() as started:
        await card.click()
    return (await (await started.value).path()).read_bytes()


async def test_files_go_along_with_a_question_and_come_with_an_answer(
    page: Page, dify: DifyServer, tmp_path: Path
) -> None:
    for name, content in (("note.txt", b"hello"), ("dot.png", PIXEL), ("no.txt", b"no"), ("big.bin", b"x" * 1_000_001)):
        (tmp_path / name).write_bytes(content)
    chosen = [tmp_path / name for name in ("note.txt", "dot.png", "no.txt", "big.bin")]
    await page.get_by_test_id("slack-composer-files").set_input_files(chosen)
    await expect(page.get_by_test_id("notice")).to_contain_text("“big.bin” is too large")
    await page.get_by_role("button", name="Do not send no.txt").click()
    await expect(page.get_by_test_id("chip")).to_have_count(2)
    await write(page, "slack-composer", "@bot look at these")
    await expect(page.get_by_test_id("chip")).to_have_count(0)
    question = page.get_by_test_id(SLACK_THREAD).get_by_test_id("message").first
    await expect(question.get_by_role("img", name="dot.png")).to_have_js_property("naturalWidth", 1)
    assert await download(page, question.get_by_test_id("file")) == b"hello"
    answer = answers(page, SLACK_THREAD).first
    await expect(answer.get_by_role("listitem")).to_have_text([re.compile("note.txt"), re.compile("dot.png")])
    assert sorted(file.content for file in dify.uploads.values()) == sorted([b"hello", PIXEL])
    await write(page, "slack-thread-composer", "make a file")
    made = page.get_by_test_id(SLACK_THREAD).locator('[data-author="bot"]').get_by_test_id("file")
    assert (await download(page, made)).startswith(b"Planet,")


async def test_a_workspace_without_streams_and_agents_sees_edits_and_a_stop_button(
    page: Page, dify: DifyServer, stage: Stage
) -> None:
    dify.per_token = 0.1
    for fault in ("slack_streamless", "slack_plain"):
        await page.get_by_test_id(f"fault-{fault}").check()
    await write(page, "slack-composer", "@bot a long answer")
    answer = answers(page, SLACK_THREAD).first
    await expect(answer).to_contain_text("paragraph")
    await expect(page.get_by_test_id("slack-stop")).to_be_hidden()
    await expect(answer.get_by_test_id("live")).to_have_count(0)
    await answer.get_by_role("button", name="Stop").click()
    await expect(answer).to_contain_text("(Stopped.)")
    assert stage.slack.workspace.streams == {}


async def test_places_that_are_not_ones_own_alone_are_marked(page: Page) -> None:
    group, partners = (page.locator(".pane.slack .side button", has_text=name) for name in ("Ada, Grace", "# partners"))
    await group.click()
    assert [await one.inner_text() for one in await page.get_by_test_id("slack-person").locator("option").all()] == [
        "Ada",
        "Grace",
    ]
    await expect(partners.get_by_title("Shared with another company")).to_be_visible()
    await partners.click()
    await act_as(page, "Marie (external)")
    await write(page, "slack-composer", "hello from outside")
    await expect(page.get_by_test_id(SLACK).get_by_test_id("message").first).to_contain_text("EXTERNAL")
