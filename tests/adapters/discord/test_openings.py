"""Questions that a command or a form brought: said once, and answered in a thread below."""

from adapters.discord.adapter import DiscordPlatform
from bridge.playground.discord import DiscordServer, Fault, Message
from bridge.playground.discord.permissions import CREATE_PUBLIC_THREADS, DEFAULT_PERMISSIONS, READ_MESSAGE_HISTORY
from tests.adapters.discord.conftest import Make, out
from tests.adapters.discord.invoking import invoke, target

TITLE = "Ada *L* asked: What is **up**, @everyone?"
SHOWN = "**Ada \\*L\\*** asked: What is \\*\\*up\\*\\*, @\u200beveryone?"

THREADS = "POST /channels/{channel_id}/messages/{message_id}/threads"
CREATE = "POST /channels/{channel_id}/messages"


def ours(server: DiscordServer, channel: str = "") -> list[Message]:
    return [each for each in server.messages(channel or server.general) if each.is_bot and each.content]


def calls(server: DiscordServer, method: str) -> list[str]:
    return [call.route for call in server.calls if call.method == method]


async def test_a_command_becomes_the_question_and_a_thread_hangs_under_it(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform)
    opened = await platform.open_thread(target(server, asked, "ask"), TITLE)
    (root,) = ours(server)
    assert root.content == SHOWN
    assert server.interactions[str(asked)].original is root, "what showed the bot thinking says it"
    assert opened.address == f"in/{root.id}"
    assert (opened.conversation.thread, opened.post_group, opened.edit_group) == (root.id, root.id, root.id)
    assert not opened.opens_thread
    (thread,) = server.threads(server.general)
    assert thread.name == "What is **up**, @\u200beveryone?", "the thread is named after the question alone"
    await platform.send(opened, out("An answer"))
    assert ours(server, thread.id)[-1].content == "An answer"
    assert server.pings == []


async def test_opening_it_again_says_nothing_twice(server: DiscordServer, platform: DiscordPlatform) -> None:
    asked = target(server, await invoke(server, platform), "ask")
    first = await platform.open_thread(asked, TITLE)
    calls = len(server.calls)
    assert await platform.open_thread(asked, TITLE) == first
    assert len(ours(server)) == len(server.threads(server.general)) == 1
    assert len(server.calls) == calls + 1, "nothing but the thread is asked for again"


async def test_another_process_finds_what_the_first_one_said(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    asked = target(server, await invoke(server, platform), "ask")
    first = await platform.open_thread(asked, TITLE)
    assert await make().open_thread(asked, TITLE) == first
    assert len(ours(server)) == len(server.threads(server.general)) == 1


async def test_another_process_ends_the_thinking_without_the_token(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    number = await invoke(server, platform)
    opened = await make().open_thread(target(server, number, "ask"), TITLE)
    (root,) = ours(server)
    assert root.content == SHOWN
    assert opened.address == f"in/{root.id}"


async def test_a_command_that_was_never_answered_is_asked_by_a_plain_message(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    number = await invoke(server, platform, answer=False)
    platform._outbound.hooks.failed(number)
    opened = await platform.open_thread(target(server, number, "ask"), TITLE)
    (root,) = ours(server)
    assert (root.content, opened.address) == (SHOWN, f"in/{root.id}")


async def test_without_the_right_to_read_the_question_is_posted(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    number = await invoke(server, platform)
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~READ_MESSAGE_HISTORY
    opened = await make().open_thread(target(server, number, "ask"), TITLE)
    assert opened.address == f"in/{ours(server)[-1].id}"


async def test_where_threads_are_not_possible_the_answer_replies_to_the_question(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~CREATE_PUBLIC_THREADS
    opened = await platform.open_thread(target(server, await invoke(server, platform), "ask"), TITLE)
    (root,) = ours(server)
    assert opened.address == f"reply/{server.general}/{root.id}"
    assert opened.opens_thread
    await platform.send(opened, out("An answer"))
    assert (ours(server)[-1].content, ours(server)[-1].reference) == ("An answer", root.id)


async def test_an_answer_without_a_thread_is_the_commands_own_answer(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = target(server, await invoke(server, platform), "ask")
    first = await platform.send(asked, out("One", "n1"))
    second = await platform.send(asked, out("Two", "n2"))
    await platform.edit(asked, first, out("One more", "n1"))
    one, two = ours(server)
    assert [one.content, two.content] == ["One more", "Two"]
    assert two.reference == one.id
    assert second.address == f"{server.general}/{two.id}"


async def test_two_commands_that_were_never_answered_may_be_told_the_same(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    numbers = [await invoke(server, platform, answer=False) for _ in range(2)]
    for number in numbers:
        platform._outbound.hooks.failed(number)
    told = [await platform.send(target(server, each, "ask"), out("Sorry.", f"n{each}")) for each in numbers]
    assert told[0] != told[1]
    assert [each.content for each in ours(server)] == ["Sorry.", "Sorry."]


async def test_an_answer_without_a_thread_goes_on_in_another_process(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    asked = target(server, await invoke(server, platform), "ask")
    await platform.send(asked, out("One", "n1"))
    await make().send(asked, out("Two", "n2"))
    one, two = ours(server)
    assert [one.content, two.content] == ["One", "Two"]
    assert two.reference == one.id


async def test_a_picked_message_gets_a_thread_in_which_the_question_is_said_first(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    picked = await server.post_as(server.grace, server.general, "Something to ask about")
    number = await invoke(server, platform)
    asked = target(server, number, "pick", message=int(picked))
    opened = await platform.open_thread(asked, TITLE)
    assert opened.address == f"in/{picked}"
    assert [each.content for each in ours(server, picked)] == [SHOWN]
    assert await platform.open_thread(asked, TITLE) == opened
    assert [each.content for each in ours(server, picked)] == [SHOWN]


async def test_a_picked_message_that_has_a_thread_is_asked_about_there(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    picked = await server.post_as(server.grace, server.general, "Something to ask about")
    await server.open_thread_as(server.grace, server.general, "Theirs", message_id=picked)
    opened = await platform.open_thread(
        target(server, await invoke(server, platform), "pick", message=int(picked)), TITLE
    )
    assert opened.address == f"in/{picked}"
    assert [each.content for each in ours(server, picked)] == [SHOWN]


async def test_a_picked_message_without_a_thread_is_replied_to(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    picked = await server.post_as(server.grace, server.general, "Something to ask about")
    number = await invoke(server, platform)
    server.faults.fail_next[THREADS] = [Fault(status=400, code=160006)]
    opened = await platform.open_thread(target(server, number, "pick", message=int(picked)), TITLE)
    said = ours(server)[-1]
    assert (said.content, said.reference) == (SHOWN, picked)
    assert opened.address == f"reply/{server.general}/{said.id}"


async def test_a_thread_that_exists_already_has_the_messages_own_id(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.faults.fail_next[THREADS] = [Fault(kind="effect_then_drop")]
    opened = await platform.open_thread(target(server, await invoke(server, platform), "ask"), TITLE)
    assert opened.address == f"in/{ours(server)[0].id}"


async def test_a_long_question_is_cut_and_still_said(server: DiscordServer, platform: DiscordPlatform) -> None:
    long = "Ada asked: " + "*" * 1_900
    await platform.open_thread(target(server, await invoke(server, platform), "ask"), long)
    (root,) = ours(server)
    assert len(root.content) <= 2_000
