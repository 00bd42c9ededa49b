"""What can be made to go wrong at the stand-in Dify. Each shape was recorded from a real server or is in its source."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


def _page(title: str) -> str:
    """A page as nginx makes it."""
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n"
        f"<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )


HTML_503 = _page("503 Service Temporarily Unavailable")


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFault:
    """A refusal before anything has started."""

    status: int
    code: str = ""
    message: str = ""
    html: str = ""
    """A page instead of JSON, as a proxy gives it."""
    headers: tuple[tuple[str, str], ...] = ()


class Trouble(StrEnum):
    ERROR_EVENT = "error_event"
    """An `error` event after `at` tokens; what came so far is not stored."""
    CUT = "cut"
    """The connection breaks after `at` tokens, without the end of the stream."""
    PING_ONLY = "ping_only"
    """Pings for ever: the run behind them is dead."""
    SILENT = "silent"
    """Headers, then not one byte."""
    BARE_ERROR = "bare_error"
    """200, then an `error` without code, ids and words, then pings: chatflows of 1.13 and newer."""
    NO_MESSAGE_END = "no_message_end"
    """The stream ends (for a chatflow after `workflow_finished`) without `message_end`."""
    SLOW_HEADERS = "slow_headers"
    """Not even headers for `seconds`, and then the answer."""
    DROPPED = "dropped"
    """The connection closes without a word, and nothing was made of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFault:
    """Something that goes wrong once the request was accepted."""

    kind: Trouble
    at: int = 3
    seconds: float = 0.0
    code: str = "completion_request_error"
    message: str = "API request failed with status code 500: the stand-in was told to fail"


Fault = HttpFault | StreamFault


def rate_limited(retry_after: int | None = None) -> HttpFault:
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return HttpFault(status=429, code="too_many_requests", message="Too many requests.", headers=headers)


def too_many_requests_400() -> HttpFault:
    """An app's limit on active requests, as 0.15.3 and 1.12.1 spell it."""
    return HttpFault(
        status=400,
        code="invalid_param",
        message="Too many requests. Please try again later. The current maximum concurrent requests allowed is 1.",
    )


def html_503() -> HttpFault:
    return HttpFault(status=503, html=HTML_503)


def html_502() -> HttpFault:
    """The proxy lost Dify."""
    return HttpFault(status=502, html=_page("502 Bad Gateway"))


def html_504() -> HttpFault:
    """The proxy did not want to wait any longer."""
    return HttpFault(status=504, html=_page("504 Gateway Time-out"))


def wrong_key() -> HttpFault:
    return HttpFault(status=401, code="unauthorized", message="Access token is invalid")


def api_disabled() -> HttpFault:
    return HttpFault(status=403, code="forbidden", message="The app's API service has been disabled.")


def plan_quota() -> HttpFault:
    """The runs of a Cloud plan are used up (from the source)."""
    return HttpFault(status=429, code="rate_limit_error", message="Rate limit exceeded, please upgrade your plan.")


def internal_error() -> HttpFault:
    return HttpFault(status=500, code="internal_server_error", message="Internal Server Error, please contact support.")


def dropped() -> StreamFault:
    return StreamFault(kind=Trouble.DROPPED)


def conversation_missing() -> HttpFault:
    return HttpFault(status=404, code="not_found", message="Conversation Not Exists.")


def error_event(at: int = 3, code: str = "completion_request_error") -> StreamFault:
    return StreamFault(kind=Trouble.ERROR_EVENT, at=at, code=code)


def cut(at: int = 3) -> StreamFault:
    return StreamFault(kind=Trouble.CUT, at=at)


def ping_only() -> StreamFault:
    return StreamFault(kind=Trouble.PING_ONLY)


def silent() -> StreamFault:
    return StreamFault(kind=Trouble.SILENT)


def bare_error() -> StreamFault:
    return StreamFault(kind=Trouble.BARE_ERROR)


def no_message_end() -> StreamFault:
    return StreamFault(kind=Trouble.NO_MESSAGE_END)


def slow_headers(seconds: float = 12.0) -> StreamFault:
    return StreamFault(kind=Trouble.SLOW_HEADERS, seconds=seconds)


NAMED: dict[str, Callable[[], Fault]] = {
    "wrong_key": wrong_key,
    "api_disabled": api_disabled,
    "plan_quota": plan_quota,
    "provider_quota": lambda: error_event(at=0, code="provider_quota_exceeded"),
    "internal_error": internal_error,
    "internal_error_event": lambda: error_event(at=0, code="internal_server_error"),
    "html_502": html_502,
    "html_504": html_504,
    "dropped": dropped,
    "429": rate_limited,
    "429_retry_after": lambda: rate_limited(3),
    "too_many_requests_400": too_many_requests_400,
    "html_503": html_503,
    "conversation_missing": conversation_missing,
    "error_event": error_event,
    "cut": cut,
    "ping_only": ping_only,
    "silent": silent,
    "bare_error": bare_error,
    "no_message_end": no_message_end,
    "slow_headers": slow_headers,
}
"""Every fault by the name under which the page and other processes ask for it."""


@dataclass(slots=True)
class Faults:
    """Switches; all off at first."""

    fail_next: list[Fault] = field(default_factory=list)
    """Each chat request takes the first of these."""
    always: Fault | None = None
    """What chat requests meet when `fail_next` is empty."""
    refuse_feedback: int = 0
    """So many of the next feedback calls are answered with 503."""
    refuse_stop: int = 0
    refuse_deletions: int = 0
    strict_history: bool = False
    """The model's provider refuses a history with an empty answer in it, as some do. A lost answer then makes every later
    question of its conversation fail before any text."""

    def take(self) -> Fault | None:
        return self.fail_next.pop(0) if self.fail_next else self.always

    def clear(self) -> None:
        self.fail_next.clear()
        self.always = None
        self.refuse_feedback = 0
        self.refuse_stop = 0
        self.refuse_deletions = 0
        self.strict_history = False
