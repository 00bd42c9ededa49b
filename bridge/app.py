"""The composition root: the only place where parts are chosen and put together."""

import asyncio
import signal
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bridge import logs
from bridge.answers import WriterLimits
from bridge.backend_api import Backend
from bridge.clock import Clock, SystemClock
from bridge.conversations import Conversations
from bridge.dispatch.local import LocalDispatcher
from bridge.feedback import Feedback, aggregate
from bridge.intake import Intake
from bridge.messages import AppName, PlatformName
from bridge.pacing import Pacer
from bridge.platform_api import Platform
from bridge.recovery import Recovery
from bridge.registry import Configuration
from bridge.router import Policy
from bridge.routing import DEFAULT_APP
from bridge.settings import Settings
from bridge.storage.migrate import migrate
from bridge.storage.store import open_store
from bridge.store import Store
from bridge.supervisor import Parts, Supervisor, SupervisorLimits
from bridge.turns import TurnLimits, Turns
from bridge.web.routes import HasWebRoutes, WebRoute
from bridge.web.server import WebServer

_log = logs.get("app")

ONLY_APP = DEFAULT_APP
"""The name of the one app that the environment configures; part of every conversation's identity."""


class App:
    """A bridge that is put together and not yet running."""

    def __init__(self, parts: Parts, web: WebServer, supervisor: Supervisor) -> None:
        self.parts = parts
        self.web = web
        self.supervisor = supervisor
        self.stop = asyncio.Event()
        """Set it to end gently: intake stops, running answers finish within the grace time."""
        self.insist = asyncio.Event()
        """Set it to stop waiting for them."""

    async def run(self) -> int:
        """Runs until `stop` is set. Returns the process's exit code."""
        return await self.supervisor.run(self.web, self.stop, self.insist)

    def stop_on_signals(self) -> None:
        """The first SIGTERM or SIGINT ends gently, the second at once."""
        loop = asyncio.get_running_loop()

        def hear() -> None:
            (self.insist if self.stop.is_set() else self.stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, hear)


async def build(configuration: Configuration, clock: Clock | None = None, extra_routes: Sequence[WebRoute] = ()) -> App:
    """Migrates the store and puts everything together. Raises `SettingsError` or a `StoreError`."""
    clock = clock or SystemClock()
    await migrate(configuration.database)
    store = await open_store(configuration.database, clock, aggregate)
    platforms = {PlatformName(part.name): part.create(clock) for part in configuration.platforms}
    backends = {name: part.create(clock) for name, part in configuration.apps.items()}
    return assemble(configuration.core, clock, store, platforms, backends, extra_routes)


def assemble(
    core: Settings,
    clock: Clock,
    store: Store,
    platforms: Mapping[PlatformName, Platform],
    backends: Mapping[AppName, Backend],
    extra_routes: Sequence[WebRoute] = (),
) -> App:
    """Wires given parts, real ones or fakes."""
    pacer = Pacer(clock)
    limits = TurnLimits(writer=WriterLimits(most_messages=core.answer_messages))
    turns = Turns(store=store, platforms=platforms, backends=backends, pacer=pacer, clock=clock, limits=limits)
    capacity = min(backend.capacity for backend in backends.values())
    conversations = Conversations(
        store=store, turns=turns, platforms=platforms, pacer=pacer, clock=clock, capacity=capacity
    )
    dispatcher = LocalDispatcher(conversations.drain, clock)
    feedback = Feedback(store=store, backends=backends, clock=clock)
    policy = Policy(like=core.feedback_like_emoji, dislike=core.feedback_dislike_emoji)
    parts = Parts(
        store=store,
        platforms=platforms,
        backends=backends,
        dispatcher=dispatcher,
        conversations=conversations,
        turns=turns,
        intake=Intake(
            store=store,
            dispatcher=dispatcher,
            feedback=feedback,
            policy=policy,
            app=ONLY_APP,
            expect=conversations.expect,
        ),
        feedback=feedback,
        recovery=Recovery(store=store, platforms=platforms, dispatcher=dispatcher, clock=clock),
        clock=clock,
        limits=SupervisorLimits(grace=timedelta(seconds=core.shutdown_grace)),
    )
    supervisor = Supervisor(parts)
    routes: list[WebRoute] = list(extra_routes)
    for platform in platforms.values():
        if isinstance(platform, HasWebRoutes):
            routes += platform.web_routes()
    web = WebServer(host=core.http_host, port=core.http_port, readiness=supervisor.readiness, routes=routes)
    return App(parts, web, supervisor)
