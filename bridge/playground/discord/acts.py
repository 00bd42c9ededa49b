"""What can happen in the pretended Discord, and the events that follow. Permissions and request bodies are checked before."""

from collections.abc import Callable

from bridge.playground.discord import mentions, payloads
from bridge.playground.discord.components import Rows
from bridge.playground.discord.mentions import AllowedMentions
from bridge.playground.discord.model import (
    FLAG_HAS_THREAD,
    MESSAGE_DEFAULT,
    MESSAGE_REPLY,
    MESSAGE_THREAD_CREATED,
    MESSAGE_THREAD_STARTER,
    Attachment,
    Channel,
    ChannelKind,
    Json,
    Message,
)
from bridge.playground.discord.permissions import (
    INTENT_DIRECT_MESSAGE_REACTIONS,
    INTENT_DIRECT_MESSAGE_TYPING,
    INTENT_DIRECT_MESSAGES,
    INTENT_GUILD_MESSAGE_REACTIONS,
    INTENT_GUILD_MESSAGE_TYPING,
    INTENT_GUILD_MESSAGES,
    INTENT_GUILDS,
)
from bridge.playground.discord.world import Dispatch, World

_INTENTS = {
    # event family -> (in a server, in a direct message)
    "message": (INTENT_GUILD_MESSAGES, INTENT_DIRECT_MESSAGES),
    "reaction": (INTENT_GUILD_MESSAGE_REACTIONS, INTENT_DIRECT_MESSAGE_REACTIONS),
    "typing": (INTENT_GUILD_MESSAGE_TYPING, INTENT_DIRECT_MESSAGE_TYPING),
    "channel": (INTENT_GUILDS, INTENT_GUILDS),
}


def _tell(world: World, place: Channel, family: str, name: str, make: Callable[[bool], Json]) -> None:
    if world.sees(place):
        intent = _INTENTS[family][0 if place.in_guild else 1]
        world.publish(Dispatch(name=name, intent=intent, guild_id=place.guild_id, make=make))
    world.changed()


def _tell_channel(world: World, place: Channel, name: str, *, newly_created: bool = False) -> None:
    extra: Json = {"newly_created": True} if newly_created else {}
    _tell(world, place, "channel", name, lambda _: payloads.channel(world, place) | extra)


def _tell_message(world: World, place: Channel, name: str, message: Message) -> None:
    _tell(world, place, "message", name, lambda all_: payloads.dispatched_message(world, message, everything=all_))


def _tell_update(world: World, message: Message, *changed: str) -> None:
    """MESSAGE_UPDATE: the whole message or, by a switch, only what changed and where (docs: "only the message's ID and
    channel ID are guaranteed" was true for years, and proxies and older gateways still do it)."""

    def make(everything: bool) -> Json:  # noqa: FBT001  # the shape of `Dispatch.make`
        whole = payloads.dispatched_message(world, message, everything=everything)
        kept = ("id", "channel_id", "guild_id", "type", *changed)
        return {key: whole[key] for key in kept if key in whole} if world.faults.partial_updates else whole

    _tell(world, world.channels[message.channel_id], "message", "MESSAGE_UPDATE", make)


def _apply_mentions(world: World, message: Message, allowed: AllowedMentions) -> None:
    replied = None
    if message.kind == MESSAGE_REPLY and message.reference and message.reference_channel:
        target = world.find_message(message.reference_channel, message.reference)
        # Bots and webhooks of others have no account here that a mention could name.
        replied = target.author_id if target is not None and target.webhook_id is None else None
    found = mentions.find(
        message.content,
        allowed,
        author_id=message.author_id,
        replied_to=replied,
        people=world.known_people(),
        roles=known_roles(world, world.channels[message.channel_id]),
    )
    message.mentions = found.users
    message.mention_roles = found.roles
    message.mention_everyone = found.everyone
    if message.author_id == world.bot_id:
        # Somebody whom a message named before is not called again by its edits.
        world.pings.extend((message.id, what) for what in found.pings if what not in message.pinged)
        message.pinged |= set(found.pings)


def known_roles(world: World, place: Channel) -> set[str]:
    if not place.in_guild:
        return set()
    guild = world.guilds[place.guild_id]
    return {*guild.roles, guild.bot_role_id} if guild.bot_in else set(guild.roles)


