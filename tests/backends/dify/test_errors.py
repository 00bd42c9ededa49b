"""Every shape of refusal, before and in the stream, and what a member is told about it."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bridge.backends.dify.errors import explain_error_event, explain_refusal, fix_for
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendUnreachable,
    ConversationMissing,
    QuestionRefused,
)
from bridge.remote.refusing import Refusal, shorten

PAGE = b"<html><body>502 Bad Gateway: nginx at 10.0.0.7</body></html>"


def refusal(status: int, body: dict[str, object] | bytes, **headers: str) -> Refusal:
    if isinstance(body, bytes):
        return Refusal(status=status, headers={"Content-Type": "text/html", **headers}, body=body)
    return Refusal(
        status=status,
        headers={"Content-Type": "application/json", **headers},
        body=json.dumps({"status": status, **body}).encode(),
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"code": "too_many_requests", "message": "slow down"}, BackendBusy, "too_many_requests"),
        (
            400,
            {"code": "invalid_param", "message": "Too many requests. Please try again later. x"},
            BackendBusy,
            "too_many_requests",
        ),
        (429, {"code": "too_many_requests"}, BackendBusy, "too_many_requests"),
        (429, PAGE, BackendBusy, "too_many_requests"),
        (429, {"code": "rate_limit_error"}, BackendMisconfigured, "rate_limit_error"),
        (400, {"code": "not_chat_app"}, BackendMisconfigured, "not_chat_app"),
        (400, {"code": "app_unavailable"}, BackendMisconfigured, "app_unavailable"),
        (400, {"code": "agent_not_published"}, BackendMisconfigured, "agent_not_published"),
        (400, {"code": "provider_not_initialize"}, BackendMisconfigured, "provider_not_initialize"),
        (400, {"code": "provider_quota_exceeded"}, BackendMisconfigured, "provider_quota_exceeded"),
        (400, {"code": "model_currently_not_support"}, BackendMisconfigured, "model_currently_not_support"),
        (
            400,
            {"code": "completion_request_error", "message": "provider says no"},
            BackendFailed,
            "completion_request_error",
        ),
        (
            400,
            {"code": "completion_request_error", "message": "Query is too long"},
            QuestionRefused,
            "completion_request_error",
        ),
        (400, {"code": "invalid_param", "message": "team is required in input form"}, QuestionRefused, "invalid_param"),
        (400, {"code": "invalid_param", "message": "Run failed: x"}, BackendFailed, "invalid_param"),
        (400, {"message": "no code at all"}, QuestionRefused, "bad_request"),
        (400, PAGE, BackendMisconfigured, "wrong_path"),
        (401, {"code": "unauthorized"}, BackendMisconfigured, "unauthorized"),
        (401, PAGE, BackendMisconfigured, "unauthorized"),
        (403, {"code": "forbidden"}, BackendMisconfigured, "forbidden"),
        (403, {"code": "app_api_disabled"}, BackendMisconfigured, "app_api_disabled"),
        (403, PAGE, BackendMisconfigured, "forbidden"),
        (404, PAGE, BackendMisconfigured, "wrong_path"),
        (404, {"code": "not_found", "message": "Workflow not found"}, BackendMisconfigured, "not_found"),
        (405, {"code": "method_not_allowed"}, BackendMisconfigured, "method_not_allowed"),
        (413, PAGE, QuestionRefused, "too_large"),
        (415, {"code": "unsupported_media_type"}, BackendMisconfigured, "unsupported_media_type"),
        (301, PAGE, BackendMisconfigured, "redirected"),
        (308, b"", BackendMisconfigured, "redirected"),
        (204, b"", BackendMisconfigured, "wrong_path"),
        (500, {"code": "internal_server_error"}, BackendFailed, "internal_server_error"),
        (500, {"message": "no code, no status"}, BackendFailed, "internal_server_error"),
        (500, PAGE, BackendFailed, "server_error"),
        (502, PAGE, BackendUnreachable, "http_502"),
        (503, PAGE, BackendUnreachable, "http_503"),
        (504, PAGE, BackendUnreachable, "http_504"),
        (524, PAGE, BackendUnreachable, "http_524"),
    ],
)
def test_every_refusal_has_its_error(
    status: int, body: dict[str, object] | bytes, kind: type[BackendError], code: str
) -> None:
    error = explain_refusal(refusal(status, body))

    assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"code": "not_found", "message": "Conversation Not Exists."}, ConversationMissing),
        (
            400,
            {"code": "invalid_param", "message": "nope is not a valid uuid.", "params": "conversation_id"},
            ConversationMissing,
        ),
        (
            400,
            {"code": "invalid_param", "message": "1 validation error\nconversation_id\n  Value error, x"},
            ConversationMissing,
        ),
        (400, {"code": "conversation_completed"}, ConversationMissing),
        # A proxy's or a wrong address's page says nothing about conversations: they must not be thrown away for it.
        (404, PAGE, BackendMisconfigured),
        (400, {"code": "invalid_param", "message": "query is required"}, QuestionRefused),
    ],
)
def test_a_conversation_is_missing_only_when_dify_says_so(
    status: int, body: dict[str, object] | bytes, kind: type[BackendError]
) -> None:
    assert type(explain_refusal(refusal(status, body), continuing=True)) is kind
    assert type(explain_refusal(refusal(status, body), continuing=False)) is not ConversationMissing


@pytest.mark.parametrize("status", [503, 521, 523, 530])
def test_what_a_proxy_never_handed_on_was_not_accepted(status: int) -> None:
    assert not explain_refusal(refusal(status, PAGE)).accepted


@pytest.mark.parametrize("status", [500, 502, 504, 520, 524])
def test_what_may_have_reached_dify_counts_as_accepted(status: int) -> None:
    assert explain_refusal(refusal(status, PAGE)).accepted


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7", timedelta(seconds=7)), ("999999", timedelta(hours=1)), ("soon", None), ("", None), ("-3", None)],
)
def test_retry_after_is_understood_in_seconds(value: str, expected: timedelta | None) -> None:
    assert explain_refusal(refusal(429, PAGE, **{"Retry-After": value})).retry_after == expected


def test_retry_after_is_understood_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)

    wait = explain_refusal(refusal(503, PAGE, **{"Retry-After": later})).retry_after

    assert wait is not None
    assert timedelta(seconds=90) < wait <= timedelta(seconds=100)


@pytest.mark.parametrize(
    ("event", "kind", "code"),
    [
        ({"code": "completion_request_error", "message": "x"}, BackendFailed, "completion_request_error"),
        ({"code": "invalid_param", "message": "Run failed: x"}, BackendFailed, "invalid_param"),
        ({"code": "internal_server_error", "status": 500}, BackendFailed, "internal_server_error"),
        ({"code": "provider_quota_exceeded"}, BackendMisconfigured, "provider_quota_exceeded"),
        ({"code": "provider_not_initialize"}, BackendMisconfigured, "provider_not_initialize"),
        ({"message": "Too many requests. Please"}, BackendBusy, "too_many_requests"),
        ({"message": "team is required in input form", "status": 500}, QuestionRefused, "invalid_param"),
        ({"code": 7, "message": ["x"], "status": "x"}, BackendFailed, "error"),
    ],
)
def test_every_error_event_has_its_error_and_counts_as_accepted(
    event: dict[str, object], kind: type[BackendError], code: str
) -> None:
    error = explain_error_event(event)

    assert (type(error), error.code) == (kind, code)
    assert error.accepted


def test_members_never_see_what_a_provider_or_a_proxy_said() -> None:
    secret = "provider acme at 10.0.0.7 said: invalid key sk-123"
    errors = [
        explain_error_event({"code": code, "message": secret})
        for code in ("completion_request_error", "invalid_param", "x")
    ]
    errors += [
        explain_refusal(refusal(status, {"code": "x", "message": secret}))
        for status in (400, 401, 403, 404, 429, 500, 503)
    ]
    errors += [explain_refusal(refusal(status, PAGE)) for status in (400, 404, 502)]

    for error in errors:
        assert error.user_message.endswith(".")
        assert not any(word in error.user_message for word in ("acme", "10.0.0.7", "sk-123", "nginx", "code"))


def test_details_for_the_log_leave_out_what_was_asked_and_advice_about_routes() -> None:
    words = "1 validation error for X\nquery\n  Field required [type=missing, input_value={'inputs': 'secret'}]"
    assert shorten(words) == "1 validation error for X query Field required"
    assert shorten("Conversation Not Exists. You have requested this URI [/v1/x] but") == "Conversation Not Exists."
    assert len(shorten("x" * 5000)) <= 300


@pytest.mark.parametrize(
    "code",
    [
        "not_chat_app",
        "app_unavailable",
        "unauthorized",
        "forbidden",
        "wrong_path",
        "redirected",
        "certificate",
        "dns",
        "refused",
        "tls",
    ],
)
def test_what_the_operator_can_mend_has_a_fix(code: str) -> None:
    assert fix_for(code).endswith(".")
