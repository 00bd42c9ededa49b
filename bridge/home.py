"""The front hall: what people see who open the bot's own page, or their direct messages with it before they asked anything.

Nothing of it is durable and nobody waits for it, so it is done after the platform was acknowledged, by one task. Who opens the
same thing again before it was shown sees it once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from bridge import logs
from bridge.backend_api import Backend, Introduces, Opening
from bridge.clock import Clock, within
from bridge.errors import BackendError, PlatformError, StoreUnavailable
from bridge.events import ChatOpened, CommandInvoked, HomeOpened
from bridge.helping import Guide, describe_apps, describe_usage
from bridge.markdown.characters import literally
from bridge.messages import AppName, Author, InstallationId, PersonId, PlatformName, ReplyTarget
from bridge.notices import Notices
from bridge.picking import Picking
from bridge.platform_api import Home, Platform, ShowsHome, SuggestsPrompts
from bridge.routing import AppPolicy, External, Resolution, Resolver
from bridge.splitting import split
from bridge.store import Store
from bridge.whereabouts import direct_place

_log = logs.get("home")

GREETING = "Hello! Ask me something, and I pass it on to the app that answers here."
NO_APPS = "No app answers you here. Please ask whoever runs this bot."
PROMPTS_TITLE = "You could ask, for example"
USAGE_UNKNOWN = "How much you have asked cannot be told right now."


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeLimits:
    most_waiting: int = 100
    """Pages and prompts that wait to be shown, on all platforms together. One more is dropped."""
    opening: timedelta = timedelta(seconds=4)
    """How long an app may take to introduce itself before the page is shown without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpWanted:
    """Somebody asked what can be done here."""

    order: CommandInvoked
    resolution: Resolution

    @property
    def author(self) -> Author:
        return self.order.author

    @property
    def target(self) -> ReplyTarget:
        return self.order.target


Opened = HomeOpened | ChatOpened | HelpWanted
_Waiting = tuple[type[Opened], PlatformName, InstallationId, PersonId]


class FrontHall:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        routing: Resolver,
        guide: Guide,
        notices: Notices,
        clock: Clock,
        picking: Picking | None = None,
        limits: HomeLimits | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._backends = backends
        self._routing = routing
        self._guide = guide
        self._notices = notices
        self._picking = picking or Picking(store, None, backends)
        self._clock = clock
        self._limits = limits or HomeLimits()
        self._waiting: dict[_Waiting, Opened] = {}
        self._news = asyncio.Event()

    def greet(self, event: Opened) -> None:
        """Never blocks; may be called before `run`."""
        key = event.target.conversation
        who = (type(event), key.platform, key.installation, event.author.id)
        if who not in self._waiting and len(self._waiting) >= self._limits.most_waiting:
            _log.warning("home_dropped", platform=key.platform, why="too many wait")
            return
        self._waiting[who] = event
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled. What still waits then is dropped; it is told again when it is opened again."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                event = self._waiting.pop(next(iter(self._waiting)))
                try:
                    await self._show(event)
                except PlatformError as error:
                    platform = event.target.platform
                    _log.warning("home_not_shown", platform=platform, code=error.code, detail=str(error))

    async def _show(self, event: Opened) -> None:
        platform = self._platforms[event.target.platform]
        match event:
            case HomeOpened():
                if isinstance(platform, ShowsHome):
                    await platform.show_home(event.target, event.author, await self._make_home(event))
            case ChatOpened():
                if isinstance(platform, SuggestsPrompts):
                    await self._suggest(platform, event)
            case HelpWanted():
                await self._help(event)
            case _:
                assert_never(event)

    async def _help(self, wanted: HelpWanted) -> None:
        """What the app says of itself stands above what we say; not every platform has another place for that."""
        order, app = wanted.order, wanted.resolution.app
        opening = await self._opening(app) if app else Opening()
        tell, about = order.private or order.target, f"{order.command.value} {order.event_id}"
        alone = app is not None and await self._guide.stands_alone(app.name)
        guide = self._guide.explain(order, wanted.resolution, alone=alone)
        if introduction := "\n\n".join(_introduce(opening)):
            dialect = self._platforms[tell.platform].dialect
            together = f"{introduction}\n\n{guide}"
            if dialect.render(together).length <= dialect.limit:
                guide = together
            else:
                # A line of ours is one message; whoever wants to say more than that says it in answers.
                self._notices.tell(tell, split(introduction, dialect)[0], about=f"{about} introduction")
        self._notices.tell(tell, guide, about=about)

    async def _suggest(self, platform: SuggestsPrompts, event: ChatOpened) -> None:
        app = (await self._resolve(event)).app
        opening = await self._opening(app) if app else Opening()
        questions = [words for question in opening.questions if (words := question.strip())]
        if questions:
            await platform.suggest_prompts(event.target, PROMPTS_TITLE, questions)

    async def _make_home(self, event: HomeOpened) -> Home:
        resolution, key = await self._resolve(event), event.target.conversation
        app = resolution.app
        apps = describe_apps(self._routing, key.platform, key.installation, event.author)
        if not apps or (event.author.home and app is None):
            return Home(greeting=NO_APPS, apps=(), usage="", help="", may_reset=False)
        opening = await self._opening(app) if app else Opening()
        usage, may_reset = await self._look_up(event, app)
        return Home(
            greeting=opening.text.strip() or GREETING,
            apps=apps,
            usage=usage,
            help=self._guide.explain_all(key.platform, resolution),
            may_reset=may_reset,
        )

    async def _look_up(self, event: HomeOpened, app: AppPolicy | None) -> tuple[str, bool]:
        key = event.target.conversation
        try:
            usage = await self._store.usage(key.platform, key.installation, event.author.id)
            # Where each message begins a conversation of its own there is none of this key.
            rolling = await self._store.find_conversation(key, app.name) if app else None
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="home", detail=str(error))
            return USAGE_UNKNOWN, False
        return describe_usage(usage), rolling is not None

    async def _resolve(self, event: HomeOpened | ChatOpened) -> Resolution:
        """What holds in this person's direct messages; without an app where it does not answer them."""
        resolution = self._routing.resolve(direct_place(event))
        outside = event.author.home and resolution.guests.external is External.DENY
        if outside or not resolution.access.admits(event.author):
            return replace(resolution, app=None, choices=())
        try:
            return await self._picking.settle(resolution, event.target.conversation, event.author.id)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="home", detail=str(error))
            return resolution

    async def _opening(self, app: AppPolicy) -> Opening:
        backend = self._backends.get(app.name)
        if backend is None or not isinstance(backend, Introduces):
            return Opening()
        try:
            return await within(self._clock, self._limits.opening.total_seconds(), backend.opening())
        except BackendError as error:
            _log.warning("no_opening", app=app.name, code=error.code, detail=str(error))
        except TimeoutError:
            _log.warning("no_opening", app=app.name, code="timeout", detail="no answer in time")
        return Opening()


def _introduce(opening: Opening) -> Sequence[str]:
    """The parts of how an app introduces itself."""
    questions = [line for question in opening.questions if (line := question.strip())]
    listed = "\n".join([f"{PROMPTS_TITLE}:", "", *(f"- {literally(line)}" for line in questions)]) if questions else ""
    return [part for part in (opening.text.strip(), listed) if part]
