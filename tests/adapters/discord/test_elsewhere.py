"""Asked where the bot is not, by an app that somebody added to their own account: nothing but the webhook leads there."""

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.interactions.commands import ASK_ABOUT
from adapters.discord.interactions.desk import TIME_IS_UP
from bridge.events import ButtonPressed
from bridge.messages import Button, ButtonAction, OutgoingMessage
from bridge.playground.discord import DiscordServer
from bridge.playground.discord.permissions import SEND_MESSAGES
from tests.adapters.discord.conftest import Inbox, Make, hearing, offered, out, until


async def test_a_question_in_a_server_without_the_bot_is_answered_in_place(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, place, "ask", {"question": "Far away?"})
        event = await inbox.message("Far away?")
        key = event.target.conversation
        assert event.target.address == f"hook/{number}"
        assert (event.target.opens_thread, event.is_direct, event.in_thread) == (False, True, False)
        assert (key.installation, key.channel, key.thread, key.person) == (elsewhere.id, place, "", server.ada)
        await platform.send(event.target, out("Very far."))
        assert [each.content for each in server.messages(place)] == ["Very far."]
        await server.command(server.ada, place, "ask", {"question": "Still?"})
        assert (await inbox.message("Still?")).target.conversation == key


async def test_a_message_in_a_server_without_the_bot_can_be_asked_about(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    async with hearing(platform, inbox):
        await offered(server)
        said = await server.post_as(server.ada, place, "Something odd")
        opened = await server.message_command(server.ada, place, ASK_ABOUT, said)
        await until(lambda: server.interactions[opened].modal is not None, "for the form")
        number = await server.submit_modal(server.ada, opened, {"words": "Why?"})
        event = await inbox.message("Why?")
        assert event.target.address == f"hook/{number}"
        assert event.about is not None
        assert event.about.text == "Something odd"
        await platform.send(event.target, out("Who knows."))
        assert server.messages(place)[-1].content == "Who knows."


async def test_a_group_of_people_can_ask(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    server.install_for(server.ada)
    group = await server.add_private("Friends", server.ada, server.grace)
    async with hearing(platform, inbox):
        await offered(server)
        await server.command(server.ada, group, "ask", {"question": "Among us?"})
        event = await inbox.message("Among us?")
        assert event.target.conversation.channel == group
        assert event.target.conversation.installation == "@me"
        await platform.send(event.target, out("Yes."))
        assert [each.content for each in server.messages(group)] == ["Yes."]


async def test_in_a_channel_that_the_bot_was_not_given_the_webhook_answers(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    await server.overwrite(server.general, server.bot_id, deny=SEND_MESSAGES)
    async with hearing(platform, inbox):
        await offered(server)
        number = await server.command(server.ada, server.general, "ask", {"question": "May you?"})
        event = await inbox.message("May you?")
        assert event.target.address == f"hook/{number}"
        await platform.send(event.target, out("By the back door."))
        assert server.messages(server.general)[-1].content == "By the back door."


async def test_a_suggested_question_is_answered_below_by_the_presss_own_webhook(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    more = Button(action=ButtonAction.ASK, label="And then?", value="And then?")
    async with hearing(platform, inbox):
        await offered(server)
        await server.command(server.ada, place, "ask", {"question": "Far away?"})
        first = await inbox.message("Far away?")
        await platform.send(first.target, OutgoingMessage(text="Very.", nonce="n1", buttons=(more,)))
        shown = server.messages(place)[-1]
        number = await server.press(server.ada, place, shown.id, shown.buttons[0].custom_id)
        event = await inbox.message("And then?")
        assert event.target.address == f"hook/{number}"
        assert event.target.conversation == first.target.conversation
        await platform.send(event.target, out("Nothing.", "n2"))
        assert [each.content for each in server.messages(place)] == ["Very.", "Nothing."]


async def test_a_new_answer_is_not_begun_where_nothing_leads_to_the_old_one_any_more(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    again = Button(action=ButtonAction.AGAIN, label="Regenerate")
    one, other = make(), make()
    async with hearing(one, inbox):
        await offered(server)
        await server.command(server.ada, place, "ask", {"question": "Far away?"})
        first = await inbox.message("Far away?")
        await one.send(first.target, OutgoingMessage(text="Very.", nonce="n1", buttons=(again,)))
        shown = server.messages(place)[-1]
        await server.press(server.ada, place, shown.id, "bridge:again")
        await until(lambda: any(isinstance(each, ButtonPressed) for each in inbox.events), "for the press")
    later = Inbox()
    async with hearing(other, later):
        pressed = await server.press(server.ada, place, shown.id, "bridge:again")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
    assert server.interactions[pressed].ephemeral == TIME_IS_UP
    assert [each for each in later.events if isinstance(each, ButtonPressed)] == []
