"""Starting, watching over and ending: in order, gently, and with an honest `/readyz`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bridge.app import App, assemble
from bridge.errors import BackendFailed, NotAllowed, PlatformUnavailable
from bridge.feedback import aggregate
from bridge.messages import AnswerState
from bridge.platform_api import Finding, Severity
from bridge.routing import AppPolicy, Everywhere
from bridge.settings import Settings, isolated
from bridge.supervisor import SupervisorLimits
from tests.fakes import values
from tests.fakes.backend import FakeBackend, ForgetfulBackend, say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore


class House:
    def __init__(self, store: FakeStore | None = None, **settings: object) -> None:
        self.clock = FakeClock()
        self.store = store or FakeStore(aggregate, self.clock)
        self.platform = FakePlatform(self.clock)
        self.backend = FakeBackend(self.clock)
        core = isolated(Settings, http_port=0, **settings)
        routing = Everywhere(app=AppPolicy(name=values.APP))
        platforms, backends = {FAKE: self.platform}, {values.APP: self.backend}
        self.app: App = assemble(core, self.clock, self.store, platforms, backends, routing)
        self.running: asyncio.Task[int] | None = None

    async def start(self) -> None:
        self.running = asyncio.ensure_future(self.app.run())
        while self.app.web.port == 0 and not self.running.done():
            await self.clock.settle()
        await self.clock.advance(0.1)

    async def ended(self) -> int:
        assert self.running is not None
        return await asyncio.wait_for(self.running, 5)

    async def ready(self) -> tuple[bool, str]:
        ready, parts = await self.app.supervisor.readiness()
        return ready, str(parts["problems"])


@asynccontextmanager
async def house(store: FakeStore | None = None, **settings: object) -> AsyncIterator[House]:
    made = House(store, **settings)
    try:
        yield made
    finally:
        if made.running is not None and not made.running.done():
            made.running.cancel()
            await asyncio.gather(made.running, return_exceptions=True)


async def test_a_bridge_that_hears_is_ready_and_ends_with_zero() -> None:
    async with house() as at:
        await at.start()
        assert await at.ready() == (True, "[]")
        assert at.app.supervisor.heard.is_set()
        at.app.stop.set()
        await at.clock.settle()
        assert await at.ended() == 0
        assert at.platform.closed
        assert at.backend.closed
        assert at.store.closed


async def test_stopping_takes_nothing_new_and_lets_running_answers_finish() -> None:
    async with house() as at:
        at.backend.script = lambda _: say(*"abcdef", pause=1.0)
        await at.start()
        await at.platform.heard_by[0](values.message())
        await at.clock.advance(2)
        at.app.stop.set()
        await at.clock.advance(1)
        assert not at.platform.hearing
        assert (await at.ready())[1].count("shutting down") == 1
        await at.clock.advance(10)
        assert await at.ended() == 0
        assert at.platform.texts == ["abcdef"]
        assert at.store.answers[0].state is AnswerState.DONE


async def test_an_answer_that_outlasts_the_grace_is_left_to_the_next_start_which_finishes_it() -> None:
    async with house(shutdown_grace=5) as at:
        at.backend.script = lambda _: say(*["x "] * 100, pause=1.0)
        await at.start()
        await at.platform.heard_by[0](values.message())
        await at.clock.advance(2)
        at.app.stop.set()
        await at.clock.advance(9)
        assert await at.ended() == 0
        assert at.backend.stopped == []
        assert at.store.answers[0].state is AnswerState.STREAMING
    at.store.closed = False
    async with house(store=at.store) as after:
        after.platform.messages = at.platform.messages
        await after.start()
        await after.clock.advance(10)
        assert after.platform.texts == ["You said: What is up?"]
        assert len(after.backend.looks) == 1


async def test_a_second_signal_does_not_wait_for_the_grace() -> None:
    async with house() as at:
        at.backend.script = lambda _: say(*["x "] * 100, pause=1.0)
        await at.start()
        await at.platform.heard_by[0](values.message())
        await at.clock.advance(2)
        at.app.stop.set()
        await at.clock.advance(1)
        at.app.insist.set()
        await at.clock.advance(3)
        assert await at.ended() == 0
        assert at.store.answers[0].state is AnswerState.STREAMING


async def test_where_there_are_no_buttons_members_are_told_of_the_reaction_that_the_operator_chose() -> None:
    for chosen, told in (("repeat, 🆕", "(React with 🆕 to try again.)"), ("repeat", "")):
        async with house(retry_emoji=chosen) as at:
            at.backend.errors["What is up?"] = [BackendFailed("boom")]
            await at.start()
            await at.platform.heard_by[0](values.message())
            await at.clock.advance(5)
            (text,) = at.platform.texts
            assert ("React with" in text, text.endswith(told)) == (bool(told), True)


async def test_refused_credentials_are_named_and_a_bridge_without_platforms_ends_with_one() -> None:
    async with house() as at:
        at.platform.run_errors = [NotAllowed("invalid_auth: set SLACK_BOT_TOKEN anew")]
        await at.start()
        await at.clock.settle()
        assert await at.ended() == 1


async def test_a_platform_that_breaks_is_started_again() -> None:
    async with house() as at:
        at.platform.run_errors = [PlatformUnavailable("cut")]
        await at.start()
        assert await at.ready() == (False, "['fake is not connected: not running']")
        await at.clock.advance(2)
        assert (await at.ready())[0]


async def test_a_store_that_is_away_makes_the_bridge_unready_by_name() -> None:
    async with house() as at:
        await at.start()
        at.store.failures = 1
        ready, problems = await at.ready()
        assert not ready
        assert "the store is not reachable" in problems
        assert (await at.ready())[0]


async def test_housekeeping_finds_what_waits_and_forgets_old_text() -> None:
    async with house() as at:
        await at.start()
        at.app.parts.limits = SupervisorLimits(keep_payloads=timedelta(minutes=10))
        await at.platform.heard_by[0](values.message())
        at.store.failures = 6
        await at.clock.advance(61 + timedelta(minutes=14).total_seconds())
        assert len(at.platform.texts) == 1
        assert at.store.conversations[0].questions[0].question is None


async def test_what_only_the_bridge_knows_of_a_conversation_is_kept_for_longer() -> None:
    async with house() as at:
        await at.start()
        routing = Everywhere(app=AppPolicy(name=values.APP))
        at.app.parts.apps.put(routing, {values.APP: ForgetfulBackend(at.clock)})
        at.app.parts.limits = SupervisorLimits(keep_payloads=timedelta(minutes=5), keep_history=timedelta(minutes=20))
        await at.platform.heard_by[0](values.message())
        await at.clock.advance(timedelta(minutes=15).total_seconds())
        assert at.store.conversations[0].questions[0].question is not None
        await at.clock.advance(timedelta(minutes=10).total_seconds())
        assert at.store.conversations[0].questions[0].question is None


async def test_a_wrong_key_is_told_in_the_log_at_start(capsys: pytest.CaptureFixture[str]) -> None:
    async with house() as at:
        at.backend.findings = (
            Finding(severity=Severity.OK, subject="address", problem="reached"),
            Finding(severity=Severity.ERROR, subject="key", problem="refused", fix="Copy DIFY_API_KEY again."),
        )
        await at.start()
        told = [line for line in capsys.readouterr().out.splitlines() if "backend_trouble" in line]
        assert len(told) == 1
        assert "Copy DIFY_API_KEY again." in told[0]
        assert (await at.ready())[0], "it is told, and nothing is ended for it"