def create_message(
    world: World,
    place: Channel,
    author_id: str,
    content: str,
    *,
    allowed: AllowedMentions,
    sent_allowed: Json | None = None,
    reference: Message | None = None,
    nonce: str | int | None = None,
    kind: int | None = None,
    flags: int = 0,
    is_bot: bool = False,
    webhook_id: str | None = None,
    attachments: tuple[Attachment, ...] = (),
    rows: Rows = (),
    embeds: tuple[Json, ...] = (),
    forwarded: Message | None = None,
    resolved: bool = True,
    seen_by: str = "",
    interaction_id: str = "",
    message_id: str | None = None,
) -> Message:
    """Adds a message (un-archiving its thread) and tells everybody, its author too. One that only one person sees is told
    nobody."""
    if place.kind == "thread" and place.archived and not seen_by:
        archive(world, place, archived=False)
    pointed = forwarded or reference
    message = Message(
        id=message_id or world.new_id(),
        channel_id=place.id,
        author_id=author_id,
        author_name=world.name_of(author_id),
        content=content,
        kind=(MESSAGE_DEFAULT if reference is None else MESSAGE_REPLY) if kind is None else kind,
        is_bot=is_bot or author_id == world.bot_id or webhook_id is not None,
        webhook_id=webhook_id,
        created=world.clock.now(),
        reference=None if pointed is None else pointed.id,
        reference_channel=None if pointed is None else pointed.channel_id,
        flags=flags,
        allowed_mentions=sent_allowed,
        nonce=nonce,
        attachments=tuple((world.new_id(), one) for one in attachments),
        rows=rows,
        embeds=embeds,
        forwarded=forwarded,
        resolved=resolved,
        seen_by=seen_by,
        interaction_id=interaction_id,
        history=[(world.clock.monotonic(), content)],
    )
    _apply_mentions(world, message, allowed)
    world.keep(message)
    if nonce is not None:
        world.remember_nonce(message)
    if seen_by:
        world.changed()
    else:
        _tell_message(world, place, "MESSAGE_CREATE", message)
    return message


def _create_system_message(
    world: World, place: Channel, author_id: str, kind: int, content: str, *, under: Message | None, points_to: str
) -> None:
    message = Message(
        id=world.new_id(),
        channel_id=place.id,
        author_id=author_id,
        author_name=world.name_of(author_id),
        content=content,
        kind=kind,
        is_bot=author_id == world.bot_id,
        created=world.clock.now(),
        reference=None if under is None else under.id,
        reference_channel=points_to,
        history=[(world.clock.monotonic(), content)],
    )
    world.keep(message)
    _tell_message(world, place, "MESSAGE_CREATE", message)


def edit_message(
    world: World,
    message: Message,
    content: str | None,
    allowed: AllowedMentions,
    *,
    rows: Rows | None = None,
    attachments: tuple[tuple[str, Attachment], ...] | None = None,
    flags: int | None = None,
) -> None:
    """Replaces what is not None and tells everybody who sees it. A new file's id is made here when it is empty."""
    if rows is not None:
        message.rows = rows
    if attachments is not None:
        message.attachments = tuple((number or world.new_id(), file) for number, file in attachments)
    if flags is not None:
        message.flags = flags
    if content is not None:
        message.content = content
        message.history.append((world.clock.monotonic(), content))
        _apply_mentions(world, message, allowed)
    message.edited = world.clock.now()
    if message.seen_by:
        world.changed()
    else:
        _tell_update(world, message, "content", "edited_timestamp", "components", "attachments", "flags")


def unfurl(world: World, message: Message, embed: Json) -> None:
    """Discord adds the preview of a link, which is no edit."""
    message.embeds = (*message.embeds, embed)
    _tell_update(world, message, "embeds")


def delete_messages(world: World, place: Channel, messages: list[Message]) -> None:
    """Several at once, as moderators' bots do."""
    for message in messages:
        world.forget(message)
    body: Json = {"ids": [one.id for one in messages], "channel_id": place.id, "guild_id": place.guild_id}
    _tell(world, place, "message", "MESSAGE_DELETE_BULK", lambda _: dict(body))


def delete_message(world: World, message: Message) -> None:
    place = world.channels[message.channel_id]
    world.forget(message)
    if message.seen_by:
        world.changed()
        return
    body: Json = {"id": message.id, "channel_id": message.channel_id}
    if place.in_guild:
        body["guild_id"] = place.guild_id
    _tell(world, place, "message", "MESSAGE_DELETE", lambda _: dict(body))


def add_reaction(world: World, message: Message, user_id: str, emoji: str) -> None:
    users = message.reactions.setdefault(emoji, [])
    if user_id in users:
        return
    users.append(user_id)
    _tell_reaction(world, message, user_id, emoji, "MESSAGE_REACTION_ADD")


def remove_reaction(world: World, message: Message, user_id: str, emoji: str) -> None:
    users = message.reactions.get(emoji, [])
    if user_id not in users:
        return
    users.remove(user_id)
    if not users:
        del message.reactions[emoji]
    _tell_reaction(world, message, user_id, emoji, "MESSAGE_REACTION_REMOVE")


