"""The playground as a newcomer uses it: real Chromium, the real chat SDKs, the real bridge, stand-ins behind them."""

import re

import pytest
from playwright.async_api import Locator, Page, expect

from bridge.playground.dify import DifyServer
from tests.browser.conftest import PATIENCE
from tests.browser.visiting import DISCORD, SLACK, SLACK_THREAD, answers, write

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)


def stop_of(page: Page, platform: str, answer: Locator) -> Locator:
    """Slack has a Stop of its own for agents, above the thread; a message that still grows there takes no buttons."""
    return page.get_by_test_id("slack-stop") if platform == "slack" else answer.get_by_role("button", name="Stop")


async def see_it_grow(answer: Locator) -> None:
    """Waits for some visible text, and then for a good deal more of it."""
    text = answer.get_by_test_id("text")
    await expect(text).to_have_text(re.compile(r"\w{3}"))
    first = len(await text.inner_text())
    await expect(text).to_have_text(re.compile(rf"^[\s\S]{{{first + 60},}}$"))


async def rate_up_then_down_then_not_at_all(page: Page, answer: Locator) -> None:
    """Each press is followed until what Dify received stands beside the answer."""
    rating = answer.get_by_test_id("rating")
    up, down = answer.get_by_test_id("react-up"), answer.get_by_test_id("react-down")
    await up.click()
    await expect(up).to_have_attribute("aria-pressed", "true")
    await expect(rating).to_have_text("Dify: like")
    await up.click()
    await down.click()
    await expect(rating).to_have_text("Dify: dislike")
    await expect(page.get_by_test_id("dify-request").first).to_contain_text("dislike")
    await down.click()
    await expect(down).to_have_attribute("aria-pressed", "false")
    await expect(rating).to_have_text("Dify: no rating")


async def test_in_slack_an_answer_grows_in_its_thread_and_its_rating_reaches_dify(page: Page, dify: DifyServer) -> None:
    dify.per_token = 0.15
    await write(page, "slack-composer", "@bot show me some code")
    answer = answers(page, SLACK_THREAD).first
    await expect(answer.get_by_test_id("live")).to_be_visible()
    await see_it_grow(answer)
    await expect(answer.get_by_test_id("live")).to_have_count(0)
    await expect(answer.locator("pre code").first).to_be_visible()
    await expect(answer.locator(".badge")).to_have_text("APP")
    await expect(page.get_by_test_id("dify-request").first).to_contain_text("show me some code")
    await rate_up_then_down_then_not_at_all(page, answer)
    assert [one.rating for one in dify.rating_log][-1] is None
    await write(page, "slack-thread-composer", "and one more thing?")
    await expect(answers(page, SLACK_THREAD).nth(1)).to_contain_text("That is question 2 in this conversation")
    assert len(dify.conversations) == 1


async def test_in_discord_a_thread_opens_and_the_conversation_goes_on_there(page: Page, dify: DifyServer) -> None:
    await write(page, "discord-composer", "@bot show me some code")
    await expect(page.get_by_test_id("discord-thread-link")).to_have_attribute("aria-current", "true")
    answer = answers(page, DISCORD).first
    await see_it_grow(answer)
    await rate_up_then_down_then_not_at_all(page, answer)
    await write(page, "discord-composer", "and one more thing?")
    await expect(answers(page, DISCORD).nth(1)).to_contain_text("That is question 2 in this conversation")
    assert len(dify.conversations) == 1


async def test_a_direct_message_needs_no_mention(page: Page) -> None:
    await page.get_by_test_id("slack-channel-D0ADA").click()
    await expect(page.get_by_test_id("slack-person")).to_be_disabled()
    await write(page, "slack-composer", "hello there")
    await page.get_by_test_id(SLACK).get_by_test_id("open-thread").click()
    await expect(answers(page, SLACK_THREAD).first).to_contain_text("You said: hello there")


