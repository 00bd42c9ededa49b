"""Commands, typed or said: a conversation is forgotten, a thread is muted, help is given, and it is said once what came of it."""

import asyncio
from dataclasses import replace

import pytest

from bridge import commands
from bridge.admitting import NO_APP, NOT_ADMITTED, SHARED_CHANNEL
from bridge.errors import StoreUnavailable
from bridge.events import Command
from bridge.messages import AppName, ButtonAction, ConversationId, ConversationKey, EventId
from bridge.routing import Access, Follow, Guests, Resolution
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.fakes import values

MUTED = "I will only answer here when I am mentioned. Say unmute to change that."


def said_to(at: Hall, address: str) -> list[str]:
    return [message.text for message in at.platform.messages.values() if message.target.address == address]


def fresh_after(at: Hall) -> list[int]:
    return [one.fresh_after for one in at.store.conversations]


# Mute


async def test_a_muted_thread_is_silent_until_the_bot_is_mentioned_or_unmuted() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(doings.follow_up("mute"))
        await at.tell(doings.follow_up("to each other", 3))
        await at.tell(doings.mention_in_thread("to you", 4), doings.follow_up("and among us", 5))
        assert at.texts == ["first", MUTED, "to you"]
        await at.tell(doings.follow_up("Unmute.", 6), doings.follow_up("again", 7))
        assert at.texts[3:] == [commands.UNMUTED, "again"]


async def test_muting_concerns_one_thread_alone() -> None:
    async with hall() as at:
        other = values.target("other")
        await at.tell(values.message("here"), values.message("there", number=2, where=other))
        await at.tell(doings.follow_up("mute", 3))
        await at.tell(values.message("go on", number=4, where=other, in_thread=True, mentions_bot=False))
        assert at.texts[-1] == "go on"


async def test_muting_twice_is_said_to_be_so_already_and_changes_nothing() -> None:
    async with hall() as at:
        await at.tell(values.message("first"), doings.follow_up("unmute", 2))
        await at.tell(doings.follow_up("mute", 3), doings.follow_up("mute", 4))
        assert at.notes == [commands.NOT_MUTED, MUTED, commands.MUTED_ALREADY]
        assert at.store.conversations[0].muted


async def test_what_changes_while_something_is_said_again_within_a_minute_is_said_each_time() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(*(doings.follow_up(word, number) for number, word in enumerate(("mute", "unmute") * 2, 2)))
        assert at.notes == [MUTED, commands.UNMUTED] * 2


async def test_where_only_mentions_are_heard_unmuting_promises_nothing_else() -> None:
    async with hall() as at:
        at.resolution = replace(at.resolution, follow=Follow.MENTION)
        await at.tell(values.message("first"), doings.follow_up("mute"), doings.follow_up("unmute", 3))
        assert at.notes == [MUTED, commands.UNMUTED_WHERE_MENTIONED]


@pytest.mark.parametrize("again", ["the same process", "another process"])
async def test_the_second_delivery_of_an_order_is_said_nothing_about(again: str) -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        for text, number in (("mute", 2), ("/reset", 3), ("/help", 4)):
            await at.tell(doings.mention_in_thread(text, number, event=f"mention {number}"))
            inbox = at.inbox if again == "the same process" else at.another_inbox()
            await inbox(doings.mention_in_thread(text, number, event=f"message {number}"))
        await at.clock.advance(200)
        assert [len(note.splitlines()) > 1 or note for note in at.notes] == [MUTED, commands.FORGOTTEN, True]


async def test_the_second_delivery_of_an_order_where_nothing_was_asked_is_known_too() -> None:
    async with hall() as at:
        await at.tell(
            doings.mention_in_thread("/help", event="mention"), doings.mention_in_thread("/help", event="message")
        )
        await at.clock.advance(200)
        assert len(at.notes) == 1


