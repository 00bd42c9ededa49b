"""Writing and reacting as somebody, and how both platforms are shown. The stand-ins are real, there is no bridge."""

from collections.abc import AsyncIterator, Sequence

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.acting import (
    act_in_discord,
    act_in_slack,
    post_to_discord,
    post_to_slack,
    react_in_discord,
    react_in_slack,
)
from bridge.playground.bodies import BadBody, Delete, Edit, Post, Press, React
from bridge.playground.discord import DiscordServer
from bridge.playground.discord_view import discord_view
from bridge.playground.slack import SlackServer
from bridge.playground.slack_view import slack_view
from bridge.playground.view import Json, mention_bot


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def discord() -> DiscordServer:
    return DiscordServer()


def unrated(channel: str, message: str) -> None:
    return None


def channel_of(view: Json, channel: str) -> Json:
    channels = view["channels"]
    assert isinstance(channels, Sequence)
    return next(one for one in channels if one["id"] == channel)


def messages_of(channel: Json) -> list[Json]:
    messages = channel["messages"]
    assert isinstance(messages, list)
    return messages


def to(channel: str, text: str, person: str, thread: str | None = None) -> Post:
    return Post(channel=channel, thread=thread, person=person, text=text)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@bot hello", "<M> hello"),
        ("hello @BOT, and @bot!", "hello <M>, and <M>!"),
        ("(@bot)", "(<M>)"),
        ("me@bot.example, @bots, @@bot and @botany", "me@bot.example, @bots, @@bot and @botany"),
        ("@bot", "<M>"),
    ],
)
def test_only_a_whole_at_bot_becomes_a_mention(typed: str, sent: str) -> None:
    assert mention_bot(typed, "<M>") == sent


async def test_slack_gets_typed_text_escaped_with_a_live_mention_of_the_bot_alone(slack: SlackServer) -> None:
    ts = await post_to_slack(slack, to("C0GENERAL", "@bot is <b> & <!channel> &lt; fine?", "U0ADA"))
    message = slack.message("C0GENERAL", ts)
    assert message.text == f"<@{slack.bot_user_id}> is &lt;b&gt; &amp; &lt;!channel&gt; &amp;lt; fine?"


async def test_discord_gets_a_mention_of_the_bot(discord: DiscordServer) -> None:
    posted = await post_to_discord(discord, to(discord.general, "@bot is <b> fine?", discord.ada))
    assert discord.message(discord.general, posted).content == f"<@{discord.bot_id}> is <b> fine?"


async def test_a_slack_thread_is_shown_under_its_root(slack: SlackServer) -> None:
    root = await post_to_slack(slack, to("C0GENERAL", "a question", "U0ADA"))
    reply = await post_to_slack(slack, to("C0GENERAL", "an *answer*", "U0GRACE", thread=root))
    await react_in_slack(slack, React(channel="C0GENERAL", message=reply, person="U0ADA", emoji="👍", add=True))
    [shown] = messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL"))
    assert (shown["id"], shown["name"], shown["text"]) == (root, "Ada", "a question")
    thread = shown["thread"]
    assert isinstance(thread, dict)
    [below] = messages_of(thread)
    assert below["text"] == "an *answer*"
    assert below["dialect"] == "mrkdwn"
    assert below["reactions"] == [{"emoji": "👍", "people": ["U0ADA"]}]
    await react_in_slack(slack, React(channel="C0GENERAL", message=reply, person="U0ADA", emoji="👍", add=False))
    assert slack.message("C0GENERAL", reply).reactions == {}


async def test_a_discord_thread_is_shown_under_its_message_without_the_stub(discord: DiscordServer) -> None:
    question = await post_to_discord(discord, to(discord.general, "a question", discord.ada))
    await discord.open_thread_as(discord.grace, discord.general, "about it", message_id=question)
    reply = await post_to_discord(discord, to(discord.general, "an answer", discord.grace, thread=question))
    await react_in_discord(discord, React(channel=question, message=reply, person=discord.linus, emoji="👎", add=True))
    [shown] = messages_of(channel_of(discord_view(discord, unrated), discord.general))
    thread = shown["thread"]
    assert isinstance(thread, dict)
    assert thread["name"] == "about it"
    [below] = messages_of(thread)
    assert below["text"] == "an answer"
    assert below["channel"] == question
    assert below["reactions"] == [{"emoji": "👎", "people": [discord.linus]}]


async def test_only_those_who_are_in_a_direct_message_are_offered_there(
    slack: SlackServer, discord: DiscordServer
) -> None:
    assert channel_of(slack_view(slack, unrated), "D0ADA")["members"] == ["U0ADA"]
    assert channel_of(discord_view(discord, unrated), discord.dm_ada)["members"] == [discord.ada]


async def test_what_cannot_be_written_is_explained(slack: SlackServer, discord: DiscordServer) -> None:
    with pytest.raises(BadBody, match="That Slack channel does not exist"):
        await post_to_slack(slack, to("C0NOWHERE", "x", "U0ADA"))
    with pytest.raises(BadBody, match="That person is not in this Slack workspace"):
        await post_to_slack(slack, to("C0GENERAL", "x", "U0NOBODY"))
    with pytest.raises(BadBody, match="Grace is not a member"):
        await post_to_slack(slack, to("D0ADA", "x", "U0GRACE"))
    with pytest.raises(BadBody, match="That Slack thread does not exist"):
        await post_to_slack(slack, to("C0GENERAL", "x", "U0ADA", thread="1.000001"))
    with pytest.raises(BadBody, match="That Discord channel does not exist"):
        await post_to_discord(discord, to("1", "x", discord.ada))
    with pytest.raises(BadBody, match="That person is not on this Discord server"):
        await post_to_discord(discord, to(discord.general, "x", "1"))
    with pytest.raises(BadBody, match="Linus cannot see other people's direct messages"):
        await post_to_discord(discord, to(discord.dm_ada, "x", discord.linus))
    with pytest.raises(BadBody, match="That Discord thread does not exist"):
        await post_to_discord(discord, to(discord.general, "x", discord.ada, thread=discord.support))
    with pytest.raises(BadBody, match="at most 2000 characters"):
        await post_to_discord(discord, to(discord.general, "x" * 2001, discord.ada))


