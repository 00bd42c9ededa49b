"""The renderers of the tests are strict where the platforms are, and lenient where they are."""

from collections.abc import Callable

import pytest

from tests.markdown.discord_sight import discord_counts, discord_mentions, see_content
from tests.markdown.mrkdwn_sight import see_mrkdwn
from tests.markdown.seen import Seen, unprintable
from tests.markdown.slack_sight import see_block, slack_counts, slack_mentions

Sight = Callable[[str], Seen]


def styled(seen: Seen, style: str) -> list[str]:
    return [run.text for run in seen.runs if getattr(run, style)]


@pytest.mark.parametrize(
    ("see", "source", "style", "words"),
    [
        (see_block, "a **b** *c* ~~d~~ `e`", "bold", ["b"]),
        (see_block, "a **b** *c* ~~d~~ `e`", "strike", ["d"]),
        (see_block, "## T **x**\n\ntext", "heading", ["T ", "x"]),
        (see_block, "**注意：**请", "bold", []),
        (see_block, "**注意**：请", "bold", ["注意"]),
        (see_block, "> a\n\nb", "quote", ["a"]),
        (see_block, "https://a.example/x, and", "link", ["https://a.example/x"]),
        (see_block, "https://a.example/x。次", "link", ["https://a.example/x。次"]),
        (see_block, "<https://a.example/x>。次", "link", ["https://a.example/x"]),
        (see_block, "![alt](https://a.example)", "link", ["alt"]),
        (see_mrkdwn, "a *b* _c_ ~d~ `e`", "bold", ["b"]),
        (see_mrkdwn, "a *b _c_* d", "italic", ["c"]),
        (see_mrkdwn, "漢*字*漢", "bold", []),
        (see_mrkdwn, "漢\u200b*字*\u200b漢", "bold", ["字"]),
        (see_mrkdwn, "2*3*4 a * b * c", "bold", []),
        (see_mrkdwn, "*a\nb*", "bold", []),
        (see_mrkdwn, "snake_case_name", "italic", []),
        (see_mrkdwn, "<https://a.example?x=1&amp;y|a &lt; b>", "link", ["a < b"]),
        (see_mrkdwn, "&gt; q\nr", "quote", ["q"]),
        (see_mrkdwn, "`*x*`", "bold", []),
        (see_mrkdwn, "```\n*x* &amp;\n```", "code", ["*x* &"]),
        (see_content, "a **b** *c* ~~d~~ `e` __u__ ||s||", "bold", ["b"]),
        (see_content, "a **b** *c* ~~d~~ `e` __u__ ||s||", "underline", ["u"]),
        (see_content, "a **b** *c* ~~d~~ `e` __u__ ||s||", "spoiler", ["s"]),
        (see_content, "***b***", "italic", ["b"]),
        (see_content, "***b***", "bold", ["b"]),
        (see_content, "*a **b** c*", "bold", ["b"]),
        (see_content, "**a *b* c**", "italic", ["b"]),
        (see_content, "2 ** 3 ** 4", "bold", [" 3 "]),
        (see_content, "2 * 3 * 4", "italic", []),
        (see_content, r"\*\*a\*\*", "bold", []),
        (see_content, "snake_case_name", "italic", []),
        (see_content, "snake_case_name **_b_** _c_", "italic", ["b", "c"]),
        (see_content, "*a **b***", "italic", ["a ", "b"]),
        (see_content, "**注意：**请", "bold", ["注意："]),
        (see_content, "### T\n#### no", "heading", ["T"]),
        (see_content, "x # no", "heading", []),
        (see_content, "> a\n> b\nc", "quote", ["a\nb"]),
        (see_content, "[a](<https://a.example>)", "link", ["a"]),
        (see_content, "[https://a.example](<https://a.example>)", "link", ["https://a.example](", "https://a.example"]),
        (see_content, "[a](ftp://a.example)", "link", []),
        (see_content, "-# tiny", "small", ["tiny"]),
        (see_content, "``a ` b``", "code", ["a ` b"]),
    ],
)
def test_a_style_covers_just_these_words(see: Sight, source: str, style: str, words: list[str]) -> None:
    assert [run.strip("\n") for run in styled(see(source), style)] == words


