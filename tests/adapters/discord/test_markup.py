"""Text on its way in reads like speech; a thread gets a name that pings nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.markup import Names, plain_emoji, readable, thread_name, without_own_mention

ZWSP = "\u200b"
PINGS = re.compile(r"@everyone|@here|<@[!&]?\d+>", re.IGNORECASE)
hostile = st.lists(
    st.sampled_from(
        ["@everyone", "@here", "<@1>", "<@!2>", "<@&3>", "@", "<", "<@", "every", "one", "1>", "\x00", "\u202e", " "]
    )
    | st.text(max_size=5)
).map("".join)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("ask <@1> or <@!2>", "ask @Ada or @2"),
        ("the <@&5> in <#7> or <#8>", "the @admins in #general or #8"),
        ("<:wave:99> <a:dance:98>", ":wave: :dance:"),
        ("at <t:1700000000:R>, <t:1700000000>", "at 2023-11-14T22:13:20Z, 2023-11-14T22:13:20Z"),
        ("<t:99999999999999999999:f>", "<t:99999999999999999999:f>"),
        ("</ask me:123>", "/ask me"),
        ("a < b @everyone", "a < b @everyone"),
    ],
)
def test_mentions_read_as_names(text: str, read: str) -> None:
    names = Names(users={1: "Ada"}, roles={5: "admins"}, channels={7: "general"})
    assert readable(text, names) == read


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("<@1> hello", "hello"),
        ("  <@!1>, hello", "hello"),
        ("<@1><@1>: hello <@1>", "hello <@1>"),
        ("<@&9> hello", "hello"),
        ("hello <@1>", "hello <@1>"),
        ("<@2> <@1> hello", "<@2> <@1> hello"),
        ("<@12> hello", "<@12> hello"),
        ("<@1>", ""),
    ],
)
def test_only_our_own_leading_mention_is_taken_away(text: str, rest: str) -> None:
    assert without_own_mention(text, user=1, role=9) == rest


@given(st.text() | hostile)
def test_a_thread_always_gets_a_name_that_discord_takes_and_that_pings_nobody(title: str) -> None:
    name = thread_name(title)
    assert 1 <= len(name) <= 100
    assert "\n" not in name
    assert name.strip()
    assert not PINGS.search(name)
    assert not any("\u202a" <= letter <= "\u202e" for letter in name)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How do I\nreset <@1> my   password?", "How do I reset my password?"),
        ("word " * 40, " ".join(["word"] * 16) + "…"),
        ("x" * 200, "x" * 80 + "…"),
        ("<@1>", "Conversation"),
        ("@everyone look", f"@{ZWSP}everyone look"),
    ],
)
def test_a_thread_is_named_after_its_question(title: str, name: str) -> None:
    assert thread_name(title) == name


@pytest.mark.parametrize(
    ("emoji", "plain"), [("👍🏽", "👍"), ("❤️", "❤"), ("👎", "👎"), ("party_parrot", "party_parrot"), ("🏽", "🏽")]
)
def test_an_emoji_has_no_skin_tone(emoji: str, plain: str) -> None:
    assert plain_emoji(emoji) == plain
