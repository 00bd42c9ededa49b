"""What is counted and measured, for `/metrics` (Prometheus). Rooms call the methods here; who reads it is the web server.

Labels have few values each: names of configured apps and platforms, words from closed lists, codes of backend errors up to a
limit. Nothing that a person wrote and no id of anybody is ever a label.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from bridge.messages import AnswerState, AppName, PlatformName, Rating

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What `render` writes: Prometheus' text format, which every scraper reads."""

_SECONDS = (0.25, 0.5, 1, 2, 3, 5, 8, 13, 20, 30, 45, 60, 90, 120, 180, 300, 600)
"""A person notices a quarter of a second, and gives up long before ten minutes."""
_WRITES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)

MOST_CODES = 40
"""Different backend error codes that are told apart, of all apps. A backend makes them up, so there has to be an end."""
_CURRENCY = re.compile(r"[A-Z]{3}")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,48}")


class Ending(StrEnum):
    """How a turn ended here."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    HANDED_OVER = "handed_over"
    """Left unfinished at a shutdown, or to another owner."""


class Rescue(StrEnum):
    """What became of a turn that an earlier owner left unfinished."""

    SHOWN = "shown"
    """Its outcome was known; only its end had to be shown."""
    FETCHED = "fetched"
    """The backend had the answer."""
    REASKED = "reasked"
    APOLOGISED = "apologised"
    """The answer was lost; the member was told and offered Retry."""


class QuestionResult(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Too much waits already."""
    DUPLICATE = "duplicate"


class LimitedCall(StrEnum):
    """What the platform told us to wait with."""

    POST = "post"
    EDIT = "edit"
    LIVE = "live"
    END = "end"
    OTHER = "other"


_ENDINGS: Mapping[AnswerState, Ending] = {
    AnswerState.DONE: Ending.DONE,
    AnswerState.STOPPED: Ending.STOPPED,
    AnswerState.FAILED: Ending.FAILED,
}