async def test_there_is_nothing_to_mute_outside_of_threads_and_in_direct_messages() -> None:
    async with hall() as at:
        at.resolution = replace(at.resolution, follow=Follow.EVERYTHING)
        await at.tell(values.message("/mute"))
        await at.tell(values.message("/unmute", number=2, where=doings.direct(), is_direct=True, mentions_bot=False))
        assert at.notes == [commands.NO_THREAD, commands.ALL_DIRECT]
        assert at.store.conversations == []


async def test_commands_mute_and_unmute_as_words_do() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(doings.command(Command.MUTE, in_thread=True, event="1"), doings.follow_up("unheard"))
        assert said_to(at, "only ada") == [MUTED]
        await at.tell(doings.command(Command.UNMUTE, in_thread=True, event="2"), doings.follow_up("heard", 3))
        assert at.texts[-1] == "heard"


# Reset


@pytest.mark.parametrize("text", ["/reset", "*/Reset*"])
async def test_reset_said_in_a_thread_has_the_app_forget_and_tells_everybody(text: str) -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(doings.privately(doings.mention_in_thread(text)))
        assert fresh_after(at) == [1]
        assert at.notes == [commands.FORGOTTEN]
        assert said_to(at, "only ada") == []
        await at.tell(doings.follow_up("next", 3))
        assert at.texts[-1] == "next"


async def test_reset_in_direct_messages_forgets_the_one_conversation() -> None:
    async with hall() as at:
        where = doings.direct()
        await at.tell(values.message("first", where=where, is_direct=True, mentions_bot=False))
        await at.tell(doings.command(Command.RESET, where=where, is_direct=True, private=False))
        assert fresh_after(at) == [1]
        assert at.notes == [commands.FORGOTTEN]
        await at.tell(doings.command(Command.RESET, where=where, is_direct=True, private=False, event="again"))
        assert at.notes[1:] == [commands.NOTHING_NEW]


async def test_where_nothing_was_said_reset_says_so_and_makes_no_conversation() -> None:
    async with hall() as at:
        await at.tell(doings.command(Command.RESET, where=doings.direct(), is_direct=True, event="1"))
        await at.tell(doings.command(Command.RESET, in_thread=True, event="2"))
        assert at.notes == [commands.DIRECTLY, commands.NOTHING_SAID]
        assert at.store.conversations == []


async def test_reset_out_in_a_channel_explains_that_each_thread_is_for_itself() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(doings.command(Command.RESET, where=values.target("none")))
        assert said_to(at, "only ada") == [commands.EACH_THREAD]
        assert fresh_after(at) == [0]


async def test_reset_in_a_reply_is_about_the_conversation_that_it_replies_to() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        reply = values.message(
            "/reset", number=2, where=values.target("2"), mentions_bot=False, reply_to=values.ref(at.answers[0])
        )
        await at.tell(reply)
        assert fresh_after(at) == [1]


async def test_an_order_that_could_not_be_recorded_is_not_acknowledged_and_works_when_it_comes_again() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        for event in (doings.follow_up("mute"), doings.command(Command.RESET, in_thread=True)):
            at.store.failures = 1
            with pytest.raises(StoreUnavailable):
                await at.inbox(event)
            await at.tell(event)
        assert at.store.conversations[0].muted
        assert fresh_after(at) == [1]


# Help


async def test_help_is_read_by_who_asked_for_it_alone() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        await at.tell(doings.privately(doings.mention_in_thread("/help")), doings.command(Command.HELP))
        helped = said_to(at, "only ada")
        assert len(helped) == 2
        assert all(text.startswith("**How to ask**") for text in helped)
        assert said_to(at, values.target().address) == ["first"]
        await at.tell(doings.command(Command.HELP, private=False, event="another"))
        assert len(said_to(at, values.target().address)) == 2, "where there is no such place, everybody does"


