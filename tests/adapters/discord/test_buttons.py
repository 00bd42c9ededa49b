"""Buttons under our messages, and what becomes of pressing one."""

import asyncio

import discord
import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.interactions.desk import NOT_NOTED
from adapters.discord.interactions.looks import STOPPING
from bridge.errors import StoreUnavailable
from bridge.events import ButtonPressed, CommentGiven, InboundEvent
from bridge.messages import Button, ButtonAction, OutgoingMessage
from bridge.playground.discord import DiscordServer, Fault
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out, until

CALLBACK = "POST /interactions/{interaction_id}/{token}/callback"

STOP = Button(action=ButtonAction.STOP, label="Stop")
LIKE = Button(action=ButtonAction.LIKE, label="Good answer")
DISLIKE = Button(action=ButtonAction.DISLIKE, label="Bad answer")
AGAIN = Button(action=ButtonAction.AGAIN, label="Regenerate")
RETRY = Button(action=ButtonAction.RETRY, label="Retry")
LIKE = Button(action=ButtonAction.LIKE, label="Good answer")
DISLIKE = Button(action=ButtonAction.DISLIKE, label="Bad answer")
GREY, GREEN, RED = 2, 3, 4


def with_buttons(text: str, *buttons: Button, nonce: str = "n1") -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=nonce, buttons=buttons)


def presses(inbox: Inbox) -> list[ButtonPressed]:
    return [each for each in inbox.events if isinstance(each, ButtonPressed)]