def _tell_reaction(world: World, message: Message, user_id: str, emoji: str, name: str) -> None:
    place = world.channels[message.channel_id]
    body: Json = {
        "user_id": user_id,
        "channel_id": message.channel_id,
        "message_id": message.id,
        "emoji": payloads.emoji_object(emoji),
        "burst": False,
        "type": 0,
    }
    if place.in_guild:
        body["guild_id"] = place.guild_id
    if name == "MESSAGE_REACTION_ADD":
        body["message_author_id"] = message.author_id
        if place.in_guild:
            body["member"] = payloads.member_with_user(world, user_id, place.guild_id)
    _tell(world, place, "reaction", name, lambda _: dict(body))


def type_in(world: World, place: Channel, user_id: str) -> None:
    if user_id == world.bot_id:
        world.typing.setdefault(place.id, []).append(world.clock.monotonic())
    body: Json = {
        "channel_id": place.id,
        "user_id": user_id,
        "timestamp": int(world.clock.now().timestamp()),
    }
    if place.in_guild:
        body |= {
            "guild_id": place.guild_id,
            "member": payloads.member_with_user(world, user_id, place.guild_id),
        }
    _tell(world, place, "typing", "TYPING_START", lambda _: dict(body))


def open_thread(
    world: World, parent: Channel, owner_id: str, name: str, *, message: Message | None = None, minutes: int = 1440
) -> Channel:
    """Starts a thread, under `message` when there is one (it then has that message's id)."""
    thread = world.add_place(
        world.new_id() if message is None else message.id,
        name,
        "thread",
        guild_id=parent.guild_id,
        parent_id=parent.id,
        owner_id=owner_id,
        bot_joined=owner_id == world.bot_id,
    )
    thread.auto_archive_minutes = minutes
    _tell_channel(world, thread, "THREAD_CREATE", newly_created=True)
    if message is None:
        _create_system_message(world, parent, owner_id, MESSAGE_THREAD_CREATED, name, under=None, points_to=thread.id)
    else:
        message.flags |= FLAG_HAS_THREAD
        _tell_update(world, message, "flags", "thread")
        _create_system_message(world, thread, owner_id, MESSAGE_THREAD_STARTER, "", under=message, points_to=parent.id)
    return thread


def archive(world: World, thread: Channel, *, archived: bool) -> None:
    if thread.archived != archived:
        thread.archived = archived
        thread.archive_changed = world.clock.now()
        tell_changed(world, thread)


def tell_changed(world: World, place: Channel) -> None:
    _tell_channel(world, place, "THREAD_UPDATE" if place.kind == "thread" else "CHANNEL_UPDATE")


def add_channel(
    world: World, name: str, kind: ChannelKind, category: str | None = None, *, guild_id: str | None = None
) -> Channel:
    place = world.add_place(world.new_id(), name, kind, parent_id=category, guild_id=guild_id)
    _tell_channel(world, place, "CHANNEL_CREATE")
    return place


def delete_place(world: World, place: Channel) -> None:
    """A channel with its threads, or a thread. What was written there is gone."""
    for thread in world.threads(place.id):
        delete_place(world, thread)
    body = payloads.channel(world, place)
    _tell(
        world,
        place,
        "channel",
        "THREAD_DELETE" if place.kind == "thread" else "CHANNEL_DELETE",
        lambda _: dict(body),
    )
    world.drop_place(place)
    world.changed()


def open_direct(world: World, person_id: str) -> Channel:
    """The direct message channel with a person, made when there is none. Tells nobody, as Discord since API v8."""
    for place in world.channels.values():
        if place.kind == "dm" and place.person_id == person_id:
            return place
    place = world.add_place(world.new_id(), world.name_of(person_id), "dm", person_id=person_id)
    world.changed()
    return place


def open_post(
    world: World,
    forum: Channel,
    owner_id: str,
    name: str,
    text: str,
    allowed: AllowedMentions,
    *,
    tags: tuple[str, ...] = (),
    minutes: int = 1440,
    attachments: tuple[Attachment, ...] = (),
    rows: Rows = (),
) -> tuple[Channel, Message]:
    """A forum post: a thread whose first message has the thread's own id."""
    thread = world.add_place(
        world.new_id(),
        name,
        "thread",
        guild_id=forum.guild_id,
        parent_id=forum.id,
        owner_id=owner_id,
        bot_joined=owner_id == world.bot_id,
    )
    thread.applied_tags = tags
    thread.auto_archive_minutes = minutes
    _tell_channel(world, thread, "THREAD_CREATE", newly_created=True)
    message = create_message(
        world, thread, owner_id, text, allowed=allowed, attachments=attachments, rows=rows, message_id=thread.id
    )
    return thread, message