async def test_a_click_that_takes_its_time_is_heard_while_an_answer_grows(page: Page) -> None:
    await write(page, "slack-composer", "@bot a long answer")
    await expect(answers(page, SLACK_THREAD).first).to_contain_text("aragraph")
    up = page.get_by_test_id(SLACK_THREAD).get_by_test_id("react-up").first
    await up.hover()
    await page.mouse.down()
    before = await answers(page, SLACK_THREAD).first.inner_text()
    await page.wait_for_timeout(1500)
    assert await answers(page, SLACK_THREAD).first.inner_text() == before, "nothing is drawn under the finger"
    await page.mouse.up()
    await expect(up).to_have_attribute("aria-pressed", "true")


async def test_when_dify_is_down_a_plain_sentence_says_so(page: Page) -> None:
    await page.get_by_test_id("fault-dify_down").check()
    await write(page, "slack-composer", "@bot are you there?")
    answer = answers(page, SLACK_THREAD).first
    await expect(answer).to_contain_text("The app cannot be reached right now. Please try again in a moment.")
    await expect(answer).to_contain_text(re.compile(r"\(Reference [0-9A-F]{6}\)"))
    await page.get_by_test_id("fault-dify_down").uncheck()
    await expect(page.get_by_test_id("fault-dify_down")).not_to_be_checked()
    await write(page, "slack-thread-composer", "and now?")
    await expect(answers(page, SLACK_THREAD).nth(1)).to_contain_text("and now?")


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_an_answer_is_stopped_with_its_button_and_asked_for_again_with_the_next(
    page: Page, dify: DifyServer, platform: str
) -> None:
    dify.per_token = 0.1
    where = SLACK_THREAD if platform == "slack" else DISCORD
    await write(page, f"{platform}-composer", "@bot a long answer")
    answer = answers(page, where).first
    stop, again = stop_of(page, platform, answer), answer.get_by_role("button", name="Try again")
    await stop.click()
    await expect(answer).to_contain_text("(Stopped.)")
    await expect(stop).to_be_hidden()
    assert [one.stopped for one in dify.requests] == [True]
    dify.per_token = 0.005
    await again.click()
    await expect(page.get_by_test_id("dify-request")).to_have_count(2)
    await expect(again).to_have_count(0)
    await expect(answers(page, where).last).to_contain_text("This is paragraph 32 of 32")
    await expect(stop).to_be_hidden()
    assert [one.query for one in dify.requests] == ["a long answer"] * 2


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_a_question_that_failed_has_a_button_to_ask_it_again(page: Page, dify: DifyServer, platform: str) -> None:
    where = SLACK_THREAD if platform == "slack" else DISCORD
    await write(page, f"{platform}-composer", "@bot error, please")
    again = answers(page, where).last.get_by_role("button", name="Try again")
    await again.click()
    await expect(page.get_by_test_id("dify-request")).to_have_count(2)
    await expect(again).to_be_visible()
    assert [one.query for one in dify.requests] == ["error, please"] * 2


@pytest.mark.parametrize("platform", ["slack", "discord"])
async def test_a_question_that_is_edited_while_it_is_answered_is_answered_as_it_reads_now(
    page: Page, dify: DifyServer, platform: str
) -> None:
    dify.per_token = 0.1
    where = SLACK_THREAD if platform == "slack" else DISCORD
    await write(page, f"{platform}-composer", "@bot a long answer")
    answer = answers(page, where).first
    await expect(stop_of(page, platform, answer)).to_be_visible()
    own = page.get_by_test_id(f"{platform}-messages").get_by_test_id("message").first
    await own.hover()
    await own.get_by_role("button", name="Edit your message").click()
    await own.get_by_test_id("editor").fill("@bot short, please")
    dify.per_token = 0.005
    await page.keyboard.press("Enter")
    await expect(answer).to_contain_text("You said: short, please")
    await expect(answers(page, where)).to_have_count(1)
    assert [one.query for one in dify.requests] == ["a long answer", "short, please"]


