"""What people do besides writing: reactions, Slack's own Stop button, looking at the bot's page or its direct messages."""

from adapters.slack.addresses import Place, message_ref
from adapters.slack.reading.fields import Ignored, Json, is_id, microseconds, moment, object_in, text_in
from adapters.slack.reading.messages import Around
from adapters.slack.reading.people import SLACKS_OWN_USERS, author_of
from adapters.slack.reading.spots import direct_messages, in_thread, is_direct_channel
from bridge.events import ChatOpened, HomeOpened, ReactionChanged, StopRequested
from bridge.messages import EventId, Origin, PersonId


def read_reaction(event: Json, here: Around, *, added: bool) -> ReactionChanged | Ignored:
    item, me = object_in(event, "item"), here.me
    if text_in(item, "type") != "message":
        return Ignored(reason=f"reaction on {text_in(item, 'type') or 'nothing'}")
    if text_in(event, "item_user") != me.user:
        return Ignored(reason="reaction on somebody else's message")
    channel, ts, user = text_in(item, "channel"), text_in(item, "ts"), text_in(event, "user")
    revision = microseconds(text_in(event, "event_ts"))
    emoji = text_in(event, "reaction").partition("::")[0]
    if not (here.event_id and is_id(channel) and moment(ts) and user and emoji and revision is not None):
        return Ignored(reason="reaction with a part missing")
    # Slack does not say whether another reacting user is a bot.
    others = Origin.BOT if user in SLACKS_OWN_USERS else Origin.PERSON
    return ReactionChanged(
        event_id=EventId(here.event_id),
        message=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        person=PersonId(user),
        origin=Origin.SELF if user == me.user else others,
        emoji=emoji,
        added=added,
        revision=revision,
    )


def read_stop(event: Json, here: Around) -> StopRequested | Ignored:
    """Slack has ended those streams already; what is left is to tell the app."""
    channel, root, user = text_in(event, "channel"), text_in(event, "thread_ts"), text_in(event, "user")
    if not (here.event_id and is_id(channel) and moment(root) and is_id(user)):
        return Ignored(reason="stop without event id, thread or person")
    streams = event.get("streaming_message_ts")
    ended = [ts for ts in streams if isinstance(ts, str) and moment(ts)] if isinstance(streams, list) else []
    is_direct = is_direct_channel(channel)
    thread = Place(team=here.me.team, channel=channel, ts=root)
    return StopRequested(
        event_id=EventId(here.event_id),
        target=in_thread(thread, user, is_direct=is_direct, rolling=here.rolling),
        author=author_of(user, here.names),
        is_direct=is_direct,
        message=message_ref(Place(team=here.me.team, channel=channel, ts=ended[0])) if ended else None,
    )


def read_opened(event: Json, here: Around) -> HomeOpened | ChatOpened | Ignored:
    """`app_home_opened`. Opening the messages is where an agent may suggest questions (Slack's page on agents)."""
    channel, user, tab = text_in(event, "channel"), text_in(event, "user"), text_in(event, "tab")
    if not (here.event_id and is_id(channel) and is_direct_channel(channel) and is_id(user)):
        return Ignored(reason="page without event id, direct messages or person")
    target = direct_messages(here.me.team, channel, user)
    event_id, author = EventId(here.event_id), author_of(user, here.names)
    match tab:
        case "home":
            return HomeOpened(event_id=event_id, author=author, target=target)
        case "messages":
            return ChatOpened(event_id=event_id, author=author, target=target)
        case _:
            return Ignored(reason=f"tab {tab or 'missing'} is not used")


def read_assistant(event: Json, here: Around) -> ChatOpened | Ignored:
    """`assistant_thread_started`: apps from before agents have a thread for each chat, and it begins without a message."""
    thread = object_in(event, "assistant_thread")
    channel, root, user = text_in(thread, "channel_id"), text_in(thread, "thread_ts"), text_in(thread, "user_id")
    if not (here.event_id and is_id(channel) and moment(root) and is_id(user)):
        return Ignored(reason="chat without event id, thread or person")
    place = Place(team=here.me.team, channel=channel, ts=root)
    return ChatOpened(
        event_id=EventId(here.event_id),
        author=author_of(user, here.names),
        target=in_thread(place, user, is_direct=True, rolling=here.rolling),
    )
