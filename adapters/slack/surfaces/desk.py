"""Takes whatever Slack delivers: reads it, finds out what it does not say (names, whether others read along), hands it in, and
says or shows at once what cannot wait. What it means is read in `reading`, `commands` and `forms`."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.addresses import Place, message_ref, read_address
from adapters.slack.hearing.payloads import COMMAND, EVENT, Reply, kind_of
from adapters.slack.inbound import BUTTON_PRESS, Identity, Ignored, Json, people_in, read_event
from adapters.slack.installs.scopes import AppFeature
from adapters.slack.outbound import Outbound
from adapters.slack.reading.fields import is_id, moment, object_in, text_in
from adapters.slack.reading.messages import attached_to, people_in_message
from adapters.slack.reading.presses import digest, presser
from adapters.slack.reading.spots import for_one, in_thread, is_direct_channel
from adapters.slack.settings import DmSessions, Settings
from adapters.slack.surfaces.commands import Typed, people_in_command, privately, read_command
from adapters.slack.surfaces.errands import Errands
from adapters.slack.surfaces.fields import MEMBER_FORM
from adapters.slack.surfaces.filling import MemberForms
from adapters.slack.surfaces.forms import (
    COMMENT_FORM,
    QUESTION_FORM,
    SHORTCUT,
    Commented,
    Picked,
    View,
    comment_form,
    complain,
    note,
    question_form,
    read_commented,
    read_picked,
    words_in,
)
from adapters.slack.surfaces.picking import Looked, Picking, Sight
from adapters.slack.surfaces.sharing import Sharing
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError
from bridge.events import ButtonPressed, ChatOpened, CommentGiven, MessageEdited, MessageReceived
from bridge.messages import ButtonAction, EventId, Origin, PersonId, Said
from bridge.platform_api import Inbox

log = logs.get("slack")

GRACE = 1.0
"""Seconds that errands may still take when nobody listens any more."""

NOT_HERE = "I am not in this channel, so I cannot answer here. Invite me with /invite, then ask again."
NOT_OURS = "I am not part of this conversation, so I cannot answer here."
GONE = "That message is gone, so there is nothing left to answer under."
NO_QUESTION = "Please write a question."
TOO_OLD = "I do not know this form any more. Please close it and choose “Ask about this” once more."
ASK_AGAIN = "Slack was too slow for me just now. Please try again."
NOT_OPENED = "I could not open the form just now. Please try again."


class Desk:
    """One for all workspaces."""

    def __init__(self, settings: Settings, outbound: Outbound, clock: Clock) -> None:
        self._outbound = outbound
        self._clock = clock
        self._prefix = settings.slack_command_prefix
        self._rolling = settings.slack_dm_sessions is DmSessions.SINGLE
        self._suggests = AppFeature.AGENT in settings.slack_features
        self._sharing = Sharing(outbound.clients, clock)
        self._picking = Picking(outbound.clients, outbound.names)
        self._errands = Errands()
        self.forms = MemberForms(clock, self._errands, self._open, self._whisper, rolling=self._rolling)

    async def take(self, inbox: Inbox, payload: Json, me: Identity) -> Ignored | Reply | None:
        """As `hearing.doorstep.Take`. Raises `StoreUnavailable`."""
        match kind := kind_of(payload):
            case _ if kind == EVENT:
                return await self._take_event(inbox, payload, me)
            case _ if kind == BUTTON_PRESS:
                return await self._take_press(inbox, payload, me)
            case _ if kind == COMMAND:
                return await self._take_command(inbox, payload, me)
            case "view_submission":
                return await self._take_form(inbox, payload, me)
            case "message_action" if text_in(payload, "callback_id") == SHORTCUT:
                return self._take_shortcut(payload, me)
            case _:
                return Ignored(reason=f"{kind} is not used")

    async def finish(self) -> None:
        """Called when nobody listens any more."""
        await self._errands.finish(GRACE)

    # Events and presses

    async def _take_event(self, inbox: Inbox, payload: Json, me: Identity) -> Ignored | None:
        self._sharing.note(me.team, payload)
        names = self._outbound.names
        event = read_event(payload, me, names.known(), rolling=self._rolling)
        said = event.now if isinstance(event, MessageEdited) else event
        if isinstance(said, MessageReceived) and _may_be_a_question(said) and self._unknown(people_in(payload), me):
            await self._learn(people_in(payload), me)
            event = read_event(payload, me, names.known(), rolling=self._rolling)
        if isinstance(event, ChatOpened) and not self._suggests:
            return Ignored(reason="no questions are suggested")
        if isinstance(event, Ignored):
            return event
        await inbox(event)
        return None

    async def _take_press(self, inbox: Inbox, payload: Json, me: Identity) -> Ignored | None:
        event = read_event(payload, me, self._outbound.names.known(), rolling=self._rolling)
        if isinstance(event, MessageReceived):
            channel = event.target.conversation.channel
            shared = await self._look_around(people_in(payload), me, channel)
            if shared is None:
                self._errands.start("ask_again", self._whisper(event.event_id, payload, ASK_AGAIN))
                return Ignored(reason="not known who reads along")
            event = read_event(payload, me, self._outbound.names.known(), rolling=self._rolling)
            if isinstance(event, MessageReceived):
                event = replace(event, is_external=event.is_external or shared)
        if isinstance(event, ButtonPressed) and self._unknown(people_in(payload), me):
            await self._learn(people_in(payload), me)
            event = read_event(payload, me, self._outbound.names.known(), rolling=self._rolling)
        if isinstance(event, Ignored):
            return event
        if isinstance(event, ButtonPressed) and event.action is ButtonAction.FORM:
            return await self.forms.take_press(payload, event, me)
        await inbox(event)
        if isinstance(event, ButtonPressed) and event.action is ButtonAction.DISLIKE:
            about = Commented(message=read_address(event.message.address), pressed=event.revision)
            self._errands.start("comment_form", self._open(me.team, payload, comment_form(about)))
        return None

    # Commands

    async def _take_command(self, inbox: Inbox, payload: Json, me: Identity) -> Ignored | Reply | None:
        channel = text_in(payload, "channel_id")
        if isinstance(typed := self._read_command(payload, me), Ignored):
            return typed
        if isinstance(typed.event, Reply):
            return typed.event
        self._outbound.privately.keep(typed.key, text_in(payload, "response_url"))
        shared = await self._look_around(people_in_command(payload), me, channel)
        if shared is None:
            return privately(ASK_AGAIN)
        typed = self._read_command(payload, me)
        if isinstance(typed, Ignored) or isinstance(typed.event, Reply):
            return None  # it was none a moment ago
        await inbox(replace(typed.event, is_external=typed.event.is_external or shared))
        return None

    def _read_command(self, payload: Json, me: Identity) -> Typed | Ignored:
        return read_command(
            payload,
            me,
            self._outbound.names.known(),
            prefix=self._prefix,
            rolling=self._rolling,
            now=self._clock.now(),
        )

    # Forms

    def _take_shortcut(self, payload: Json, me: Identity) -> Ignored | None:
        """Acknowledged at once: the form opens right after, and Slack takes no other answer."""
        message, channel = object_in(payload, "message"), text_in(object_in(payload, "channel"), "id")
        ts = text_in(message, "ts") or text_in(payload, "message_ts")
        root = text_in(message, "thread_ts") or ts
        if not (is_id(channel) and moment(ts) and moment(root)):
            return Ignored(reason="shortcut without a message")
        place = Place(team=me.team, channel=channel, ts=ts)
        self._errands.start("question_form", self._open_question(payload, me, place, root))
        return None

    async def _open_question(self, payload: Json, me: Identity, place: Place, root: str) -> None:
        message = object_in(payload, "message")
        looked, who, _ = await asyncio.gather(
            self._picking.look(place, root),
            self._picking.name_author(message, me.team),
            self._learn(people_in_message(message), me),
        )
        trouble = _trouble_with(looked, place)
        if trouble:
            form = note("Ask about this", trouble)
        else:
            text = self._picking.read(looked.message or message, me)
            form = question_form(Picked(message=place, root=root, who=who, text=text, whole=True))
        try:
            await self._open(me.team, payload, form)
        except PlatformError:
            await self._whisper(digest("shortcut", text_in(payload, "trigger_id")), payload, NOT_OPENED)
            raise

    async def _take_form(self, inbox: Inbox, payload: Json, me: Identity) -> Ignored | Reply | None:
        view = object_in(payload, "view")
        number, person = text_in(view, "id"), text_in(object_in(payload, "user"), "id")
        if not (is_id(number) and is_id(person)):
            return Ignored(reason="form without an id or a person")
        match text_in(view, "callback_id"):
            case name if name == COMMENT_FORM:
                about, words = read_commented(view, me), words_in(view)
                if about is None or not words:
                    return Ignored(reason="comment without words, or on nothing")
                comment = CommentGiven(
                    event_id=EventId(f"form/{number}"),
                    message=message_ref(about.message),
                    person=PersonId(person),
                    text=words,
                    revision=about.pressed,
                )
                await inbox(comment)
                return None
            case name if name == QUESTION_FORM:
                return await self._take_question(inbox, payload, me)
            case name if name == MEMBER_FORM:
                author = presser(payload, me, self._outbound.names.known())
                return await self.forms.take_sent(inbox, payload, author, me)
            case _:
                return Ignored(reason="form that is not ours")

    async def _take_question(self, inbox: Inbox, payload: Json, me: Identity) -> Reply | None:
        view = object_in(payload, "view")
        picked, words, number = read_picked(view, me), words_in(view), text_in(view, "id")
        if picked is None:
            return complain(TOO_OLD)
        if not words:
            return complain(NO_QUESTION)
        place, person = picked.message, text_in(object_in(payload, "user"), "id")
        looked, shared = await asyncio.gather(
            self._picking.look(place, picked.root), self._look_around([person], me, place.channel)
        )
        trouble = _trouble_with(looked, place) or (ASK_AGAIN if shared is None else "")
        if trouble:
            return complain(trouble)
        author = presser(payload, me, self._outbound.names.known())
        thread = Place(team=place.team, channel=place.channel, ts=picked.root)
        is_direct = is_direct_channel(place.channel)
        target = in_thread(thread, author.id, is_direct=is_direct, rolling=self._rolling)
        text = self._picking.read(looked.message, me) if looked.message else picked.text
        if not looked.message and not picked.whole:
            text += "…"
        # Of a message that nobody has replied to there is no thread yet.
        begun = picked.root if picked.root != place.ts or text_in(looked.message, "thread_ts") else ""
        question = MessageReceived(
            event_id=EventId(f"form/{number}"),
            ref=message_ref(Place(team=place.team, channel=place.channel, ts=f"!{digest('form', number)}")),
            target=target,
            author=author,
            origin=Origin.PERSON,
            text=words,
            mentions_bot=True,
            is_direct=is_direct,
            in_thread=True,
            attachments=attached_to(looked.message, place.team),
            is_external=bool(author.home or shared),
            unseen=True,
            about=Said(who=picked.who, text=text),
            private=for_one(target.conversation, author.id, thread=begun),
            sent_at=self._clock.now(),
        )
        await inbox(question)
        return None

    # Inside

    async def _open(self, team: str, payload: Json, view: View) -> None:
        """Slack's pass for it is good for three seconds and one form."""
        trigger = text_in(payload, "trigger_id")

        def call(client: AsyncWebClient) -> Awaitable[AsyncSlackResponse]:
            return client.views_open(trigger_id=trigger, view=view)

        await self._outbound.clients.ask(team, "views.open", call)

    async def _whisper(self, key: str, payload: Json, text: str) -> None:
        """By the address that Slack gave with it."""
        self._outbound.privately.keep(key, text_in(payload, "response_url"))
        await self._outbound.privately.answer(key, text)

    async def _look_around(self, people: Sequence[str], me: Identity, channel: str) -> bool | None:
        """Learns names, and whether others read along there; None where Slack does not tell that just now."""
        _, shared = await asyncio.gather(self._learn(people, me), self._sharing.is_shared(me.team, channel))
        return shared

    async def _learn(self, people: Sequence[str], me: Identity) -> None:
        unknown = self._unknown(people, me)
        if unknown:
            await self._outbound.names.learn(unknown, me.team)

    def _unknown(self, people: Sequence[str], me: Identity) -> list[str]:
        known = self._outbound.names.known()
        return [person for person in people if person not in known and person != me.user]


def _may_be_a_question(event: MessageReceived) -> bool:
    """Names are worth a call of Slack only then."""
    return event.origin is Origin.PERSON and (event.mentions_bot or event.is_direct or event.in_thread)


def _trouble_with(looked: Looked, place: Place) -> str:
    """Why nothing can be answered there; empty where it can, as far as Slack tells."""
    match looked.sight:
        case Sight.OUTSIDE:
            return NOT_OURS if is_direct_channel(place.channel) else NOT_HERE
        case Sight.GONE:
            return GONE
        case _:
            return ""
