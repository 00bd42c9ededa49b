"""Messages in channels: posted, with a file or without, and edited."""

import discord

from adapters.discord.addresses import message_address, read_message_address
from adapters.discord.files import TOO_LARGE, attach
from adapters.discord.inbound import DISCORD
from adapters.discord.refusals import THREAD_ARCHIVED
from adapters.discord.rest import buttons
from adapters.discord.rest.client import Rest
from adapters.discord.rest.limits import FileLimits
from adapters.discord.writing.mentions import allow
from bridge.errors import MessageGone, MessageRefused, NotAllowed
from bridge.messages import ButtonAction, InstallationId, MessageRef, OutgoingMessage
from bridge.outgoing_files import OutgoingFile


class Posts:
    def __init__(self, rest: Rest, limits: FileLimits) -> None:
        self._rest = rest
        self._limits = limits

    async def send(
        self,
        channel: int,
        text: str,
        message: OutgoingMessage,
        *,
        question: int | None = None,
        file: OutgoingFile | None = None,
        server: InstallationId | None = None,
    ) -> MessageRef:
        """Posts `text`, which is what `message` looks like, as a reply to `question` where there is one.

        discord.py returns from the call that uses up a channel's budget only when the budget is full again, although the
        message was posted at once. Repeats after a 5xx, its own or the caller's, are safe: Discord answers the same nonce
        in the same channel with the first message for a few minutes. That one may hold an older text (an earlier process may
        have posted it), so it is then edited.
        """
        attached = None if file is None else attach(file, await self._limits.largest(server, len(file.content)))

        async def post(client: discord.Client) -> tuple[int, bool]:
            place = client.get_partial_messageable(channel)
            reference = None
            if question is not None:
                reference = discord.MessageReference(message_id=question, channel_id=channel, fail_if_not_exists=False)
            posted = await place.send(
                text,
                file=attached,  # type: ignore[arg-type]  # as below
                nonce=message.nonce,
                allowed_mentions=allow(message),
                mention_author=False,
                reference=reference,  # type: ignore[arg-type]  # the stubs leave out None, which is the default
                suppress_embeds=True,
                silent=message.follows,
                view=buttons.row(message.buttons),  # type: ignore[arg-type]  # as above
            )
            return posted.id, (posted.content.strip() == text.strip() and buttons.stand_under(posted, message.buttons))

        try:
            number, stands = await self._rest.call(post)
        except MessageRefused as error:
            if file is None or error.code not in TOO_LARGE:
                raise
            # That says nothing against the text.
            raise NotAllowed(str(error), code=error.code) from error
        ref = MessageRef(platform=DISCORD, address=message_address(channel, number))
        if not stands:
            await self.edit(ref, text, message)
        return ref

    async def edit(self, ref: MessageRef, text: str, message: OutgoingMessage) -> None:
        """Replaces a message's text. The same holds as for `send` about the call that uses up the budget.

        An archived thread refuses edits. For the end of an answer it is opened again first, where that is allowed; for anything
        less it is left as its people left it.
        """
        place = read_message_address(ref.address)

        async def change(client: discord.Client) -> None:
            channel = client.get_partial_messageable(place.channel)
            # An edit notifies nobody, but with a shorter list than the post's it would turn mentions into plain text.
            await channel.get_partial_message(place.message).edit(
                content=text, allowed_mentions=allow(message), view=buttons.row(message.buttons)
            )

        async def reopen(client: discord.Client) -> None:
            await client.http.edit_channel(place.channel, archived=False)

        try:
            await self._rest.call(change)
        except MessageGone as error:
            if error.code != str(THREAD_ARCHIVED):
                raise
            if is_growing(message):
                return
            try:
                await self._rest.call(reopen)
            except (NotAllowed, MessageRefused) as refusal:
                raise MessageGone("the thread is archived and may not be opened again", code=refusal.code) from refusal
            await self._rest.call(change)

    async def read_back(self, ref: MessageRef) -> str:
        """The text of one of our messages as Discord keeps it."""
        place = read_message_address(ref.address)

        async def fetch(client: discord.Client) -> str:
            channel = client.get_partial_messageable(place.channel)
            return (await channel.fetch_message(place.message)).content

        return await self._rest.call(fetch)

    async def show_choice(self, ref: MessageRef, action: ButtonAction) -> None:
        """Shows which rating was chosen last. Raises a `PlatformError`."""
        place = read_message_address(ref.address)

        async def change(client: discord.Client) -> None:
            channel = client.get_partial_messageable(place.channel)
            view = buttons.chosen(await channel.fetch_message(place.message), action)
            if view is not None:
                # The whole message's own `edit` would bring previews of links back.
                await channel.get_partial_message(place.message).edit(view=view)

        await self._rest.call(change)


def is_growing(message: OutgoingMessage) -> bool:
    """Whether more will be written: as long as there is something to stop."""
    return any(button.action is ButtonAction.STOP for button in message.buttons)
