"""Routes about channels, people, the server, the application and the gateway's address."""

from dataclasses import dataclass

from bridge.playground.discord import acts, limits, payloads
from bridge.playground.discord.model import Channel, Guild, Json
from bridge.playground.discord.permissions import (
    DEFAULT_PERMISSIONS,
    MANAGE_CHANNELS,
    MANAGE_THREADS,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
)
from bridge.playground.discord.reading import (
    is_snowflake,
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
    tag_required,
    thread_archived,
    thread_locked,
    unknown_guild,
    unknown_member,
    unknown_user,
    wrong_channel_type,
)
from bridge.playground.discord.rest import Answer, Asked, Route, TooMany
from bridge.playground.discord.rest_messages import need, read_limit, visible_channel
from bridge.playground.discord.rest_threads import read_tags
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
            "shards": world.shards,
            "session_start_limit": {
                "total": limits.IDENTIFIES_PER_DAY,
                "remaining": world.identifies_left(),
                "reset_after": 86_400_000,
                "max_concurrency": limits.MAX_CONCURRENCY,
            },
        }
    )


def _guild(world: World, asked: Asked) -> Guild:
    found = world.guilds.get(asked.ids["guild_id"])
    if found is None or not found.bot_in:
        raise unknown_guild()
    return found


def get_guild(world: World, asked: Asked) -> Answer:
    guild = _guild(world, asked)
    count = 1 + len(world.people)
    return Answer(
        payload=payloads.guild(world, guild) | {"approximate_member_count": count, "approximate_presence_count": count}
    )


def get_guild_channels(world: World, asked: Asked) -> Answer:
    """All but threads, those too that the bot does not see."""
    places = [world.channels[one] for one in _guild(world, asked).channel_ids]
    return Answer(payload=[payloads.channel(world, one) for one in places if one.kind != "thread"])


def get_guilds(world: World, asked: Asked) -> Answer:
    """A page of the bot's servers, briefly; `permissions` is what its roles give it there."""
    limit = read_limit(asked, limits.MAX_GUILD_PAGE, limits.MAX_GUILD_PAGE)
    after = asked.query.get("after", "0")
    if not is_snowflake(after):
        raise invalid_form("after", "NUMBER_TYPE_COERCE", f'Value "{after}" is not snowflake.')
    found = [one for one in world.guilds.values() if one.bot_in and int(one.id) > int(after)]
    shown: list[Json] = []
    for one in found[:limit]:
        brief: Json = {"id": one.id, "name": one.name, "icon": None, "owner": False, "features": []}
        shown.append(brief | {"permissions": str(world.permissions.get(one.id, DEFAULT_PERMISSIONS))})
    return Answer(payload=shown)


def get_member(world: World, asked: Asked) -> Answer:
    """Needs no intent, unlike the list of all members."""
    guild = _guild(world, asked)
    if asked.ids["user_id"] not in world.known_people():
        raise unknown_member()
    return Answer(payload=payloads.member_with_user(world, asked.ids["user_id"], guild.id))


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
    if not place.in_guild:
        raise wrong_channel_type()
    name = read_thread_name(asked.body) if "name" in asked.body else None
    if place.kind == "thread":
        change = _read_thread_change(world, place, asked.body)
    else:
        need(world, place, MANAGE_CHANNELS)
        change = None
    if name is not None and name != place.name:
        if wait := world.buckets.take_rename(place.id):
            raise TooMany(wait, is_global=False, scope="shared")
        place.name = name
    if change is not None:
        change.apply(world, place)
    acts.tell_changed(world, place)
    return Answer(payload=payloads.channel(world, place))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ThreadChange:
    """None: stays as it is."""

    minutes: int | None
    archived: bool | None
    locked: bool | None
    tags: tuple[str, ...] | None

    def apply(self, world: World, thread: Channel) -> None:
        if self.archived is not None and self.archived != thread.archived:
            thread.archived = self.archived
            thread.archive_changed = world.clock.now()
        thread.locked = thread.locked if self.locked is None else self.locked
        thread.auto_archive_minutes = self.minutes or thread.auto_archive_minutes
        thread.applied_tags = thread.applied_tags if self.tags is None else self.tags


def _read_thread_change(world: World, thread: Channel, body: Json) -> _ThreadChange:
    """Whoever started a thread may rename, tag and archive it; anybody may re-open one that is not locked."""
    change = _ThreadChange(
        minutes=read_archive_minutes(body),
        archived=read_bool(body, "archived"),
        locked=read_bool(body, "locked"),
        tags=read_tags(world, world.channels[thread.parent_id or ""], body, thread.applied_tags),
    )
    manages = bool(world.allowed(thread) & MANAGE_THREADS)
    changes = "name" in body or change.minutes is not None or change.tags is not None
    if change.locked is not None and not manages:
        raise missing_permissions()
    if thread.archived and changes and change.archived is not False:
        raise thread_archived()
    if change.archived is False:
        need(world, thread, SEND_MESSAGES_IN_THREADS)
        if thread.locked and not manages:
            raise thread_locked()
    if (changes or change.archived) and not (manages or thread.owner_id == world.bot_id):
        raise missing_permissions()
    if change.tags == () and world.channels[thread.parent_id or ""].tag_required:
        raise tag_required()
    return change


ROUTES = [
    Route(method="GET", template="/users/@me", act=get_self),
    Route(method="POST", template="/users/@me/channels", act=open_direct, has_body=True),
    Route(method="GET", template="/users/@me/guilds", act=get_guilds),
    Route(method="GET", template="/users/{user_id}", act=get_user),
    Route(method="GET", template="/applications/@me", act=get_application),
    Route(method="GET", template="/oauth2/applications/@me", act=get_application),
    Route(method="GET", template="/gateway", act=get_gateway, needs_token=False, limited_by="nothing"),
    Route(method="GET", template="/gateway/bot", act=get_gateway_bot),
    Route(method="GET", template="/guilds/{guild_id}", act=get_guild),
    Route(method="GET", template="/guilds/{guild_id}/channels", act=get_guild_channels),
    Route(method="GET", template="/guilds/{guild_id}/members/{user_id}", act=get_member),
    Route(method="GET", template="/channels/{channel_id}", act=get_channel),
    Route(method="PATCH", template="/channels/{channel_id}", act=change_channel, has_body=True),
    Route(method="POST", template="/channels/{channel_id}/typing", act=type_in),
]