async def test_a_question_that_is_deleted_is_not_answered_any_further(page: Page, dify: DifyServer) -> None:
    dify.per_token = 0.1
    await write(page, "slack-composer", "@bot a long answer")
    answer = answers(page, SLACK_THREAD).first
    await expect(answer.get_by_test_id("live")).to_be_visible()
    own = page.get_by_test_id(SLACK).get_by_test_id("message").first
    await own.hover()
    await own.get_by_role("button", name="Delete your message").click()
    await expect(answer).to_contain_text("The question was deleted")
    await expect(own).to_contain_text("This message was deleted.")


async def test_a_restart_forgets_nothing(page: Page, dify: DifyServer) -> None:
    await write(page, "slack-composer", "@bot first question")
    await expect(page.get_by_test_id("dify-request").first).to_contain_text("answered")
    await page.get_by_test_id("bridge-restart").click()
    light = page.get_by_test_id("bridge-light")
    await expect(light).to_have_attribute("data-starts", "2")
    await expect(light).to_have_attribute("data-state", "ready")
    answer = answers(page, SLACK_THREAD).first
    await answer.get_by_test_id("react-up").click()
    await expect(answer.get_by_test_id("rating")).to_have_text("Dify: like")
    await write(page, "slack-thread-composer", "second question")
    await expect(answers(page, SLACK_THREAD).nth(1)).to_contain_text("That is question 2 in this conversation")
    assert len(dify.conversations) == 1


async def test_an_answer_that_was_killed_half_way_is_whole_in_the_end_in_its_own_message(
    page: Page, dify: DifyServer
) -> None:
    dify.per_token = 0.05
    await write(page, "discord-composer", "@bot a long answer")
    answer = answers(page, DISCORD).first
    await see_it_grow(answer)
    dify.per_token = 0.005
    await page.get_by_test_id("bridge-kill").click()
    await expect(answers(page, DISCORD).last).to_contain_text("This is paragraph 32 of 32")
    await expect(page.get_by_test_id(DISCORD).get_by_role("button", name="Stop")).to_have_count(0)
    await expect(answer).to_contain_text("This is paragraph 1 of 32")
    await expect(page.get_by_test_id(DISCORD).get_by_text("This is paragraph 1 of 32")).to_have_count(1)


async def test_what_people_write_is_shown_as_text(page: Page) -> None:
    nasty = '<img src=x onerror="document.title=1"> <b>bold</b> &amp; <script>document.title=2</script>'
    for box, where in (("slack-composer", SLACK), ("discord-composer", DISCORD)):
        await write(page, box, nasty)
        await expect(page.get_by_test_id(where).get_by_test_id("text").first).to_have_text(nasty)
        assert await page.get_by_test_id(where).locator("img, script, b").count() == 0
    assert "playground" in (await page.title()).lower()


async def test_a_suggestion_fills_the_box_that_was_used_last(page: Page) -> None:
    await page.get_by_test_id("discord-composer").click()
    await page.get_by_test_id("tries").get_by_role("button", name="Code", exact=True).click()
    await expect(page.get_by_test_id("discord-composer")).to_have_value("@bot show me some code")
    await expect(page.get_by_test_id("discord-composer")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("discord-composer")).to_have_value("")
    await expect(answers(page, DISCORD)).to_have_count(1)


async def test_a_refused_message_stays_in_its_box_and_the_reason_is_shown(page: Page) -> None:
    await page.get_by_test_id("discord-composer").fill("x" * 2001)
    await page.get_by_test_id("discord-send").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("at most 2000 characters")
    await expect(page.get_by_test_id("discord-composer")).to_have_value("x" * 2001)


async def test_cut_connections_heal_and_doubled_events_are_answered_once(page: Page, dify: DifyServer) -> None:
    for name in ("fault-slack_twice", "fault-discord_twice"):
        await page.get_by_test_id(name).check()
    for name in ("fault-slack_drop", "fault-discord_drop"):
        await page.get_by_test_id(name).click()
    await write(page, "slack-composer", "@bot one")
    await write(page, "discord-composer", "@bot two")
    for where in (SLACK_THREAD, DISCORD):
        await expect(answers(page, where).first).to_contain_text("You said:")
    assert sorted(one.query for one in dify.requests) == ["one", "two"]
