"""Text in: what Slack escapes and marks up becomes readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.markup import mentioned, readable


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
