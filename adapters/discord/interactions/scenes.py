"""Who did something, and where: what an interaction tells besides what it is about. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import discord

from adapters.discord.addresses import ask_address, hook_address, hush_address, pick_address
from adapters.discord.reading.messages import author_of
from adapters.discord.reading.places import (
    DISCORD,
    Place,
    key_in,
    place_of_channel,
    ref_to,
    target_at,
    target_in,
    target_under,
)
from bridge.messages import Author, ChannelId, ConversationKey, EventId, MessageRef, PaceGroup, PersonId, ReplyTarget

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    number: int
    """Id of the interaction. Discord tells every process with this token of it, by the same number."""
    place: Place
    is_ours: bool
    """The bot may write there itself. Elsewhere people use the app that they added to their own account, and all that can be
    said goes by the interaction's webhook; so it does in channels that the bot was not given."""
    person: int
    author: Author
    at: datetime

    @property
    def event_id(self) -> EventId:
        return EventId(f"interaction/{self.number}")

    @property
    def ref(self) -> MessageRef:
        """Stands for words that are no message. Discord gives no number twice."""
        return ref_to(self.place.channel, self.number)

    @property
    def revision(self) -> int:
        """Interactions of the same millisecond are told apart by the rest of their number."""
        return (self.at - _EPOCH) // timedelta(microseconds=1) + (self.number & 0xFFF) % 1_000

    @property
    def is_direct(self) -> bool:
        """What people use where the bot is not is their own conversation, whoever reads along."""
        return self.place.server is None or not self.is_ours

    @property
    def in_thread(self) -> bool:
        return self.is_ours and self.place.parent is not None

    @property
    def is_one_conversation(self) -> bool:
        """The place is: a thread, direct messages, or where the bot is not."""
        return self.in_thread or self.is_direct

    @property
    def begins_thread(self) -> bool:
        return self.is_ours and self.place.takes_threads

    @property
    def here(self) -> ReplyTarget:
        """The place itself."""
        return target_in(self.place, self.person) if self.is_ours else self._by_webhook()

    @property
    def asked(self) -> ReplyTarget:
        """Where a question is answered that a command brought."""
        if self.is_one_conversation:
            return self.here
        key = key_in(self.place, self.person, root=self.number)
        address = ask_address(self.place.channel, self.number)
        return target_at(key, address, self.place.channel, opens_thread=self.place.takes_threads)

    @property
    def private(self) -> ReplyTarget:
        """What only who did it reads."""
        group = PaceGroup(f"hush/{self.number}")
        return ReplyTarget(
            platform=DISCORD,
            conversation=self.here.conversation,
            address=hush_address(self.number),
            post_group=group,
            edit_group=group,
            private=True,
        )

    def under(self, message: int) -> ReplyTarget:
        """Where something is answered that was asked below a message of ours."""
        return target_under(self.place, self.person, message) if self.is_ours else self._by_webhook()

    def about(self, message: int) -> ReplyTarget:
        """Where a question is answered that a form brought, about somebody's message."""
        if self.is_one_conversation:
            return self.here
        key = key_in(self.place, self.person, root=message)
        address = pick_address(self.place.channel, message, self.number)
        return target_at(key, address, self.place.channel, opens_thread=self.place.takes_threads)

    def _by_webhook(self) -> ReplyTarget:
        group = PaceGroup(f"hook/{self.number}")
        return ReplyTarget(
            platform=DISCORD,
            conversation=ConversationKey(
                platform=DISCORD,
                installation=self.place.installation,
                channel=ChannelId(str(self.place.channel)),
                person=PersonId(str(self.person)),
            ),
            address=hook_address(self.number),
            post_group=group,
            edit_group=group,
        )


def scene_of(interaction: discord.Interaction) -> Scene | None:
    """None: in a kind of channel that discord.py does not know."""
    place = place_of_channel(interaction.channel)
    if place is None:
        return None
    return Scene(
        number=interaction.id,
        place=place,
        is_ours=_is_ours(interaction, place),
        person=interaction.user.id,
        author=replace(author_of(interaction.user), locale=interaction.locale.value),
        at=interaction.created_at,
    )


def _is_ours(interaction: discord.Interaction, place: Place) -> bool:
    if place.server is None:
        return not interaction.context.private_channel
    if interaction.client.get_guild(place.server) is None:
        return False
    may = interaction.app_permissions
    return may.view_channel and (may.send_messages_in_threads if place.parent is not None else may.send_messages)
