"""What the page's visitor does in Discord besides writing: commands, the menu of a message, forms, posts in forums."""

from typing import assert_never

from bridge.playground.acting import attachments, check_discord, find_discord_place, mention_in_discord
from bridge.playground.bodies import BadBody
from bridge.playground.discord import Attachment, DiscordServer
from bridge.playground.discord.commands import CHAT, FILE, TEXT
from bridge.playground.discord_bodies import Close, Command, DiscordAct, Dismiss, ForumPost, Menu, Submit


async def use_discord(server: DiscordServer, act: DiscordAct) -> str:
    """Returns the id of the post that was opened; "" for the rest. Raises `BadBody`. What the app makes of it is seen later."""
    if act.person not in server.people:
        raise BadBody("That person is not on this Discord server.")
    try:
        match act:
            case Command():
                await _command(server, act)
            case Menu():
                await server.message_command(act.person, act.channel, act.shortcut, act.message)
            case Submit():
                await server.submit_modal(act.person, act.view, act.values)
            case Close():
                await server.close_modal(act.person, act.view)
            case Dismiss():
                await server.dismiss(act.person, act.message)
            case ForumPost():
                return await _open_post(server, act)
            case _:
                assert_never(act)
    except KeyError as error:
        raise BadBody("Discord has nothing by that id (any more).") from error
    except ValueError as error:
        raise BadBody(f"Discord refuses this: {error}.") from error
    return ""


async def _command(server: DiscordServer, act: Command) -> None:
    check_discord(server, act.channel, act.person)
    place = find_discord_place(server, act.channel, act.thread)
    name = act.name.removeprefix("/")
    known = next((one for one in server.commands if (one.name, one.kind) == (name, CHAT)), None)
    if known is None:
        raise BadBody(f"/{name} is not a command of the bot.")
    texts = [one.name for one in known.options if one.kind == TEXT]
    files = [one.name for one in known.options if one.kind == FILE]
    if act.text and not texts:
        raise BadBody(f"/{name} stands alone; nothing is written after it.")
    if len(act.files) > len(files):
        most = {0: "no file", 1: "one file at most"}.get(len(files), f"{len(files)} files at most")
        raise BadBody(f"/{name} takes {most}.")
    given: dict[str, Attachment] = dict(zip(files, attachments(act.files), strict=False))
    # A mention in an option stays a mention.
    options = {texts[0]: mention_in_discord(server, act.text)} if act.text else {}
    await server.command(act.person, place, name, options, given)


async def _open_post(server: DiscordServer, act: ForumPost) -> str:
    check_discord(server, act.channel, act.person)
    return await server.open_thread_as(
        act.person,
        act.channel,
        act.title,
        text=mention_in_discord(server, act.text),
        tags=act.tags,
        attachments=attachments(act.files),
    )
