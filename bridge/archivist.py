"""Whoever looks after what was said earlier: shows people their conversations, brings one back, has one forgotten for good.

What a backend must be asked for is asked after the platform was acknowledged, by the one task here. Who may do what is decided by
the archive; what the backend is told to delete stands in the store until it is done.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge import logs
from bridge.archive import Archive, Deletion, ForgetResult, PastConversation, ResumeResult, Seeker
from bridge.backend_api import Backend
from bridge.clock import Clock, within
from bridge.decisions import Pick
from bridge.errors import BackendError, StoreUnavailable
from bridge.events import ButtonPressed, CommandInvoked
from bridge.markdown.characters import in_one_line
from bridge.messages import AnswerId, AppName, Button, ButtonAction, ConversationId, PersonId, PlatformName, ReplyTarget
from bridge.notices import Notices
from bridge.past_api import DeletesConversations, ListsConversations
from bridge.platform_api import Platform
from bridge.whereabouts import backend_user

_log = logs.get("archivist")

CHOOSE = "Which of your earlier conversations shall go on here? It then goes on in this place only."
NO_PAST = "There is no earlier conversation of yours that could go on here."
KEEPS_NONE = "The app that answers here keeps no conversations that one could go back to."
IN_THREADS = (
    "Each thread with me is a conversation of its own. Use this in a thread, and an earlier conversation of yours goes on "
    "there."
)
PRIVATELY = "What you have asked earlier is only shown to you. Please use the command `/history` here."
RESUMED = "Your earlier conversation goes on here. Your next question is part of it."
RESUMED_IN_THREAD = "An earlier conversation goes on in this thread. The next question is part of it."
HERE_ALREADY = "That conversation goes on here already."
NOT_YOURS = "That conversation cannot go on here."
BUSY = "Something is still being answered, here or where that conversation goes on now. Please press again when it is done."

SURE = (
    "Shall I forget all that was asked and answered in this conversation? I delete it here and have the app delete it, too, and "
    "it cannot be brought back. The messages that stand here stay."
)
NOTHING_TO_FORGET = "There is nothing to forget here: nothing was asked in this conversation yet."
FORGET_IN_THREADS = (
    "Each thread with me is a conversation of its own, so there is nothing to forget out here. Use this in the thread that I "
    "shall forget."
)
NOT_YOUR_WORDS = "Only somebody who asked something in this conversation can have it forgotten."
FORGET_LATER = "I am still answering here. Say `stop`, or wait until I am done, then try again."
FORGOTTEN = (
    "Done: what was said in this conversation is deleted, here and at the app. The next question begins a new one."
)
FORGOTTEN_HERE = (
    "What was said in this conversation is deleted here. The app could not be told just now; I keep trying until it has deleted "
    "it, too. The next question begins a new conversation."
)
FORGOTTEN_HERE_ONLY = (
    "What was said in this conversation is deleted here. The app keeps its own copy, which cannot be deleted from here; whoever "
    "runs it can. The next question begins a new conversation."
)
NOTHING_LEFT = "There is nothing left to forget here."

CANNOT_DELETE = "cannot_delete"
"""Code of the error of a backend that deletes nothing, today or tomorrow."""

NO_BUTTONS = "This takes buttons, and there are none here."

_FORGET = "Forget everything"
_LONGEST_LABEL = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivistLimits:
    shown: int = 5
    """Conversations that are offered."""
    titles: timedelta = timedelta(seconds=5)
    """How long an app may take to say what it calls them."""
    most_waiting: int = 100
    """Lists that wait to be shown. One more is dropped."""
    first_retry: timedelta = timedelta(seconds=5)
    """Before a deletion is tried again; doubles each time."""
    longest_retry: timedelta = timedelta(hours=1)
    attempts: int = 125
    """About five days. Then the operator is told in the log."""
    look_again: timedelta = timedelta(seconds=5)
    batch: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    seeker: Seeker
    found: Sequence[PastConversation]
    tell: ReplyTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class _Farewell:
    """Somebody waits to hear what became of these deletions."""

    deletions: frozenset[int]
    tell: ReplyTarget


class Archivist:
    def __init__(
        self,
        *,
        archive: Archive,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        notices: Notices,
        clock: Clock,
        limits: ArchivistLimits | None = None,
    ) -> None:
        self._archive = archive
        self._platforms = platforms
        self._backends = backends
        self._notices = notices
        self._clock = clock
        self._limits = limits or ArchivistLimits()
        self._listings: deque[_Listing] = deque()
        self._farewells: deque[_Farewell] = deque()
        self._news = asyncio.Event()

    # What is wanted

    async def list_past(self, order: CommandInvoked, app: AppName, conversation: ConversationId | None) -> str:
        """What to say at once; "" where a list follows. `conversation`: the one of that place. Raises `StoreUnavailable`."""
        if not isinstance(self._backends.get(app), ListsConversations):
            return KEEPS_NONE
        if not self._has_buttons(order):
            return NO_BUTTONS
        if not order.in_thread and conversation is None:
            # Outside of threads there is nothing that something could go on in.
            return IN_THREADS
        tell = order.private or (order.target if order.is_direct else None)
        if tell is None:
            return PRIVATELY
        seeker = self._seeker(order.target, order.author.id, app)
        found = await self._archive.past(seeker, self._limits.shown)
        if not found:
            return NO_PAST
        if len(self._listings) >= self._limits.most_waiting:
            _log.warning("list_dropped", platform=order.target.platform, why="too many wait")
            return ""
        self._listings.append(_Listing(seeker=seeker, found=found, tell=tell))
        self._news.set()
        return ""

    async def ask_whether(
        self, order: CommandInvoked, conversation: ConversationId | None
    ) -> tuple[str, tuple[Button, ...]]:
        """What to say to who wants this conversation forgotten, and the button that does it. Raises `StoreUnavailable`."""
        if conversation is None:
            return (NOTHING_TO_FORGET if order.in_thread or order.is_direct else FORGET_IN_THREADS), ()
        if not await self._archive.may_forget(conversation, order.author.id):
            return NOT_YOUR_WORDS, ()
        if not self._has_buttons(order):
            return NO_BUTTONS, ()
        return SURE, (Button(action=ButtonAction.FORGET, label=_FORGET, value=str(conversation)),)

    async def do(self, pick: Pick) -> None:
        """Does what was chosen. Durable when it returns. Raises `StoreUnavailable`."""
        event = pick.event
        # Who is not told apart from others is not let in either.
        if (
            event.author is None
            or event.target is None
            or not (event.value.isascii() and event.value.isdecimal() and len(event.value) < 19)
        ):
            _log.info("pick_ignored", event_id=event.event_id, reason="not one of our buttons")
            return
        if event.action is ButtonAction.RESUME:
            await self._resume(event, event.target, pick.app)
        else:
            await self._forget(event, event.target)

    async def _resume(self, event: ButtonPressed, target: ReplyTarget, app: AppName) -> None:
        seeker = self._seeker(target, event.person, app)
        result = await self._archive.resume(event.event_id, seeker, AnswerId(int(event.value)))
        _log.info("resumed", event_id=event.event_id, platform=target.platform, result=result.value)
        match result:
            case ResumeResult.RESUMED if not target.conversation.person:
                # Everybody there should know what the next question is part of.
                self._notices.tell(target, RESUMED_IN_THREAD, about=f"resume {event.event_id}")
            case ResumeResult.RESUMED:
                self._tell(event, target, RESUMED)
            case ResumeResult.HERE_ALREADY:
                self._tell(event, target, HERE_ALREADY)
            case ResumeResult.BUSY:
                self._tell(event, target, BUSY)
            case ResumeResult.NOT_YOURS:
                self._tell(event, target, NOT_YOURS)
            case ResumeResult.DUPLICATE:
                pass

    async def _forget(self, event: ButtonPressed, target: ReplyTarget) -> None:
        conversation = ConversationId(int(event.value))
        forgotten = await self._archive.forget(event.event_id, conversation, event.person)
        _log.info(
            "forgotten",
            event_id=event.event_id,
            platform=target.platform,
            result=forgotten.result.value,
            conversation=conversation,
            to_delete=len(forgotten.deletions),
        )
        match forgotten.result:
            case ForgetResult.FORGOTTEN:
                # In a thread it concerns everybody.
                tell = (event.private or target) if target.conversation.person else target
                self._farewells.append(_Farewell(deletions=frozenset(forgotten.deletions), tell=tell))
                self._news.set()
            case ForgetResult.NOT_YOURS:
                self._tell(event, target, NOT_YOUR_WORDS)
            case ForgetResult.BUSY:
                self._tell(event, target, FORGET_LATER)
            case ForgetResult.NOTHING:
                self._tell(event, target, NOTHING_LEFT)
            case ForgetResult.DUPLICATE:
                pass

    def _has_buttons(self, order: CommandInvoked) -> bool:
        return self._platforms[order.target.platform].capabilities.buttons

    def _tell(self, event: ButtonPressed, target: ReplyTarget, text: str) -> None:
        self._notices.tell(event.private or target, text)

    def _seeker(self, target: ReplyTarget, person: PersonId, app: AppName) -> Seeker:
        key = target.conversation
        return Seeker(
            person=person,
            key=key,
            app=app,
            backend_user=backend_user(key),
            open_threads=self._platforms[key.platform].capabilities.open_threads,
        )

    # What takes its time

    async def run(self) -> None:
        """Works until cancelled. Lists that wait then are dropped; deletions are not."""
        while True:
            self._news.clear()
            while self._listings:
                await self._show(self._listings.popleft())
            try:
                await self.delete_due()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="deletions", detail=str(error))
            # Whatever came meanwhile has set it.
            await self._clock.wait(self._news, self._limits.look_again.total_seconds())

    async def _show(self, listing: _Listing) -> None:
        titles = await self._titles(listing)
        buttons = tuple(
            Button(action=ButtonAction.RESUME, label=_label(one, titles.get(one.id, "")), value=str(one.answer))
            for one in listing.found
        )
        self._notices.tell(listing.tell, CHOOSE, buttons=buttons)

    async def _titles(self, listing: _Listing) -> dict[str, str]:
        """What the app calls them, as far as it can be asked in time."""
        backend = self._backends.get(listing.seeker.app)
        titles: dict[str, str] = {}

        async def ask(lists: ListsConversations) -> None:
            for user in dict.fromkeys(one.user for one in listing.found):
                listed = await lists.conversations(user, 100)
                titles.update((one.id, one.title) for one in listed)

        if backend is not None and isinstance(backend, ListsConversations):
            try:
                await within(self._clock, self._limits.titles.total_seconds(), ask(backend))
            except BackendError as error:
                _log.warning("no_titles", app=listing.seeker.app, code=error.code, detail=str(error))
            except TimeoutError:
                _log.warning("no_titles", app=listing.seeker.app, code="timeout", detail="no answer in time")
        return titles

    async def delete_due(self) -> int:
        """Tries every deletion that is due, tells who waits for it, and returns how many there were. Raises
        `StoreUnavailable`."""
        due = await self._archive.due_deletions(self._clock.now(), self._limits.batch)
        failed: dict[int, str] = {}
        for deletion in due:
            if sentence := await self._delete(deletion):
                failed[deletion.id] = sentence
        tried = {one.id for one in due}
        for farewell in list(self._farewells):
            if len(due) < self._limits.batch or farewell.deletions <= tried:
                self._farewells.remove(farewell)
                sentences = [failed[one] for one in sorted(farewell.deletions) if one in failed]
                self._notices.tell(farewell.tell, sentences[0] if sentences else FORGOTTEN)
        return len(due)

    async def _delete(self, deletion: Deletion) -> str:
        """What to say if it is not done; "" when it is."""
        try:
            await self._have_deleted(deletion)
        except BackendError as error:
            return await self._put_off(deletion, error)
        await self._archive.deleted(deletion.id)
        _log.info("conversation_deleted", app=deletion.app, attempts=deletion.attempts + 1)
        return ""

    async def _have_deleted(self, deletion: Deletion) -> None:
        backend = self._backends.get(deletion.app)
        if backend is None:
            raise BackendError("the app is not in the configuration", code="app_missing")
        # Whoever keeps nothing has nothing to delete.
        if isinstance(backend, DeletesConversations):
            await backend.delete_conversation(deletion.conversation, deletion.user)

    async def _put_off(self, deletion: Deletion, error: BackendError) -> str:
        never = error.code == CANNOT_DELETE
        last = never or deletion.attempts + 1 >= self._limits.attempts
        log = _log.error if last else _log.warning
        log(
            "conversation_not_deleted",
            app=deletion.app,
            backend_conversation=deletion.conversation,
            code=error.code,
            detail=str(error),
            fix="delete it in the app's own log" if last else None,
        )
        if last:
            await self._archive.deleted(deletion.id)
        else:
            pause = min(self._limits.first_retry * 2 ** min(deletion.attempts, 20), self._limits.longest_retry)
            await self._archive.not_deleted(deletion.id, self._clock.now() + (error.retry_after or pause))
        return FORGOTTEN_HERE_ONLY if never else FORGOTTEN_HERE


def _label(one: PastConversation, title: str) -> str:
    day = _day(one.last_asked)
    words = title or one.question
    return in_one_line(f"{day}: {words}" if words.strip() else f"{day}, {one.last_asked:%H:%M} UTC", _LONGEST_LABEL)


def _day(moment: datetime) -> str:
    return f"{moment:%d %b %Y}".lstrip("0")
