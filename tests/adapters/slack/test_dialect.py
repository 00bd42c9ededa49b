"""Text out: nothing in it calls anybody, and whatever measures within the limit is taken."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.dialect import DIALECT, FALLBACK_CHARS, LIMIT, PLAIN_BYTES, escape, mrkdwn, neutralise, notification
from bridge.playground.slack.checks import check_message
from bridge.playground.slack.content import live_mentions, unescape

ZWSP = "\u200b"
TOKENS = [
    "<!channel>",
    "<@U0ADA>",
    "<@U0ADA|ada>",
    "<#C0GENERAL>",
    "<!subteam^S1|@team>",
    "@here",
    "@Channel",
    "&commat;",
]
HALVES = [
    "<",
    ">",
    "&",
    "&lt;",
    "&#60;",
    "&#x3C;",
    "&amp;",
    "!",
    "@",
    "#",
    "\\",
    "|",
    "`",
    "```",
    "\n",
    " ",
    "*",
    "channel",
]
BLOCKS = [
    "\n\n# head\n\n",
    "\n---\n",
    "\n|a|b|\n|-|-|\n|1|2|\n",
    "\n> quote\n",
    "\n- item\n",
    "\n1. one\n",
    "\x00",
    "漢",
    "🙂",
]
texts = st.lists(st.sampled_from(TOKENS + HALVES + BLOCKS) | st.text(max_size=5), max_size=40).map("".join)
LIVE = re.compile(r"<[!@#]\w|@(?:channel|here|everyone)(?![A-Za-z0-9])", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<!channel>", f"<{ZWSP}!channel>"),
        ("<@U0ADA|ada>", f"<{ZWSP}@U0ADA|ada>"),
        ("<!subteam^S1|@team>", f"<{ZWSP}!subteam^S1|@team>"),
        ("@channel @Here @EVERYONE", f"@{ZWSP}channel @{ZWSP}Here @{ZWSP}EVERYONE"),
        ("&lt;!channel&gt;", f"&lt;{ZWSP}!channel&gt;"),
        ("&#x3c;&#33;channel>", f"&#x3c;{ZWSP}&#33;channel>"),
        ("&amp;lt;!channel", f"&amp;lt;{ZWSP}!channel"),
        ("<\\!channel>", f"<{ZWSP}\\!channel>"),
        ("&commat;channel", f"&commat;{ZWSP}channel"),
        ("ops@hereford.example @channels", "ops@hereford.example @channels"),
        ("if a < b: print('<b>') # !x", "if a < b: print('<b>') # !x"),
    ],
)
def test_mentions_are_broken_and_the_rest_is_left(text: str, safe: str) -> None:
    assert neutralise(text) == safe


def test_only_who_may_be_mentioned_is() -> None:
    text = "<@U0ADA> <@U0ADA|ada> <@U0EVE> @Ada <!here>"
    assert neutralise(text, {"U0ADA": "Ada"}).count("<@U0ADA>") == 1
    payload = DIALECT.payload(text, {"U0ADA": "Ada"})
    live = live_mentions(
        str(payload["text"]),
        [{"type": "markdown", "text": DIALECT.render(text, {"U0ADA": "Ada"}).text}],
        link_names=False,
    )
    assert set(live) == {"<@U0ADA>"}


@given(texts)
@settings(max_examples=300, deadline=None)
def test_nothing_is_live_in_any_form(text: str) -> None:
    payload = DIALECT.payload(text)
    assert (
        live_mentions(str(payload["text"]), [{"type": "markdown", "text": DIALECT.render(text).text}], link_names=False)
        == []
    )
    assert live_mentions(mrkdwn(text), [], link_names=False) == []
    safe = neutralise(text)
    assert not LIVE.search(safe)
    assert neutralise(safe) == safe


@given(texts, st.integers(1, 60))
@settings(max_examples=200, deadline=None)
def test_what_measures_within_the_limit_is_accepted(text: str, times: int) -> None:
    text = text * times
    rendered = DIALECT.render(text)
    if rendered.text.strip() and rendered.length <= LIMIT:
        check_message(str(DIALECT.payload(text)["text"]), [{"type": "markdown", "text": rendered.text}])


@given(texts, st.integers(1, 80))
def test_the_notification_is_a_bounded_beginning_without_half_an_entity(text: str, times: int) -> None:
    short = notification(text * times)
    assert len(short.encode()) <= PLAIN_BYTES
    assert len(unescape(short).replace(ZWSP, "")) <= FALLBACK_CHARS
    assert not re.search(r"<|>|&(?!amp;|lt;|gt;)", short)


@pytest.mark.parametrize("letter", ["🙂", "&", "<", "漢"])
def test_the_notification_is_cut_by_its_escaped_bytes_too(letter: str) -> None:
    short = notification(letter * FALLBACK_CHARS)
    assert len(short.encode()) <= PLAIN_BYTES
    assert unescape(short) == letter * (len(short) // len(escape(letter)))
    assert len(short.encode()) > PLAIN_BYTES - 200 or len(unescape(short)) == FALLBACK_CHARS


def test_bytes_and_entities_count() -> None:
    assert [DIALECT.render(text).length for text in ("abc", "漢", "🙂", "a & b")] == [3, 3, 4, 9]
