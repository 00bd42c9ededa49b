"""Every way in which Dify fails, what a member is told about it, and what may be done next. One row per cause."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendPaused,
    BackendTimeout,
    BackendUnreachable,
    ConversationMissing,
    QuestionRefused,
)
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.replay import SPEED, Exchange, ReplayServer, as_recorded, load
from tests.backends.dify.scripted import (
    IDS,
    PING,
    RUN_STARTED,
    Cut,
    Hang,
    Pause,
    ScriptedServer,
    Step,
    data,
    run_finished,
    said,
)
from tests.fakes.ports import free_port

SECRET = "acme-provider at 10.0.0.7:5001 said sk-123 {'code': 'x'}"
PAGE = b"<html><body><h1>502 Bad Gateway</h1>nginx/1.25 at 10.0.0.7</body></html>"
JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
STREAM = {"Content-Type": "text/event-stream; charset=utf-8"}

OPERATOR = "Please tell whoever runs this bot."
LATER = "Please try again in a moment."

PINGS: list[Step] = [PING, Pause(0.05)] * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    steps: Sequence[Step]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: STREAM)
    continues: bool = False
    kind: type[BackendError]
    tells: str
    may_retry: bool = True
    accepted: bool = True
    retry_after: int | None = None


def refused(
    status: int,
    code: str,
    kind: type[BackendError],
    tells: str,
    *,
    message: str = SECRET,
    may_retry: bool = True,
    accepted: bool = False,
    retry_after: int | None = None,
    continues: bool = False,
) -> Case:
    """Refused with Dify's JSON before anything began."""
    headers = JSON if retry_after is None else {**JSON, "Retry-After": str(retry_after)}
    return Case(
        steps=[json.dumps({"code": code, "message": message, "status": status}).encode()],
        status=status,
        headers=headers,
        kind=kind,
        tells=tells,
        may_retry=may_retry,
        accepted=accepted,
        retry_after=retry_after,
        continues=continues,
    )


def page(status: int, kind: type[BackendError], tells: str, *, may_retry: bool = True, accepted: bool = False) -> Case:
    """A proxy's page."""
    return Case(
        steps=[PAGE], status=status, headers=HTML, kind=kind, tells=tells, may_retry=may_retry, accepted=accepted
    )


def event(code: str, message: str = SECRET) -> bytes:
    return data(event="error", conversation_id="c-1", message_id="m-1", code=code, message=message, status=400)


def fails(code: str, kind: type[BackendError], tells: str, *, message: str = SECRET, may_retry: bool = True) -> Case:
    """An `error` event after some text."""
    return Case(steps=[said("some text"), event(code, message)], kind=kind, tells=tells, may_retry=may_retry)


BUSY = f"The app is answering too many questions right now. {LATER}"
QUOTA = f"The app has used up its quota. {OPERATOR}"
NO_MODEL = f"The app's model is not available. {OPERATOR}"
NOT_SET_UP = f"The app is not set up correctly, so it cannot answer. {OPERATOR}"
NOT_READY = f"The app is not ready for questions yet. {OPERATOR}"
OFF = f"The app does not take questions from this bot at the moment. {OPERATOR}"
UNREACHABLE = f"The app cannot be reached right now. {LATER}"
NOT_IN_TIME = f"The app did not answer in time. {LATER}"
OWN_PROBLEM = f"The app ran into a problem of its own. {LATER}"
TOO_LONG = "This question is too long for the app. Please ask a shorter one."
MODEL_FAILED = "The app's model failed while answering."
MODEL_BUSY = f"The app's model has too much to do right now. {LATER}"
STEP_FAILED = "A step inside the app failed while answering."
TOO_MANY = "Too many requests. Please try again later. The current maximum concurrent requests allowed is 1."