async def test_help_in_one_place_is_about_that_place() -> None:
    async with hall() as at:
        for follow, there, muting in (
            (Follow.MENTION, "reply to an answer of mine", False),
            (Follow.THREAD, "every further message is a question too", True),
            (Follow.EVERYTHING, "Every message here is a question.", True),
        ):
            at.resolution = replace(at.resolution, follow=follow)
            await at.tell(doings.command(Command.HELP, event=follow.value))
            assert there in at.notes[-1]
            assert ("say `mute`" in at.notes[-1]) is muting
        await at.tell(doings.command(Command.HELP, where=doings.direct(), is_direct=True))
        assert "Every message that you write to me here" in at.notes[-1]
        assert "mute" not in at.notes[-1]
        await at.tell(doings.command(Command.HELP, is_external=True, event="shared"))
        assert at.notes[-1] == SHARED_CHANNEL


# Who may


async def test_commands_of_who_may_not_use_the_bot_do_nothing_and_are_told_so_in_private() -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        at.resolution = replace(at.resolution, access=Access(users=frozenset({values.person("grace").id})))
        await at.tell(doings.command(Command.RESET, in_thread=True), doings.mention_in_thread("/mute"))
        assert at.notes == [NOT_ADMITTED], "once an hour is enough"
        assert said_to(at, "only ada") == [NOT_ADMITTED]
        assert fresh_after(at) == [0]
        assert not at.store.conversations[0].muted


async def test_where_no_app_answers_a_command_is_told_so() -> None:
    async with hall() as at:
        at.resolution = Resolution(app=None)
        await at.tell(doings.command(Command.HELP))
        assert said_to(at, "only ada") == [NO_APP]


# Presses, stops and comments


async def test_a_native_stop_ends_what_is_answered_in_its_thread() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"))
        await at.tell(doings.stop())
        assert at.texts == ["stopped: What is up?"]


async def test_a_native_stop_of_an_answer_that_has_ended_does_not_end_the_next_one() -> None:
    async with hall() as at:
        await at.tell(values.message("What is up?"))
        at.turns.seconds = 60
        await at.tell(values.message("and then?", number=2))
        await at.tell(doings.stop(message=values.ref(at.answers[0])))
        await at.clock.advance(100)
        assert at.texts == ["What is up?", "and then?"]


async def test_a_native_stop_of_a_message_that_is_not_recorded_yet_ends_what_runs_in_the_thread() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"))
        await at.tell(doings.stop(message=values.ref("just begun")))
        assert at.texts == ["stopped: What is up?"]


async def test_one_stop_that_is_told_twice_in_two_ways_ends_one_answer() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"), values.message("and then?", number=2))
        message = values.ref(at.answers[0])
        await at.tell(doings.stop(message=message, event="1"), doings.stop(message=message, event="2"))
        await at.clock.advance(100)
        assert at.texts == ["stopped: What is up?", "and then?"]


async def test_a_native_stop_where_nothing_is_known_or_by_who_may_not_does_nothing() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"))
        await at.tell(doings.stop(where=values.target("other")))
        at.resolution = replace(at.resolution, access=Access(users=frozenset({values.person("grace").id})))
        await at.tell(doings.stop(event="by ada"))
        assert [answer.stop for answer in at.store.answers] == [None]
        assert at.notes == []


async def test_who_stops_by_command_is_told_in_private_what_came_of_it() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(doings.stop(private=True, event="before anything was asked"))
        await at.tell(values.message("What is up?"))
        await at.tell(doings.stop(private=True, event="while it is answered"))
        await at.clock.advance(100)
        await at.tell(doings.stop(private=True, event="when nothing runs"))
        at.resolution = replace(at.resolution, access=Access(users=frozenset({values.person("grace").id})))
        for number in range(2):
            await at.tell(doings.stop(private=True, event=f"may not, {number}"))
        nothing = "I am not answering anything here."
        assert said_to(at, "only ada") == [nothing, "Stopped.", nothing, NOT_ADMITTED, NOT_ADMITTED]
        assert "stopped: What is up?" in at.texts


