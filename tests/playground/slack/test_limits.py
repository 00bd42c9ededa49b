"""How much a message holds: accepted at the limit, refused just above."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from tests.playground.slack.peers import error_of

Block = dict[str, object]


def _markdown(text: str) -> Block:
    return {"type": "markdown", "text": text}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def _post(client: AsyncWebClient, *blocks: Block, text: str = "short") -> str:
    return await error_of(client.chat_postMessage(channel="C0GENERAL", text=text, blocks=list(blocks)))


async def test_posted_text_is_counted_in_characters_once_it_is_escaped(client: AsyncWebClient) -> None:
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="界" * 4_000)) == ""
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="a" * 4_001)) == "msg_too_long"
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="&" * 800)) == ""
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="&" * 801)) == "msg_too_long"


async def test_updated_text_is_counted_in_bytes(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="x"))["ts"]
    for text, error in (
        ("a" * 4_000, ""),
        ("a" * 4_001, "msg_too_long"),
        ("界" * 1_333, ""),
        ("界" * 1_334, "msg_too_long"),
        ("&amp;" * 800, ""),
        ("&" * 801, "msg_too_long"),
        ("&lt;" * 1_000, ""),
        ("&lt;" * 1_000 + "a", "msg_too_long"),
    ):
        assert await error_of(client.chat_update(channel="C0GENERAL", ts=ts, text=text)) == error


async def test_markdown_blocks_share_twelve_thousand_characters(client: AsyncWebClient) -> None:
    assert await _post(client, _markdown("a" * 12_000)) == ""
    assert await _post(client, _markdown("a" * 12_001)) == "msg_too_long"
    assert await _post(client, _markdown("a" * 6_000), _markdown("b" * 6_000)) == ""
    assert await _post(client, _markdown("a" * 6_000), _markdown("b" * 6_001)) == "msg_too_long"


async def test_an_update_is_held_to_what_a_post_is_held_to(client: AsyncWebClient, server: SlackServer) -> None:
    ts = str((await client.chat_postMessage(channel="C0GENERAL", text="x"))["ts"])

    async def update(markdown: str, text: str = "short") -> str:
        blocks = [_markdown(markdown)]
        return await error_of(client.chat_update(channel="C0GENERAL", ts=ts, text=text, blocks=blocks))

    assert await update("a" * 12_001) == "msg_too_long"
    assert await update("&" * 301 + "a" * 11_699) == "msg_blocks_too_long"
    assert await update("# a\n" * 51) == "invalid_blocks"
    assert await update("fits", "a" * 4_001) == "msg_too_long"
    assert server.message("C0GENERAL", ts).visible_text == "x"
    assert await update("a" * 12_000, "a" * 4_000) == ""
    assert await update("# a\n" * 50) == ""


async def test_headings_and_entities_count_more_than_they_are_long(client: AsyncWebClient) -> None:
    heading = "# a\n"
    plain = "a" * (12_000 - 12 * len(heading))
    assert await _post(client, _markdown(heading * 12 + plain)) == ""
    assert await _post(client, _markdown(heading * 13 + plain[len(heading) :])) == "msg_blocks_too_long"
    assert await _post(client, _markdown("&" * 300 + "a" * 11_700)) == ""
    assert await _post(client, _markdown("&" * 301 + "a" * 11_699)) == "msg_blocks_too_long"
    assert await _post(client, _markdown("<" * 400 + "a" * 11_600)) == ""


async def test_one_counted_character_too_many_is_refused(client: AsyncWebClient) -> None:
    assert await _post(client, _markdown("&" * 298 + "<" * 2 + "a" * 11_700)) == ""
    assert await _post(client, _markdown("&" * 298 + "<" * 3 + "a" * 11_699)) == "msg_blocks_too_long"


def button(number: int, **changes: object) -> Block:
    text = {"type": "plain_text", "text": "a" * 75}
    return {"type": "button", "action_id": f"act-{number}", "text": text, **changes}


def choice(text: str = "a" * 75, **changes: object) -> Block:
    value: Block = {"value": "a" * 2_000, "accessibility_label": "a" * 75}
    return {"text": {"type": "plain_text", "text": text}, **value, **changes}


def feedback(number: int, **changes: object) -> Block:
    buttons = {"positive_button": choice(), "negative_button": choice()}
    return {"type": "feedback_buttons", "action_id": f"rate-{number}", **buttons, **changes}


def icon(**changes: object) -> Block:
    return {"type": "icon_button", "icon": "trash", "text": {"type": "plain_text", "text": "Delete"}, **changes}


@pytest.mark.parametrize("item", ["# a\n", "a\n===\n\n", "a\n---\n\n", "---\n", "***\n\n"])
async def test_each_heading_and_each_divider_costs_a_hundred_characters(client: AsyncWebClient, item: str) -> None:
    room = 12_000 - 12 * len(item)
    assert await _post(client, _markdown(item * 12 + "a" * room)) == ""
    assert await _post(client, _markdown(item * 13 + "a" * (room - len(item)))) == "msg_blocks_too_long"


@pytest.mark.parametrize("text", ["- a\n---\n", "> a\n---\n", "    a\n---\n"])
async def test_dashes_below_what_is_no_paragraph_are_a_divider(client: AsyncWebClient, text: str) -> None:
    assert await _post(client, _markdown((text + "\n") * 25)) == ""
    assert await _post(client, _markdown((text + "\n") * 25 + "---")) == "invalid_blocks"


async def test_a_hash_in_a_code_fence_is_no_heading(client: AsyncWebClient) -> None:
    fenced = "```\n" + "# a\n" * 60 + "```\n"
    assert await _post(client, _markdown(fenced + "a" * (12_000 - len(fenced)))) == ""


async def test_blocks_are_counted_after_markdown_is_taken_apart(client: AsyncWebClient) -> None:
    divider: Block = {"type": "divider"}
    assert await _post(client, *[divider] * 50) == ""
    assert await _post(client, *[divider] * 51) == "invalid_blocks"
    assert await _post(client, _markdown("# a\ntext\n\n" * 25)) == ""
    assert await _post(client, _markdown("# a\ntext\n\n" * 25 + "---")) == "invalid_blocks"
    assert await _post(client, _markdown("para\n\n" * 60)) == ""


def _table(rows: int, columns: int, cell: str = "a") -> str:
    line = "|" + f" {cell} |" * columns + "\n"
    return line + "|" + "---|" * columns + "\n" + line * (rows - 1)


@pytest.mark.parametrize(
    ("markdown", "error"),
    [
        (_table(100, 1), ""),
        (_table(101, 1), "invalid_blocks"),
        (_table(100, 1) + "no bar\n", "invalid_blocks"),
        (_table(100, 1) + "# a | b\n", ""),
        (_table(2, 20), ""),
        (_table(2, 21), "invalid_blocks"),
        (_table(2, 5, "a" * 1_000), ""),
        (_table(2, 5, "a" * 1_000) + "|a|\n", "invalid_blocks"),
        (_table(60, 1) + "\ntext\n\n" + _table(60, 1), ""),
        ("```\n" + _table(101, 1) + "```", ""),
        ("| a | b |\n|---|---|\n|  | \\| |\n", ""),
    ],
)
async def test_a_table_in_markdown_holds_as_much_as_any(client: AsyncWebClient, markdown: str, error: str) -> None:
    assert await _post(client, _markdown(markdown)) == error


async def test_a_message_has_one_table_block(client: AsyncWebClient) -> None:
    table: Block = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
    assert await _post(client, table) == ""
    assert await _post(client, table, table) == "invalid_blocks"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "carousel"},
        {"text": "no type"},
        {"type": "section"},
        _section(""),
        _section("a" * 3_001),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "a"}] * 11},
        {"type": "section", "text": "plain"},
        {"type": "markdown", "text": " "},
        {"type": "header", "text": {"type": "plain_text", "text": "a" * 151}},
        {"type": "header", "text": {"type": "mrkdwn", "text": "a"}},
        {"type": "divider", "text": "x"},
        {"type": "image", "image_url": "http://x.example/a.png"},
        {"type": "context", "elements": []},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}] * 11},
        {"type": "actions", "elements": []},
        {"type": "actions", "elements": [button(number) for number in range(26)]},
        {"type": "actions", "elements": [button(1), button(1)]},
        {"type": "actions", "elements": [{"type": "button", "action_id": "a"}]},
        {"type": "actions", "elements": [button(1, text={"type": "mrkdwn", "text": "a"})]},
        {"type": "actions", "elements": [button(1, text={"type": "plain_text", "text": ""})]},
        {"type": "actions", "elements": [button(1, text={"type": "plain_text", "text": "a" * 76})]},
        {"type": "actions", "elements": [button(1, action_id="")]},
        {"type": "actions", "elements": [button(1, action_id="a" * 256)]},
        {"type": "actions", "elements": [button(1, value="a" * 2_001)]},
        {"type": "actions", "elements": [button(1, url="a" * 3_001)]},
        {"type": "actions", "elements": [button(1, style="default")]},
        {"type": "actions", "elements": ["button"]},
        {"type": "actions", "elements": [{"type": "users_select", "action_id": "a"}]},
        {"type": "section", "text": {"type": "mrkdwn", "text": "a"}, "accessory": {"type": "users_select"}},
        {"type": "input", "label": {"type": "plain_text", "text": "a"}, "element": {"type": "plain_text_input"}},
        {"type": "context", "elements": [button(1)]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "a" * 3_001}]},
        {"type": "context", "elements": [{"type": "image", "image_url": "http://x.example/a.png"}]},
        {"type": "context_actions", "elements": []},
        {"type": "context_actions", "elements": [button(1)]},
        {"type": "context_actions", "elements": [feedback(number) for number in range(6)]},
        {"type": "context_actions", "elements": [feedback(1), feedback(1)]},
        {"type": "context_actions", "elements": [feedback(1, positive_button=None)]},
        {"type": "context_actions", "elements": [feedback(1, negative_button=choice(text="a" * 76))]},
        {"type": "context_actions", "elements": [feedback(1, negative_button=choice(value="a" * 2_001))]},
        {"type": "context_actions", "elements": [feedback(1, negative_button=choice(accessibility_label="a" * 76))]},
        {"type": "context_actions", "elements": [feedback(1, negative_button={"text": "Bad", "value": "0"})]},
        {"type": "context_actions", "elements": [icon(icon="star")]},
        {"type": "context_actions", "elements": [icon(text={"type": "mrkdwn", "text": "a"})]},
        {"type": "context_actions", "elements": [icon(value="a" * 2_001)]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]},
        {"type": "table", "rows": [[{"type": "rich_text", "elements": []}]]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 21]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a" * 10_001}]]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 101},
        {"type": "rich_text", "elements": [{"type": "text"}]},
        {"type": "divider", "block_id": "x" * 256},
    ],
)
async def test_blocks_that_slack_does_not_know_or_that_break_its_rules_are_invalid(
    client: AsyncWebClient, block: Block
) -> None:
    assert await _post(client, block) == "invalid_blocks"


@pytest.mark.parametrize(
    "block",
    [
        _section("a" * 3_000),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": "a" * 1_000}] * 10},
        {"type": "header", "text": {"type": "plain_text", "text": "a" * 150}},
        {"type": "image", "image_url": "http://x.example/a.png", "alt_text": "a"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "a"}] * 10},
        {"type": "actions", "elements": [button(number) for number in range(25)]},
        {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "a"}}] * 2},
        {"type": "actions", "elements": [button(1, value="a" * 2_000, style="danger", action_id="a" * 255)]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 100},
        {"type": "context_actions", "elements": [*(feedback(number) for number in range(4)), icon()]},
        {"type": "context", "elements": [{"type": "image", "image_url": "http://x.example/a.png", "alt_text": "a"}]},
    ],
)
async def test_blocks_at_their_limits_are_taken(client: AsyncWebClient, block: Block) -> None:
    assert await _post(client, block) == ""


async def test_one_block_id_names_one_block(client: AsyncWebClient) -> None:
    assert await _post(client, _section("a") | {"block_id": "x"}, _section("b") | {"block_id": "x"}) == "invalid_blocks"


async def test_a_message_with_nothing_in_it_is_refused(server: SlackServer, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0SUPPORT", text="x"))["ts"]
    empty: list[Block] = [{}, {"text": ""}, {"text": " \n"}, {"text": "", "blocks": []}, {"markdown_text": " "}]
    for content in empty:
        assert (
            await error_of(client.api_call("chat.postMessage", json={"channel": "C0GENERAL", **content})) == "no_text"
        )
        update = {"channel": "C0SUPPORT", "ts": ts, **content}
        assert await error_of(client.api_call("chat.update", json=update)) == "no_text"
    assert server.messages("C0GENERAL") == []
    assert [message.visible_text for message in server.messages("C0SUPPORT")] == ["x"]


async def test_markdown_text_stands_alone(server: SlackServer, client: AsyncWebClient) -> None:
    async def post(**content: object) -> str:
        return await error_of(client.api_call("chat.postMessage", json={"channel": "C0GENERAL", **content}))

    assert await post(markdown_text="**a**") == ""
    assert server.messages("C0GENERAL")[0].visible_text == "**a**"
    assert await post(markdown_text="**a**", text="a") == "markdown_text_conflict"
    assert await post(markdown_text="**a**", blocks=[_markdown("a")]) == "markdown_text_conflict"
    assert await post(markdown_text="a" * 12_001) == "msg_too_long"
