"""An answer that waits for people: what is shown meanwhile, and how it goes on once somebody has answered.

While it waits nothing runs here: no task, no connection, no place at the app's server. What is known is recorded, whoever takes
the conversation next goes on from there, and whatever happens wakes it (see `pauses_api`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from bridge import logs
from bridge.backend_api import AnswerCompleted, Backend, InputRequired, TextReplaced
from bridge.clock import Clock, within
from bridge.errors import BackendBusy, BackendError, BackendUnreachable, QuestionRefused, StoreUnavailable
from bridge.input_api import Submitted, TakesInput
from bridge.listening import Listener
from bridge.markdown.characters import in_one_line, literally
from bridge.messages import AppName, Author, Button, ButtonAction
from bridge.pauses import FORMS, InputRequest, Pause, PauseStep
from bridge.places import Places
from bridge.preparing import Preparer
from bridge.routing import AppPolicy, MayAnswer
from bridge.running import Running
from bridge.store import Store

_log = logs.get("pausing")

LONGEST_LABEL = 75

_ANSWERED = "✅ **{title}** ({name})"
_ELSEWHERE = "✅ (Answered elsewhere.)"
_ALREADY = "✅ (This was answered.)"
_LATE = "⌛ (Nobody answered in time.)"
_WAITING = "✋ The app waits for {whom} to answer this{until}."
_WAITING_ELSEWHERE = (
    "✋ The app waits until somebody answers this elsewhere, such as by e-mail{until}. I go on when that is done."
)
_AFTER_LATE = "⌛ Nobody answered in time. I go on as soon as the app does."
_AWAY = "⚠️ The answer was noted, but the app cannot be reached. I keep trying."
_NOT_ACCEPTED = "⚠️ {why} Please answer again."
_TOO_LATE = "Nobody answered in time, and the app did not go on."


class Way(Enum):
    """How a turn goes on that was paused."""

    REST = "rest"
    """It waits (on)."""
    RESUME = "resume"
    """The run goes on, or did so already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLimits:
    look_every: timedelta = timedelta(minutes=1)
    """Whether a run still waits is looked up so often: it may have been answered elsewhere."""
    remind_after: timedelta | None = timedelta(hours=1)
    """People are told once more then; None: never."""
    after_late: timedelta = timedelta(minutes=15)
    """How long a run may take to notice that its form's time is over. Dify looks every minute or so."""
    control: timedelta = timedelta(seconds=15)
    """How long a look at the backend may take."""


class Expired(Exception):
    """The form's time was over long ago, and the run did not go on."""


