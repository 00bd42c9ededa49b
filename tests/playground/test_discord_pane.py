"""What the page is told of Discord beyond messages, and what it may do there besides writing. The app is a real discord.py."""

import io
from collections.abc import AsyncIterator
from typing import Any, cast

import discord
import pytest
from discord import ui

from bridge.playground.acting import act_in_discord, find_attachment, post_to_discord
from bridge.playground.bodies import BadBody, Post, Press, SentFile
from bridge.playground.discord import Attachment, DiscordServer
from bridge.playground.discord import Command as Registered
from bridge.playground.discord.commands import CHAT, FILE, MESSAGE_MENU, TEXT
from bridge.playground.discord.model import Option
from bridge.playground.discord_acting import use_discord
from bridge.playground.discord_bodies import Close, Command, DiscordAct, Dismiss, ForumPost, Menu, Submit
from bridge.playground.discord_view import discord_view
from tests.fakes.clock import FakeClock
from tests.playground.discord.apps import MENU, App
from tests.playground.discord.joining import joined
from tests.playground.test_acting import unrated

ADA, GENERAL = DiscordServer().ada, DiscordServer().general
"""The same in every stand-in."""

COMMANDS = [
    Registered(
        id="1",
        version="1",
        name="ask",
        kind=CHAT,
        options=(Option(name="question", kind=TEXT, required=True), Option(name="file", kind=FILE)),
    ),
    Registered(id="2", version="2", name="reset", kind=CHAT),
    Registered(id="3", version="3", name=MENU, kind=MESSAGE_MENU),
]