class Metrics:
    """All instruments of one process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._refreshers: list[Callable[[], None]] = []
        self._codes: set[str] = set()
        of = self._registry
        ProcessCollector(registry=of)
        Info("bridge_build", "Which version runs.", registry=of).info({"version": _version()})
        self._questions = Counter(
            "bridge_questions", "Messages that are questions, by what intake did.", ["platform", "result"], registry=of
        )
        self._turns = Counter("bridge_turns", "Turns, by how they ended.", ["app", "platform", "ending"], registry=of)
        self._first_text = Histogram(
            "bridge_first_text_seconds",
            "From the start of a turn until its first text stood on the platform.",
            ["app", "platform"],
            buckets=_SECONDS,
            registry=of,
        )
        self._last_text = Histogram(
            "bridge_last_text_seconds",
            "From the start of a turn until its whole text stood on the platform.",
            ["app", "platform"],
            buckets=_SECONDS,
            registry=of,
        )
        self._writes = Histogram(
            "bridge_answer_writes",
            "Platform calls that one answer took, refused ones included.",
            ["platform"],
            buckets=_WRITES,
            registry=of,
        )
        self._limited = Counter(
            "bridge_rate_limited", "Calls that a platform refused for now (429).", ["platform", "call"], registry=of
        )
        self._rescued = Counter(
            "bridge_rescued_turns",
            "Turns that an earlier owner left unfinished, by what became of them.",
            ["app", "platform", "how"],
            registry=of,
        )
        self._retries = Counter("bridge_retries", "Answers asked again by a member's Retry.", ["platform"], registry=of)
        self._votes = Counter(
            "bridge_votes", "Votes given; one taken back is not counted off.", ["platform", "rating"], registry=of
        )
        self._backend_errors = Counter(
            "bridge_backend_errors", "Failures of a backend, by its code.", ["app", "code"], registry=of
        )
        self._tokens = Counter(
            "bridge_tokens", "Tokens that answers took, as their apps count.", ["app", "kind"], registry=of
        )
        self._price = Counter("bridge_price", "What answers cost, as their apps say.", ["app", "currency"], registry=of)
        self._store_unavailable = Counter(
            "bridge_store_unavailable", "Times that the store could not be reached.", registry=of
        )
        self._waiting = Gauge(
            "bridge_questions_waiting", "Questions that wait for a place at their app.", ["app"], registry=of
        )
        self._unfinished = Gauge(
            "bridge_conversations_unfinished",
            "Conversations with accepted questions that are not answered yet, when last looked.",
            registry=of,
        )
        self._connected = Gauge("bridge_platform_connected", "1: a connection stands.", ["platform"], registry=of)
        self._hearing = Gauge("bridge_platform_hearing", "1: events would arrive now.", ["platform"], registry=of)
        self._heartbeat = Gauge(
            "bridge_heartbeat_age_seconds",
            "Since the platform last answered a heartbeat; NaN while not connected.",
            ["platform"],
            registry=of,
        )

    # Rooms call these

    def question(self, platform: PlatformName, result: QuestionResult) -> None:
        self._questions.labels(platform, result.value).inc()

    def first_text(self, app: AppName, platform: PlatformName, seconds: float) -> None:
        """The first text of an answer stands; `seconds` since its turn began."""
        self._first_text.labels(app, platform).observe(seconds)

    def last_text(self, app: AppName, platform: PlatformName, seconds: float, writes: int) -> None:
        """All of an answer stands; `seconds` since its turn began, after so many platform calls."""
        self._last_text.labels(app, platform).observe(seconds)
        self._writes.labels(platform).observe(writes)

    def turn_ended(self, app: AppName, platform: PlatformName, ending: AnswerState | Ending) -> None:
        """Anything but `done`, `stopped` and `failed` counts as handed over."""
        known = ending if isinstance(ending, Ending) else _ENDINGS.get(ending, Ending.HANDED_OVER)
        self._turns.labels(app, platform, known.value).inc()

    def rescued(self, app: AppName, platform: PlatformName, how: Rescue) -> None:
        self._rescued.labels(app, platform, how.value).inc()

    def rate_limited(self, platform: PlatformName, call: LimitedCall) -> None:
        self._limited.labels(platform, call.value).inc()

    def retried(self, platform: PlatformName) -> None:
        self._retries.labels(platform).inc()

    def voted(self, platform: PlatformName, rating: Rating) -> None:
        self._votes.labels(platform, rating.value).inc()

    def backend_failed(self, app: AppName, code: str) -> None:
        """`code` is `BackendError.code`. What does not look like a code, or is one too many, counts as "other"."""
        if not _CODE.fullmatch(code) or (code not in self._codes and len(self._codes) >= MOST_CODES):
            code = "other"
        else:
            self._codes.add(code)
        self._backend_errors.labels(app, code).inc()

    def spent(
        self, app: AppName, *, prompt: int, completion: int, total: int, price: float | None, currency: str
    ) -> None:
        """Tokens of which nobody says what they were for, and what does not look like the code of a currency, are "other"."""
        for kind, tokens in (("prompt", prompt), ("completion", completion), ("other", total - prompt - completion)):
            if tokens > 0:
                self._tokens.labels(app, kind).inc(tokens)
        if price:
            self._price.labels(app, currency if _CURRENCY.fullmatch(currency) else "other").inc(price)

    def store_unavailable(self) -> None:
        self._store_unavailable.inc()

    # Set when somebody looks

    def before_reading(self, refresh: Callable[[], None]) -> None:
        """Has `refresh` called before the figures are read; it sets gauges from what the process holds in memory."""
        self._refreshers.append(refresh)

    def waiting(self, app: AppName, questions: int) -> None:
        self._waiting.labels(app).set(questions)

    def unfinished(self, conversations: int) -> None:
        self._unfinished.set(conversations)

    def platform(
        self, name: PlatformName, *, connected: bool, hearing: bool, heartbeat_age: float | None = None
    ) -> None:
        """As `PlatformHealth` says. `heartbeat_age`: seconds, None where it is not known."""
        self._connected.labels(name).set(connected)
        self._hearing.labels(name).set(hearing)
        self._heartbeat.labels(name).set(float("nan") if heartbeat_age is None else heartbeat_age)

    # Reading

    def render(self) -> bytes:
        """Every figure in the format that `CONTENT_TYPE` names."""
        for refresh in self._refreshers:
            refresh()
        return generate_latest(self._registry)

    def read(self, name: str, **labels: str) -> float:
        """One figure, by its full name ("bridge_turns_total"); 0 when nothing was counted yet."""
        value = self._registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


def _version() -> str:
    try:
        return version("dify-chat-bridge")
    except PackageNotFoundError:
        return "unknown"  # a checkout that was not installed
