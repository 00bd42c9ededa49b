"""The people of the stand-in: what somebody does in Discord's client, as methods. What the client would not let them do is
refused with a ValueError."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from bridge.playground.discord import acts, interactions, invoking, limits, modals
from bridge.playground.discord.mentions import EVERYTHING, AllowedMentions
from bridge.playground.discord.model import FLAG_VOICE, Attachment, Channel, ForumTag, Json
from bridge.playground.discord.permissions import MANAGE_THREADS, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS
from bridge.playground.discord.world import World

_LOUDNESS: Final = range(0, 256, 8)
"""What the client draws of a voice message. Ours; nobody looks at it."""


class Crowd(World):
    """What people do never meets a rate limit or a fault."""

    async def post_as(
        self,
        user_id: str,
        channel_id: str,
        text: str,
        reply_to: str | None = None,
        is_bot: bool = False,  # noqa: FBT001, FBT002  # reads as a word where it is called
        webhook: bool = False,  # noqa: FBT001, FBT002  # as above
        attachments: Sequence[Attachment] = (),
        *,
        ping_reply: bool = True,
        resolved: bool = True,
        embeds: Sequence[Json] = (),
    ) -> str:
        """Posts and returns the message's id. A mention of the bot is "<@BOT_ID>".

        `is_bot` and `webhook` post as another bot or a webhook with that person's name. A reply pings whom it replies to,
        as the client does unless told otherwise (`ping_reply`); without `resolved` the payload says nothing of it, as happens
        when Discord did not look. `embeds` are for other bots and webhooks. Raises `KeyError` for an unknown place or person and
        `ValueError` for a text that Discord's own client would not send.
        """
        place = self._writable(user_id, channel_id)
        text = self._check_text(text, has_more=bool(attachments or embeds))
        if embeds and not (is_bot or webhook):
            raise ValueError("people send no embeds; Discord makes them of links")
        self._check_files(place, attachments)
        reference = None if reply_to is None else self._messages[channel_id][reply_to]
        message = acts.create_message(
            self,
            place,
            user_id,
            text,
            allowed=AllowedMentions(parse=EVERYTHING.parse, replied_user=ping_reply),
            reference=reference,
            is_bot=is_bot,
            webhook_id=self.new_id() if webhook else None,
            attachments=tuple(attachments),
            embeds=tuple(embeds),
            resolved=resolved,
        )
        return message.id

    def _writable(self, user_id: str, channel_id: str) -> Channel:
        """The place, if that person can write there."""
        place = self.channels[channel_id]
        self.name_of(user_id)
        if place.kind == "category":
            raise ValueError("nobody writes in a category")
        if place.kind == "forum":
            raise ValueError("a forum takes posts (open_thread_as), not messages")
        if not self.person_sees(user_id, place):
            raise ValueError("somebody else's direct message channel" if place.kind == "dm" else "not seen by them")
        needed = SEND_MESSAGES_IN_THREADS if place.kind == "thread" else SEND_MESSAGES
        if not self.allowed_for(user_id, place) & needed:
            raise ValueError("that person may not write there")
        if place.locked and not self.allowed_for(user_id, place) & MANAGE_THREADS:
            raise ValueError("the thread is locked")
        return place

    def _check_text(self, text: str, *, has_more: bool) -> str:
        text = text.strip()
        if len(text) > limits.MAX_CONTENT:
            raise ValueError(f"a message has at most {limits.MAX_CONTENT} characters, this one has {len(text)}")
        if not text and not has_more:
            raise ValueError("a message needs text or a file")
        return text

    def _check_files(self, place: Channel, files: Sequence[Attachment]) -> None:
        if len(files) > limits.MAX_FILES:
            raise ValueError(f"a message has at most {limits.MAX_FILES} files")
        if any(one.size > self.file_limit(place) for one in files):
            raise ValueError("a file is too large for this place")

    async def post_voice_as(self, user_id: str, channel_id: str, content: bytes, seconds: float) -> str:
        """A voice message: a single sound file and no text."""
        place = self._writable(user_id, channel_id)
        file = Attachment(
            filename="voice-message.ogg",
            content_type="audio/ogg",
            size=len(content),
            content=content,
            seconds=seconds,
            waveform=base64.b64encode(bytes(_LOUDNESS)).decode(),
        )
        self._check_files(place, [file])
        message = acts.create_message(
            self, place, user_id, "", allowed=EVERYTHING, attachments=(file,), flags=FLAG_VOICE
        )
        return message.id

    async def forward_as(self, user_id: str, from_channel: str, message_id: str, to_channel: str) -> str:
        """Passes a message on as it is now. The new one's own text is empty."""
        place = self._writable(user_id, to_channel)
        source = self._messages[from_channel][message_id]
        if not self.person_sees(user_id, self.channels[from_channel]):
            raise ValueError("that person does not see the message")
        copy = replace(source, reactions={}, forwarded=None)
        message = acts.create_message(self, place, user_id, "", allowed=EVERYTHING, forwarded=copy)
        return message.id

    async def edit_as(self, user_id: str, channel_id: str, message_id: str, text: str) -> None:
        message = self._messages[channel_id][message_id]
        if message.author_id != user_id:
            raise ValueError("only its author edits a message")
        text = self._check_text(text, has_more=bool(message.attachments))
        acts.edit_message(self, message, text, EVERYTHING)

    async def delete_as(self, user_id: str, channel_id: str, message_id: str) -> None:
        """Anybody may delete anything here: the people are moderators."""
        self.name_of(user_id)
        acts.delete_message(self, self._messages[channel_id][message_id])

    async def delete_many_as(self, user_id: str, channel_id: str, message_ids: Sequence[str]) -> None:
        """All at once and told at once, as a moderator's bot does it."""
        self.name_of(user_id)
        messages = [self._messages[channel_id][one] for one in message_ids]
        acts.delete_messages(self, self.channels[channel_id], messages)

    async def press(
        self, user_id: str, channel_id: str, message_id: str, custom_id: str, value: str | None = None
    ) -> str:
        """Presses a button, or chooses `value` in a menu, and returns the interaction's id (see `interactions`).

        Raises `KeyError` for an unknown message or person and `ValueError` where there is no such button to press.
        """
        self.name_of(user_id)
        message = interactions.find_message(self, channel_id, message_id)
        if message is None:
            raise KeyError(message_id)
        return interactions.press(self, message, user_id, custom_id, value or "").id

    async def command(
        self,
        user_id: str,
        channel_id: str,
        name: str,
        options: Mapping[str, invoking.Value] | None = None,
        attachments: Mapping[str, Attachment] | None = None,
    ) -> str:
        """Uses a slash command and returns the interaction's id. Raises ValueError where the client would not."""
        self.name_of(user_id)
        place = self.channels[channel_id]
        return invoking.use(self, place, user_id, name.removeprefix("/"), options or {}, attachments or {}).id

    async def message_command(self, user_id: str, channel_id: str, name: str, message_id: str) -> str:
        """Uses a command of a message's menu and returns the interaction's id. As `command`."""
        self.name_of(user_id)
        return invoking.use_on_message(self, self.channels[channel_id], user_id, name, message_id).id

    def install_for(self, user_id: str) -> None:
        """That person adds the app to themselves, so that it goes wherever they go."""
        self.name_of(user_id)
        self.installed_for.add(user_id)

    def uninstall_for(self, user_id: str) -> None:
        self.installed_for.discard(user_id)

    async def submit_modal(self, user_id: str, interaction_id: str, values: Mapping[str, str | list[str]]) -> str:
        """Fills in the form that answered that interaction, by custom id, and sends it. Returns the new interaction's id.

        What is not named stays as it stood. Raises ValueError where the client would not send it.
        """
        return modals.submit(self, self.interactions[interaction_id], user_id, values).id

    async def close_modal(self, user_id: str, interaction_id: str) -> None:
        """Puts the form away, of which the bot is told nothing."""
        if self.modals[interaction_id].user_id != user_id:
            raise ValueError("that form is open before somebody else")
        del self.modals[interaction_id]
        self.changed()

    async def dismiss(self, user_id: str, message_id: str) -> None:
        """Puts away a message that only this person sees, of which the bot is told nothing."""
        message = self.whispers[message_id]
        if message.seen_by != user_id:
            raise ValueError("that message is seen by somebody else")
        self.forget(message)
        self.changed()

    async def unfurl(self, channel_id: str, message_id: str, title: str = "A page", description: str = "") -> None:
        """Discord adds the preview of a link to a message."""
        embed: Json = {"type": "link", "title": title}
        embed |= {"description": description} if description else {}
        acts.unfurl(self, self._messages[channel_id][message_id], embed)

    async def react(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        """Adds a reaction; a second equal one changes nothing and tells nobody."""
        self.name_of(user_id)
        acts.add_reaction(self, self._messages[channel_id][message_id], user_id, emoji)

    async def unreact(self, user_id: str, channel_id: str, message_id: str, emoji: str) -> None:
        self.name_of(user_id)
        acts.remove_reaction(self, self._messages[channel_id][message_id], user_id, emoji)

    async def type_as(self, user_id: str, channel_id: str) -> None:
        acts.type_in(self, self.channels[channel_id], user_id)

    async def open_thread_as(
        self,
        user_id: str,
        channel_id: str,
        name: str,
        *,
        message_id: str | None = None,
        text: str = "",
        tags: Sequence[str] = (),
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Starts a thread and returns its id. In a forum `text` (or a file) is the first message of the post and is needed, and
        `tags` are names of the forum's."""
        place = self.channels[channel_id]
        has_start = bool(text or attachments)
        if place.kind not in ("text", "forum") or (place.kind == "forum") != has_start or (tags and not has_start):
            raise ValueError("threads start in text channels without a text, and in forums with one")
        if not 1 <= len(name.strip()) <= limits.MAX_THREAD_NAME:
            raise ValueError(f"a thread's name has 1 to {limits.MAX_THREAD_NAME} characters")
        if place.kind == "forum":
            return self._open_post(place, user_id, name.strip(), text, tags, attachments)
        message = None if message_id is None else self._messages[channel_id][message_id]
        if message is not None and message.id in self.channels:
            raise ValueError("that message has its thread already")
        return acts.open_thread(self, place, user_id, name.strip(), message=message).id

    def _open_post(
        self,
        forum: Channel,
        user_id: str,
        name: str,
        text: str,
        tags: Sequence[str],
        attachments: Sequence[Attachment],
    ) -> str:
        known = {one.name: one for one in forum.tags}
        if forum.tag_required and not tags:
            raise ValueError("this forum wants a tag")
        if unknown := sorted(set(tags) - set(known)):
            raise ValueError(f"the forum has no tags {unknown}; it has {sorted(known)}")
        if len(set(tags)) > limits.MAX_APPLIED_TAGS:
            raise ValueError(f"a post has at most {limits.MAX_APPLIED_TAGS} tags")
        if any(known[one].moderated for one in tags) and not self.allowed_for(user_id, forum) & MANAGE_THREADS:
            raise ValueError("one of these tags is given by moderators only")
        self._check_files(forum, attachments)
        thread, _ = acts.open_post(
            self,
            forum,
            user_id,
            name,
            self._check_text(text, has_more=bool(attachments)),
            EVERYTHING,
            tags=tuple(known[one].id for one in tags),
            attachments=tuple(attachments),
        )
        return thread.id

    async def archive_as(self, user_id: str, thread_id: str, *, archived: bool = True, locked: bool = False) -> None:
        self.name_of(user_id)
        thread = self.channels[thread_id]
        thread.locked = locked
        acts.archive(self, thread, archived=archived)

    async def open_dm(self, user_id: str) -> str:
        """The channel in which this person and the bot write to each other, made when there is none."""
        return acts.open_direct(self, user_id).id

    async def add_channel(
        self, name: str, *, forum: bool = False, category: str | None = None, guild_id: str | None = None
    ) -> str:
        return acts.add_channel(self, name, "forum" if forum else "text", category, guild_id=guild_id).id

    async def add_forum(
        self, name: str, tags: Sequence[str] = (), *, tag_required: bool = False, category: str | None = None
    ) -> str:
        """`tags`: their names; one that starts with "!" is given by moderators only."""
        if len(tags) > limits.MAX_FORUM_TAGS:
            raise ValueError(f"a forum has at most {limits.MAX_FORUM_TAGS} tags")
        forum = acts.add_channel(self, name, "forum", category)
        forum.tag_required = tag_required
        forum.tags = tuple(
            ForumTag(id=self.new_id(), name=one.removeprefix("!"), moderated=one.startswith("!")) for one in tags
        )
        acts.tell_changed(self, forum)
        return forum.id

    async def delete_channel(self, channel_id: str) -> None:
        """Somebody deletes a channel with its threads, or a thread."""
        place = self.channels[channel_id]
        if not place.in_guild:
            raise ValueError("only channels and threads of a server can be deleted")
        acts.delete_place(self, place)

    async def add_category(self, name: str) -> str:
        return acts.add_channel(self, name, "category").id

    async def add_private(self, name: str, *people: str) -> str:
        """A group of people without the bot, in which only an app of their own can be used."""
        for one in people:
            self.name_of(one)
        place = self.add_place(self.new_id(), name, "private")
        place.member_ids = people
        self.changed()
        return place.id