async def test_reactions_to_nothing_or_with_unknown_emoji_are_explained(
    slack: SlackServer, discord: DiscordServer
) -> None:
    posted = await post_to_slack(slack, to("C0GENERAL", "hello", "U0ADA"))
    for message, emoji, problem in (
        ("1.000001", "👍", "message does not exist"),
        (posted, "🦄", "has these reactions"),
    ):
        with pytest.raises(BadBody, match=problem):
            await react_in_slack(
                slack, React(channel="C0GENERAL", message=message, person="U0ADA", emoji=emoji, add=True)
            )
    for emoji, problem in (("👍", "message does not exist"),):
        with pytest.raises(BadBody, match=problem):
            await react_in_discord(
                discord, React(channel=discord.general, message="1", person=discord.ada, emoji=emoji, add=True)
            )


async def test_what_was_typed_in_slack_can_be_typed_anew(slack: SlackServer) -> None:
    ts = await post_to_slack(slack, to("C0GENERAL", "@bot is a < b & &lt; c?", "U0ADA"))
    [shown] = messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL"))
    assert shown["typed"] == "@bot is a < b & &lt; c?"
    await act_in_slack(slack, Edit(channel="C0GENERAL", message=ts, person="U0ADA", text="@bot is a > b?"))
    [shown] = messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL"))
    assert (shown["typed"], shown["edited"]) == ("@bot is a > b?", True)
    assert slack.message("C0GENERAL", ts).text == f"<@{slack.bot_user_id}> is a &gt; b?"
    await act_in_slack(slack, Delete(channel="C0GENERAL", message=ts, person="U0ADA"))
    assert messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL")) == []


async def test_what_was_typed_in_discord_can_be_typed_anew(discord: DiscordServer) -> None:
    posted = await post_to_discord(discord, to(discord.general, "@bot is a < b?", discord.ada))
    [shown] = messages_of(channel_of(discord_view(discord, unrated), discord.general))
    assert shown["typed"] == "@bot is a < b?"
    at = {"channel": discord.general, "message": posted, "person": discord.ada}
    await act_in_discord(discord, Edit(**at, text="@bot is a > b?"))
    [shown] = messages_of(channel_of(discord_view(discord, unrated), discord.general))
    assert (shown["typed"], shown["edited"]) == ("@bot is a > b?", True)
    assert discord.message(discord.general, posted).content == f"<@{discord.bot_id}> is a > b?"
    await act_in_discord(discord, Delete(**at))
    assert messages_of(channel_of(discord_view(discord, unrated), discord.general)) == []


async def test_a_press_in_slack_reaches_the_button_and_a_vain_one_is_told_to_who_pressed(slack: SlackServer) -> None:
    slack.retry_schedule = ()
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    text = {"type": "plain_text", "text": "Stop"}
    row = {"type": "actions", "elements": [{"type": "button", "action_id": "a", "text": text, "style": "danger"}]}
    ts = str((await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=[row]))["ts"])
    await act_in_slack(slack, Press(channel="C0GENERAL", message=ts, person="U0GRACE", button="a"))
    [shown] = messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL"))
    assert shown["blocks"] == [row]
    assert shown["told"] == {}
    await slack.idle(5)
    [shown] = messages_of(channel_of(slack_view(slack, unrated), "C0GENERAL"))
    assert list(shown["told"]) == ["U0GRACE"]  # type: ignore[call-overload]


async def test_what_cannot_be_done_to_a_message_is_explained(slack: SlackServer, discord: DiscordServer) -> None:
    ts = await post_to_slack(slack, to("C0GENERAL", "mine", "U0ADA"))
    posted = await post_to_discord(discord, to(discord.general, "mine", discord.ada))
    there = {"channel": "C0GENERAL", "message": ts, "person": "U0GRACE"}
    for in_slack, problem in (
        (Edit(**there, text="yours"), "not written by"),
        (Delete(**there), "not written by"),
        (Press(**there, button="a"), "no button"),
        (Delete(channel="C0GENERAL", message="1.000001", person="U0ADA"), "no message"),
        (Delete(channel="C0NOWHERE", message=ts, person="U0ADA"), "channel does not exist"),
    ):
        with pytest.raises(BadBody, match=problem):
            await act_in_slack(slack, in_slack)
    there = {"channel": discord.general, "message": posted, "person": discord.grace}
    for in_discord, problem in (
        (Edit(**there, text="yours"), "only its author"),
        (Delete(**there), "Only their own"),
        (Press(**there, button="a"), "no such button"),
        (Delete(channel=discord.general, message="1", person=discord.ada), "message does not exist"),
    ):
        with pytest.raises(BadBody, match=problem):
            await act_in_discord(discord, in_discord)
    assert slack.message("C0GENERAL", ts).text == "mine"
    assert discord.message(discord.general, posted).content == "mine"