class Pausing:
    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        policies: Mapping[AppName, AppPolicy],
        places: Places,
        preparer: Preparer,
        listener: Listener,
        clock: Clock,
        limits: PauseLimits,
        busy: timedelta,
    ) -> None:
        """`busy`: how long a backend is tried that cannot be reached."""
        self._store = store
        self._backends = backends
        self._policies = policies
        self._places = places
        self._preparer = preparer
        self._listener = listener
        self._clock = clock
        self._limits = limits
        self._busy = busy

    def takes_input(self, running: Running) -> bool:
        return isinstance(self._backends[running.turn.app], TakesInput)

    async def find(self, running: Running) -> Pause | None:
        """What an earlier owner left. None where it cannot be read: then it looks like any interrupted answer."""
        try:
            return await self._store.pause_of(running.turn.answer_id)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="pause_of", detail=str(error))
            return None

    # Waiting

    def begin(self, running: Running, required: InputRequired) -> None:
        """The app asks people. What it asks is shown as part of the answer."""
        last = running.pause
        said, shown = running.said_and_shown()
        request = required.requests[0]
        if last is not None and last.request.id == request.id:
            # Told once more, perhaps with less in it.
            again = replace(last, request=replace(request, token=request.token or last.request.token))
            running.pause = again if last.step is PauseStep.WAITING else replace(again, step=PauseStep.WAITING)
            return
        running.pause = Pause(
            number=1 if last is None else last.number + 1,
            request=request,
            said=said,
            shown=shown,
            answered=() if last is None else last.answered,
        )
        _log.info("paused", answer=running.turn.answer_id, number=running.pause.number, fields=len(request.fields))

    async def record(self, running: Running) -> bool:
        """Keeps the pause. False: there is something to do about it already. Raises `StoreUnavailable` and `Fenced`."""
        assert running.pause is not None  # noqa: S101  # only called when there is one
        wanted = running.pause
        running.pause = await self._store.record_paused(running.turn, wanted)
        return running.pause.step is wanted.step

    def show(self, running: Running) -> None:
        """Ends what this process shows of it."""
        pause = running.pause
        assert pause is not None  # noqa: S101  # as above
        running.draft.fold(TextReplaced(text=_joined(pause.shown, pause.request.text)))
        waits = pause.step is PauseStep.WAITING and not pause.is_late
        running.draft.rest(
            [note for note in (pause.note, self._line(running, pause)) if note], _buttons(pause) if waits else ()
        )

    async def rest(self, running: Running) -> bool:
        """Nothing is to be done until somebody answers. False: it is. Raises `StoreUnavailable` and `Fenced`."""
        pause = running.pause
        assert pause is not None  # noqa: S101  # as above
        now = self._clock.now()
        return await self._store.rest(
            running.turn, pause, look_at=now + self._limits.look_every, remind_at=self._remind_at(pause, now)
        )

    def _remind_at(self, pause: Pause, now: datetime) -> datetime | None:
        if self._limits.remind_after is None or pause.is_late or pause.step is not PauseStep.WAITING:
            return None
        remind_at = now + self._limits.remind_after
        expires = pause.request.expires_at
        # Shortly before its end nobody needs to be told what is over then.
        return None if expires is not None and remind_at > expires - self._limits.look_every else remind_at

    def _line(self, running: Running, pause: Pause) -> str:
        if pause.step is PauseStep.GIVEN:
            return _AWAY
        if pause.is_late:
            return _AFTER_LATE
        time_left = until(pause.request)
        if not pause.request.is_for_chat:
            return _WAITING_ELSEWHERE.format(until=time_left)
        may = self._policies[running.turn.app].may_answer
        asker = name_of(running.turn.question.author)
        name = f"**{literally(asker)}**" if asker else ""
        return _WAITING.format(whom=whom(may, name), until=time_left)

    # Going on

    async def take_up(self, running: Running) -> Way:
        """What the pause that was found comes to. Raises `BackendError`, `Expired`, `StoreUnavailable` and `Fenced`."""
        pause = running.pause
        assert pause is not None  # noqa: S101  # as above
        match pause.step:
            case PauseStep.RESUMED:
                self.stand(running)
                return Way.RESUME
            case PauseStep.GIVEN:
                return await self._hand_in(running, pause)
            case PauseStep.WAITING:
                return await self._wait_on(running, pause)

    async def resume(self, running: Running) -> AnswerCompleted | InputRequired | None:
        """Hears how it goes on. None: something else is wanted now (`woken`). Raises `BackendError` and `Fenced`."""
        turn, backend = running.turn, self._backends[running.turn.app]
        over = running.pause.answered if running.pause else ()
        assert isinstance(backend, TakesInput)  # noqa: S101  # it has paused
        question = self._preparer.plain(running, turn.question, running.ids)
        async with self._places.take(backend.server, lambda number: None):
            if running.woken.is_set():
                return None
            running.asked = True
            try:
                events = backend.resume(question, running.ids, running.said, over)
                return await self._listener.hear(running, events)
            finally:
                running.asked = False

    async def _wait_on(self, running: Running, pause: Pause) -> Way:
        """Woken without an answer from here: shown once more, answered elsewhere, or late."""
        now, expires = self._clock.now(), pause.request.expires_at
        if not await self._still_waits(running):
            await self._close(running, pause, "" if pause.is_late else _ELSEWHERE)
            return Way.RESUME
        if pause.is_late and expires is not None and now > expires + self._limits.after_late:
            self.stand(running)
            raise Expired(_TOO_LATE)
        if not pause.is_late and expires is not None and now >= expires:
            _log.info("form_expired", answer=running.turn.answer_id)
            running.pause = replace(pause, is_late=True, note="")
        return Way.REST

    async def _still_waits(self, running: Running) -> bool:
        backend = self._backends[running.turn.app]
        assert isinstance(backend, TakesInput)  # noqa: S101  # it has paused
        looking = backend.is_waiting(running.ids, running.turn.backend_user)
        try:
            return await within(self._clock, self._limits.control.total_seconds(), looking)
        except (BackendError, TimeoutError) as error:
            _log.info("not_looked_up", answer=running.turn.answer_id, detail=str(error))
            return True

    async def _hand_in(self, running: Running, pause: Pause) -> Way:
        backend, given, request = self._backends[running.turn.app], pause.given, pause.request
        assert isinstance(backend, TakesInput)  # noqa: S101  # it has paused
        assert given is not None  # noqa: S101  # it was given
        self.stand(running)
        try:
            done = await self._submit(backend, running, pause)
        except QuestionRefused as error:
            _log.warning("input_refused", answer=running.turn.answer_id, code=error.code, detail=str(error))
            running.pause = replace(
                pause,
                number=pause.number + 1,
                step=PauseStep.WAITING,
                given=None,
                note=_NOT_ACCEPTED.format(why=error.user_message),
            )
            return Way.REST
        except (BackendBusy, BackendUnreachable) as error:
            _log.warning("input_not_handed_in", answer=running.turn.answer_id, code=error.code, detail=str(error))
            return Way.REST
        _log.info("input_handed_in", answer=running.turn.answer_id, number=pause.number, result=done.value)
        match done:
            case Submitted.TAKEN:
                title = next((one.title for one in request.actions if one.id == given.action), given.action)
                title = literally(in_one_line(title, LONGEST_LABEL))
                line = _ANSWERED.format(title=title, name=literally(given.name))
                await self._close(running, pause, line)
            case Submitted.EARLIER:
                # Elsewhere, or it was ours and nobody lived to note that it had arrived.
                await self._close(running, pause, _ALREADY)
            case Submitted.EXPIRED:
                running.pause = replace(pause, step=PauseStep.WAITING, given=None, is_late=True, note="")
                return Way.REST
        return Way.RESUME

    async def _submit(self, backend: TakesInput, running: Running, pause: Pause) -> Submitted:
        """Tried for a while."""
        given = pause.given
        assert given is not None  # noqa: S101  # it was given
        deadline = self._clock.monotonic() + self._busy.total_seconds()
        wait = 1.0
        while True:
            try:
                return await backend.submit(pause.request, given, running.turn.backend_user)
            except BackendError as error:
                passing = error.may_retry and not isinstance(error, QuestionRefused)
                if not passing or running.woken.is_set() or self._clock.monotonic() + wait > deadline:
                    if passing:
                        raise BackendUnreachable(str(error), code=error.code) from error
                    raise
            await self._clock.wait(running.woken, wait)
            wait = min(wait * 2, 15.0)

    async def _close(self, running: Running, pause: Pause, line: str) -> None:
        """The form is over, and its run goes on: what became of it stands in the answer from now on."""
        closed = replace(
            pause,
            step=PauseStep.RESUMED,
            shown=_joined(pause.shown, pause.request.text, line or _LATE),
            note="",
            answered=(*pause.answered, pause.request.id),
        )
        running.pause = await self._store.record_paused(running.turn, closed)
        self.stand(running)

    def stand(self, running: Running) -> None:
        """The draft begins with what people have seen."""
        pause = running.pause
        assert pause is not None  # noqa: S101  # as above
        over = pause.step is PauseStep.RESUMED
        running.said = pause.said
        # What comes next begins a paragraph.
        running.shown = f"{pause.shown}\n\n" if over else _joined(pause.shown, pause.request.text)
        running.draft.fold(TextReplaced(text=running.shown))


