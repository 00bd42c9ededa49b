"""The JSON that the page draws of Discord: channels, forums and threads with their messages, what one person alone sees, forms,
and the commands that are offered where. Reads, changes nothing."""

from collections.abc import Mapping, Sequence

from bridge.playground.discord import DiscordServer
from bridge.playground.discord import model as discord
from bridge.playground.discord.commands import CHAT, MESSAGE_MENU
from bridge.playground.discord.invoking import offered
from bridge.playground.discord.snapshot import is_typing
from bridge.playground.view import BOT_NAME, IMAGES, MOST_MESSAGES, MOST_REPLIES, Json, RatingOf, file_link

_STYLES = {1: "primary", 3: "success", 4: "danger", 5: "link"}
"""Discord's numbers for the looks of buttons (docs: components/reference, Button Styles); the others are plain."""
_KINDS = ("text", "forum", "dm", "private")
"""What stands in the list of places; threads stand below theirs."""
_QUOTED = 80
"""Characters of a message that are shown above a reply to it."""

_UNHEARD = "The application did not respond"
_FORM_UNHEARD = "Something went wrong. Try again."
_PRESS_UNHEARD = "This interaction failed"
"""What clients have been seen to say about a command, a form and a button that nobody answered in time."""


def discord_view(server: DiscordServer, rating_of: RatingOf) -> Json:
    places = [one for one in server.channels.values() if one.kind in _KINDS]
    return {
        "bot": {"id": server.bot_id, "name": BOT_NAME},
        "people": [{"id": one.id, "name": one.name} for one in server.people.values()],
        "channels": [_channel(server, one, rating_of) for one in places],
        "commands": [_command(one) for one in server.commands if one.kind == CHAT],
        "shortcuts": [{"id": one.name, "label": one.name} for one in server.commands if one.kind == MESSAGE_MENU],
        "modals": [_modal(number, one) for number, one in server.modals.items()],
        "warnings": _warnings(server),
    }


def _command(one: discord.Command) -> Json:
    wanted = " ".join(each.name if each.required else f"[{each.name}]" for each in one.options)
    return {"name": f"/{one.name}", "hint": f"{wanted} · {one.description}" if wanted else one.description}


def _modal(number: str, one: discord.Modal) -> Json:
    return {
        "id": number,
        "person": one.user_id,
        "title": one.title,
        "fields": [{"text": each} if isinstance(each, str) else _field(each) for each in one.fields],
    }


def _field(one: discord.Field) -> Json:
    return {
        "id": one.custom_id,
        "label": one.label,
        "description": one.description,
        "required": one.required,
        "long": one.long,
        "least": one.least,
        "most": one.most,
        "value": one.value,
        "placeholder": one.placeholder,
        **({"choices": [{"value": value, "label": label} for value, label in one.choices]} if one.choices else {}),
    }


def _warnings(server: DiscordServer) -> list[Json]:
    """Commands and forms that nobody answered, which no message shows."""
    return [
        {"id": number, "person": one.user_id, "words": _FORM_UNHEARD if one.kind == "modal" else _UNHEARD}
        for number, one in enumerate(server.interactions.values())
        if one.kind != "component" and server.failed(one.id)
    ]


# Places


def _channel(server: DiscordServer, channel: discord.Channel, rating_of: RatingOf) -> Json:
    threads = server.threads(channel.id)
    if channel.kind == "forum":
        messages = [_post(server, one, rating_of) for one in threads[-MOST_MESSAGES:]]
    else:
        messages = _messages_above(server, channel, threads, rating_of)
    other = server.guilds.get(channel.guild_id) if channel.guild_id != server.guild_id else None
    return {
        "id": channel.id,
        "name": channel.name if other is None else f"{channel.name} · {other.name}",
        "kind": channel.kind,
        "direct": channel.kind == "dm",
        "members": [one for one in server.people if server.person_sees(one, channel)],
        "activity": is_typing(server, channel.id),
        "tags": [{"name": one.name, "moderated": one.moderated} for one in channel.tags],
        "tag_required": channel.tag_required,
        "offered": _offered(server, channel),
        "messages": messages,
        "whispers": _whispers(server, channel.id),
    }


def _messages_above(
    server: DiscordServer, channel: discord.Channel, threads: Sequence[discord.Channel], rating_of: RatingOf
) -> list[Json]:
    # A thread under a message has that message's id (docs: Start Thread from Message); one without is pointed to.
    hanging = {one.id: one for one in threads}
    shown: list[Json] = []
    for message in server.messages(channel.id)[-MOST_MESSAGES:]:
        thread = hanging.get(message.id)
        drawn = _message(server, message, rating_of)
        if message.kind == discord.MESSAGE_THREAD_CREATED:
            thread = hanging.get(message.reference_channel or "")
            drawn |= {"system": f"started a thread: {message.content}"}
            # The page knows a thread by the message that it stands under.
            drawn |= {"id": message.id if thread is None else thread.id}
        shown.append(drawn | {"thread": None if thread is None else _thread(server, thread, rating_of)})
    return shown


def _thread(server: DiscordServer, thread: discord.Channel, rating_of: RatingOf) -> Json:
    newest = [one for one in server.messages(thread.id) if one.kind != discord.MESSAGE_THREAD_STARTER]
    return {
        "name": thread.name,
        "state": "locked" if thread.locked else "archived" if thread.archived else "",
        "tags": _tags(server, thread),
        "activity": is_typing(server, thread.id),
        "offered": _offered(server, thread),
        # The first message of a forum's post stands above it.
        "messages": [_message(server, one, rating_of) for one in newest[-MOST_REPLIES:] if one.id != thread.id],
        "whispers": _whispers(server, thread.id),
    }


