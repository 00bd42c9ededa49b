"""Routes about channels, people, the server, the application and the gateway's address."""

from bridge.playground.discord import acts, limits, payloads
from bridge.playground.discord.model import Channel, Json
from bridge.playground.discord.permissions import (
    DEFAULT_PERMISSIONS,
    MANAGE_CHANNELS,
    MANAGE_THREADS,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
)
from bridge.playground.discord.reading import (
    read_archive_minutes,
    read_bool,
    read_snowflake,
    read_thread_name,
)
from bridge.playground.discord.refusals import (
    blocked_by_person,
    invalid_form,
    missing_permissions,
    not_a_text_channel,
    thread_archived,
    thread_locked,
    unknown_guild,
    unknown_member,
    unknown_user,
    wrong_channel_type,
)
from bridge.playground.discord.rest import Answer, Asked, Route, TooMany
from bridge.playground.discord.rest_messages import need, visible_channel
from bridge.playground.discord.world import World


def get_self(world: World, asked: Asked) -> Answer:
    return Answer(payload=payloads.self_user(world))


def get_application(world: World, asked: Asked) -> Answer:
    return Answer(payload=payloads.application(world))


def get_gateway(world: World, asked: Asked) -> Answer:
    return Answer(payload={"url": world.gateway_url})


def get_gateway_bot(world: World, asked: Asked) -> Answer:
    return Answer(
        payload={
            "url": world.gateway_url,
            "shards": 1,
            "session_start_limit": {
                "total": limits.IDENTIFIES_PER_DAY,
                "remaining": max(0, limits.IDENTIFIES_PER_DAY - world.identifies),
                "reset_after": 86_400_000,
                "max_concurrency": limits.MAX_CONCURRENCY,
            },
        }
    )


def get_guild(world: World, asked: Asked) -> Answer:
    if asked.ids["guild_id"] != world.guild_id:
        raise unknown_guild()
    count = 1 + len(world.people)
    return Answer(
        payload=payloads.guild(world) | {"approximate_member_count": count, "approximate_presence_count": count}
    )


def get_guilds(world: World, asked: Asked) -> Answer:
    """The bot's servers, briefly; `permissions` is what its roles give it there."""
    permissions = world.permissions.get(world.guild_id, DEFAULT_PERMISSIONS)
    brief: Json = {"id": world.guild_id, "name": world.guild_name, "icon": None, "owner": False, "features": []}
    return Answer(payload=[brief | {"permissions": str(permissions)}])


def get_member(world: World, asked: Asked) -> Answer:
    """Needs no intent, unlike the list of all members."""
    if asked.ids["guild_id"] != world.guild_id:
        raise unknown_guild()
    if asked.ids["user_id"] not in world.known_people():
        raise unknown_member()
    return Answer(payload=payloads.member_with_user(world, asked.ids["user_id"]))


def get_user(world: World, asked: Asked) -> Answer:
    user_id = asked.ids["user_id"]
    if user_id not in world.known_people():
        raise unknown_user()
    return Answer(payload=payloads.user(world, user_id))


def open_direct(world: World, asked: Asked) -> Answer:
    person_id = read_snowflake(asked.body, "recipient_id")
    if person_id is None:
        raise invalid_form("recipient_id", "BASE_TYPE_REQUIRED", "This field is required")
    if person_id == world.bot_id:
        raise blocked_by_person()
    if person_id not in world.people:
        raise unknown_user()
    return Answer(payload=payloads.channel(world, acts.open_direct(world, person_id)))


def get_channel(world: World, asked: Asked) -> Answer:
    return Answer(payload=payloads.channel(world, visible_channel(world, asked.ids["channel_id"])))


def type_in(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    if place.kind in ("forum", "category"):
        raise not_a_text_channel()
    need(world, place, SEND_MESSAGES_IN_THREADS if place.kind == "thread" else SEND_MESSAGES)
    acts.type_in(world, place, world.bot_id)
    return Answer(status=204)


def change_channel(world: World, asked: Asked) -> Answer:
    place = visible_channel(world, asked.ids["channel_id"])
    if place.kind == "dm":
        raise wrong_channel_type()
    name = read_thread_name(asked.body) if "name" in asked.body else None
    minutes = read_archive_minutes(asked.body)
    archived = read_bool(asked.body, "archived")
    locked = read_bool(asked.body, "locked")
    if place.kind == "thread":
        _check_thread_change(
            world, place, renames=name is not None or minutes is not None, archived=archived, locked=locked
        )
    else:
        need(world, place, MANAGE_CHANNELS)
    if name is not None and name != place.name:
        if wait := world.buckets.take_rename(place.id):
            raise TooMany(wait, is_global=False, scope="shared")
        place.name = name
    if place.kind == "thread":
        if archived is not None and archived != place.archived:
            place.archived = archived
            place.archive_changed = world.clock.now()
        place.locked = place.locked if locked is None else locked
        place.auto_archive_minutes = minutes or place.auto_archive_minutes
    acts.tell_changed(world, place)
    return Answer(payload=payloads.channel(world, place))


def _check_thread_change(
    world: World, thread: Channel, *, renames: bool, archived: bool | None, locked: bool | None
) -> None:
    """Whoever started a thread may rename and archive it; anybody may re-open one that is not locked."""
    manages = bool(world.allowed(thread) & MANAGE_THREADS)
    if locked is not None and not manages:
        raise missing_permissions()
    if thread.archived and renames and archived is not False:
        raise thread_archived()
    if archived is False:
        need(world, thread, SEND_MESSAGES_IN_THREADS)
        if thread.locked and not manages:
            raise thread_locked()
    if (renames or archived) and not (manages or thread.owner_id == world.bot_id):
        raise missing_permissions()


ROUTES = [
    Route(method="GET", template="/users/@me", act=get_self),
    Route(method="POST", template="/users/@me/channels", act=open_direct, has_body=True),
    Route(method="GET", template="/users/@me/guilds", act=get_guilds),
    Route(method="GET", template="/users/{user_id}", act=get_user),
    Route(method="GET", template="/applications/@me", act=get_application),
    Route(method="GET", template="/oauth2/applications/@me", act=get_application),
    Route(method="GET", template="/gateway", act=get_gateway, needs_token=False),
    Route(method="GET", template="/gateway/bot", act=get_gateway_bot),
    Route(method="GET", template="/guilds/{guild_id}", act=get_guild),
    Route(method="GET", template="/guilds/{guild_id}/members/{user_id}", act=get_member),
    Route(method="GET", template="/channels/{channel_id}", act=get_channel),
    Route(method="PATCH", template="/channels/{channel_id}", act=change_channel, has_body=True),
    Route(method="POST", template="/channels/{channel_id}/typing", act=type_in),
]
