"""Where answers go: targets for what happened somewhere."""

from adapters.slack.addresses import (
    SLACK,
    Place,
    edit_group,
    post_group,
    write_address,
    write_opening,
    write_private,
)
from bridge.messages import ChannelId, ConversationKey, InstallationId, PaceGroup, PersonId, ReplyTarget, ThreadId


def is_direct_channel(channel: str) -> bool:
    """For payloads without a `channel_type`. Ids of direct messages begin with D (Slack's page on the conversation object)."""
    return channel.startswith("D")


def key_of(team: str, channel: str, root: str, person: str, *, is_direct: bool, rolling: bool) -> ConversationKey:
    """`rolling`: all direct messages with one person are one conversation."""
    return ConversationKey(
        platform=SLACK,
        installation=InstallationId(team),
        channel=ChannelId(channel),
        thread=ThreadId("" if is_direct and rolling else root),
        person=PersonId(person if is_direct else ""),
    )


def in_thread(thread: Place, person: str, *, is_direct: bool, rolling: bool) -> ReplyTarget:
    """Always a thread, also in rolling direct messages: outside of one Slack shows neither streams nor states."""
    return ReplyTarget(
        platform=SLACK,
        conversation=key_of(thread.team, thread.channel, thread.ts, person, is_direct=is_direct, rolling=rolling),
        address=write_address(thread),
        post_group=post_group(thread),
        edit_group=edit_group(thread),
    )


def in_new_thread(
    team: str, channel: str, person: str, nonce: str, at: float, *, is_direct: bool, rolling: bool
) -> ReplyTarget:
    """A thread that begins with a message of ours, which is not posted yet. `at`: seconds since the epoch."""
    place = Place(team=team, channel=channel, ts=f"!{nonce}")
    return ReplyTarget(
        platform=SLACK,
        conversation=key_of(team, channel, place.ts, person, is_direct=is_direct, rolling=rolling),
        address=write_opening(team, channel, nonce, at),
        post_group=post_group(place),
        edit_group=edit_group(place),
        opens_thread=True,
    )


def for_one(conversation: ConversationKey, person: str, *, thread: str = "", key: str = "") -> ReplyTarget:
    """What only this person reads, beside that conversation. `thread`: one that somebody has replied in already, for in others
    Slack shows nothing to one person (its page on chat.postEphemeral). `key`: of a way to answer that is kept in memory."""
    group = PaceGroup(f"slack/{conversation.installation}/private")
    return ReplyTarget(
        platform=SLACK,
        conversation=conversation,
        address=write_private(conversation.installation, conversation.channel, person, thread, key),
        post_group=group,
        edit_group=group,
        private=True,
    )


def direct_messages(team: str, channel: str, person: str) -> ReplyTarget:
    """All direct messages of one person, outside of any thread. Only lines for that person can be written there."""
    return for_one(key_of(team, channel, "", person, is_direct=True, rolling=True), person)