CASES: dict[str, Case] = {
    # Too many at once, in all its spellings: refused before anything was made of the question.
    "429": refused(429, "too_many_requests", BackendBusy, BUSY),
    "429 with Retry-After": refused(429, "too_many_requests", BackendBusy, BUSY, retry_after=7),
    "429 of a proxy": page(429, BackendBusy, BUSY),
    "400 as measured": refused(400, "invalid_param", BackendBusy, BUSY, message=TOO_MANY),
    "400 by its code": refused(400, "too_many_requests", BackendBusy, BUSY),
    "too many, told in the stream": Case(
        steps=[event("invalid_param", TOO_MANY)], kind=BackendBusy, tells=BUSY, accepted=True
    ),
    # What only the operator can mend.
    "plan quota": refused(429, "rate_limit_error", BackendMisconfigured, QUOTA, may_retry=False),
    "provider quota": refused(400, "provider_quota_exceeded", BackendMisconfigured, QUOTA, may_retry=False),
    "provider quota, in the stream": fails("provider_quota_exceeded", BackendMisconfigured, QUOTA, may_retry=False),
    "no provider": refused(400, "provider_not_initialize", BackendMisconfigured, NO_MODEL, may_retry=False),
    "no provider, in the stream": fails("provider_not_initialize", BackendMisconfigured, NO_MODEL, may_retry=False),
    "no such model": fails("model_currently_not_support", BackendMisconfigured, NO_MODEL, may_retry=False),
    "wrong key": refused(
        401, "unauthorized", BackendMisconfigured, f"The app does not let this bot in. {OPERATOR}", may_retry=False
    ),
    "switched off": refused(403, "forbidden", BackendMisconfigured, OFF, may_retry=False),
    "switched off, newer": refused(403, "app_api_disabled", BackendMisconfigured, OFF, may_retry=False),
    "not published": refused(400, "app_unavailable", BackendMisconfigured, NOT_READY, may_retry=False),
    "wrong kind of app": refused(400, "not_chat_app", BackendMisconfigured, NOT_SET_UP, may_retry=False),
    "wrong path": page(404, BackendMisconfigured, NOT_SET_UP, may_retry=False),
    "a web page instead of an answer": page(200, BackendMisconfigured, NOT_SET_UP, may_retry=False),
    "redirected": page(301, BackendMisconfigured, NOT_SET_UP, may_retry=False),
    # A question that this app does not take.
    "too long": refused(
        400, "completion_request_error", QuestionRefused, TOO_LONG, message="Query is too long", may_retry=False
    ),
    "too large for the proxy": page(413, QuestionRefused, TOO_LONG, may_retry=False),
    "input missing": refused(
        400,
        "invalid_param",
        QuestionRefused,
        f"The app asks for information that this bot does not give. {OPERATOR}",
        message="team is required in input form",
        may_retry=False,
    ),
    "refused for another reason": refused(
        400, "invalid_param", QuestionRefused, "The app did not accept this question.", may_retry=False
    ),
    "conversation gone": refused(
        404,
        "not_found",
        ConversationMissing,
        "The app no longer remembers this conversation.",
        message="Conversation Not Exists.",
        continues=True,
    ),
    # Proxies. 503 is said before the question was handed on; after 502 and 504 nobody knows.
    "503": page(503, BackendUnreachable, UNREACHABLE),
    "502": page(502, BackendUnreachable, UNREACHABLE, accepted=True),
    "504": page(504, BackendUnreachable, NOT_IN_TIME, accepted=True),
    "524": page(524, BackendUnreachable, NOT_IN_TIME, accepted=True),
    "500 of a proxy": page(500, BackendFailed, OWN_PROBLEM, accepted=True),
    # The app itself.
    "500": refused(500, "internal_server_error", BackendFailed, OWN_PROBLEM, accepted=True),
    "500, in the stream": fails("internal_server_error", BackendFailed, OWN_PROBLEM),
    "model": fails("completion_request_error", BackendFailed, MODEL_FAILED),
    "model, before any text": Case(steps=[event("completion_request_error")], kind=BackendFailed, tells=MODEL_FAILED),
    "model, refused whole": refused(400, "completion_request_error", BackendFailed, MODEL_FAILED, accepted=True),
    "model too busy": fails(
        "completion_request_error",
        BackendFailed,
        MODEL_BUSY,
        message="[x] Error: API request failed with status code 429: {}",
    ),
    "model too busy, in a chatflow": fails(
        "invalid_param", BackendFailed, MODEL_BUSY, message="Run failed: Rate limit reached for acme-7"
    ),
    "a step": fails("invalid_param", BackendFailed, STEP_FAILED, message=f"Run failed: {SECRET}"),
    "a step, without its error": Case(
        steps=[RUN_STARTED, said("some text"), run_finished("failed", SECRET)], kind=BackendFailed, tells=STEP_FAILED
    ),
    "an error without a word": Case(
        steps=[data(event="error", message="", status=500)],
        kind=BackendFailed,
        tells="The app failed while answering.",
    ),
    "waits for a form": Case(
        steps=[RUN_STARTED, data(event="workflow_paused", **IDS), Hang()],
        kind=BackendPaused,
        tells="The app is waiting for a form to be filled in, which is not possible from here yet.",
        may_retry=False,
    ),
    # Time and connections.
    "no headers": Case(steps=[Hang()], kind=BackendTimeout, tells=f"The app did not begin to answer in time. {LATER}"),
    "silence before any text": Case(
        steps=[PING, Hang()], kind=BackendTimeout, tells="The app fell silent before it had answered."
    ),
    "silence after text": Case(
        steps=[said("some text"), Hang()],
        kind=BackendTimeout,
        tells="The app fell silent in the middle of its answer.",
    ),
    "only pings": Case(
        steps=PINGS,
        kind=BackendTimeout,
        tells="The app worked on this for too long without saying anything.",
    ),
    "only pings after text": Case(
        steps=[said("some text"), *PINGS],
        kind=BackendTimeout,
        tells="The app worked on this for too long without saying anything more.",
    ),
    "cut before headers": Case(
        steps=[Cut()], kind=BackendCut, tells="The connection to the app broke off before it had answered."
    ),
    "cut before text": Case(
        steps=[PING, said("<think>hm"), Cut()],
        kind=BackendCut,
        tells="The connection to the app broke off before it had answered.",
    ),
    "cut after text": Case(
        steps=[said("some text"), Cut()],
        kind=BackendCut,
        tells="The connection to the app broke off, so this answer is incomplete.",
    ),
    "an end without an ending": Case(
        steps=[said("some text")],
        kind=BackendCut,
        tells="The connection to the app broke off, so this answer is incomplete.",
    ),
    "more than can be held": Case(
        steps=[b"data: " + b"x" * 30_000],
        kind=BackendFailed,
        tells="The app sent more at once than this bot can take.",
    ),
}


