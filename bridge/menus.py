"""`/app`: tells which app answers here and, where the operator allows several, lets members choose.

A choice of an app is durable before the platform is acknowledged. What there is to choose within an app is asked of its backend,
which may take its time: that is done after the acknowledgement, by one task, and nothing durable stands behind it; who sees
nothing come presses again.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge import logs
from bridge.backend_api import Backend, Choice, OffersChoices
from bridge.clock import Clock, within
from bridge.decisions import Obey
from bridge.errors import BackendError, StoreUnavailable
from bridge.events import CommandInvoked
from bridge.markdown.characters import in_one_line, literally
from bridge.messages import AppName, Button, ButtonAction, ConversationKey, EventId, PlatformName, ThreadId
from bridge.notices import Notices
from bridge.picking import Picking, allowed
from bridge.picks import Pick, Picks, own_scope
from bridge.platform_api import Platform
from bridge.routing import DEFAULT_APP, Resolution

_log = logs.get("menus")

LONGEST_LABEL = 75
_LONGEST_TOKEN = 16
"""Characters of a choice's id that a button carries as they are; a longer id is known by its digest."""

NOTHING_ELSE = "There is nothing else to choose."
NOT_KNOWN = "There is no `{name}` to choose here."
NOT_LISTED = "What there is to choose within it cannot be told right now."
GONE = "That cannot be chosen any more."
MORE = "{number} more are not shown here; say `/app` and the name, mentioning me where that is needed."
BY_NAME = "To choose another one, mention me with `/app` and its name: {names}."


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLimits:
    most_waiting: int = 100
    """Menus that wait to be shown. One more is dropped."""
    listing: timedelta = timedelta(seconds=8)
    """How long a backend may take to say what there is to choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants of an app, as far as it can be read without asking anybody."""

    thread: ThreadId
    """For which it shall hold; "" for that person alone, outside of threads."""
    app: AppName
    """"" only asks."""
    choice: str = ""
    """As a button spells it, or as somebody wrote it."""


def spell(thread: ThreadId, app: AppName, choice: str = "") -> str:
    """The value of a button. Whoever presses it later may do so elsewhere: a private line does not tell its thread."""
    return "/".join([thread, app, *([token(choice)] if choice else [])])


def token(choice: str) -> str:
    if len(choice) <= _LONGEST_TOKEN and choice.isascii() and choice.isalnum():
        return choice
    return f"~{hashlib.sha256(choice.encode()).hexdigest()[: _LONGEST_TOKEN - 1]}"


def read_wish(order: CommandInvoked, names: Sequence[AppName]) -> Wish:
    """`names`: the apps that may answer there."""
    key = order.target.conversation
    if order.value:
        thread, _, rest = order.value.partition("/")
        app, _, choice = rest.partition("/")
        return Wish(thread=ThreadId(thread), app=AppName(app), choice=choice)
    thread = key.thread if order.in_thread else ThreadId("")
    words = order.words.strip().strip("`*_\"'")
    named = next((name for name in names if name == words.casefold()), None)
    if named is not None or not words:
        return Wish(thread=thread, app=named or AppName(""))
    return Wish(thread=thread, app=AppName(""), choice=words)


