"""The bot's own page and the questions offered to begin with: shown after the platform was acknowledged, at nobody's cost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bridge import home
from bridge.backend_api import Opening
from bridge.errors import BackendError, BackendUnreachable, NotAllowed, PlatformError
from bridge.events import ChatOpened, Command, CommandInvoked, HomeOpened
from bridge.feedback import aggregate
from bridge.helping import Guide
from bridge.home import FrontHall, HelpWanted, HomeLimits
from bridge.messages import AnswerState, AppName, Author, ChannelId, EventId, PersonId, ReplyTarget
from bridge.notices import Notices
from bridge.pacing import Pacer
from bridge.platform_api import Home
from bridge.routing import Access, AppPolicy, Everywhere, External, Guests, Resolution, Resolver, Route, Routes
from tests.core import doings
from tests.core.hall import POLICY, hall
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore

OTHER = AppName("sales")


@dataclass
class HomelyPlatform(FakePlatform):
    """Has a page of its own and offers questions. `troubles` meet the next of either."""

    homes: list[tuple[str, Home]] = field(default_factory=list)
    prompts: list[tuple[str, str, Sequence[str]]] = field(default_factory=list)
    troubles: list[PlatformError] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def show_home(self, target: ReplyTarget, author: Author, home: Home) -> None:
        await self._meet()
        self.homes.append((author.id, home))

    async def suggest_prompts(self, target: ReplyTarget, title: str, prompts: Sequence[str]) -> None:
        await self._meet()
        self.prompts.append((target.address, title, prompts))

    async def _meet(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)


@dataclass
class PoliteBackend(FakeBackend):
    """Introduces itself."""

    says: Opening = field(default_factory=Opening)
    trouble: BackendError | None = None
    silent: bool = False

    async def opening(self) -> Opening:
        if self.silent:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        return self.says


class Front:
    def __init__(self, routing: Resolver | None, platform: FakePlatform | None, limits: HomeLimits | None) -> None:
        self.clock = FakeClock()
        self.platform = platform or HomelyPlatform(self.clock)
        self.backend = PoliteBackend(self.clock)
        self.store = FakeStore(aggregate, self.clock)
        self.routing = routing or Everywhere(app=AppPolicy(name=values.APP))
        platforms, backends = {FAKE: self.platform}, {values.APP: self.backend, OTHER: FakeBackend(self.clock)}
        self.notices = Notices(platforms=platforms, pacer=Pacer(self.clock), clock=self.clock)
        self.hall = FrontHall(
            store=self.store,
            platforms=platforms,
            backends=backends,
            routing=self.routing,
            guide=Guide(policy=POLICY, platforms=platforms, backends=backends),
            notices=self.notices,
            clock=self.clock,
            limits=limits,
        )

    @property
    def homes(self) -> list[tuple[str, Home]]:
        assert isinstance(self.platform, HomelyPlatform)
        return self.platform.homes

    @property
    def prompts(self) -> list[tuple[str, str, Sequence[str]]]:
        assert isinstance(self.platform, HomelyPlatform)
        return self.platform.prompts

    async def open(self, *events: HomeOpened | ChatOpened) -> None:
        for event in events:
            self.hall.greet(event)
        await self.clock.settle()

    async def page(self) -> Home:
        await self.open(doings.home_opened())
        return self.homes[-1][1]


@asynccontextmanager
async def front(
    routing: Resolver | None = None, platform: FakePlatform | None = None, limits: HomeLimits | None = None
) -> AsyncIterator[Front]:
    made = Front(routing, platform, limits)
    task = asyncio.ensure_future(made.hall.run())
    try:
        yield made
        assert not task.done(), "it works until it is cancelled"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_who_looks_is_passed_on_by_intake_and_nothing_is_awaited() -> None:
    async with hall() as at:
        at.store.failures = 1
        await at.tell(doings.home_opened(), doings.chat_opened())
        assert at.greeted == [doings.home_opened(), doings.chat_opened()]
        at.store.failures = 0


async def test_the_page_greets_as_the_app_does_and_says_what_answers_and_how_to_ask() -> None:
    async with front() as at:
        assert (await at.page()).greeting == home.GREETING
        at.backend.says = Opening(text="I know our **manuals**.")
        page = await at.page()
        assert page.greeting == "I know our **manuals**."
        assert page.apps == ["The app of this bot: everywhere"]
        assert page.usage == "You have not asked anything here yet."
        assert "mention me in a channel" in page.help
        assert not page.may_reset


async def test_the_page_counts_what_this_person_asked_and_offers_to_forget_it() -> None:
    async with hall() as asking:
        where = doings.direct()
        for number in (1, 2):
            await asking.tell(values.message(number=number, where=where, is_direct=True, mentions_bot=False))
        at = Front(None, None, None)
        asking.store.answers[0].state = AnswerState.FAILED
        at.hall._store = asking.store
        page = await at.hall._make_home(doings.home_opened())
        assert page.usage == "You have asked 2 questions here; 1 got a whole answer."
        assert page.may_reset
        of_another = await at.hall._make_home(doings.home_opened("grace"))
        assert of_another.usage == "You have not asked anything here yet."
        assert not of_another.may_reset


async def test_a_page_is_shown_although_the_store_or_the_app_is_away() -> None:
    async with front(limits=HomeLimits(opening=timedelta(0))) as at:
        at.store.failures = 1
        at.backend.trouble = BackendUnreachable("away")
        page = await at.page()
        assert (page.usage, page.greeting, page.may_reset) == (home.USAGE_UNKNOWN, home.GREETING, False)
        at.backend.trouble, at.backend.silent = None, True
        assert (await at.page()).greeting == home.GREETING


def routes(*found: Route) -> Routes:
    return Routes(apps={name: AppPolicy(name=name) for name in (values.APP, OTHER)}, routes=found)


async def test_the_page_names_the_apps_that_answer_this_person_in_this_installation() -> None:
    support, elsewhere = doings.direct().conversation.installation, doings.AWAY
    only_grace = Access(users=frozenset({PersonId("grace")}))
    routing = routes(
        Route(app=OTHER),
        Route(app=OTHER, channel=ChannelId("C3"), access=only_grace),
        Route(app=values.APP, platform=FAKE, installation=support, channel=ChannelId("C1")),
        Route(app=values.APP, channel=ChannelId("C2")),
        Route(app=values.APP, is_direct=True),
        Route(app=values.APP, installation=elsewhere),
    )
    async with front(routing) as at:
        assert (await at.page()).apps == [
            "The app of this bot: in direct messages, in 2 channels",
            "**sales**: wherever no other app does",
        ]
        await at.open(doings.home_opened("grace"))
        assert at.homes[-1][1].apps[1] == "**sales**: wherever no other app does, in 1 channel"


async def test_who_is_answered_nowhere_is_told_so_and_nothing_else() -> None:
    only_grace = Access(users=frozenset({PersonId("grace")}))
    async with front(routes(Route(app=OTHER, access=only_grace))) as at:
        assert await at.page() == Home(greeting=home.NO_APPS, apps=(), usage="", help="", may_reset=False)


async def test_questions_to_begin_with_are_those_of_the_app_that_answers_direct_messages() -> None:
    async with front(routes(Route(app=OTHER), Route(app=values.APP, is_direct=True))) as at:
        await at.open(doings.chat_opened())
        assert at.prompts == []
        at.backend.says = Opening(text="Hi.", questions=("What is new?", " ", "Who are you?"))
        await at.open(doings.chat_opened())
        assert at.prompts == [(doings.direct().address, home.PROMPTS_TITLE, ["What is new?", "Who are you?"])]


async def test_no_questions_are_offered_to_who_is_not_answered_or_by_an_app_that_has_none() -> None:
    async with front(routes(Route(app=OTHER))) as at:
        await at.open(doings.chat_opened())
        assert at.prompts == []
    only_grace = Access(users=frozenset({PersonId("grace")}))
    async with front(routes(Route(app=values.APP, access=only_grace))) as at:
        at.backend.says = Opening(questions=("What is new?",))
        await at.open(doings.chat_opened())
        assert at.prompts == []
        await at.open(doings.chat_opened("grace"))
        assert len(at.prompts) == 1


async def test_people_of_other_organisations_see_what_they_are_answered() -> None:
    outside = replace(doings.chat_opened("eve"), author=doings.outsider())
    for external, seen in ((External.DENY, 0), (External.MENTION, 1), (External.ON, 1)):
        async with front(Everywhere(app=AppPolicy(name=values.APP), guests=Guests(external=external))) as at:
            at.backend.says = Opening(questions=("What is new?",))
            await at.open(outside, HomeOpened(event_id=outside.event_id, author=outside.author, target=outside.target))
            assert len(at.prompts) == seen
            assert (at.homes[0][1].greeting != home.NO_APPS) is bool(seen)


async def test_a_platform_without_a_page_is_shown_none() -> None:
    async with front(platform=FakePlatform(FakeClock())) as at:
        await at.open(doings.home_opened(), doings.chat_opened())
        assert at.platform.texts == []


async def test_a_page_that_cannot_be_shown_keeps_none_of_the_others_from_it() -> None:
    async with front() as at:
        assert isinstance(at.platform, HomelyPlatform)
        at.platform.troubles = [NotAllowed("missing_scope"), NotAllowed("missing_scope")]
        at.backend.says = Opening(questions=("What is new?",))
        await at.open(doings.home_opened("ada"), doings.chat_opened("ada"), doings.home_opened("grace"))
        assert [person for person, _ in at.homes] == ["grace"]


async def test_who_opens_the_page_again_and_again_sees_it_once_and_so_many_people_wait() -> None:
    async with front(limits=HomeLimits(most_waiting=3)) as at:
        assert isinstance(at.platform, HomelyPlatform)
        at.platform.gate = asyncio.Event()
        await at.open(doings.home_opened("first"))
        await at.open(*(doings.home_opened("ada", str(number)) for number in range(20)))
        await at.open(*(doings.home_opened(who) for who in ("grace", "linus", "too many")))
        again = doings.home_opened("linus", "again")
        await at.open(again)
        assert again in at.hall._waiting.values(), "it takes no further room"
        at.platform.gate.set()
        await at.clock.settle()
        assert [person for person, _ in at.homes] == ["first", "ada", "grace", "linus"]
        assert at.hall._waiting == {}


async def test_help_begins_with_what_the_app_says_of_itself_and_stays_within_a_message() -> None:
    async with front() as at:
        telling = asyncio.ensure_future(at.notices.run())
        order = CommandInvoked(
            event_id=EventId("h1"),
            command=Command.HELP,
            target=values.target(),
            author=values.person(),
            is_direct=False,
        )
        wanted = HelpWanted(order=order, resolution=Resolution(app=AppPolicy(name=values.APP)))
        at.hall.greet(wanted)
        await at.clock.settle()
        assert len(at.platform.texts) == 1, "an app that says nothing is not introduced"
        at.backend.says = Opening(text="I know our **manuals**. " * 1_000, questions=("What is *new*?",))
        at.hall.greet(replace(wanted, order=replace(order, event_id=EventId("h2"))))
        await at.clock.advance(120)
        _, introduction, guide = at.platform.texts
        assert introduction.startswith("I know our **manuals**.")
        assert at.platform.dialect.render(introduction).length <= at.platform.dialect.limit
        assert "Mention me" in guide
        at.backend.says = Opening(questions=("What is *new*?", " "))
        at.hall.greet(replace(wanted, order=replace(order, event_id=EventId("h3"))))
        await at.clock.advance(120)
        together = at.platform.texts[3]
        assert together.startswith(f"{home.PROMPTS_TITLE}:\n\n- What is \\*new\\*?\n\n")
        assert together.endswith(guide)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
