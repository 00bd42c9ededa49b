"""The composition root: the only place where parts are chosen and put together."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge import logs
from bridge.answers import WriterLimits
from bridge.apps import Apps, HeldTurns
from bridge.archive import Archive
from bridge.archivist import Archivist
from bridge.asking import AskLimits
from bridge.attending import Attendant
from bridge.backend_api import Backend
from bridge.clock import Clock, SystemClock
from bridge.conversations import Conversations
from bridge.dispatch.local import LocalDispatcher
from bridge.dispatcher import Dispatcher, Drain, Look
from bridge.facts import Policy
from bridge.feedback import Feedback, aggregate
from bridge.filling import InputForms
from bridge.form_desk import FormDesk, KeepsForms
from bridge.gathering import KIND as INPUT_FORMS
from bridge.gathering import GatherLimits
from bridge.helping import Guide
from bridge.home import FrontHall
from bridge.installations_api import Installations
from bridge.intake import Intake
from bridge.kept_inputs import KeepsInputs
from bridge.labelling import Labeller
from bridge.menus import AppMenu
from bridge.messages import AppName, PlatformName
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.opinions import OpinionStore
from bridge.pacing import Pacer, SharedBudget
from bridge.pauses import FORMS as HUMAN_FORMS
from bridge.pausing import PauseLimits
from bridge.picking import Picking
from bridge.picks import Picks
from bridge.platform_api import Leases, Platform
from bridge.preparing import PrepareLimits
from bridge.producing import ProducingLimits
from bridge.recovery import Recovery
from bridge.registry import Configuration
from bridge.reloading import Load, Reloading
from bridge.resuming import ResumeLimits
from bridge.routing import Resolver
from bridge.settings import Settings
from bridge.speaking import Speaker
from bridge.storage.archive import SqlArchive
from bridge.storage.inputs import SqlInputs
from bridge.storage.installations import open_installations
from bridge.storage.leases import open_leases
from bridge.storage.migrate import migrate
from bridge.storage.opinions import SqlOpinions
from bridge.storage.picks import SqlPicks
from bridge.storage.settings import Settings as DatabaseSettings
from bridge.storage.store import SqlStore, open_store
from bridge.store import Store
from bridge.submissions import Submissions
from bridge.supervisor import Parts, Supervisor, SupervisorLimits
from bridge.surroundings import SurroundingLimits
from bridge.turns import TurnLimits, Turns
from bridge.web.routes import HasWebRoutes, WebRoute
from bridge.web.server import WebServer
from bridge.words import MuteWords

_log = logs.get("app")

MEGABYTE = 1_000_000


class App:
    """A bridge that is put together and not yet running."""

    def __init__(
        self, parts: Parts, web: WebServer, supervisor: Supervisor, reloading: Reloading | None = None
    ) -> None:
        """`reloading`: reads the configuration again; None where it is given once and for all."""
        self.parts = parts
        self.web = web
        self.supervisor = supervisor
        self.reloading = reloading
        self.stop = asyncio.Event()
        """Set it to end gently: intake stops, running answers finish within the grace time."""
        self.insist = asyncio.Event()
        """Set it to stop waiting for them."""

    async def run(self) -> int:
        """Runs until `stop` is set. Returns the process's exit code."""
        return await self.supervisor.run(self.web, self.stop, self.insist)

    def stop_on_signals(self) -> None:
        """The first SIGTERM or SIGINT ends gently, the second at once. SIGHUP has the configuration read again, but for the one
        that says that the terminal is gone."""
        loop = asyncio.get_running_loop()
        terminal = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None

        def hear() -> None:
            (self.insist if self.stop.is_set() else self.stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hear)
        reloading = self.reloading
        if reloading is not None:
            loop.add_signal_handler(signal.SIGHUP, lambda: hear() if _is_gone(terminal) else reloading.ask())


