"""Routes about threads and the posts of forums (docs: resources/channel, topics/threads)."""

from bridge.playground.discord import acts, limits, payloads
from bridge.playground.discord.model import EDITABLE, Channel, Json
from bridge.playground.discord.permissions import (
    ATTACH_FILES,
    CREATE_PUBLIC_THREADS,
    MANAGE_THREADS,
    SEND_MESSAGES,
)
from bridge.playground.discord.reading import (
    read_archive_minutes,
    read_int,
    read_new_message,
    read_snowflakes,
    read_thread_name,
)
from bridge.playground.discord.refusals import (
    invalid_form,
    missing_permissions,
    system_message,
    tag_required,
    thread_archived,
    thread_exists,
    too_many_threads,
    unknown_guild,
    wrong_channel_type,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.rest_messages import need, visible_channel
from bridge.playground.discord.world import World

_PUBLIC_THREAD = 11


def start_from_message(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    if place.kind != "text":
        raise wrong_channel_type()
    need(world, place, CREATE_PUBLIC_THREADS)
    message = world.message(place.id, asked.ids["message_id"])
    name = read_thread_name(asked.body)
    minutes = read_archive_minutes(asked.body)
    if message.kind not in EDITABLE:
        raise system_message()
    if message.id in world.channels:
        raise thread_exists()
    _check_room(world, place)
    thread = acts.open_thread(world, place, world.bot_id, name, message=message, minutes=minutes or 1440)
    return Answer(payload=payloads.channel(world, thread), status=201)


def start(world: World, asked: Asked) -> Answer:
    """A thread without a message, or a forum's post."""
    place = visible_channel(world, asked.ids["channel_id"])
    if place.kind == "forum":
        return _post(world, asked, place)
    if place.kind != "text":
        raise wrong_channel_type()
    need(world, place, CREATE_PUBLIC_THREADS)
    if read_int(asked.body, "type") != _PUBLIC_THREAD:
        # Without the field Discord makes a private one, which nobody sees; there are none here.
        raise invalid_form("type", "PLAYGROUND_UNSUPPORTED", "This stand-in knows public threads (type 11) only.")
    name = read_thread_name(asked.body)
    minutes = read_archive_minutes(asked.body)
    _check_room(world, place)
    thread = acts.open_thread(world, place, world.bot_id, name, minutes=minutes or 1440)
    return Answer(payload=payloads.channel(world, thread), status=201)


def _post(world: World, asked: Asked, forum: Channel) -> Answer:
    need(world, forum, SEND_MESSAGES)
    name = read_thread_name(asked.body)
    minutes = read_archive_minutes(asked.body)
    raw = asked.body.get("message")
    if not isinstance(raw, dict):
        raise invalid_form("message", "BASE_TYPE_REQUIRED", "This field is required")
    new = read_new_message(raw, asked.files, most_bytes=world.file_limit(forum))
    if new.attachments:
        need(world, forum, ATTACH_FILES)
    tags = read_tags(world, forum, asked.body, ()) or ()
    if forum.tag_required and not tags:
        raise tag_required()
    _check_room(world, forum)
    thread, message = acts.open_post(
        world,
        forum,
        world.bot_id,
        name,
        new.content,
        new.allowed,
        tags=tags,
        minutes=minutes or 1440,
        attachments=new.attachments,
        rows=new.rows,
    )
    shown = payloads.message(world, message, everything=world.message_content_allowed)
    return Answer(payload=payloads.channel(world, thread) | {"message": shown}, status=201)


def _check_room(world: World, place: Channel) -> None:
    if len(world.active_threads(place.guild_id)) >= world.max_active_threads:
        raise too_many_threads()


def read_tags(world: World, forum: Channel, body: Json, now: tuple[str, ...]) -> tuple[str, ...] | None:
    """None: not mentioned. Moderated ones are given and taken by those who manage threads only."""
    tags = read_snowflakes(body, "applied_tags")
    if tags is None:
        return None
    if len(tags) > limits.MAX_APPLIED_TAGS:
        raise invalid_form("applied_tags", "BASE_TYPE_MAX_LENGTH", "Must be 5 or fewer in length.")
    known = {one.id: one for one in forum.tags}
    if any(one not in known for one in tags):
        raise invalid_form("applied_tags", "TAG_NOT_FOUND", "Unknown tag.")
    moderated = any(known[one].moderated for one in set(tags) ^ set(now))
    if moderated and not world.allowed(forum) & MANAGE_THREADS:
        raise missing_permissions()
    return tags


def join(world: World, asked: Asked) -> Answer:
    """Needs no permission beyond seeing the thread. Tells nobody who does not watch members."""
    thread = visible_channel(world, asked.ids["channel_id"])
    if thread.kind != "thread":
        raise wrong_channel_type()
    if thread.archived:
        raise thread_archived()
    thread.bot_joined = True
    world.changed()
    return Answer(status=204)


def get_active(world: World, asked: Asked) -> Answer:
    """Those that the bot sees, of the whole server, newest first."""
    guild = world.guilds.get(asked.ids["guild_id"])
    if guild is None or not guild.bot_in:
        raise unknown_guild()
    threads = [one for one in world.active_threads(guild.id) if world.sees(one)]
    shown = [payloads.channel(world, one) for one in sorted(threads, key=lambda each: -int(each.id))]
    members = [one["member"] for one in shown if "member" in one]
    return Answer(payload={"threads": shown, "members": members})


ROUTES = [
    Route(
        method="POST",
        template="/channels/{channel_id}/messages/{message_id}/threads",
        act=start_from_message,
        has_body=True,
    ),
    Route(method="POST", template="/channels/{channel_id}/threads", act=start, has_body=True, takes_files=True),
    Route(method="PUT", template="/channels/{channel_id}/thread-members/@me", act=join),
    Route(method="GET", template="/guilds/{guild_id}/threads/active", act=get_active),
]