def _post(server: DiscordServer, thread: discord.Channel, rating_of: RatingOf) -> Json:
    """A post of a forum, in the shape of a message with a thread."""
    first = server.find_message(thread.id, thread.id)
    drawn = _gone(server, thread) if first is None else _message(server, first, rating_of)
    return drawn | {"thread": _thread(server, thread, rating_of)}


def _gone(server: DiscordServer, thread: discord.Channel) -> Json:
    """What stands for the first message of a post once that is deleted; the post stays."""
    stub = discord.Message(
        id=thread.id,
        channel_id=thread.id,
        author_id=thread.owner_id,
        author_name=server.name_of(thread.owner_id),
        content="",
        is_bot=thread.owner_id == server.bot_id,
        created=thread.created,
    )
    return _message(server, stub, _unrated) | {"system": "Original message was deleted"}


def _tags(server: DiscordServer, thread: discord.Channel) -> list[str]:
    forum = server.channels.get(thread.parent_id or "")
    known = {one.id: one.name for one in forum.tags} if forum is not None else {}
    return [known[one] for one in thread.applied_tags if one in known]


def _offered(server: DiscordServer, place: discord.Channel) -> Mapping[str, list[str]]:
    """Person to the names of commands that their client offers there, as the page spells them."""
    return {
        person: [f"/{one.name}" if one.kind == CHAT else one.name for one in offered(server, place, person)]
        for person in server.people
        if server.person_sees(person, place)
    }


# Messages


def _whispers(server: DiscordServer, channel: str) -> list[Json]:
    """What one person alone sees there. Nobody can react to it."""
    return [
        _message(server, one, _unrated) | {"only": one.seen_by, "reactions": []}
        for one in server.ephemerals()
        if one.channel_id == channel
    ]


def _unrated(_channel: str, _message: str) -> None:
    """A `RatingOf` for what is no answer."""


def _message(server: DiscordServer, message: discord.Message, rating_of: RatingOf) -> Json:
    # One that passes another on has no text and no files of its own.
    shown = message.forwarded or message
    return {
        "id": message.id,
        "channel": message.channel_id,
        # The text alone does not say who is mentioned; `allowed_mentions` decides.
        "mentions": {"people": list(shown.mentions), "everyone": shown.mention_everyone},
        "author": message.author_id,
        "name": BOT_NAME if message.author_id == server.bot_id else message.author_name,
        "bot": message.is_bot,
        "dialect": "discord",
        "text": shown.content,
        "typed": "" if message.is_bot else message.content.replace(f"<@{server.bot_id}>", f"@{BOT_NAME}"),
        "above": _above(server, message),
        "thinking": bool(message.flags & discord.FLAG_LOADING),
        "rows": [[_button(one) for one in row] for row in message.rows],
        "told": _told(server, message),
        "files": [_file(number, file) for number, file in shown.attachments],
        "time": message.created.timestamp(),
        "edited": message.edited is not None,
        "reactions": [{"emoji": emoji, "people": list(people)} for emoji, people in message.reactions.items()],
        "rating": rating_of(message.channel_id, message.id) if message.is_bot else None,
    }


def _above(server: DiscordServer, message: discord.Message) -> str:
    """The line over a message that says what it answers or passes on."""
    if message.forwarded is not None:
        return "Forwarded"
    asked = server.interactions.get(message.interaction_id)
    if asked is not None and message.kind in (discord.MESSAGE_COMMAND, discord.MESSAGE_CONTEXT_COMMAND):
        used = f"/{asked.name}" if asked.kind == "command" else asked.name
        return f"{server.name_of(asked.user_id)} used {used}"
    if message.kind == discord.MESSAGE_REPLY and message.reference and message.reference_channel:
        found = server.find_message(message.reference_channel, message.reference)
        if found is None:
            return "Original message was deleted"
        name = BOT_NAME if found.author_id == server.bot_id else found.author_name
        return f"@{name} {_short(server, found)}"
    return ""


def _short(server: DiscordServer, message: discord.Message) -> str:
    words = " ".join(message.content.replace(f"<@{server.bot_id}>", f"@{BOT_NAME}").split())
    if not words and message.attachments:
        return "a file"
    return words if len(words) <= _QUOTED else f"{words[: _QUOTED - 1]}…"


def _button(one: discord.Button) -> Json:
    return {
        "id": one.custom_id,
        "label": one.label,
        # Emoji are drawn by name; the selector only says that they are to be coloured.
        "emoji": one.emoji.replace("\ufe0f", ""),
        "style": _STYLES.get(one.style, ""),
        "url": one.url,
        "disabled": one.disabled,
        "choices": [{"value": value, "label": label} for value, label in one.choices],
    }


def _file(number: str, file: discord.Attachment) -> Json:
    return {
        "name": file.filename,
        "size": file.size,
        "image": file.content is not None and file.content_type in IMAGES,
        "url": "" if file.content is None else file_link("discord", number, file.filename),
    }


def _told(server: DiscordServer, message: discord.Message) -> dict[str, str]:
    """Person to what only they see there: that the bot said nothing to their last press in time."""
    pressed = (one for one in server.interactions.values() if one.kind == "component" and one.message_id == message.id)
    last = {one.user_id: one for one in pressed}
    return {person: _PRESS_UNHEARD for person, one in last.items() if server.failed(one.id)}