class AppMenu:
    def __init__(
        self,
        *,
        picks: Picks,
        picking: Picking,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        notices: Notices,
        clock: Clock,
        limits: MenuLimits | None = None,
    ) -> None:
        self._picks = picks
        self._picking = picking
        self._platforms = platforms
        self._backends = backends
        self._notices = notices
        self._clock = clock
        self._limits = limits or MenuLimits()
        self._waiting: dict[EventId, tuple[Obey, Wish]] = {}
        self._news = asyncio.Event()

    async def take(self, obey: Obey) -> None:
        """What names an app is durable when it returns; the rest is done by `run`. Raises `StoreUnavailable`."""
        order = obey.order
        names = [one.name for one in allowed(obey.resolution)]
        wish = read_wish(order, names)
        if wish.app and not wish.choice and wish.app in names:
            event_id = EventId(f"said/{obey.said.ref.address}") if obey.said is not None else order.event_id
            if await self._pick(event_id, order, wish, Pick(app=wish.app), f"**{wish.app}**"):
                # What there is to choose within it is told once it is chosen.
                wish = replace(wish, app=AppName(""))
                if self._offers_choices(obey.resolution, order):
                    self._put(obey, wish)
            return
        self._put(obey, wish)

    def _offers_choices(self, resolution: Resolution, order: CommandInvoked) -> bool:
        names = [one.name for one in allowed(resolution)]
        wish = read_wish(order, names)
        return isinstance(self._backends.get(wish.app), OffersChoices)

    def _put(self, obey: Obey, wish: Wish) -> None:
        if len(self._waiting) >= self._limits.most_waiting:
            _log.warning("menu_dropped", platform=obey.order.target.platform, why="too many wait")
            return
        self._waiting[obey.order.event_id] = obey, wish
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled. What still waits then is dropped."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                obey, wish = self._waiting.pop(next(iter(self._waiting)))
                try:
                    await self._work(obey, wish)
                except StoreUnavailable as error:
                    _log.warning("store_unavailable", doing="menu", detail=str(error))

    async def _work(self, obey: Obey, wish: Wish) -> None:
        order = obey.order
        key = replace(order.target.conversation, thread=wish.thread)
        resolution = await self._picking.settle(obey.resolution, key, order.author.id)
        policies = allowed(resolution)
        names = [one.name for one in policies]
        if resolution.app is None or (wish.app and wish.app not in names):
            self._tell(order, GONE)
            return
        app = wish.app or resolution.app.name
        choices = await self._list(app)
        if wish.choice:
            found = _find(choices or (), wish.choice)
            if found is not None:
                name = f"**{app}** ({literally(found.label)})"
                await self._pick(order.event_id, order, wish, Pick(app=app, choice=found.id), name)
                return
            if choices is not None and order.value:
                self._tell(order, GONE)
                return
        lines = [] if not wish.choice else [NOT_KNOWN.format(name=in_one_line(wish.choice, 40).replace("`", "'"))]
        self._show(order, wish, resolution, choices, lines)

    async def _list(self, app: AppName) -> Sequence[Choice] | None:
        """None: it could not be told."""
        backend = self._backends.get(app)
        if backend is None or not isinstance(backend, OffersChoices):
            return ()
        try:
            return await within(self._clock, self._limits.listing.total_seconds(), backend.choices())
        except BackendError as error:
            _log.warning("choices_not_listed", app=app, code=error.code, detail=str(error))
        except TimeoutError:
            _log.warning("choices_not_listed", app=app, code="timeout", detail="no answer in time")
        return None

    # What is chosen

    async def _pick(self, event_id: EventId, order: CommandInvoked, wish: Wish, pick: Pick, name: str) -> bool:
        """False: it was heard before, and whoever heard it says so."""
        key = order.target.conversation
        scope = replace(key, thread=wish.thread) if wish.thread else own_scope(key, order.author.id)
        if not await self._picks.pick(event_id, scope, pick):
            return False
        _log.info("app_chosen", platform=key.platform, app=pick.app, within=bool(pick.choice), thread=bool(wish.thread))
        self._announce(order, wish, name, scope)
        return True

    def _announce(self, order: CommandInvoked, wish: Wish, name: str, scope: ConversationKey) -> None:
        if not wish.thread:
            here = "you here" if order.is_direct else "your questions in this channel"
            kept = "" if order.is_direct else " A thread that has begun keeps its app."
            self._tell(order, f"{name} answers {here} from now on.{kept}")
            return
        text = f"{name} answers in this thread from now on."
        public = not order.is_direct and order.target.conversation.thread == wish.thread
        if public:
            # It changes for everybody there.
            self._notices.tell(order.target, text, about=f"app {order.event_id}")
        if order.private is not None or not public:
            self._tell(order, f"Done: {text}" if public else text)

    # What there is to choose

    def _show(
        self,
        order: CommandInvoked,
        wish: Wish,
        resolution: Resolution,
        choices: Sequence[Choice] | None,
        lines: list[str],
    ) -> None:
        assert resolution.app is not None  # noqa: S101  # else nothing is shown
        app = resolution.app.name
        within_it = next((one for one in choices or () if one.id == resolution.choice), None)
        buttons = _buttons(wish, resolution, app, choices or ())
        # The name of an app that is the only one, and was never given one, says nothing to anybody.
        nameless = app == DEFAULT_APP and not resolution.choices
        name = "The app of this bot" if nameless else f"**{app}**"
        name += f" ({literally(within_it.label)})" if within_it else ""
        if wish.thread:
            lines.append(f"{name} answers in this thread.")
        elif order.is_direct:
            lines.append(f"{name} answers you here.")
        else:
            more = "; what is chosen in a thread holds there" if buttons else ""
            lines.append(f"{name} answers your questions in this channel{more}.")
        if choices is None:
            lines.append(NOT_LISTED)
        if not buttons and choices is not None:
            lines.append(NOTHING_ELSE)
        most = self._most(order)
        if most == 0 and buttons:
            lines.append(BY_NAME.format(names=", ".join(literally(one.label) for one in buttons[:50])))
        elif len(buttons) > most:
            lines.append(MORE.format(number=len(buttons) - most))
        self._tell(order, "\n\n".join(lines), buttons[:most])

    def _most(self, order: CommandInvoked) -> int:
        platform = self._platforms.get(order.target.platform)
        return platform.capabilities.app_buttons if platform is not None else 0

    def _tell(self, order: CommandInvoked, text: str, buttons: Sequence[Button] = ()) -> None:
        target = order.private or order.target
        self._notices.tell(target, text, about=f"app {order.event_id} {len(text)}", buttons=tuple(buttons))


def _buttons(wish: Wish, resolution: Resolution, app: AppName, choices: Sequence[Choice]) -> list[Button]:
    """All that is not what answers now."""
    others = [
        Button(action=ButtonAction.APP, label=one.name, value=spell(wish.thread, one.name))
        for one in allowed(resolution)
        if one.name != app
    ]
    if resolution.choice:
        label = f"{app}, as it is set up"
        others.append(Button(action=ButtonAction.APP, label=label, value=spell(wish.thread, app)))
    return others + [
        Button(
            action=ButtonAction.APP,
            label=in_one_line(f"{one.group}: {one.label}" if one.group else one.label, LONGEST_LABEL),
            value=spell(wish.thread, app, one.id),
        )
        for one in choices
        if one.id != resolution.choice
    ]


def _find(choices: Sequence[Choice], wanted: str) -> Choice | None:
    """By what a button says, or by what somebody wrote."""
    said = " ".join(wanted.split()).casefold()
    for one in choices:
        if wanted in (token(one.id), one.id) or said == " ".join(one.label.split()).casefold():
            return one
    return None
