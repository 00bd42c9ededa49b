"""Members fill in forms of the core: a press opens one, at once and on Slack's pass for it; what was sent is looked at before it
is handed in, so that what is wrong is told where it was written."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta

from adapters.slack.addresses import message_ref
from adapters.slack.hearing.payloads import Reply
from adapters.slack.inbound import Identity, Ignored, Json
from adapters.slack.reading.fields import is_id, object_in, text_in
from adapters.slack.reading.spots import for_one, in_thread, is_direct_channel
from adapters.slack.surfaces.errands import Errands
from adapters.slack.surfaces.fields import instead, member_form, point_out, read_filled_in, values_in
from adapters.slack.surfaces.forms import View
from bridge.clock import Clock
from bridge.errors import PlatformError
from bridge.events import ButtonPressed, FormSubmitted
from bridge.forms_api import FindForm, FormRequest, find_problems
from bridge.messages import Author, EventId
from bridge.platform_api import Inbox

NOBODY_LISTENS = "I cannot take that just now. Please try again in a moment."
NOT_OPENED = "I could not open the form just now. Please press again."
UNREADABLE = "I do not know this form any more. Please close it and press its button once more."
TITLE = "Not needed"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Open = Callable[[str, Json, View], Awaitable[None]]
"""Opens a modal in a workspace, on the pass of that payload. Raises a `PlatformError`."""
Whisper = Callable[[str, Json, str], Coroutine[object, object, None]]
"""Tells whoever the payload is of, under a key of its own."""


class MemberForms:
    def __init__(self, clock: Clock, errands: Errands, open_view: Open, whisper: Whisper, *, rolling: bool) -> None:
        self._clock = clock
        self._errands = errands
        self._open_view = open_view
        self._whisper = whisper
        self._rolling = rolling
        self.find: FindForm | None = None
        """Set before anything is heard."""

    async def take_press(self, payload: Json, press: ButtonPressed, me: Identity) -> Ignored | None:
        """Raises `StoreUnavailable`."""
        if self.find is None or press.author is None or press.target is None:
            return Ignored(reason="nobody knows of forms")
        found = await self.find(
            FormRequest(
                form=press.value,
                message=press.message,
                author=press.author,
                target=press.target,
                is_external=bool(press.author.home),
            )
        )
        if isinstance(found, str):
            self._errands.start("no_form", self._whisper(press.event_id, payload, found))
        else:
            view = member_form(found, press.message.address, press.target.address)
            self._errands.start("member_form", self._show(press.event_id, payload, view, me))
        return None

    async def take_sent(self, inbox: Inbox, payload: Json, author: Author, me: Identity) -> Ignored | Reply | None:
        """Raises `StoreUnavailable`."""
        view = object_in(payload, "view")
        number, sent = text_in(view, "id"), read_filled_in(view, me)
        if sent is None or not is_id(number) or self.find is None:
            return instead(TITLE, UNREADABLE if self.find is not None else NOBODY_LISTENS)
        is_direct = is_direct_channel(sent.message.channel)
        target = in_thread(sent.thread, author.id, is_direct=is_direct, rolling=self._rolling)
        message = message_ref(sent.message)
        form = await self.find(
            FormRequest(form=sent.form, message=message, author=author, target=target, is_external=bool(author.home))
        )
        if isinstance(form, str):
            return instead(TITLE, form)
        values = values_in(view, form)
        if not values:
            return instead(TITLE, UNREADABLE)
        if problems := find_problems(form, values):
            return point_out(problems)
        await inbox(
            FormSubmitted(
                event_id=EventId(f"form/{number}"),
                form=sent.form,
                message=message,
                author=author,
                target=target,
                values=values,
                revision=(self._clock.now() - _EPOCH) // timedelta(microseconds=1),
                private=for_one(target.conversation, author.id, thread=sent.thread.ts),
            )
        )
        return None

    async def _show(self, key: str, payload: Json, view: View, me: Identity) -> None:
        try:
            await self._open_view(me.team, payload, view)
        except PlatformError:
            await self._whisper(key, payload, NOT_OPENED)
            raise
