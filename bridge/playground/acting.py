"""What the page's visitor does in the two products, as somebody: write, react, edit and delete, press a button."""

from collections.abc import Sequence
from itertools import count
from typing import assert_never

from bridge.playground.bodies import Act, BadBody, Delete, Edit, Post, Press, React, SentFile
from bridge.playground.discord import Attachment, DiscordServer
from bridge.playground.discord.interactions import find_message
from bridge.playground.server import ShownFile
from bridge.playground.slack import File, SlackServer
from bridge.playground.view import EMOJI, mention_bot, to_slack

_SLACK_NAMES = {shown: name for name, shown in EMOJI.items()}


def find_slack_file(server: SlackServer, file_id: str) -> ShownFile | None:
    """None where there are no bytes, as of a file that is only described."""
    found = server.downloads.find(file_id)
    if found is None or found.mode != "hosted" or not found.content:
        return None
    return ShownFile(media_type=found.mimetype, content=found.content)


def find_attachment(server: DiscordServer, file_id: str) -> ShownFile | None:
    """As `find_slack_file`."""
    shown = (message for channel in server.channels for message in server.messages(channel))
    for message in (*shown, *server.ephemerals()):
        for known, file in message.attachments:
            if known == file_id and file.content is not None:
                return ShownFile(media_type=file.content_type, content=file.content)
    return None


async def post_to_slack(server: SlackServer, post: Post) -> str:
    """Returns the message's timestamp. Raises `BadBody`."""
    _check_slack(server, post.channel, post.person)
    if post.thread is not None and all(one.ts != post.thread for one in server.messages(post.channel)):
        raise BadBody("That Slack thread does not exist.")
    text = to_slack(post.text, server.bot_user_id)
    try:
        return await server.post_as(
            post.person, post.channel, text, thread_ts=post.thread, files=_slack_files(server, post)
        )
    except ValueError as error:
        raise BadBody(f"Slack refuses this: {error}.") from error


def _slack_files(server: SlackServer, post: Post) -> list[File]:
    fresh = (made for n in count(1) if server.downloads.find(made := f"F0PAGE{n:04}") is None)
    return [
        File(id=next(fresh), name=one.name, mimetype=one.media_type, size=len(one.content), content=one.content)
        for one in post.files
    ]


async def react_in_slack(server: SlackServer, react: React) -> None:
    """Raises `BadBody`."""
    _check_slack(server, react.channel, react.person)
    name = _SLACK_NAMES.get(react.emoji)
    if name is None:
        raise BadBody(f"The playground's Slack has these reactions: {' '.join(_SLACK_NAMES)}.")
    act = server.react if react.add else server.unreact
    try:
        await act(react.person, react.channel, react.message, name)
    except ValueError as error:
        raise BadBody("That Slack message does not exist.") from error


async def act_in_slack(server: SlackServer, act: Act) -> None:
    """Raises `BadBody`."""
    _check_slack(server, act.channel, act.person)
    try:
        match act:
            case Edit():
                text = to_slack(act.text, server.bot_user_id)
                await server.edit_as(act.person, act.channel, act.message, text)
            case Delete():
                await server.delete_as(act.person, act.channel, act.message)
            case Press():
                await server.press(act.person, act.channel, act.message, act.button, act.value)
            case _:
                assert_never(act)
    except ValueError as error:
        raise BadBody(f"Slack refuses this: {error}.") from error


def _check_slack(server: SlackServer, channel: str, person: str) -> None:
    place = server.channels.get(channel)
    if place is None:
        raise BadBody("That Slack channel does not exist.")
    if person not in server.people:
        raise BadBody("That person is not in this Slack workspace.")
    if person not in place.members:
        raise BadBody(f"{server.people[person].name} is not a member of this Slack channel.")


async def post_to_discord(server: DiscordServer, post: Post) -> str:
    """Returns the message's id. Raises `BadBody`."""
    check_discord(server, post.channel, post.person)
    place = find_discord_place(server, post.channel, post.thread)
    if post.reply_to is not None and server.find_message(place, post.reply_to) is None:
        raise BadBody("The Discord message to reply to does not exist (any more).")
    try:
        text = mention_in_discord(server, post.text)
        return await server.post_as(
            post.person, place, text, reply_to=post.reply_to, attachments=attachments(post.files)
        )
    except ValueError as error:
        raise BadBody(f"Discord refuses this: {error}.") from error


def find_discord_place(server: DiscordServer, channel: str, thread: str | None) -> str:
    """The thread, if it is one of that channel, else the channel. Raises `BadBody`."""
    if thread is None:
        return channel
    if all(one.id != thread for one in server.threads(channel)):
        raise BadBody("That Discord thread does not exist.")
    return thread


def mention_in_discord(server: DiscordServer, text: str) -> str:
    return mention_bot(text, f"<@{server.bot_id}>")


def attachments(files: Sequence[SentFile]) -> list[Attachment]:
    return [
        Attachment(filename=one.name, content_type=one.media_type, size=len(one.content), content=one.content)
        for one in files
    ]


async def react_in_discord(server: DiscordServer, react: React) -> None:
    """Raises `BadBody`."""
    check_discord(server, react.channel, react.person)
    if server.find_message(react.channel, react.message) is None:
        raise BadBody("That Discord message does not exist.")
    if react.emoji not in _SLACK_NAMES:
        raise BadBody(f"The playground has these reactions: {' '.join(_SLACK_NAMES)}.")
    act = server.react if react.add else server.unreact
    await act(react.person, react.channel, react.message, react.emoji)


async def act_in_discord(server: DiscordServer, act: Act) -> None:
    """Raises `BadBody`."""
    check_discord(server, act.channel, act.person)
    message = find_message(server, act.channel, act.message)
    if message is None:
        raise BadBody("That Discord message does not exist.")
    try:
        match act:
            case Edit():
                await server.edit_as(act.person, act.channel, act.message, mention_in_discord(server, act.text))
            case Delete():
                if message.author_id != act.person:
                    # The stand-in's people are moderators; the page's controls are for one's own messages.
                    raise BadBody("Only their own messages can be deleted here.")
                await server.delete_as(act.person, act.channel, act.message)
            case Press():
                await server.press(act.person, act.channel, act.message, act.button, act.value)
            case _:
                assert_never(act)
    except ValueError as error:
        raise BadBody(f"Discord refuses this: {error}.") from error


def check_discord(server: DiscordServer, channel: str, person: str) -> None:
    """Raises `BadBody` unless that person sees that place."""
    place = server.channels.get(channel)
    if place is None:
        raise BadBody("That Discord channel does not exist.")
    if person not in server.people:
        raise BadBody("That person is not on this Discord server.")
    if place.kind in ("dm", "private") and not server.person_sees(person, place):
        raise BadBody(f"{server.people[person].name} cannot see other people's direct messages.")
