"""Text out: nothing in it looks like a ping, it is counted as Discord counts, and what was read back may be sent again."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord.dialect import DIALECT, LIMIT, DiscordDialect, neutralise

ZWSP = "\u200b"
PINGS = re.compile(r"@everyone|@here|<@[!&]?\d+>", re.IGNORECASE)
TOKENS = [
    "@everyone",
    "@here",
    "<@1>",
    "<@!2>",
    "<@&3>",
    "@",
    "<",
    "<@",
    "every",
    "one",
    "\x00",
    "\r",
    ZWSP,
    "```",
    " ",
    "\n",
]
hostile = st.lists(st.sampled_from(TOKENS) | st.text(max_size=5)).map("".join)


def content(text: str) -> str:
    return str(DIALECT.payload(text)["content"])


@given(hostile)
@settings(max_examples=300, deadline=None)
@example("@\x00everyone")
@example("<@\x001>")
@example("<\x07@&1>")
@example("\\@everyone &commat;everyone &#64;here")
def test_nothing_that_is_sent_can_ping(text: str) -> None:
    assert not PINGS.search(content(text))
    assert neutralise(content(text)) == content(text)


def test_only_who_may_be_mentioned_is() -> None:
    sent = str(DIALECT.payload("<@1> <@!1> @Ada <@2> <@&1> @everyone `<@2>`", {"1": "Ada"})["content"])
    assert sent.count("<@1>") == 3
    assert not PINGS.search(sent.replace("<@1>", ""))


@given(hostile | st.text())
@settings(deadline=None)
def test_the_measure_is_the_length_of_what_is_sent_in_code_points(text: str) -> None:
    assert DIALECT.render(text).length == len(DIALECT.render(text).text) >= len(content(text))


def test_an_emoji_counts_once_for_each_code_point() -> None:
    assert DIALECT.render("😀" * LIMIT).length == LIMIT


@pytest.mark.parametrize(
    "text",
    [
        "**bold** *it* ~~gone~~ `code` a_b_c 2 * 3",
        "# head\ntext\n\n> quote\n> two",
        "- one\n- two\n  - three\n\n1. one\n2. two\n\n- [ ] open\n- [x] done",
        "```py\nx = '<@1>'\n\ty\n```",
        "[label](https://example.org/a_b) <https://example.org> https://example.org/?a=1&b=2",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "| " + "long cell " * 5 + "| b |\n|---|---|\n| 1 | 2 |",
        "one\n\n---\n\nmany @everyone <@1> \\* \\_ \\# 漢字**強調**です",
    ],
)
def test_what_was_read_back_reads_the_same_when_it_is_sent_again(text: str) -> None:
    assert content(content(text)) == content(text)


def test_tables_are_written_as_the_operator_says() -> None:
    wide, narrow = (f"| a | b |\n|---|---|\n| {'x' * width} | 2 |" for width in (60, 3))
    written = {
        how: [str(DiscordDialect(tables=how).payload(text)["content"]).startswith("```") for text in (narrow, wide)]
        for how in ("fit", "code", "list")
    }
    assert written == {"fit": [True, False], "code": [True, True], "list": [False, False]}
