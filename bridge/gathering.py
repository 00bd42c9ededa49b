"""Before an app is asked: what it wants to know besides the question is put together, and what nobody knows yet is asked for.

While its asker fills in the form the question waits at the head of its conversation, unasked. Nothing but the store remembers
what is asked for, so whoever takes the question over, after a restart or in another process, waits on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge import endings, logs
from bridge.backend_api import Backend
from bridge.clock import Clock, within
from bridge.errors import BackendError, StoreUnavailable
from bridge.forms_api import OffersForms
from bridge.inputs import Known, Settled, Source, form_for, settle_inputs
from bridge.kept_inputs import InputRequest, KeepsInputs
from bridge.markdown.characters import literally
from bridge.messages import AppName, Author, Button, ButtonAction, Inputs, Outcome, PlatformName
from bridge.people_api import DescribesPeople
from bridge.platform_api import Platform
from bridge.routing import AppPolicy
from bridge.running import Running
from bridge.variables_api import DescribesInputs, InputVariable

_log = logs.get("inputs")

KIND = "inputs"
"""Ids of these forms begin with it (see `form_desk`)."""

_TITLE = "Before I ask the app"
_WANTED = "⏳ Before I can ask the app, {who} has to tell it: {what}. Please do so within {minutes}."
_MORE = "⏳ Thank you. The app also wants to know: {what}. Please press the button once more."
_THANKS = "⏳ Thank you. I am asking the app…"
_FILL_IN = "Fill in…"

TIME_IS_UP = "What the app wants to know was not filled in within {minutes}, so I have not asked it."
NOBODY_TO_ASK = "The app wants to know something that I cannot ask for here: {what}. Please tell whoever runs this bot."
TOO_MANY = "Too many questions wait for something to be filled in. Please try again in a few minutes."
SET_UP_WRONGLY = "The app is set up wrongly: {what}. Please tell whoever runs this bot."


@dataclass(frozen=True, slots=True, kw_only=True)
class GatherLimits:
    patience: timedelta = timedelta(minutes=10)
    """How long a form may be filled in. Where the bot answers by an interaction of Discord, that is good for 15 minutes."""
    most_waiting: int = 100
    """Questions of this process that may wait for forms at once. One more is not asked for what it lacks."""
    look_up: timedelta = timedelta(seconds=5)
    """How long the backend may take to say what its app wants, which it says once in a while. Else it is asked without."""
    store: timedelta = timedelta(seconds=30)
    """How long a store that is away is tried. Then the question is left to the next sweep, unasked."""


class Gatherer:
    """`kept` is None where nothing can be kept; then members are asked for nothing."""

    def __init__(
        self,
        *,
        kept: KeepsInputs | None,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        policies: Mapping[AppName, AppPolicy],
        clock: Clock,
        limits: GatherLimits | None = None,
    ) -> None:
        self._kept = kept
        self._platforms = platforms
        self._backends = backends
        self._policies = policies
        self._clock = clock
        self._limits = limits or GatherLimits()
        self._waiting = 0

    async def gather(self, running: Running) -> Outcome | None:
        """Sets `running.inputs`. An outcome: the app cannot be asked, and this is how that ends. None with `running.woken` set:
        something has happened; look again. May take as long as a member takes to fill in a form. Raises nothing."""
        # Before it is looked up what is known: what is filled in just then shall be noticed.
        running.waits = True
        try:
            return await self._gather(running)
        finally:
            running.waits = False

    async def _gather(self, running: Running) -> Outcome | None:
        kept = await self._known(running)
        if kept is None:
            return None
        policy = self._policies[running.turn.app]
        variables = await self._variables(running)
        if running.woken.is_set():
            return None
        known = Known(
            constants=policy.inputs,
            sourced=policy.sourced,
            asked=policy.asked,
            author=await self._asker(running, policy),
            target=running.turn.target,
            kept=kept,
        )
        settled = settle_inputs(variables, known)
        if settled.wrong:
            return self._explain_wrong(running, settled)
        if settled.missing:
            return await self._ask(running, settled.missing)
        running.inputs = settled.inputs
        if running.draft.asks:
            running.draft.asks = ()
            running.say(_THANKS)
        return None

    async def _known(self, running: Running) -> Inputs | None:
        """None: the store was away for too long, and the question is handed over."""
        if self._kept is None:
            return {}
        deadline = self._clock.monotonic() + self._limits.store.total_seconds()
        pause = 0.1
        while True:
            try:
                return await self._kept.known(running.turn)
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="known_inputs", detail=str(error))
                if self._clock.monotonic() > deadline:
                    running.handed_over = True
                    running.woken.set()
                if running.woken.is_set():
                    return None
                await self._clock.wait(running.woken, pause)
                pause = min(pause * 2, 5.0)

    async def _asker(self, running: Running, policy: AppPolicy) -> Author:
        """With name and language, where those are wanted and the platform tells them apart."""
        author, target = running.turn.question.author, running.turn.target
        platform = self._platforms[target.platform]
        wanted = {one.source for one in policy.sourced.values()}
        unknown = (Source.ASKER_NAME in wanted and author.display_name in ("", author.id)) or (
            Source.ASKER_LOCALE in wanted and not author.locale
        )
        if not unknown or not isinstance(platform, DescribesPeople):
            return author
        try:
            return await within(self._clock, self._limits.look_up.total_seconds(), platform.describe(target, author))
        except TimeoutError:
            _log.info("asker_not_known", platform=target.platform)
            return author

    async def _variables(self, running: Running) -> Sequence[InputVariable] | None:
        backend = self._backends[running.turn.app]
        if not isinstance(backend, DescribesInputs):
            return None
        try:
            return await within(self._clock, self._limits.look_up.total_seconds(), backend.input_form())
        except BackendError as error:
            # If it is away, asking it says so in better words; if it only does not tell this, it may answer all the same.
            _log.info("inputs_not_known", app=running.turn.app, code=error.code, detail=str(error))
        except TimeoutError:
            _log.info("inputs_not_known", app=running.turn.app, code="timeout")
        return None

    # Asking a member

    async def _ask(self, running: Running, missing: Sequence[InputVariable]) -> Outcome | None:
        turn, asker = running.turn, running.turn.question.author
        platform = self._platforms[turn.target.platform]
        may = isinstance(platform, OffersForms) and platform.capabilities.buttons and not asker.is_bot
        if not running.wanted and self._waiting >= self._limits.most_waiting:
            _log.warning("too_many_forms", app=turn.app, waiting=self._waiting)
            return endings.refused(running, TOO_MANY, "inputs_missing", may_retry=True)
        if self._kept is None or not may:
            _log.warning("inputs_missing", app=turn.app, names=[one.name for one in missing])
            return endings.refused(running, NOBODY_TO_ASK.format(what=_labels(missing)), "inputs_missing")
        form = form_for(f"{KIND}:{turn.answer_id}", _TITLE, missing)
        request = InputRequest(
            answer_id=turn.answer_id,
            person=asker.id,
            form=form,
            expires_at=self._clock.now() + self._limits.patience,
        )
        try:
            request = await self._kept.ask(request)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="ask_inputs", detail=str(error))
            await self._clock.wait(running.woken, 1.0)
            running.woken.set()
            return None
        left = (request.expires_at - self._clock.now()).total_seconds()
        if left <= 0:
            return self._expire(running)
        self._show(running, request, missing, left)
        self._waiting += 1
        try:
            if await self._clock.wait(running.woken, left):
                return None
        finally:
            self._waiting -= 1
        return self._expire(running)

    def _show(self, running: Running, request: InputRequest, missing: Sequence[InputVariable], left: float) -> None:
        fields = [field.name for field in request.form.fields]
        if running.wanted and set(fields) < set(running.wanted):
            running.say(_MORE.format(what=_labels(missing)))
        elif list(running.wanted) != fields:
            asker = running.turn.question.author
            named = asker.display_name not in ("", asker.id)
            who = literally(asker.display_name) if named else "whoever asked"
            minutes = _minutes(timedelta(seconds=left))
            running.say(_WANTED.format(who=who, what=_labels(missing), minutes=minutes))
            _log.info("inputs_asked_for", app=running.turn.app, names=fields)
        running.wanted = tuple(fields)
        running.draft.asks = (Button(action=ButtonAction.FORM, label=_FILL_IN, value=request.form.id),)
        running.draft.changed.set()

    def _expire(self, running: Running) -> Outcome:
        running.draft.asks = ()
        _log.info("inputs_not_given", app=running.turn.app)
        words = TIME_IS_UP.format(minutes=_minutes(self._limits.patience))
        return endings.refused(running, words, "inputs_not_given", may_retry=True)

    def _explain_wrong(self, running: Running, settled: Settled) -> Outcome:
        told = [f"{one.name} {one.problem}" for one in settled.wrong]
        _log.error(
            "inputs_wrong",
            app=running.turn.app,
            problems=told,
            fix=f"correct `inputs` of apps.{running.turn.app} in bridge.toml, or the form of the app",
        )
        what = "; ".join(f"its input {literally(one.name)} will not do" for one in settled.wrong)
        return endings.refused(running, SET_UP_WRONGLY.format(what=what), "inputs_wrong", may_retry=True)


def _labels(variables: Sequence[InputVariable]) -> str:
    names = [f"**{literally(variable.label)}**" for variable in variables]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _minutes(patience: timedelta) -> str:
    minutes = round(patience.total_seconds() / 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