@pytest.mark.parametrize(
    ("see", "source", "markers"),
    [
        (see_block, "**注意：**请", ("**", "**")),
        (see_block, "a ** b * c snake_case 2 * 3", ()),
        (see_block, "[half](http", ("](",)),
        (see_block, "```\nopen", ("```",)),
        (see_block, "```\nclosed **x**\n```", ()),
        (see_block, "&amp;amp; `**`", ("&amp;",)),
        (see_block, "| a |\nno table", ("|", "|")),
        (see_mrkdwn, "## T", ("##",)),
        (see_mrkdwn, "a **b**", ("*", "*")),
        (see_mrkdwn, "```open", ("```",)),
        (see_content, "#### T", ("####",)),
        (see_content, "| a | b |\n| --- | --- |", ("|", "|", "|", "| ---", "|")),
        (see_content, "![a](<https://a.example>)", ("![",)),
        (see_content, "[a](https://a.example)", ("preview card",)),
        (see_content, "~~~\nx\n~~~", ("~", "~")),
        (see_content, "T\n====", ("====",)),
        (see_content, "- [x] done", ("[x]",)),
        (see_content, "__init__", ("__ underlined",)),
        (see_content, r"a \*x\*", ("*", "*")),
        (see_content, "https://a.example/_x_/__y", ("preview card",)),
        (see_content, "<https://a.example/_x_/__y> [a](<https://a.example>)", ()),
    ],
)
def test_what_a_person_calls_broken_is_named(see: Sight, source: str, markers: tuple[str, ...]) -> None:
    assert see(source).markers == markers


@pytest.mark.parametrize(
    ("source", "info", "text"),
    [
        ("```py\nx = 1\n```", "py", "x = 1"),
        ("```py x\ny\n```", "", "py x\ny"),
        ("a ```x``` b", "", "x"),
        ("```\n\n  indented\n```", "", "  indented"),
        ("> ```py\n> x\n> ```", "py", "x"),
    ],
)
def test_discord_takes_one_word_before_a_line_end_as_the_language(source: str, info: str, text: str) -> None:
    (fence,) = see_content(source).fences
    assert (fence.info, fence.text) == (info, text)


@pytest.mark.parametrize(
    "source",
    ["<!channel>", "`<@U123>`", "&lt;!here&gt;", "&amp;lt;!here&amp;gt;", r"<\!channel>", "a @channel b", "＠here", "<#C12|x>",
     "<!subteam^S1>", "<@U1|name>", "&#60;@U1>", "&#x3c;!everyone>"],
)  # fmt: skip
def test_every_spelling_of_a_slack_mention_is_live(source: str) -> None:
    assert slack_mentions(source)
    assert see_block(f"x\n\n{source}").mentions


@pytest.mark.parametrize(
    "source", ["<\u200b!channel>", "<@\u200bU1>", "@\u200bhere", "me@here.example", "<!date^1^x|y>"]
)
def test_broken_slack_mentions_are_not_live(source: str) -> None:
    assert not slack_mentions(source)


def test_discord_mentions_are_live_in_code_and_behind_backslashes() -> None:
    assert discord_mentions(r"`@everyone` <@!1> \<@&2> <\#3> x@here") == {"@everyone", "@!1", "@&2", "#3", "@here"}
    assert not discord_mentions("@\u200beveryone <@\u200b1>")


def test_list_numbers_and_bullets_are_drawn_but_not_written() -> None:
    for see in (see_block, see_mrkdwn, see_content):
        seen = see("3. a\n4. b")
        assert seen.letters == "ab"
        assert "3. a" in seen.text


def test_table_cells_are_read_by_row() -> None:
    seen = see_block("| a | b |\n|---|---|\n| `x|` | **2** |".replace("x|", r"x\|"))
    assert seen.tables == ((("a", "b"), ("x|", "2")),)
    assert [run.text for run in seen.runs if run.cell == "head"] == ["a", "b"]


def test_slack_refuses_what_is_too_long() -> None:
    def problems(text: str, blocks: list[str]) -> tuple[str, ...]:
        return slack_counts({"text": text, "blocks": [{"type": "markdown", "text": b} for b in blocks]}).problems

    assert problems("a", ["a" * 12_000]) == ()
    assert problems("a", ["漢" * 4_001]) == ("msg_too_long",)
    assert problems("a" * 4_001, ["a"]) == ("msg_too_long",)
    assert problems("a", ["a" * 7_000] * 2) == ("msg_blocks_too_long",)
    assert problems("a", ["&" * 3_000]) == ("msg_blocks_too_long",)
    assert problems("a", ["# a\n\n" * 50]) == ()
    assert problems("a", ["# a\n\n" * 50 + "---"]) == ("invalid_blocks",)
    assert problems("a", ["# a\n\nb\n\nc\n\n" * 25]) == ()
    assert problems("a", ["# a\n\nb\n\nc\n\n" * 25 + "- d\n\n---"]) == ("invalid_blocks",)


def test_discord_counts_code_points() -> None:
    assert discord_counts({"content": "😀" * 2_000}).problems == ()
    assert discord_counts({"content": "a" * 2_001}).problems
    assert discord_counts({"content": " \n"}).problems


def test_control_characters_are_found() -> None:
    assert unprintable("a\x00b\u202ec\td\n") == ["\x00", "\u202e"]