NOTE = SentFile(name="note.txt", media_type="text/plain", content=b"hello")


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    server = DiscordServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def app(server: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    async with joined(server, monkeypatch) as app:
        yield app


def place(server: DiscordServer, channel: str) -> dict[str, Any]:
    channels = cast("list[dict[str, Any]]", discord_view(server, unrated)["channels"])
    return next(one for one in channels if one["id"] == channel)


def listed(server: DiscordServer, name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", discord_view(server, unrated)[name])


def ask(server: DiscordServer, text: str, *files: SentFile, thread: str | None = None) -> Command:
    return Command(person=server.ada, channel=server.general, thread=thread, name="/ask", text=text, files=files)


async def test_a_command_goes_to_the_app_with_text_and_file_and_its_answer_says_who_used_it(
    server: DiscordServer, app: App
) -> None:
    await use_discord(server, ask(server, "what is @bot?", NOTE))
    await app.until(lambda: bool(app.asked))
    interaction, question, file = app.asked[0]
    assert question == f"what is <@{server.bot_id}>?"
    assert file is not None
    assert file.filename == "note.txt"
    await interaction.response.defer()
    [shown] = place(server, server.general)["messages"]
    assert (shown["above"], shown["thinking"], shown["bot"]) == ("Ada used /ask", True, True)
    await interaction.edit_original_response(content="Forty-two.")
    [shown] = place(server, server.general)["messages"]
    assert (shown["text"], shown["thinking"]) == ("Forty-two.", False)


async def test_commands_and_the_menu_are_told_and_offered_where_they_can_be_used(
    server: DiscordServer, app: App
) -> None:
    forum = await server.add_forum("help")
    private = await server.add_private("Ada, Grace", server.ada, server.grace)
    server.install_for(server.ada)
    hints = {one["name"]: one["hint"] for one in listed(server, "commands")}
    assert hints == {"/ask": "question [file] · Ask the app a question", "/reset": "Begin anew"}
    assert listed(server, "shortcuts") == [{"id": MENU, "label": MENU}]
    assert sorted(place(server, server.general)["offered"][server.grace]) == sorted(["/ask", "/reset", MENU])
    assert place(server, forum)["offered"][server.ada] == []
    assert sorted(place(server, private)["offered"][server.ada]) == sorted(["/ask", MENU])
    assert place(server, private)["offered"][server.grace] == []
    assert place(server, private)["members"] == [server.ada, server.grace]
    assert place(server, server.dm_ada)["members"] == [server.ada]


async def test_what_one_person_alone_sees_is_told_with_whose_it_is_and_can_be_put_away(
    server: DiscordServer, app: App
) -> None:
    await use_discord(server, Command(person=server.ada, channel=server.general, thread=None, name="/reset", text=""))
    await app.until(lambda: bool(app.reset))
    view = ui.View(timeout=None)
    view.add_item(ui.Button(custom_id="again", label="Again"))
    view.stop()  # the client leaves presses to the test
    await app.reset[0].response.send_message("Begun anew.", ephemeral=True, view=view)
    [whisper] = place(server, server.general)["whispers"]
    assert (whisper["only"], whisper["text"], whisper["reactions"]) == (server.ada, "Begun anew.", [])
    assert place(server, server.general)["messages"] == []
    at = {"channel": server.general, "message": whisper["id"]}
    await act_in_discord(server, Press(**at, person=server.ada, button="again"))
    with pytest.raises(BadBody, match="does not see this message"):
        await act_in_discord(server, Press(**at, person=server.grace, button="again"))
    with pytest.raises(BadBody, match="seen by somebody else"):
        await use_discord(server, Dismiss(person=server.grace, message=whisper["id"]))
    await use_discord(server, Dismiss(person=server.ada, message=whisper["id"]))
    assert place(server, server.general)["whispers"] == []


class Form(ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="Ask about it", custom_id="form")
        words = ui.TextInput[Any](custom_id="words", style=discord.TextStyle.long, max_length=99, placeholder="Why?")
        options = [discord.SelectOption(label="A table", value="table")]
        choice = ui.Select[Any](custom_id="shape", options=options, required=False, min_values=0)
        self.add_item(ui.TextDisplay("The deploy is at noon."))
        self.add_item(ui.Label(text="Your question", description="In a few words", component=words))
        self.add_item(ui.Label(text="As", component=choice))


async def test_a_form_from_the_menu_of_a_message_is_shown_filled_in_and_sent(server: DiscordServer, app: App) -> None:
    posted = await server.post_as(server.grace, server.general, "The deploy is at noon.")
    menu = Menu(person=server.ada, channel=server.general, message=posted, shortcut=MENU)
    await use_discord(server, menu)
    await app.until(lambda: bool(app.pointed))
    interaction, message = app.pointed[0]
    assert message.content == "The deploy is at noon."
    await interaction.response.send_modal(Form())
    [shown] = listed(server, "modals")
    assert (shown["person"], shown["title"]) == (server.ada, "Ask about it")
    told, words, shape = shown["fields"]
    assert told == {"text": "The deploy is at noon."}
    assert (words["label"], words["description"], words["long"]) == ("Your question", "In a few words", True)
    assert (words["required"], words["most"], words["placeholder"]) == (True, 99, "Why?")
    assert shape["choices"] == [{"value": "table", "label": "A table"}]
    filled: dict[str, str | list[str]] = {"words": "When?", "shape": ["table"]}
    for person, values, problem in (
        (server.grace, filled, "before somebody else"),
        (server.ada, {"words": ""}, "`words` is required"),
        (server.ada, {"other": "x"}, "no fields"),
    ):
        with pytest.raises(BadBody, match=problem):
            await use_discord(server, Submit(person=person, view=shown["id"], values=dict(values)))
    await use_discord(server, Submit(person=server.ada, view=shown["id"], values=filled))
    assert listed(server, "modals") == []
    assert [one.custom_id for one in server.interactions.values() if one.kind == "modal"] == ["form"]
    await use_discord(server, menu)
    await app.until(lambda: len(app.pointed) == 2)
    await app.pointed[1][0].response.send_modal(Form())
    [shown] = listed(server, "modals")
    await use_discord(server, Close(person=server.ada, view=shown["id"]))
    assert listed(server, "modals") == []


async def test_rows_of_buttons_are_told_with_their_looks(server: DiscordServer, app: App) -> None:
    view = ui.View(timeout=None)
    view.add_item(ui.Button(custom_id="up", emoji="👍", style=discord.ButtonStyle.success, row=0))
    view.add_item(ui.Button(custom_id="stop", emoji="⏹️", label="Stop", disabled=True, row=0))
    view.add_item(ui.Button(label="Read more", url="https://docs.example/", row=1))
    channel = app.get_partial_messageable(int(server.general))
    await channel.send("An answer", view=view)
    [shown] = place(server, server.general)["messages"]
    assert shown["rows"] == [
        [
            {"id": "up", "label": "", "emoji": "👍", "style": "success", "url": "", "disabled": False},
            {"id": "stop", "label": "Stop", "emoji": "⏹", "style": "", "url": "", "disabled": True},
        ],
        [{"id": "", "label": "Read more", "emoji": "", "style": "link", "url": "https://docs.example/", "disabled": False}],
    ]  # fmt: skip


async def test_a_post_in_a_forum_is_shown_with_its_tags_and_answers(server: DiscordServer) -> None:
    forum = await server.add_forum("help", ("billing", "!solved"), tag_required=True)
    assert place(server, forum)["tags"] == [
        {"name": "billing", "moderated": False},
        {"name": "solved", "moderated": True},
    ]
    post = ForumPost(
        person=server.ada, channel=forum, title="Too dear", text="@bot why?", tags=("billing",), files=(NOTE,)
    )
    opened = await use_discord(server, post)
    reply = await post_to_discord(
        server, Post(channel=forum, thread=opened, person=server.grace, text="It is.", reply_to=opened)
    )
    [shown] = place(server, forum)["messages"]
    assert (shown["id"], shown["channel"], shown["text"]) == (opened, opened, f"<@{server.bot_id}> why?")
    assert [one["name"] for one in shown["files"]] == ["note.txt"]
    thread = shown["thread"]
    assert (thread["name"], thread["tags"], thread["state"]) == ("Too dear", ["billing"], "")
    assert [(one["id"], one["above"]) for one in thread["messages"]] == [(reply, "@Ada @bot why?")]
    await server.archive_as(server.ada, opened)
    assert place(server, forum)["messages"][0]["thread"]["state"] == "archived"
    await server.delete_as(server.ada, opened, opened)
    [shown] = place(server, forum)["messages"]
    assert (shown["name"], shown["system"]) == ("Ada", "Original message was deleted")
    assert [one["id"] for one in shown["thread"]["messages"]] == [reply]


async def test_a_thread_without_a_message_stands_under_the_line_about_it(server: DiscordServer) -> None:
    opened = await server.open_thread_as(server.ada, server.general, "plans")
    await post_to_discord(server, Post(channel=server.general, thread=opened, person=server.grace, text="Which?"))
    [shown] = place(server, server.general)["messages"]
    assert (shown["id"], shown["system"]) == (opened, "started a thread: plans")
    assert [one["text"] for one in shown["thread"]["messages"]] == ["Which?"]


async def test_what_is_answered_or_passed_on_stands_over_a_message(server: DiscordServer) -> None:
    first = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> " + "word " * 40)
    second = await server.post_as(server.grace, server.general, "", attachments=[Attachment(filename="a.pdf")])
    for answered in (first, second, first):
        await server.post_as(server.grace, server.general, "hm", reply_to=answered)
    await server.forward_as(server.grace, server.general, first, server.general)
    shown = place(server, server.general)["messages"]
    over = [one["above"] for one in shown]
    assert over[:2] == ["", ""]
    assert over[2].startswith("@Ada @bot word word")
    assert over[2].endswith("…")
    assert over[3] == "@Grace a file"
    assert over[5] == "Forwarded"
    assert shown[5]["text"] == shown[0]["text"]
    await server.delete_as(server.ada, server.general, first)
    assert place(server, server.general)["messages"][1]["above"] == "Original message was deleted"


async def test_files_that_one_person_alone_sees_can_be_had(server: DiscordServer, app: App) -> None:
    await use_discord(server, ask(server, "a file, please"))
    await app.until(lambda: bool(app.asked))
    made = discord.File(io.BytesIO(b"made"), filename="made.txt")
    await app.asked[0][0].response.send_message("Here", file=made, ephemeral=True)
    [whisper] = place(server, server.general)["whispers"]
    number = whisper["files"][0]["url"].split("/")[4]
    found = find_attachment(server, number)
    assert found is not None
    assert found.content == b"made"


async def test_who_used_a_command_or_sent_a_form_that_nobody_answered_is_told() -> None:
    clock = FakeClock()
    server = DiscordServer(clock=clock)
    posted = await server.post_as(server.ada, server.general, "hello")
    server.commands = COMMANDS
    await use_discord(server, ask(server, "hi"))
    await use_discord(server, Menu(person=server.grace, channel=server.general, message=posted, shortcut=MENU))
    assert listed(server, "warnings") == []
    await clock.advance(4.0)
    told = [(one["id"], one["person"], one["words"]) for one in listed(server, "warnings")]
    words = "The application did not respond"
    assert told == [(0, server.ada, words), (1, server.grace, words)]


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (Command(person=ADA, channel=GENERAL, thread=None, name="/no", text=""), "/no is not a command of the bot"),
        (Command(person=ADA, channel=GENERAL, thread="1", name="/ask", text="x"), "thread does not exist"),
        (Command(person=ADA, channel="1", thread=None, name="/ask", text="x"), "channel does not exist"),
        (Command(person=ADA, channel=GENERAL, thread=None, name="/ask", text=""), "/ask needs `question`"),
        (Command(person=ADA, channel=GENERAL, thread=None, name="/reset", text="now"), "/reset stands alone"),
        (Command(person=ADA, channel=GENERAL, thread=None, name="/reset", text="", files=(NOTE,)), "takes no file"),
        (
            Command(person=ADA, channel=GENERAL, thread=None, name="/ask", text="x", files=(NOTE, NOTE)),
            "one file at most",
        ),
        (Menu(person=ADA, channel=GENERAL, message="1", shortcut=MENU), "nothing by that id"),
        (Menu(person=ADA, channel=GENERAL, message="1", shortcut="No"), "no command 'No'"),
        (Submit(person=ADA, view="1", values={}), "nothing by that id"),
        (Close(person=ADA, view="1"), "nothing by that id"),
        (Dismiss(person=ADA, message="1"), "nothing by that id"),
        (ForumPost(person=ADA, channel=GENERAL, title="a", text="b", tags=()), "threads start in text channels"),
        (ForumPost(person="1", channel=GENERAL, title="a", text="b", tags=()), "not on this Discord server"),
    ],
)
async def test_what_cannot_be_done_in_discord_is_explained(act: DiscordAct, problem: str) -> None:
    server = DiscordServer()
    server.commands = COMMANDS
    with pytest.raises(BadBody, match=problem):
        await use_discord(server, act)
