"""What else a person sees of a message: its buttons, and whether something is said to be under way. And pressing them."""

from collections.abc import Iterator

from bridge.playground.discord.model import Message as DiscordMessage
from bridge.playground.slack.model import Message as SlackMessage
from tests.integration.seats import DiscordSeat, Seat, SlackSeat


def _ours(seat: Seat, thread: str) -> Iterator[tuple[str, list[str]]]:
    """Messages of the bot there, with the ids of their buttons."""
    if isinstance(seat, SlackSeat):
        channel = seat._channel_of[thread]
        for message in seat.server.messages(channel, thread):
            if message.user == seat.server.bot_user_id:
                yield message.ts, _slack_buttons(message)
    elif isinstance(seat, DiscordSeat) and thread in seat.server.channels:
        for found in seat.server.messages(thread):
            if found.author_id == seat.server.bot_id:
                yield found.id, _discord_buttons(found)


def _slack_buttons(message: SlackMessage) -> list[str]:
    actions = [block for block in message.blocks if block.get("type") == "actions"]
    elements = [element for block in actions for element in _list(block.get("elements"))]
    return [str(element.get("action_id")) for element in elements if isinstance(element, dict)]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _discord_buttons(message: DiscordMessage) -> list[str]:
    """Those that belong to an answer under way or lost. What stands under a whole one (rating it, having it anew, going on) is
    as good as its words."""
    ids = (button.custom_id for button in message.buttons if not button.disabled)
    return [one for one in ids if one.endswith((":stop", ":retry")) or ":input:" in one]


def texts(seat: Seat, thread: str) -> list[str]:
    """What the bot has said there, files included, in the order in which a person reads it."""
    found: list[str] = []
    if isinstance(seat, SlackSeat):
        for message in seat.server.messages(seat._channel_of[thread], thread):
            if message.user == seat.server.bot_user_id:
                contents = (seat.server.uploads.content(file.id) or b"" for file in message.files)
                found += [message.visible_text, *(content.decode() for content in contents)]
    elif isinstance(seat, DiscordSeat) and thread in seat.server.channels:
        for one in seat.server.messages(thread):
            if one.author_id == seat.server.bot_id:
                found += [one.content, *((file.content or b"").decode() for _, file in one.attachments)]
    return [text for text in found if text]


def buttons(seat: Seat, thread: str) -> list[str]:
    """Ids of every button under the bot's messages there."""
    return [button for _, found in _ours(seat, thread) for button in found]


def offering(seat: Seat, thread: str, word: str) -> list[str]:
    """Ids of the bot's messages there that have a button with `word` ("stop", "retry")."""
    return [message for message, found in _ours(seat, thread) if any(word in one for one in found)]


async def stop(seat: Seat, thread: str) -> None:
    """Stops what is being answered there: by Slack's own button, since none of ours stands below a stream, or by ours."""
    if isinstance(seat, SlackSeat):
        await seat.server.stop_session(seat.people[0], seat._channel_of[thread], thread)
    else:
        await press(seat, thread, "stop")


def is_growing(seat: Seat, thread: str) -> bool:
    """Whether it looks as if more text were to come there."""
    if not isinstance(seat, SlackSeat):
        return bool(offering(seat, thread, "stop"))
    streams, now = seat.server.workspace.streams.values(), seat.server.clock.monotonic()
    return any(stream.state(now) == "live" for stream in streams if stream.thread_ts == thread)


async def press(seat: Seat, thread: str, word: str) -> None:
    """Presses the first button there whose id has `word` in it."""
    message, button = next((ref, one) for ref, found in _ours(seat, thread) for one in found if word in one)
    if isinstance(seat, SlackSeat):
        await seat.server.press(seat.people[0], seat._channel_of[thread], message, button)
    elif isinstance(seat, DiscordSeat):
        await seat.server.press(seat._people[0], thread, message, button)


def is_busy(seat: Seat, thread: str) -> bool:
    """Whether Slack shows a status there. Discord's typing goes away by itself."""
    return isinstance(seat, SlackSeat) and (seat._channel_of[thread], thread) in seat.server.statuses


def mention(seat: Seat) -> str:
    """How a person names the bot."""
    return f"<@{seat.server.bot_user_id if isinstance(seat, SlackSeat) else _discord(seat).server.bot_id}>"


async def edit(seat: Seat, thread: str, text: str, channel: int = 0) -> None:
    """The person who asked first there changes the question, which keeps its mention."""
    text = f"{mention(seat)} {text}"
    if isinstance(seat, SlackSeat):
        await seat.server.edit_as(seat.people[0], seat._channel_of[thread], thread, text)
    else:
        server = _discord(seat).server
        await server.edit_as(server.ada, (server.general, server.support)[channel], thread, text)


async def delete(seat: Seat, thread: str, channel: int = 0) -> None:
    """The person who asked first there takes the question back."""
    if isinstance(seat, SlackSeat):
        await seat.server.delete_as(seat.people[0], seat._channel_of[thread], thread)
    else:
        server = _discord(seat).server
        await server.delete_as(server.ada, (server.general, server.support)[channel], thread)


def _discord(seat: Seat) -> DiscordSeat:
    assert isinstance(seat, DiscordSeat)
    return seat


def is_open(seat: Seat, thread: str) -> bool:
    """Whether one can write there. Discord's threads are opened by the bot."""
    return not isinstance(seat, DiscordSeat) or thread in seat.server.channels
