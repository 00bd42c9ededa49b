"""The rows of buttons under an answer: what they say, what they carry, and which rating was chosen."""

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.rest.buttons import action_of, question_of, row, spell_question
from bridge.messages import Button, ButtonAction, MessageRef, OutgoingMessage, ReplyTarget
from bridge.playground.discord import DiscordServer, Fault, Message
from tests.adapters.discord.conftest import Inbox, ask, hearing
from tests.adapters.discord.test_buttons import AGAIN, DISLIKE, LIKE, RETRY, STOP

EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
FETCH = "GET /channels/{channel_id}/messages/{message_id}"

PRIMARY, SECONDARY, SUCCESS, DANGER = 1, 2, 3, 4


def asking(question: str) -> Button:
    """As the core makes them."""
    return Button(action=ButtonAction.ASK, label=question[:75], value=question)


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> ReplyTarget:
    async with hearing(platform, inbox):
        return await ask(server, inbox)


async def send(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget, *buttons: Button
) -> tuple[MessageRef, Message]:
    ref = await platform.send(question, OutgoingMessage(text="An answer", nonce="n1", buttons=buttons))
    return ref, server.messages(server.general)[-1]


async def test_what_one_can_do_stands_in_one_row_and_what_one_can_ask_in_another(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    can = platform.capabilities
    assert (can.buttons, can.rating_buttons, can.again_button, can.question_buttons) == (True, True, True, 5)
    _, message = await send(server, platform, question, LIKE, DISLIKE, asking("Why?"), asking("And then?"), AGAIN)
    does, asks = message.rows
    assert [(each.emoji, each.label, each.custom_id) for each in does] == [
        ("👍", "", "bridge:like"),
        ("👎", "", "bridge:dislike"),
        ("🔄", "Regenerate", "bridge:again"),
    ]
    assert [(each.label, each.custom_id) for each in asks] == [
        ("Why?", "bridge:ask:0:"),
        ("And then?", "bridge:ask:1:"),
    ]


async def test_while_it_grows_there_is_a_button_to_stop_it(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    _, message = await send(server, platform, question, STOP)
    assert [(each.emoji, each.label, each.custom_id) for each in message.buttons] == [("⏹️", "Stop", "bridge:stop")]


async def test_the_rating_that_was_chosen_is_seen_and_another_takes_its_place(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    ref, message = await send(server, platform, question, LIKE, DISLIKE, asking("Why?"), AGAIN)
    outbound = platform._outbound
    await outbound.show_choice(ref, ButtonAction.LIKE)
    assert [each.style for each in message.buttons] == [SUCCESS, SECONDARY, SECONDARY, SECONDARY]
    assert [len(each) for each in message.rows] == [3, 1]
    await outbound.show_choice(ref, ButtonAction.DISLIKE)
    assert [each.style for each in message.buttons] == [SECONDARY, DANGER, SECONDARY, SECONDARY]
    edits = sum(f"{call.method} {call.route}" == EDIT for call in server.calls)
    await outbound.show_choice(ref, ButtonAction.DISLIKE)
    assert sum(f"{call.method} {call.route}" == EDIT for call in server.calls) == edits
    assert message.content == "An answer"
    assert message.flags & discord.MessageFlags(suppress_embeds=True).value


async def test_a_choice_that_cannot_be_shown_harms_nothing(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    ref, _ = await send(server, platform, question, LIKE, DISLIKE)
    server.faults.fail_next[FETCH] = [Fault(status=403, code=50001)]
    await platform._outbound.show_choice(ref, ButtonAction.LIKE)
    await platform._outbound.show_choice(ref, ButtonAction.STOP)


async def test_posting_again_finds_the_message_with_its_rows(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    buttons = (LIKE, DISLIKE, asking("Why?"), asking("x" * 120))
    ref, _ = await send(server, platform, question, *buttons)
    await platform._outbound.show_choice(ref, ButtonAction.LIKE)
    edits = sum(f"{call.method} {call.route}" == EDIT for call in server.calls)
    assert (await send(server, platform, question, *buttons))[0] == ref
    assert sum(f"{call.method} {call.route}" == EDIT for call in server.calls) == edits, "it stands as it should"
    other = (LIKE, DISLIKE, asking("Who?"), asking("x" * 120))
    _, message = await send(server, platform, question, *other)
    assert message.rows[1][0].label == "Who?"


async def test_a_question_that_a_button_cannot_carry_is_not_offered(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    _, message = await send(server, platform, question, asking("q" * 400), asking("Why?"))
    assert [each.label for each in message.buttons] == ["Why?"]
    _, message = await send(server, platform, question, asking("q" * 400))
    assert message.buttons == ()


def words(text: str) -> str:
    return " ".join(text.split())


@given(st.text(min_size=1, max_size=220), st.integers(0, 4))
def test_a_question_is_whole_again_without_any_memory(text: str, number: int) -> None:
    spelled = spell_question(text, number)
    if spelled is None:
        assert not words(text) or len(words(text).encode("utf-16-le")) // 2 > 160
        return
    label, custom_id = spelled
    assert 1 <= len(label) <= 80
    assert 1 <= len(custom_id) <= 100
    assert label == label.strip()
    assert question_of(label, custom_id) == words(text)
    assert action_of(custom_id) is ButtonAction.ASK


def test_the_longest_question_fills_label_and_custom_id() -> None:
    assert spell_question("q" * 166, 0) == ("q" * 79 + "…", "bridge:ask:0:" + "q" * 87)
    assert spell_question("q" * 167, 0) is None


@pytest.mark.parametrize(
    ("custom_id", "action"),
    [
        ("bridge:stop", ButtonAction.STOP),
        ("bridge:retry", ButtonAction.RETRY),
        ("bridge:again", ButtonAction.AGAIN),
        ("bridge:like", ButtonAction.LIKE),
        ("bridge:dislike", ButtonAction.DISLIKE),
        ("bridge:ask:0:", ButtonAction.ASK),
        ("bridge:ask:4:and the: rest\n", ButtonAction.ASK),
        ("bridge:ask", None),
        ("bridge:ask:5:", None),
        ("bridge:ask:10:", None),
        ("bridge:ask:0", None),
        ("bridge:", None),
        ("bridge:stop ", None),
        ("stop", None),
        ("", None),
    ],
)
def test_what_a_button_asks_for_is_read_strictly(custom_id: str, action: ButtonAction | None) -> None:
    assert action_of(custom_id) is action
    assert (question_of("Why?", custom_id) is None) is (action is not ButtonAction.ASK)


async def test_the_spelling_never_changes() -> None:
    view = row((STOP, RETRY, asking("Why?")))
    assert view is not None
    assert [getattr(each, "custom_id", "") for each in view.children] == [
        "bridge:stop",
        "bridge:retry",
        "bridge:ask:0:",
    ]
    assert view.is_finished(), "the library remembers no view that has ended"
    assert row(()) is None
