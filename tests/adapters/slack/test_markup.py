"""Text in and out: nothing calls anybody, nothing is lost, and what is measured is what fits."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.capabilities import CAPABILITIES
from adapters.slack.markup import (
    FALLBACK_CHARS,
    JOINER,
    PLAIN_BYTES,
    count_items,
    fallback,
    measure,
    mentioned,
    neutralise,
    plain,
    readable,
)
from bridge.playground.slack.checks import check_message
from bridge.playground.slack.content import live_mentions, unescape

PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "&",
            "&lt;",
            "&#60;",
            "&#x3C;",
            "&LT;",
            "!",
            "@",
            "#",
            "\\",
            "|",
            "^",
            "`",
            "```",
            "~~~",
            "\n",
            " ",
            "*",
        ),
        *(
            "channel",
            "here",
            "everyone",
            "Channel",
            "subteam^S1",
            "@U0ADA",
            "<!channel>",
            "<@U0ADA>",
            "&commat;",
            "&#64;",
        ),
        *(
            "# head\n",
            "---\n",
            "\n***\n",
            "|-|-|",
            "===",
            "> # q\n",
            "\x00",
            "\u2028",
            "\ufeff",
            "漢",
            "🙂",
            "e\u0301",
            "word",
        ),
    ]
)
texts = st.lists(PIECES | st.text(max_size=5), max_size=40).map("".join)
LIVE = re.compile(r"<[!@#]\w|@(?:channel|here|everyone)(?![A-Za-z0-9])", re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<!channel>", f"<{JOINER}!channel>"),
        ("<@U0ADA|ada>", f"<{JOINER}@U0ADA|ada>"),
        ("<#C0GENERAL>", f"<{JOINER}#C0GENERAL>"),
        ("<!subteam^S1|@team>", f"<{JOINER}!subteam^S1|@team>"),
        ("`<!here>`", f"`<{JOINER}!here>`"),
        ("@channel @Here @EVERYONE", f"@{JOINER}channel @{JOINER}Here @{JOINER}EVERYONE"),
        ("&lt;!channel&gt;", f"&lt;{JOINER}!channel&gt;"),
        ("&#60;!channel>", f"&#60;{JOINER}!channel>"),
        ("&#x3c;&#33;channel>", f"&#x3c;{JOINER}&#33;channel>"),
        ("<\\!channel>", f"<{JOINER}\\!channel>"),
        ("\\@channel", f"\\@{JOINER}channel"),
        ("&commat;channel", f"&commat;{JOINER}channel"),
        ("<\x00!chan\x07nel>", f"<{JOINER}!channel>"),
        ("@\x00channel", f"@{JOINER}channel"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\ud800", "\ufffd"),
        ("ops@hereford.example @channels", "ops@hereford.example @channels"),
        ("if a < b: print('<b>') # !x", "if a < b: print('<b>') # !x"),
        ("👩‍👩‍👧 \t e\u0301", "👩‍👩‍👧 \t e\u0301"),
    ],
)
def test_mentions_are_broken_and_the_rest_is_left(text: str, safe: str) -> None:
    assert neutralise(text) == safe


@given(texts)
@settings(max_examples=400)
def test_nothing_is_live_after_neutralising(text: str) -> None:
    safe = neutralise(text)
    assert not LIVE.search(safe)
    assert neutralise(safe) == safe
    safe.encode()  # no lone surrogate is left
    assert live_mentions(fallback(text), [{"type": "markdown", "text": safe}], link_names=False) == []


@given(texts, st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_what_measures_within_the_limit_is_accepted(text: str, times: int) -> None:
    text = (text * times)[: CAPABILITIES.max_text]
    if not neutralise(text).strip() or measure(text) > CAPABILITIES.max_text:
        return
    check_message(fallback(text), [{"type": "markdown", "text": neutralise(text)}])


@given(texts, texts)
def test_measuring_never_shrinks_by_a_line_more(text: str, more: str) -> None:
    assert 0 <= measure(text) <= measure(text + "\n" + more) + len(JOINER.encode()) * text.count("<")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("abc", 3),
        ("漢", 3),
        ("🙂", 4),
        ("&", 5),
        ("<>", 8),
        ("<!", 4 + 1 + 3),
        ("x" * 1_000 + "\n# head", 1_007 + 100),
        ("# a\n" * 30, 30 * 410),
    ],
)
def test_a_text_is_measured_in_bytes_with_entities_and_headings(text: str, size: int) -> None:
    assert measure(text) == size


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("# a\n## b\n### c", 3),
        ("#no heading\n# ", 1),
        ("---\n***\n___\n- - -", 4),
        ("title\n===", 1),
        ("```\n# code\n---\n```\n# head", 1),
        ("~~~\n```\n# code\n~~~\n# head", 1),
        ("````\n```\n# code\n````\n# head", 1),
        ("```\n# never closed", 0),
        ("| a |\n|---|\n| 1 |", 1),
        ("- item\n* item\n1. item\na - b", 0),
        ("> # quoted", 1),
    ],
)
def test_headings_dividers_and_tables_are_counted_outside_of_code(text: str, items: int) -> None:
    assert count_items(text) == items


@given(texts, st.integers(1, 80))
def test_the_fallback_is_a_bounded_beginning_without_half_an_entity(text: str, times: int) -> None:
    text = text * times
    short = fallback(text)
    assert len(short.encode()) <= PLAIN_BYTES
    assert len(unescape(short)) <= FALLBACK_CHARS
    assert neutralise(text).strip().startswith(unescape(short))
    assert not re.search(r"<|>|&(?!amp;|lt;|gt;)", short)


@pytest.mark.parametrize("letter", ["🙂", "&", "<", "漢"])
def test_the_fallback_is_cut_by_its_escaped_bytes_too(letter: str) -> None:
    short = fallback(letter * FALLBACK_CHARS)
    assert len(short.encode()) <= PLAIN_BYTES
    assert len(short.encode()) > PLAIN_BYTES - 5 or unescape(short) == letter * FALLBACK_CHARS
    assert set(unescape(short)) == {letter}


@given(texts)
def test_plain_text_is_all_of_it_or_nothing(text: str) -> None:
    whole = plain(text)
    assert whole is not None
    assert unescape(whole) == neutralise(text)


def test_plain_text_that_slack_would_refuse_is_not_made() -> None:
    assert plain("x" * PLAIN_BYTES) == "x" * PLAIN_BYTES
    assert plain("x" * (PLAIN_BYTES + 1)) is None
    assert plain("&" * (PLAIN_BYTES // 5 + 1)) is None


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<@U0BRIDGE> hello", "hello"),
        ("<@U0BRIDGE|bridge>  hello", "hello"),
        ("<@U0BRIDGE>: hello", "hello"),
        ("<@U0BRIDGE>, hello", "hello"),
        ("<@U0BRIDGE> :wave: hello", ":wave: hello"),
        ("<@U0BRIDGE>:wave: hello", ":wave: hello"),
        (" <@U0BRIDGE> <@U0BRIDGE> hello", "hello"),
        ("<@U0BRIDGE>", ""),
        ("hello <@U0BRIDGE>", "hello @bot"),
        ("<@U0ADA> <@U0BRIDGE> hello", "@Ada @bot hello"),
        ("<@U0BRIDGE> ask <@U0ADA> and <@U9>", "ask @Ada and @U9"),
        ("<@U9|nina>", "@nina"),
        ("<#C1|general> <#C2> <#C3|>", "#general #C2 #C3"),
        ("<!here> <!channel|channel> <!subteam^S1|@team> <!subteam^S2>", "@here @channel @team @S2"),
        ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
        ("<https://a.example/?x=1&amp;y=2>", "https://a.example/?x=1&y=2"),
        ("<https://a.example|the page>", "the page (https://a.example)"),
        ("<http://a.example|a.example>", "a.example"),
        ("<mailto:a@b.example|a@b.example> <tel:123|123>", "a@b.example 123"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &amp;lt;", "1 < 2 && 3 > 2 &lt;"),
        ("`&lt;@U0ADA&gt;`", "`<@U0ADA>`"),
        ("two\n\nlines ", "two\n\nlines"),
        ("half <open", "half <open"),
        ("\ud83d", "\ufffd"),
        ("", ""),
    ],
)
def test_slack_text_becomes_readable(raw: str, text: str) -> None:
    assert readable(raw, bot_user="U0BRIDGE", names={"U0ADA": "Ada", "U0BRIDGE": "bot"}) == text


def test_the_people_mentioned_are_named_once_in_order() -> None:
    assert mentioned("<@U2> <@U1|ada> <@U2> <!here> <#C1> &lt;@U3&gt; <@>") == ("U2", "U1")


@given(st.text(max_size=200))
def test_escaped_text_is_read_back(text: str) -> None:
    raw = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert readable(raw, bot_user="U0BRIDGE", names={}) == text.strip()