async def test_a_question_that_is_forgotten_is_told_so_in_private_where_that_is_possible() -> None:
    async with hall() as at:
        at.turns.fails = 1
        await at.tell(values.message("What is up?"))
        at.store.conversations[0].questions[0].question = None
        await at.tell(doings.press(ButtonAction.RETRY, at.answers[0]))
        assert said_to(at, "only ada") == ["I no longer have that question. Please ask it again."]


async def test_a_comment_of_somebody_whose_thumb_was_refused_is_not_kept() -> None:
    async with hall() as at:
        await at.tell(values.message("What is up?"))
        address = at.answers[0]
        at.resolution = replace(at.resolution, access=Access(users=frozenset({values.person("grace").id})))
        await at.tell(doings.press(ButtonAction.DISLIKE, address), doings.comment(address, "Bad."))
        grace = values.person("grace")
        await at.tell(
            doings.press(ButtonAction.DISLIKE, address, author=grace), doings.comment(address, "Why?", who="grace")
        )
        assert [(one.person, one.text) for one in at.store._comments.values()] == [("grace", "Why?")]
        assert [vote.person for vote in at.store._votes.values()] == ["grace"]


async def test_full_and_refused_are_told_in_private_where_that_is_possible() -> None:
    async with hall() as at:
        at.queued = 200
        await at.tell(doings.privately(values.message("What is up?")))
        assert len(said_to(at, "only ada")) == 1
        assert len(at.texts) == 1


# Bots


async def test_bots_are_answered_so_many_times_in_a_row_and_again_after_a_person_asked() -> None:
    async with hall() as at:
        bots = Guests(bots=frozenset({values.person("B1").id}))
        at.resolution = replace(at.resolution, guests=bots)
        await at.tell(doings.by_bot(values.message("0")))
        for number in range(1, 6):
            await at.tell(doings.by_bot(doings.follow_up(str(number), number + 1)))
        assert at.texts == ["0", "1", "2"], "and not a word about the rest"
        await at.tell(doings.follow_up("a person", 10), doings.by_bot(doings.follow_up("3", 11)))
        assert at.texts[3:] == ["a person", "3"]


async def test_bots_that_meet_a_full_conversation_are_told_nothing() -> None:
    async with hall() as at:
        at.resolution = replace(at.resolution, guests=Guests(bots=frozenset({values.person("B1").id})))
        at.queued = 200
        await at.tell(doings.by_bot(values.message("0")))
        assert at.texts == []


@pytest.mark.parametrize("order", ["/help", "/reset"])
async def test_an_order_that_is_delivered_twice_at_once_is_obeyed_and_told_once(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        find = at.store.find_conversation

        async def find_slowly(key: ConversationKey, app: AppName) -> ConversationId | None:
            await asyncio.sleep(0)
            return await find(key, app)

        monkeypatch.setattr(at.store, "find_conversation", find_slowly)
        where = values.target("elsewhere") if order == "/help" else values.target()
        said = values.message(order, number=2, where=where)
        await asyncio.gather(at.inbox(said), at.inbox(replace(said, event_id=EventId("again"))))
        await at.clock.advance(200)
        assert len(at.texts) == 2
        assert at.texts[1] != commands.NOTHING_NEW


async def test_an_order_of_which_only_the_end_could_not_be_recorded_is_obeyed_when_it_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with hall() as at:
        await at.tell(values.message("first"))
        forget = at.store.start_afresh
        away = [True]

        async def forget_later(event_id: EventId, conversation: ConversationId) -> bool:
            if away.pop() if away else False:
                raise StoreUnavailable("away")
            return await forget(event_id, conversation)

        monkeypatch.setattr(at.store, "start_afresh", forget_later)
        order = values.message("/reset", number=2, in_thread=True)
        with pytest.raises(StoreUnavailable):
            await at.inbox(order)
        await at.tell(order)
        assert at.texts == ["first", commands.FORGOTTEN]