async def fail(case: Case) -> Outcome:
    async with ScriptedServer(case.steps, status=case.status, headers=case.headers) as server:
        backend = make_backend(
            server.base_url,
            dify_idle_timeout=0.25,
            dify_connect_timeout=0.1,
            dify_progress_timeout=0.4,
            dify_finish_grace=0.05,
            dify_max_event_bytes=20_000,
        )
        try:
            async with asyncio.timeout(5):
                outcome = await hear(backend.answer(ask(conversation="c-1" if case.continues else "")))
        finally:
            await backend.close()
        assert len(server.asked) == 1
    return outcome


@pytest.mark.parametrize("name", CASES)
async def test_each_failure_is_told_in_its_own_words(name: str) -> None:
    case = CASES[name]

    error = (await fail(case)).error

    assert error is not None
    assert (type(error), error.user_message) == (case.kind, case.tells)
    assert (error.may_retry, error.accepted) == (case.may_retry, case.accepted)
    assert error.retry_after == (None if case.retry_after is None else timedelta(seconds=case.retry_after))
    assert_plain(error)


def assert_plain(error: BackendError) -> None:
    """A sentence or two, and nothing of what servers, providers and proxies call things."""
    words = error.user_message
    assert re.fullmatch(r"[A-Z][A-Za-z ,']+\.( [A-Z][A-Za-z ]+\.)?", words), words
    assert not re.search(
        r"acme|nginx|dify|proxy|http|json|token|stream|timeout|request|error|_|api\b", words, re.IGNORECASE
    )