def _is_gone(terminal: int | None) -> bool:
    return terminal is not None and not os.isatty(terminal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """How this process gets on with others that work on the same conversations."""

    dispatcher: Callable[[Drain, Look], Dispatcher]
    fenced: Callable[[], None]
    leases: Leases | None = None
    budget: SharedBudget | None = None
    installations: Callable[[PlatformName], Installations] | None = None
    picks: Picks | None = None
    """What members choose; None: they choose nothing."""
    inputs: KeepsInputs | None = None
    chores: Sequence[Callable[[], Awaitable[None]]] = ()
    """To be done now and then."""
    archive: Archive | None = None
    opinions: OpinionStore | None = None
    """For backends that keep what each person thinks."""


async def build(
    configuration: Configuration,
    clock: Clock | None = None,
    extra_routes: Sequence[WebRoute] = (),
    load: Load | None = None,
) -> App:
    """Migrates the store and puts everything together. `load` reads the configuration again. Raises `SettingsError` or a
    `StoreError`."""
    clock = clock or SystemClock()
    await migrate(configuration.database)
    platforms = {PlatformName(part.name): part.create(clock) for part in configuration.platforms}
    backends = {name: part.create(clock) for name, part in configuration.apps.items()}
    if configuration.database.shared:
        store, together = await _open_shared(configuration.database, clock, list(platforms))
    else:
        store, together = await open_store(configuration.database, clock, aggregate), _alone(clock)
    inputs = SqlInputs(store, clock)
    together = replace(
        together,
        picks=SqlPicks(store, clock),
        inputs=inputs,
        archive=SqlArchive(store, clock),
        opinions=SqlOpinions(store),
        chores=(*together.chores, inputs.keep_house),
    )
    kept = open_installations(configuration.database, store, clock)
    if kept is not None:
        together = replace(together, installations=kept.of, chores=(*together.chores, kept.keep_house))
    app = assemble(configuration.core, clock, store, platforms, backends, configuration.routes, extra_routes, together)
    if load is not None:
        app.reloading = Reloading(load, configuration, app.parts.apps, clock, app.parts.metrics)
        app.parts.works = {**app.parts.works, "reloading": app.reloading.run}
    return app


async def _open_shared(
    settings: DatabaseSettings, clock: Clock, platforms: Sequence[PlatformName]
) -> tuple[SqlStore, Together]:
    # Only who has a PostgreSQL pays for what it needs.
    from bridge.dispatch.deferring import defer_work
    from bridge.dispatch.procrastinate import ProcrastinateDispatcher, exit_fenced
    from bridge.storage.slots import SharedSlots

    store = await open_store(settings, clock, aggregate, defer_work)
    together = Together(
        dispatcher=lambda drain, look: ProcrastinateDispatcher(settings, drain, look, clock, platforms=platforms),
        fenced=exit_fenced,
        leases=open_leases(settings, clock),
        budget=SharedSlots(store.readers),
    )
    return store, together


def _alone(clock: Clock) -> Together:
    return Together(dispatcher=lambda drain, look: LocalDispatcher(drain, look, clock), fenced=_note_fenced)


def assemble(
    core: Settings,
    clock: Clock,
    store: Store,
    platforms: Mapping[PlatformName, Platform],
    backends: Mapping[AppName, Backend],
    routing: Resolver,
    extra_routes: Sequence[WebRoute] = (),
    together: Together | None = None,
) -> App:
    """Wires given parts, real ones or fakes."""
    together = together or _alone(clock)
    metrics = Metrics()
    apps = Apps(routing, backends, clock)
    backends = apps.backends  # from here on as they are at any time
    pacer = Pacer(clock, together.budget)
    labeller = Labeller(store=store, platforms=platforms, backends=backends, clock=clock)
    turns = Turns(
        store=store,
        platforms=platforms,
        backends=backends,
        policies=apps.policies,
        places=apps.places,
        pacer=pacer,
        clock=clock,
        metrics=metrics,
        limits=limits_of(core),
        inputs=together.inputs,
        label=labeller.note,
    )
    conversations = Conversations(
        store=store, turns=HeldTurns(turns, apps), clock=clock, fenced=together.fenced, metrics=metrics
    )
    dispatcher = together.dispatcher(conversations.drain, turns.look)
    feedback = Feedback(store=store, backends=backends, clock=clock, metrics=metrics, opinions=together.opinions)
    notices = Notices(platforms=platforms, pacer=pacer, clock=clock, metrics=metrics)
    submissions = Submissions(store=store, policies=apps.policies, dispatcher=dispatcher, notices=notices, clock=clock)
    attendant = Attendant(
        store=store,
        platforms=platforms,
        backends=backends,
        dispatcher=dispatcher,
        notices=notices,
        clock=clock,
        limits=limits_of(core).ask.pause,
    )
    form_desk = FormDesk(resolve=apps.resolve, keepers=_form_keepers(together, dispatcher, notices, clock, submissions))
    archivist = speaker = None
    if together.archive is not None:
        speaker = Speaker(
            archive=together.archive,
            platforms=platforms,
            backends=backends,
            notices=notices,
            pacer=pacer,
            clock=clock,
        )
        archivist = Archivist(
            archive=together.archive, platforms=platforms, backends=backends, notices=notices, clock=clock
        )
    policy = _policy(core)
    guide = Guide(policy=policy, platforms=platforms, backends=backends)
    picking = Picking(store, together.picks, backends)
    menu = None
    if together.picks is not None:
        menu = AppMenu(
            picks=together.picks,
            picking=picking,
            platforms=platforms,
            backends=backends,
            notices=notices,
            clock=clock,
        )
    front_hall = FrontHall(
        store=store,
        platforms=platforms,
        backends=backends,
        routing=apps,
        guide=guide,
        notices=notices,
        clock=clock,
        picking=picking,
    )
    parts = Parts(
        store=store,
        platforms=platforms,
        apps=apps,
        dispatcher=dispatcher,
        conversations=conversations,
        turns=turns,
        intake=Intake(
            store=store,
            dispatcher=dispatcher,
            feedback=feedback,
            policy=policy,
            resolve=apps.resolve,
            notices=notices,
            queued=turns.queued,
            clock=clock,
            metrics=metrics,
            guide=guide,
            archivist=archivist,
            greet=front_hall.greet,
            introduce=front_hall.greet,
            praise=labeller.note,
            speak=None if speaker is None else speaker.note,
            picking=picking,
            menu=menu,
            fill_in=form_desk.fill_in,
        ),
        form_desk=form_desk,
        front_hall=front_hall,
        labeller=labeller,
        archivist=archivist,
        speaker=speaker,
        notices=notices,
        feedback=feedback,
        recovery=Recovery(store=store, platforms=platforms, dispatcher=dispatcher, clock=clock, metrics=metrics),
        metrics=metrics,
        clock=clock,
        leases=together.leases,
        installations=together.installations,
        works={"menus": menu.run} if menu is not None else {},
        chores=(*together.chores, attendant.attend),
        limits=SupervisorLimits(
            grace=timedelta(seconds=core.shutdown_grace), keep_history=timedelta(days=core.history_days)
        ),
    )
    supervisor = Supervisor(parts)
    routes: list[WebRoute] = list(extra_routes)
    for platform in platforms.values():
        if isinstance(platform, HasWebRoutes):
            routes += platform.web_routes()
    web = WebServer(
        host=core.http_host, port=core.http_port, readiness=supervisor.readiness, routes=routes, metrics=metrics
    )
    return App(parts, web, supervisor)


def _form_keepers(
    together: Together, dispatcher: Dispatcher, notices: Notices, clock: Clock, submissions: Submissions
) -> Mapping[str, KeepsForms]:
    """Every kind of form, by what the ids of its forms begin with."""
    keepers: dict[str, KeepsForms] = {HUMAN_FORMS: submissions}
    if together.inputs is not None:
        keepers[INPUT_FORMS] = InputForms(kept=together.inputs, dispatcher=dispatcher, notices=notices, clock=clock)
    return keepers


def _policy(core: Settings) -> Policy:
    return Policy(
        like=core.feedback_like_emoji,
        dislike=core.feedback_dislike_emoji,
        stop=core.stop_emoji,
        retry=core.retry_emoji,
        speak=core.speak_emoji,
        follow_edits_waiting=core.follow_edits_waiting,
        follow_edits_running=core.follow_edits_running,
        follow_deletions=core.follow_deletions,
        words=MuteWords(mute=core.mute_words, unmute=core.unmute_words),
        bot_turns=core.bot_turns,
    )


def limits_of(core: Settings) -> TurnLimits:
    """What the settings say of every answer."""
    patience = timedelta(seconds=core.recover_patience)
    file_patience = timedelta(seconds=core.file_patience)
    shown = [emoji for emoji in sorted(core.retry_emoji) if not emoji.isascii()]
    return TurnLimits(
        retry_emoji=next(iter(shown), ""),
        writer=WriterLimits(most_messages=core.answer_messages),
        gather=GatherLimits(patience=timedelta(seconds=core.form_patience)),
        prepare=PrepareLimits(suggestions=timedelta(seconds=core.suggestions_wait)),
        surroundings=SurroundingLimits(
            largest_file=core.most_file_mb * MEGABYTE,
            file_patience=file_patience,
            thread_messages=core.context_messages,
        ),
        producing=ProducingLimits(largest=core.most_file_mb * MEGABYTE, patience=file_patience),
        ask=AskLimits(
            busy=timedelta(seconds=core.busy_patience),
            stop=timedelta(seconds=core.stop_patience),
            notice=timedelta(seconds=core.wait_notice),
            resume=ResumeLimits(running=patience, unsure=min(ResumeLimits().unsure, patience)),
            pause=PauseLimits(remind_after=timedelta(minutes=core.human_input_reminder) or None),
        ),
    )


def _note_fenced() -> None:
    """One process alone is never fenced, but for a fault of ours; what it owned is found again by the next sweep."""
    _log.error("fenced", fix="see that no other process uses this database")
