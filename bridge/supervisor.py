"""Starts every part in order, watches over them, and ends them in order when told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bridge import logs
from bridge.apps import Apps
from bridge.archivist import Archivist
from bridge.clock import Clock, within
from bridge.conversations import Conversations
from bridge.dispatcher import Dispatcher
from bridge.errors import NotAllowed, PlatformError, StoreUnavailable
from bridge.feedback import Feedback
from bridge.form_desk import FormDesk
from bridge.forms_api import OffersForms
from bridge.history_api import KeepsNoHistory
from bridge.home import FrontHall
from bridge.installations_api import Installations, KeepsInstallations
from bridge.intake import Intake
from bridge.labelling import Labeller
from bridge.messages import PlatformName
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.platform_api import CatchesUp, Leases, Platform, UsesLeases
from bridge.recovery import Recovery
from bridge.reloading import try_backends
from bridge.remembering import StoreMemory
from bridge.speaking import Speaker
from bridge.store import Store
from bridge.turns import Turns
from bridge.web.server import WebServer

_log = logs.get("supervisor")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorLimits:
    grace: timedelta = timedelta(seconds=60)
    """How long running answers may take to finish by themselves after the first signal."""
    last_words: timedelta = timedelta(seconds=10)
    """How long what outlasts the grace has to come to rest before it is cut off. Nothing is lost by that."""
    sweep_every: timedelta = timedelta(seconds=60)
    keep_payloads: timedelta = timedelta(hours=24)
    """Text of answered questions is kept that long: platforms redeliver for minutes, operators look for a day."""
    keep_history: timedelta = timedelta(days=30)
    """The same where it is all that an app knows of a conversation, since its server remembers nothing."""
    restart_pause: timedelta = timedelta(seconds=1)
    """Pause before a platform that broke is started again; doubles up to a minute."""
    ready_patience: timedelta = timedelta(seconds=2)


@dataclass(slots=True, kw_only=True)
class Parts:
    """What the composition root made."""

    store: Store
    platforms: Mapping[PlatformName, Platform]
    apps: Apps
    dispatcher: Dispatcher
    conversations: Conversations
    turns: Turns
    intake: Intake
    form_desk: FormDesk
    front_hall: FrontHall
    labeller: Labeller
    archivist: Archivist | None
    """None: nothing is kept of what was said earlier."""
    speaker: Speaker | None
    notices: Notices
    feedback: Feedback
    recovery: Recovery
    metrics: Metrics
    clock: Clock
    leases: Leases | None = None
    """None: this process is the only one."""
    installations: Callable[[PlatformName], Installations] | None = None
    """Where a platform keeps what it was given when it was installed; None: nowhere."""
    works: Mapping[str, Callable[[], Coroutine[None, None, None]]] = field(default_factory=dict)
    """What else works until it is cancelled, by name."""
    chores: Sequence[Callable[[], Awaitable[None]]] = ()
    """What else is to be done now and then. They may raise `StoreUnavailable`."""
    limits: SupervisorLimits = field(default_factory=SupervisorLimits)


class Supervisor:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._refused: dict[PlatformName, str] = {}
        self._stopping = False
        parts.metrics.before_reading(self._measure)
        self.heard = asyncio.Event()
        """Set once every platform that was not refused has been connected and hearing."""

    async def run(self, web: WebServer, stop: asyncio.Event, insist: asyncio.Event) -> int:
        """Runs until `stop` (then gently) and `insist` (then at once). Returns the exit code of the process.

        Raises `SettingsError` when the web address cannot be had and `StoreUnavailable` when the store cannot be read at start.
        """
        parts = self._parts
        try:
            await parts.store.ping()
            await web.start()
            self._introduce()
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(parts.dispatcher.run(), name="dispatcher"),
                    tasks.create_task(self._deliver_feedback(), name="feedback"),
                    tasks.create_task(parts.notices.run(), name="notices"),
                    tasks.create_task(parts.front_hall.run(), name="front hall"),
                    tasks.create_task(parts.labeller.run(), name="labels"),
                    *([tasks.create_task(parts.archivist.run(), name="archive")] if parts.archivist else ()),
                    *([tasks.create_task(parts.speaker.run(), name="speaking")] if parts.speaker else ()),
                    tasks.create_task(parts.recovery.start(), name="recovery"),
                    tasks.create_task(self._keep_house(), name="housekeeping"),
                ]
                background += [tasks.create_task(work(), name=name) for name, work in parts.works.items()]
                hearing = [
                    tasks.create_task(self._hear(platform), name=f"platform {name}")
                    for name, platform in parts.platforms.items()
                ]
                background.append(tasks.create_task(self._watch_hearing(), name="hearing"))
                background.append(tasks.create_task(self._try_backends(), name="first try"))
                background.append(tasks.create_task(self._stop_when_all_refused(hearing, stop), name="refusals"))
                await stop.wait()
                await self._shut_down(hearing, insist)
                for task in background:
                    task.cancel()
        finally:
            await web.stop()
            for platform in parts.platforms.values():
                await platform.close()
            await parts.apps.close()
            await parts.store.close()
        _log.info("stopped")
        return 1 if self._all_refused() else 0

    def _introduce(self) -> None:
        """Gives platforms what they may use of ours."""
        for name, platform in self._parts.platforms.items():
            if isinstance(platform, CatchesUp):
                platform.catch_up_from(StoreMemory(self._parts.store, name))
            if isinstance(platform, OffersForms):
                platform.offer_forms(self._parts.form_desk.find)
            if isinstance(platform, UsesLeases) and self._parts.leases is not None:
                platform.use_leases(self._parts.leases)
            if isinstance(platform, KeepsInstallations) and self._parts.installations is not None:
                platform.use_installations(self._parts.installations(name))

    def _measure(self) -> None:
        parts = self._parts
        for name, platform in parts.platforms.items():
            health = platform.health()
            age = health.heartbeat_age
            parts.metrics.platform(
                name,
                connected=health.connected,
                hearing=health.hearing,
                heartbeat_age=None if age is None else age.total_seconds(),
            )
        for app in parts.apps.backends:
            parts.metrics.waiting(app, parts.turns.queued(app))

    async def readiness(self) -> tuple[bool, Mapping[str, object]]:
        """For `/readyz`: every configured platform hears, the store can be read, and nobody asked us to stop."""
        problems: list[str] = []
        platforms: dict[str, object] = {}
        for name, platform in self._parts.platforms.items():
            health = platform.health()
            detail = self._refused.get(name) or health.detail
            platforms[name] = {"connected": health.connected, "hearing": health.hearing, "detail": detail}
            if name in self._refused:
                problems.append(f"{name}: {detail}")
            elif not health.connected:
                problems.append(f"{name} is not connected{f': {detail}' if detail else ''}")
            elif not health.hearing:
                problems.append(f"{name} is connected but not hearing{f': {detail}' if detail else ''}")
        store = "ok"
        try:
            patience = self._parts.limits.ready_patience.total_seconds()
            await within(self._parts.clock, patience, self._parts.store.ping())
        except (StoreUnavailable, TimeoutError) as error:
            store = str(error) or "no answer in time"
            problems.append(f"the store is not reachable: {store}")
        if self._stopping:
            problems.append("shutting down")
        return not problems, {"platforms": platforms, "store": store, "problems": problems}

    async def _deliver_feedback(self) -> None:
        """In one process at a time: two would tell the backend everything twice."""
        feedback, leases = self._parts.feedback, self._parts.leases
        if leases is None:
            await feedback.run()
            return
        while True:
            async with leases.hold("feedback") as lease, asyncio.TaskGroup() as tasks:
                delivering = tasks.create_task(feedback.run())
                await lease.lost()
                delivering.cancel()

    def _all_refused(self) -> bool:
        return bool(self._refused) and len(self._refused) == len(self._parts.platforms)

    async def _hear(self, platform: Platform) -> None:
        pause = self._parts.limits.restart_pause.total_seconds()
        while True:
            try:
                await platform.run(self._parts.intake)
            except NotAllowed as error:
                self._refused[platform.name] = str(error)
                _log.error("platform_refused", platform=platform.name, code=error.code, detail=str(error))
                return
            except PlatformError as error:
                _log.error("platform_broke", platform=platform.name, code=error.code, detail=str(error), again_in=pause)
            await self._parts.clock.sleep(pause)
            pause = min(pause * 2, 60.0)

    async def _watch_hearing(self) -> None:
        waiting = dict(self._parts.platforms)
        while waiting:
            for name, platform in list(waiting.items()):
                if name in self._refused:
                    del waiting[name]
                elif platform.health().hearing:
                    _log.info("hearing", platform=name)
                    del waiting[name]
            await self._parts.clock.sleep(0.02)
        self.heard.set()

    async def _stop_when_all_refused(self, hearing: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
        """A bridge that no platform lets in has nothing to wait for; its supervisor should see it end."""
        await asyncio.wait(hearing)
        if self._all_refused():
            stop.set()

    async def _try_backends(self) -> None:
        apps = self._parts.apps
        await try_backends(dict(apps.backends), apps.policies)

    async def _keep_house(self) -> None:
        parts = self._parts
        while True:
            await parts.clock.sleep(parts.limits.sweep_every.total_seconds())
            try:
                await parts.recovery.sweep()
                await self._remove_texts()
                for chore in parts.chores:
                    await chore()
            except StoreUnavailable as error:
                parts.metrics.store_unavailable()
                _log.warning("store_unavailable", doing="housekeeping", detail=str(error))
            # A call for a running turn may have been lost on its way.
            await parts.turns.look_all()

    async def _remove_texts(self) -> None:
        parts = self._parts
        now, limits = parts.clock.now(), parts.limits
        forgetful = [
            app for app, one in parts.apps.backends.items() if isinstance(one, KeepsNoHistory) and one.history_turns
        ]
        longer = dict.fromkeys(forgetful, now - max(limits.keep_history, limits.keep_payloads))
        await parts.store.blank_payloads(now - limits.keep_payloads, longer)

    async def _shut_down(self, hearing: Sequence[asyncio.Task[None]], insist: asyncio.Event) -> None:
        parts = self._parts
        self._stopping = True
        _log.info("stopping", grace=parts.limits.grace.total_seconds())
        for task in hearing:
            task.cancel()
        await asyncio.wait(hearing)
        parts.conversations.close()
        parts.turns.close()
        draining = asyncio.ensure_future(parts.dispatcher.drain(parts.limits.grace))
        insisting = asyncio.ensure_future(insist.wait())
        try:
            await asyncio.wait({draining, insisting}, return_when=asyncio.FIRST_COMPLETED)
            finished = draining.done() and draining.result()
        finally:
            draining.cancel()
            insisting.cancel()
            await asyncio.gather(draining, insisting, return_exceptions=True)
        if finished:
            return
        _log.warning("handing_over_answers")
        parts.turns.hand_over()
        if not await parts.dispatcher.drain(parts.limits.last_words):
            _log.warning("answers_cut_off")