def whom(may: MayAnswer, asker: str) -> str:
    """Who may answer, in words for people. `asker` is put in as it is."""
    if may.anyone:
        return "somebody here"
    name = (asker or "whoever asked") if may.asker else ""
    if not may.people:
        return name
    return f"{name}, or somebody who may," if name else "somebody who may"


def name_of(author: Author) -> str:
    """For people: "" where their platform tells nothing but an id."""
    return "" if author.display_name == author.id else author.display_name


def form_id(pause: Pause, number: int) -> str:
    """Of the action with this number, as a button carries it."""
    return f"{pause.number}:{number}"


def _buttons(pause: Pause) -> tuple[Button, ...]:
    if not pause.request.is_for_chat:
        return ()
    fills = bool(pause.request.fields)
    return tuple(
        Button(
            action=ButtonAction.FORM if fills else ButtonAction.INPUT,
            label=in_one_line(f"{action.title}…" if fills else action.title, LONGEST_LABEL),
            value=f"{FORMS}:{form_id(pause, number)}" if fills else form_id(pause, number),
        )
        for number, action in enumerate(pause.request.actions)
    )


def _joined(*parts: str) -> str:
    """Paragraphs of their own."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def until(request: InputRequest) -> str:
    """When its time is over, as the end of a sentence; "" where it has all the time."""
    return "" if request.expires_at is None else f", until {request.expires_at:%d %b %Y, %H:%M} UTC"
