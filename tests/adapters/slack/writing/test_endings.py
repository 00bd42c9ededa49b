"""What stands below an answer, streamed or posted: sources, ratings, questions, buttons; and the list of its steps."""

from dataclasses import replace

import pytest

from adapters.slack.adapter import SlackPlatform
from adapters.slack.writing.blocks import SOURCES_CHARS
from bridge.errors import MessageRefused
from bridge.messages import Button, ButtonAction, ReplyTarget, StepState
from bridge.playground.slack import SlackServer
from bridge.playground.slack.expansion import expand
from bridge.playground.slack.limits import BLOCKS
from bridge.playground.slack.model import Fault, JsonObject
from bridge.playground.slack.streams import Task
from tests.adapters.slack.writing.said import (
    APPEND,
    POST,
    RATINGS,
    RETRY,
    START,
    STOP,
    STOP_BUTTON,
    UPDATE,
    answer,
    ask,
    calls,
    final,
    live,
    methods,
    step,
    stream,
    texts,
)
from tests.fakes.clock import FakeClock

EVERYTHING = (*RATINGS, ask("And then?"), ask("Why?"), RETRY)
SOURCES = ("a.pdf", "b.md")


def kinds(server: SlackServer, root: str) -> list[object]:
    return [block["type"] for block in answer(server, root).blocks]