async def test_nobody_listening_is_unreachable_and_asked_nothing() -> None:
    backend = make_backend(f"http://127.0.0.1:{free_port()}/v1")

    error = (await hear(backend.answer(ask()))).error
    await backend.close()

    assert isinstance(error, BackendUnreachable)
    assert (error.user_message, error.may_retry, error.accepted) == (UNREACHABLE, True, False)
    assert error.fix


async def test_waiting_for_a_place_has_its_own_words() -> None:
    async with ScriptedServer([said("hello"), Hang()]) as server:
        backend = make_backend(server.base_url, dify_max_concurrent=1, queue_timeout=0.1)
        first = asyncio.create_task(hear(backend.answer(ask())))
        await asyncio.wait_for(server.asked_times(1), 5)
        error = (await hear(backend.answer(ask()))).error
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await backend.close()

    assert error is not None
    assert error.user_message == f"Too many questions are waiting for the app right now. {LATER}"
    assert (error.may_retry, error.accepted) == (True, False)
    assert_plain(error)


RECORDED = {
    "llmfail_http429_chat": MODEL_BUSY,
    "llmfail_http500_chat": MODEL_FAILED,
    "llmfail_drop_chat": MODEL_FAILED,
    "llmfail_midway_chat": MODEL_FAILED,
    "llmfail_http500_chatflow": STEP_FAILED,
    "llmfail_midway_chatflow": STEP_FAILED,
    "llmfail_http500_chat_blocking": MODEL_FAILED,
    "llmfail_http500_chatflow_blocking": STEP_FAILED,
    "max_active_requests": BUSY,
    "errors/bad key": f"The app does not let this bot in. {OPERATOR}",
    "errors/conv unknown": "The app no longer remembers this conversation.",
    "errors/wrong app mode: chat on workflow": NOT_SET_UP,
    "errors/required missing": f"The app asks for information that this bot does not give. {OPERATOR}",
}
FAILED_RECORDINGS = [
    exchange
    for version in ("0.15.3", "1.12.1")
    for exchange in load(version)
    if f"{exchange.scenario}/{exchange.label}" in RECORDED
    or (exchange.scenario in RECORDED and (exchange.status != 200 or exchange.number == 0))
]


@pytest.mark.parametrize(
    "exchange",
    [one for one in FAILED_RECORDINGS if not (one.scenario == "max_active_requests" and one.status == 200)],
    ids=lambda exchange: exchange.name,
)
async def test_what_real_servers_said_is_told_in_the_same_words(exchange: Exchange) -> None:
    async with ReplayServer([exchange], as_recorded) as server:
        backend = make_backend(server.base_url, dify_idle_timeout=60 / SPEED, dify_finish_grace=2 / SPEED)
        outcome = await hear(backend.answer(ask(exchange.name, user=exchange.user, conversation=exchange.conversation)))
        await backend.close()

    assert outcome.error is not None
    expected = RECORDED.get(f"{exchange.scenario}/{exchange.label}") or RECORDED[exchange.scenario]
    assert outcome.error.user_message == expected
    assert_plain(outcome.error)


async def test_a_history_that_the_model_refuses_can_be_told_from_an_answer_that_broke_off() -> None:
    """Nothing of the answer had come, and the app itself failed: together with a lost turn that means a poisoned history."""
    outcome = await fail(CASES["model, before any text"])

    assert isinstance(outcome.error, BackendFailed)
    assert (outcome.error.code, outcome.text) == ("completion_request_error", "")
