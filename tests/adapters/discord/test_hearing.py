"""What people do on Discord arrives as events, through the real client and real sockets."""

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.gateway.hints import HIDDEN
from bridge.events import MessageReceived
from bridge.messages import Origin, PersonId, Said
from bridge.playground.discord import DiscordServer, Fault, Message, payloads
from bridge.playground.discord.model import Json
from bridge.playground.discord.world import World
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out, until


async def test_a_mention_in_a_channel_opens_a_thread_and_is_answered_there(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        question = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> How do I start?")
        heard = await inbox.message("How do I start?")
        assert heard.mentions_bot
        assert not heard.in_thread
        assert not heard.is_direct
        assert heard.author.display_name == "Ada"
        assert heard.target.opens_thread
        assert heard.target.conversation.installation == server.guild_id
        assert heard.target.conversation.channel == server.general
        assert heard.target.conversation.thread == question

        target = await platform.open_thread(heard.target, heard.text)
        await platform.send(target, out("Like this."))

        (thread,) = server.threads(server.general)
        assert thread.id == question
        assert thread.name == "How do I start?"
        assert server.messages(thread.id)[-1].content == "Like this."
        assert target.conversation == heard.target.conversation
        assert target.post_group == target.edit_group == thread.id

        await server.post_as(server.ada, thread.id, "And then?")
        followup = await inbox.message("And then?")
        assert followup.in_thread
        assert not followup.mentions_bot
        assert followup.target.conversation == heard.target.conversation
        assert followup.target.address == target.address


async def test_a_mention_in_somebodys_thread_is_answered_there(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        thread = await server.open_thread_as(server.grace, server.support, "Old talk")
        await server.post_as(server.ada, thread, f"<@{server.bot_id}> help")
        heard = await inbox.message("help")
        assert heard.in_thread
        assert heard.target.conversation.channel == server.support
        assert heard.target.conversation.thread == thread
        assert not heard.target.opens_thread
        await platform.send(heard.target, out("Here."))
        assert server.messages(thread)[-1].content == "Here."


async def test_a_thread_that_the_client_was_not_told_about_is_looked_up(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    thread = await server.open_thread_as(server.grace, server.support, "Sleeping")
    await server.archive_as(server.grace, thread)
    async with hearing(platform, inbox) as run:
        # Waking it up is told with an update, which makes the client know it; so the update is kept from it here.
        server.channels[thread].archived = False
        await server.post_as(server.ada, thread, f"<@{server.bot_id}> awake?")
        heard = await inbox.message("awake?")
        assert heard.in_thread
        assert heard.target.conversation.channel == server.support
        assert heard.target.conversation.installation == server.guild_id
        assert not run.done()
    assert any(call.route == "/channels/{channel_id}" and call.status == 200 for call in server.calls)


async def test_a_direct_message_is_one_conversation_per_person(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.dm_ada, "just us")
        heard = await inbox.message("just us")
        assert heard.is_direct
        assert heard.target.conversation.installation == "@me"
        assert heard.target.conversation.thread == ""
        assert heard.target.conversation.person == server.ada
        assert not heard.target.opens_thread
        await platform.send(heard.target, out("Hello Ada"))
        assert server.messages(server.dm_ada)[-1].content == "Hello Ada"


async def test_a_reply_to_the_bot_is_told_apart_from_a_mention(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        answer = await platform.send(await ask(server, inbox), out("An answer"))
        number = server.messages(server.general)[-1].id
        await server.post_as(server.grace, server.general, "why?", reply_to=number)
        heard = await inbox.message("why?")
        assert heard.replies_to_bot
        assert heard.reply_to == answer
        assert not heard.mentions_bot
        await server.post_as(server.grace, server.general, f"<@{server.bot_id}> how?", reply_to=number)
        heard = await inbox.message("how?")
        assert heard.replies_to_bot
        assert heard.mentions_bot


async def test_a_reply_whose_message_discord_left_out_is_completed(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = payloads.dispatched_message

    def without_the_replied_to(world: World, one: Message, *, everything: bool) -> Json:
        body = complete(world, one, everything=everything)
        body.pop("referenced_message", None)
        return body

    monkeypatch.setattr(payloads, "dispatched_message", without_the_replied_to)
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), out("An answer"))
        number = server.messages(server.general)[-1].id
        await server.post_as(server.grace, server.general, "why?", reply_to=number)
        assert (await inbox.message("why?")).replies_to_bot
        server.faults.fail_next["GET /channels/{channel_id}/messages/{message_id}"] = [Fault(status=404, code=10008)]
        await server.post_as(server.grace, server.general, "and why?", reply_to=number)
        heard = await inbox.message("and why?")
        assert not heard.replies_to_bot
        assert heard.reply_to is not None


async def test_a_voice_message_and_its_place_are_told(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        number = await server.post_voice_as(server.ada, server.dm_ada, b"OggS", 1.5)
        await until(lambda: bool(inbox.asked), "for the message")
        (file,) = inbox.asked[0].attachments
    assert (file.is_voice, file.media_type, file.size) == (True, "audio/ogg", 4)
    assert file.address.startswith(f"{server.dm_ada}/{number}/")


async def test_a_reply_to_a_persons_message_is_about_it_also_where_discord_left_it_out(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        said = await server.post_as(server.grace, server.general, "It rains")
        for resolved in (True, False):
            text = f"<@{server.bot_id}> why, {resolved}?"
            await server.post_as(server.ada, server.general, text, reply_to=said, resolved=resolved)
            event = await inbox.message(f"why, {resolved}?")
            assert event.about == Said(who="Grace", text="It rains")
            assert (event.mentions_bot, event.replies_to_bot) == (True, False)


async def test_a_reply_to_a_person_is_no_reply_to_the_bot(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        first = await server.post_as(server.ada, server.general, "first")
        await server.post_as(server.grace, server.general, "second", reply_to=first)
        heard = await inbox.message("second")
        assert not heard.replies_to_bot
        assert heard.reply_to is not None
        assert heard.reply_to.address == f"{server.general}/{first}"


async def test_everyone_is_not_the_bot_but_its_role_is(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.general, "@everyone look")
        assert not (await inbox.message("@everyone look")).mentions_bot
        await server.post_as(server.ada, server.general, f"<@&{server.bot_role_id}> by role")
        assert (await inbox.message("by role")).mentions_bot


async def test_other_mentions_read_as_names(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        text = f"<@{server.bot_id}> tell <@{server.grace}> in <#{server.support}>"
        await server.post_as(server.ada, server.general, text)
        await inbox.message("tell @Grace in #support")


async def test_the_authors_kind_is_told(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        await platform.send(await platform.open_thread(target, "t"), out("mine"))
        await server.post_as(server.linus, server.general, "beep", is_bot=True)
        await server.post_as(server.linus, server.general, "hook", webhook=True)
        await server.post_as(server.ada, server.general, "last")
        await inbox.message("last")
        origins = {each.text: each.origin for each in inbox.events if isinstance(each, MessageReceived)}
        assert origins["mine"] is Origin.SELF
        assert origins["beep"] is Origin.BOT
        assert origins["hook"] is Origin.BOT
        assert origins["last"] is Origin.PERSON
        # The new thread began with a message that Discord itself made.
        assert origins[""] in (Origin.SELF, Origin.SYSTEM)


async def test_an_edited_message_is_not_heard_as_a_new_one(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, "one")
        await server.edit_as(server.ada, server.general, number, "two")
        await server.post_as(server.ada, server.general, "three")
        await inbox.message("three")
        assert inbox.texts == ["one", "three"]


async def test_reactions_on_our_messages_are_told_in_order(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        ref = await platform.send(await ask(server, inbox), out("rate me"))
        ours = server.messages(server.general)[-1].id
        theirs = await server.post_as(server.grace, server.general, "not me")
        await server.react(server.ada, server.general, theirs, "👍")
        await server.react(server.ada, server.general, ours, "👍🏽")
        await server.unreact(server.ada, server.general, ours, "👍🏽")
        await server.react(server.grace, server.general, ours, "❤️")
        await until(lambda: len(inbox.reactions) == 3, "for three reactions")
        added, removed, loved = inbox.reactions
        assert [each.message for each in inbox.reactions] == [ref] * 3
        assert (added.emoji, added.added, added.person) == ("👍", True, PersonId(server.ada))
        assert (removed.emoji, removed.added) == ("👍", False)
        assert (loved.emoji, loved.person) == ("❤", PersonId(server.grace))
        assert added.revision < removed.revision < loved.revision
        assert all(each.origin is Origin.PERSON for each in inbox.reactions)


async def test_a_reaction_in_a_direct_message_is_told(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.dm_ada, "hi")
        ref = await platform.send((await inbox.message("hi")).target, out("ho"))
        await server.react(server.ada, server.dm_ada, server.messages(server.dm_ada)[-1].id, "👎")
        await until(lambda: len(inbox.reactions) == 1, "for a reaction")
        assert inbox.reactions[0].message == ref


async def test_without_the_content_intent_only_mentions_and_direct_messages_have_text(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    async with hearing(make(discord_message_content=False), inbox):
        await server.post_as(server.ada, server.general, "secret")
        await server.post_as(server.ada, server.general, f"<@{server.bot_id}> hello")
        await inbox.message("hello")
        await until(lambda: len(inbox.asked) == 2, "for two messages")
        assert [each.mentions_bot for each in inbox.asked] == [False, True]
        assert "secret" not in inbox.texts


async def test_who_calls_the_role_where_discord_hides_it_is_told_once_how_to_be_heard(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    platform, other = make(discord_message_content=False), make(discord_message_content=False)
    async with hearing(platform, inbox), hearing(other, Inbox()):
        called = await server.post_as(server.ada, server.general, f"<@&{server.bot_role_id}> by role")
        await server.post_as(server.grace, server.general, f"<@&{server.bot_role_id}> me too")
        await server.post_as(server.linus, server.general, f"<@&{server.bot_role_id}> beep", is_bot=True)
        await server.post_as(server.ada, server.general, f"<@{server.bot_id}> hello")
        await inbox.message("hello")
        await until(lambda: any(each.content == HIDDEN for each in server.messages(server.general)), "for a hint")
        posted = "/channels/{channel_id}/messages"
        await until(
            lambda: (
                sum(each.method == "POST" and each.route == posted and bool(each.status) for each in server.calls) == 2
            ),
            "for both processes to tell",
        )
    hints = [each for each in server.messages(server.general) if each.content == HIDDEN]
    assert [each.reference for each in hints] == [called]
    assert all(each.origin is not Origin.PERSON or each.text for each in inbox.asked)