def elements(server: SlackServer, root: str, at: int) -> list[JsonObject]:
    found = answer(server, root).blocks[at]["elements"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("streamed", [False, True])
async def test_all_that_stands_below_comes_in_one_order(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, *, streamed: bool
) -> None:
    message = final("one two", *EVERYTHING, sources=SOURCES)
    if streamed:
        await platform.edit(target, await platform.send(target, live("one two")), message)
    else:
        await platform.send(target, message)
    assert kinds(server, root) == ["markdown", "context", "context_actions", "actions", "actions"]
    assert elements(server, root, 1) == [{"type": "plain_text", "text": "Sources: a.pdf, b.md", "emoji": False}]
    (feedback,) = elements(server, root, 2)
    assert (feedback["type"], feedback["action_id"]) == ("feedback_buttons", "bridge:feedback")
    assert [feedback[side]["value"] for side in ("positive_button", "negative_button")] == ["like", "dislike"]  # type: ignore[index]
    asked = [(one["action_id"], one["value"]) for one in elements(server, root, 3)]
    assert asked == [("bridge:ask:0", "And then?"), ("bridge:ask:1", "Why?")]
    assert [one["action_id"] for one in elements(server, root, 4)] == ["bridge:retry"]
    assert {POST, UPDATE} & set(methods(server)) == (set() if streamed else {POST})


@pytest.mark.parametrize("unit", ["# head\ntext\n", "text\n\n---\n\n"])
async def test_the_fullest_message_has_room_for_all_of_it(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, unit: str
) -> None:
    count = 1
    while platform.dialect.render(unit * (count + 1)).length <= platform.dialect.limit:
        count += 1
    long = [ask("x" * 300 + str(number)) for number in range(4)]
    sources = [f"{number} {'y' * 200}.pdf" for number in range(40)]
    await platform.send(target, final(unit * count, *RATINGS, *long, RETRY, sources=sources))
    assert [call.error for call in calls(server, POST)] == [""]
    assert BLOCKS - 2 <= len(expand(answer(server, root).blocks)) <= BLOCKS


async def test_a_full_message_of_mere_text_has_room_for_all_of_it_too(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    sources = [f"{number} {'y' * 200}.pdf" for number in range(40)]
    ref = await platform.send(target, live("word "))
    await platform.edit(target, ref, final("word " * 1_900, *EVERYTHING, sources=sources))
    assert [call.error for call in server.calls] == ["", ""]


async def test_names_of_documents_mention_nobody_and_are_cut_politely(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    sources = ["<!channel>\n@everyone *x*.pdf", "a.pdf", "a.pdf", *(f"{number}{'z' * 100}" for number in range(30))]
    await platform.send(target, final("one", sources=sources))
    (element,) = elements(server, root, 1)
    text = str(element["text"])
    assert server.pings == []
    assert (text.count("a.pdf"), "\n" in text) == (1, False)
    assert len(text) <= SOURCES_CHARS
    assert text.endswith(" more")


async def test_a_long_question_is_cut_on_its_button_only(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    await platform.send(target, final("one", ask("q" * 200)))
    (element,) = elements(server, root, 1)
    assert element["text"] == {"type": "plain_text", "text": "q" * 74 + "…", "emoji": True}
    assert element["value"] == "q" * 200


@pytest.mark.parametrize("streamed", [False, True])
async def test_where_native_ratings_are_refused_they_are_two_plain_buttons_from_then_on(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, *, streamed: bool
) -> None:
    method = STOP if streamed else POST
    ref = await platform.send(target, live("one two")) if streamed else None
    server.faults.fail_next[method] = [Fault.refuse("invalid_blocks")]
    if ref is not None:
        await platform.edit(target, ref, final("one two", *RATINGS))
    else:
        await platform.send(target, final("one two", *RATINGS))
    assert kinds(server, root) == ["markdown", "actions"]
    assert [one["action_id"] for one in elements(server, root, 1)] == ["bridge:like", "bridge:dislike"]
    await server.post_as("U0ADA", "C0GENERAL", "next")
    await platform.send(target, final("three", *RATINGS, nonce="n2"))
    assert [call.error for call in server.calls].count("invalid_blocks") == 1
    assert "native ratings" in platform._outbound.ladder.reasons()[0]  # what an operator is told


async def test_blocks_that_are_refused_for_another_reason_end_as_plain_text_and_latch_nothing(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next[POST] = [Fault.refuse("invalid_blocks")] * 3
    await platform.send(target, final("one **two**", *RATINGS))
    assert (answer(server, root).blocks, texts(server, root)) == ([], ["one *two*"])
    assert platform._outbound.ladder.reasons() == []


async def test_a_stream_whose_blocks_are_refused_still_says_everything(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two"))
    server.faults.fail_next[STOP] = [Fault.refuse("invalid_blocks")] * 2
    await platform.edit(target, ref, final("one two three", *RATINGS))
    assert methods(server) == [START, STOP, STOP, STOP, UPDATE]
    assert answer(server, root).blocks[0] == {"type": "markdown", "text": "one two three"}


async def test_an_edit_shows_exactly_its_own_buttons_below_what_was_streamed(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("one two"))
    await platform.edit(target, ref, final("one two", *EVERYTHING, sources=SOURCES))
    await platform.edit(target, ref, final("one two", sources=SOURCES))
    assert kinds(server, root) == ["markdown", "context"]


# Steps


async def test_steps_are_listed_while_they_happen_and_none_stays_unfinished(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("", step("a")))
    assert [(task.title, task.status) for task in stream(server, root).content.tasks] == [("Step a", "in_progress")]
    await platform.edit(target, ref, live("", step("a", StepState.DONE), step("b"), step("c")))
    await platform.edit(
        target, ref, live("It is so ", step("a", StepState.DONE), step("b", StepState.FAILED), step("c"))
    )
    await platform.edit(
        target, ref, live("It is so clear", step("a", StepState.DONE), step("b", StepState.FAILED), step("c"))
    )
    sent = [len(call.args["chunks"]) for call in calls(server, APPEND)]  # type: ignore[arg-type]
    assert sent == [3, 2, 1]
    await platform.edit(target, ref, final("It is so clear.", steps=[step("a", StepState.DONE), step("c")]))
    shown = stream(server, root).content
    assert [(task.id, task.status) for task in shown.tasks] == [("a", "complete"), ("b", "error"), ("c", "complete")]
    assert shown.text == "It is so clear."
    assert methods(server) == [START, APPEND, APPEND, APPEND, STOP]


async def test_what_was_under_way_in_an_answer_that_failed_failed(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("", step("a")))
    await platform.edit(target, ref, final("Something went wrong.", RETRY))
    assert [task.status for task in stream(server, root).content.tasks] == ["error"]


async def test_titles_are_one_plain_line_that_mentions_nobody_and_there_are_fifty_at_most(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ping = replace(step("a"), title="<!channel> " * 60 + "\n@everyone")
    empty = replace(step("b"), title=" \u200b")
    ref = await platform.send(target, live("", ping, empty, *(step(str(number)) for number in range(60))))
    await platform.edit(target, ref, live("", step("one more")))
    await platform.edit(target, ref, final("done"))
    assert server.pings == []
    assert [call.error for call in server.calls] == [""] * len(server.calls)
    assert len(stream(server, root).content.tasks) == 50
    assert stream(server, root).mode == "plan"


@pytest.mark.parametrize("at", ["start", "later", "end"])
async def test_where_lists_of_steps_are_refused_the_text_goes_on_without_them(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, at: str
) -> None:
    method = {"start": START, "later": APPEND, "end": STOP}[at]
    server.faults.fail_next[method] = [Fault.refuse("invalid_chunks")]
    ref = await platform.send(target, live("one two.\n\nthree", *([step("a")] if at != "later" else [])))
    await platform.edit(target, ref, live("one two.\n\nthree.\n\nfour", step("a")))
    done = step("b", StepState.DONE)
    await platform.edit(target, ref, final("one two.\n\nthree.\n\nfour five", steps=[step("a"), done]))
    assert stream(server, root).content.text == "one two.\n\nthree.\n\nfour five"
    assert UPDATE not in methods(server)
    assert "tasks" in platform._outbound.ladder.reasons()[0]
    other = await platform.send(target, live("six seven", step("a"), nonce="n2"))
    assert "chunks" not in calls(server, START)[-1].args
    await platform.edit(target, other, final("six seven", nonce="n2"))
    assert [call.error for call in server.calls].count("invalid_chunks") == 1


async def test_steps_alone_are_no_message_where_there_are_no_streams(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    assert platform.may_grow(target)
    server.lacks["streaming"] = "unknown_method"
    with pytest.raises(MessageRefused):
        await platform.send(target, live("", step("a"), step("b")))
    assert texts(server, root) == []
    assert not platform.may_grow(target)


async def test_a_stream_of_steps_that_breaks_off_leaves_a_quiet_line(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    ref = await platform.send(target, live("", step("a")))
    await clock.advance(301)
    await platform.edit(target, ref, live("", step("a", StepState.DONE), step("b")))
    assert texts(server, root) == ["_Step b_"]
    await platform.edit(target, ref, final("text", STOP_BUTTON))
    assert texts(server, root) == ["text"]


async def test_a_button_without_a_question_is_none(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock
) -> None:
    await platform.send(target, final("one", Button(action=ButtonAction.ASK, label="x")))
    assert kinds(server, root) == ["markdown"]


def texts_and_tasks(server: SlackServer, root: str) -> list[str | Task]:
    return [part for part in stream(server, root).content.parts if isinstance(part, str | Task)]


async def test_a_new_step_tears_no_paragraph_apart(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    a, b = step("a", StepState.DONE), step("b")
    ref = await platform.send(target, live("First I look. The", step("a")))
    await platform.edit(target, ref, live("First I look. Then I wr", a, b))
    assert [task.id for task in stream(server, root).content.tasks] == ["a"]
    await platform.edit(target, ref, live("First I look. Then I write.\n\nAnd so on it", a, b))
    await platform.edit(
        target, ref, final("First I look. Then I write.\n\nAnd so on it goes.", steps=(a, b, step("c")))
    )
    shown = [part if isinstance(part, str) else part.id for part in texts_and_tasks(server, root)]
    assert shown == ["a", "First I look. Then I write.\n\n", "b", "And so on it goes.", "c"]
    assert UPDATE not in methods(server)


async def test_a_step_that_begins_where_the_app_stops_writing_stands_there_at_once(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("Let me look it up."))
    await platform.edit(target, ref, live("Let me look it up.", step("a")))
    done = step("a", StepState.DONE)
    await platform.edit(target, ref, live("Let me look it up.\n\nIt is so because", done))
    await platform.edit(target, ref, final("Let me look it up.\n\nIt is so because.", steps=(done,)))
    shown = [part if isinstance(part, str) else part.id for part in texts_and_tasks(server, root)]
    assert shown == ["Let me look it up.", "a", "It is so because."]
    assert UPDATE not in methods(server)


async def test_a_step_that_begins_in_a_pause_comes_with_the_words_that_were_held_back(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, live("Let me lo"))
    await platform.edit(target, ref, live("Let me look"))
    assert texts(server, root) == ["Let me "]
    await platform.edit(target, ref, live("Let me look", step("a")))
    shown = [part if isinstance(part, str) else part.id for part in texts_and_tasks(server, root)]
    assert shown == ["Let me look", "a"]


async def test_no_step_stands_in_the_middle_of_code(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    code = "```py\na = 1\n\nb = 2\n```"
    ref = await platform.send(target, live(code))
    for _ in range(2):
        await platform.edit(target, ref, live(code, step("a")))
    assert stream(server, root).content.tasks == []
    await platform.edit(target, ref, final(code, steps=[step("a")]))
    shown = [part if isinstance(part, str) else part.id for part in texts_and_tasks(server, root)]
    assert shown == [code, "a"]