async def test_buttons_stand_under_a_message_and_an_edit_replaces_them(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    assert platform.capabilities.buttons
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        ref = await platform.send(target, with_buttons("growing", STOP))
        message = server.messages(server.general)[-1]
        assert [(each.custom_id, each.label) for each in message.buttons] == [("bridge:stop", "Stop")]
        await platform.edit(target, ref, with_buttons("failed", RETRY))
        assert [(each.custom_id, each.label) for each in message.buttons] == [("bridge:retry", "Retry")]
        await platform.edit(target, ref, out("done"))
        assert message.buttons == ()
        await platform.send(target, out("without any", "n2"))
        assert server.messages(server.general)[-1].buttons == ()


async def test_a_label_is_cut_to_what_discord_takes(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        long = Button(action=ButtonAction.STOP, label="S" * 200)
        await platform.send(await ask(server, inbox), with_buttons("x", long))
        assert server.messages(server.general)[-1].buttons[0].label == "S" * 80


async def test_a_press_is_handed_in_and_answered_without_a_word(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        ref = await platform.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.grace, server.general, number, "bridge:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        (event,) = presses(inbox)
        assert event == ButtonPressed(
            event_id=event.event_id,
            message=ref,
            installation=event.installation,
            person=event.person,
            action=ButtonAction.STOP,
            revision=event.revision,
            author=event.author,
            target=event.target,
            private=event.private,
        )
        assert event.event_id == f"interaction/{pressed}"
        assert event.installation == server.guild_id
        assert event.person == server.grace
        assert event.author is not None
        assert (event.author.id, event.author.display_name) == (server.grace, "Grace")
        assert event.target is not None
        assert event.target.address == f"under/{server.general}/{number}"
        assert event.target.conversation.thread == number
        assert event.private is not None
        assert event.private.address == f"hush/{pressed}"
        assert server.interactions[pressed].ephemeral == ""
        await platform.send(event.private, out("Just for you.", "n2"))
        assert [each.content for each in server.ephemerals(server.grace)] == ["Just for you."]


def app(number: int) -> Button:
    return Button(action=ButtonAction.APP, label=f"App {number}", value=f"17/app-{number}")


async def test_a_few_apps_are_buttons_that_say_which_one_they_are(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("which?", *(app(number) for number in range(5))))
        message = server.messages(server.general)[-1]
        assert [each.custom_id for each in message.buttons] == [f"bridge:app:17/app-{number}" for number in range(5)]
        await server.press(server.grace, server.general, message.id, "bridge:app:17/app-3")
        await until(lambda: bool(presses(inbox)), "for the press")
        (event,) = presses(inbox)
        assert (event.action, event.value, event.person) == (ButtonAction.APP, "17/app-3", server.grace)


async def test_many_apps_are_a_menu_as_long_as_discord_takes_it(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("which?", *(app(number) for number in range(30))))
        message = server.messages(server.general)[-1]
        (menu,) = message.buttons
        assert [label for _, label in menu.choices] == [f"App {number}" for number in range(25)]
        pressed = await server.press(server.grace, server.general, message.id, menu.custom_id, "17/app-24")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a choice")
        (event,) = presses(inbox)
        assert (event.action, event.value, event.person) == (ButtonAction.APP, "17/app-24", server.grace)


async def test_later_presses_have_a_larger_revision(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("done", LIKE))
        number = server.messages(server.general)[-1].id
        for count in range(1, 4):
            await server.press(server.ada, server.general, number, "bridge:like")
            await until(lambda count=count: len(presses(inbox)) == count, "for a press")  # type: ignore[misc]  # a default argument, which mypy does not see in a lambda
    revisions = [each.revision for each in presses(inbox)]
    assert revisions == sorted(set(revisions))


async def test_stop_shows_at_once_that_it_was_heard(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        ref = await platform.send(target, with_buttons("growing", STOP))
        message = server.messages(server.general)[-1]
        edits = [call for call in server.calls if call.method == "PATCH"]
        pressed = await server.press(server.ada, server.general, message.id, "bridge:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        assert [(each.label, each.disabled) for each in message.buttons] == [(STOPPING, True)]
        assert message.content == "growing"
        assert [call for call in server.calls if call.method == "PATCH"] == edits
        await platform.edit(target, ref, with_buttons("stopped", RETRY))
        assert [each.custom_id for each in message.buttons] == ["bridge:retry"]


async def test_an_answer_that_ends_while_stop_is_pressed_keeps_the_row_of_its_end(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        ref = await platform.send(target, with_buttons("growing", STOP))
        message = server.messages(server.general)[-1]
        inbox.before = lambda: platform.edit(target, ref, with_buttons("whole", LIKE))
        pressed = await server.press(server.ada, server.general, message.id, "bridge:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        await until(lambda: [each.custom_id for each in message.buttons] == ["bridge:like"], "for the row of the end")
        assert message.content == "whole"


async def test_a_press_in_an_archived_thread_is_answered_though_nothing_can_show(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        thread = await platform.open_thread(await ask(server, inbox), "t")
        channel, number = (await platform.send(thread, with_buttons("done", LIKE))).address.split("/")
        await server.archive_as(server.ada, channel)
        pressed = await server.press(server.ada, channel, number, "bridge:like")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        assert [each.action for each in presses(inbox)] == [ButtonAction.LIKE]


async def test_a_like_shows_as_chosen_and_a_dislike_asks_why(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        ref = await platform.send(await ask(server, inbox), with_buttons("done", LIKE, DISLIKE))
        message = server.messages(server.general)[-1]
        liked = await server.press(server.ada, server.general, message.id, "bridge:like")
        await until(lambda: server.interactions[liked].acknowledged, "for the answer to a like")
        assert [each.style for each in message.buttons] == [GREEN, GREY]
        disliked = await server.press(server.ada, server.general, message.id, "bridge:dislike")
        await until(lambda: server.interactions[disliked].modal is not None, "for the form")
        await until(lambda: [each.style for each in message.buttons] == [GREY, RED], "for the choice to show")
        sent = await server.submit_modal(server.ada, disliked, {"words": "Too long"})
        await until(lambda: server.interactions[sent].acknowledged, "for the answer to the form")
        first, second = presses(inbox)
        assert [first.action, second.action] == [ButtonAction.LIKE, ButtonAction.DISLIKE]
        (comment,) = [each for each in inbox.events if isinstance(each, CommentGiven)]
        assert comment == CommentGiven(
            event_id=comment.event_id,
            message=ref,
            person=second.person,
            text="Too long",
            revision=second.revision,
        )
        assert comment.event_id == f"interaction/{sent}"
        assert server.ephemerals() == []
        assert message.content == "done"


async def test_why_an_answer_is_bad_can_be_told_after_a_restart(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    first = make()
    async with hearing(first, inbox):
        await first.send(await ask(server, inbox), with_buttons("done", LIKE, DISLIKE))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.ada, server.general, number, "bridge:dislike")
        await until(lambda: server.interactions[pressed].modal is not None, "for the form")
    async with hearing(make(), inbox):
        await server.submit_modal(server.ada, pressed, {"words": "Wrong"})
        await until(lambda: any(isinstance(each, CommentGiven) for each in inbox.events), "for the comment")


async def test_a_suggested_question_is_asked_by_who_presses_it(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    question = "What would happen if the moon were twice as far away from us as it is, and who would notice it first?"
    suggested = Button(action=ButtonAction.ASK, label=question[:75], value=question)
    first = make()
    async with hearing(first, inbox):
        thread = await first.open_thread(await ask(server, inbox), "t")
        ref = await first.send(thread, with_buttons("done", LIKE, suggested))
    channel, number = ref.address.split("/")
    async with hearing(make(), inbox):
        button = server.message(channel, number).buttons[-1]
        pressed = await server.press(server.grace, channel, number, button.custom_id)
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        event = await inbox.message(question)
    assert (event.unseen, event.mentions_bot, event.in_thread) == (True, True, True)
    assert (event.reply_to, event.replies_to_bot) == (ref, True)
    assert event.author.id == server.grace
    assert event.target.address == f"in/{channel}"
    assert event.target.conversation == thread.conversation
    assert server.ephemerals() == []


async def test_a_press_in_private_and_in_a_thread_names_the_right_message(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.dm_ada, "just us")
        private = await platform.send((await inbox.message("just us")).target, with_buttons("a", STOP))
        thread = await platform.open_thread(await ask(server, inbox), "t")
        threaded = await platform.send(thread, with_buttons("b", RETRY, nonce="n2"))
        for ref in (private, threaded):
            channel, number = ref.address.split("/")
            button = server.message(channel, number).buttons[0]
            await server.press(server.ada, channel, number, button.custom_id)
        await until(lambda: len(presses(inbox)) == 2, "for both presses")
        assert {(each.message, each.action, each.installation) for each in presses(inbox)} == {
            (private, ButtonAction.STOP, "@me"),
            (threaded, ButtonAction.RETRY, server.guild_id),
        }


async def test_a_button_of_an_earlier_process_works(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    first = make()
    async with hearing(first, inbox):
        await first.send(await ask(server, inbox), with_buttons("growing", STOP))
    await first.close()
    number = server.messages(server.general)[-1].id
    async with hearing(make(), inbox):
        pressed = await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
    assert len(presses(inbox)) == 1


async def test_a_button_that_is_not_known_any_more_is_answered_and_ignored(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hearing(platform, inbox):
        with monkeypatch.context() as patch:
            patch.setattr("adapters.discord.rest.buttons._OURS", "bridge:of-old:")
            await platform.send(await ask(server, inbox), with_buttons("x", STOP))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.ada, server.general, number, "bridge:of-old:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
    assert presses(inbox) == []


class Away(Inbox):
    """A store that takes messages but no presses until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True
        self.refused = 0

    async def __call__(self, event: InboundEvent) -> None:
        if self.away and isinstance(event, ButtonPressed):
            self.refused += 1
            raise StoreUnavailable("down")
        await super().__call__(event)


async def test_while_the_store_is_away_who_pressed_is_told_to_press_again(server: DiscordServer, make: Make) -> None:
    platform, inbox = make(discord_press_patience=0.3), Away()
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        assert server.interactions[pressed].ephemeral == NOT_NOTED
        assert inbox.refused > 1
        assert presses(inbox) == []


async def test_a_store_that_is_back_in_time_takes_the_press(server: DiscordServer, platform: DiscordPlatform) -> None:
    inbox = Away()
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: inbox.refused > 0, "for a refusal")
        inbox.away = False
        await until(lambda: server.interactions[pressed].acknowledged, "for the answer to a press")
        assert server.interactions[pressed].ephemeral == ""
        assert len(presses(inbox)) == 1


async def test_a_press_does_not_wait_behind_the_messages_of_its_channel(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    gate = asyncio.Event()

    class Slow(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            if getattr(event, "text", "") == "slow":
                await gate.wait()
            await super().__call__(event)

    inbox = Slow()
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        await server.post_as(server.ada, server.general, "slow")
        await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: len(presses(inbox)) == 1, "for the press")
        gate.set()


async def test_two_processes_hear_a_press_as_one_event_and_one_of_them_answers(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    one, two, other = make(), make(), Inbox()
    async with hearing(one, inbox), hearing(two, other):
        await one.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        pressed = await server.press(server.ada, server.general, number, "bridge:stop")
        answers = [call for call in server.calls if call.route == CALLBACK.split()[1]]
        await until(
            lambda: len([call for call in server.calls if call.route == CALLBACK.split()[1] and call.status]) == 2,
            f"for two answers; {answers}",
        )
        assert presses(inbox) == presses(other)
        assert server.interactions[pressed].acknowledged
        assert sorted(call.code for call in server.calls if call.route == CALLBACK.split()[1]) == [0, 40060]
        await ask(server, inbox, "still hearing?")


@pytest.mark.parametrize(
    "fault",
    [Fault(status=404, code=10062), Fault(status=400, code=40060), Fault(status=403, code=50001), Fault(kind="drop")],
)
async def test_an_answer_that_fails_harms_nothing(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, fault: Fault
) -> None:
    async with hearing(platform, inbox):
        await platform.send(await ask(server, inbox), with_buttons("growing", STOP))
        number = server.messages(server.general)[-1].id
        server.faults.fail_next[CALLBACK] = [fault]
        await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: not server.faults.fail_next[CALLBACK], "for the answer to be tried")
        second = await server.press(server.ada, server.general, number, "bridge:stop")
        await until(lambda: server.interactions[second].acknowledged, "for the answer to a press")
        assert len(presses(inbox)) == 2


async def test_the_library_remembers_no_buttons(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        ref = await platform.send(target, with_buttons("growing", STOP))
        await platform.edit(target, ref, with_buttons("failed", RETRY))
        client = platform._rest._client
        assert isinstance(client, discord.Client)
        assert client.persistent_views == []
        assert client._connection._view_store._views == {}
