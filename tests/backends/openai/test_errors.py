"""Every spelling of a refusal, and what a member is told about it."""

import json
from datetime import timedelta

import pytest

from bridge.backends.openai.errors import explain_refusal, fix_for
from bridge.backends.openai.sentences import put_in_words
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendUnreachable,
    QuestionRefused,
)
from bridge.remote.refusing import Refusal

PAGE = b"<html><body>502 Bad Gateway: nginx at 10.0.0.7</body></html>"
BAD, BUSY, REFUSED, FAILED, AWAY = BackendMisconfigured, BackendBusy, QuestionRefused, BackendFailed, BackendUnreachable


def refusal(status: int, body: object, **headers: str) -> Refusal:
    if isinstance(body, bytes):
        return Refusal(status=status, headers={"Content-Type": "text/html", **headers}, body=body)
    return Refusal(
        status=status, headers={"Content-Type": "application/json", **headers}, body=json.dumps(body).encode()
    )


def openai(
    message: str = "", code: str | None = None, kind: str = "invalid_request_error", param: str | None = None
) -> object:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def numbered(code: int, message: str = "no") -> object:
    return {"object": "error", "message": message, "code": code}


CONTEXT = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."

CASES = [
    # OpenAI
    (401, openai("Incorrect API key provided: sk-abc.", "invalid_api_key"), BAD, "unauthorized"),
    (403, openai("Country not supported", "unsupported_country_region_territory"), BAD, "forbidden"),
    (
        404,
        openai("The model `x` does not exist or you do not have access to it.", "model_not_found"),
        BAD,
        "model_missing",
    ),
    (404, openai("Invalid URL (POST /v1/v1/chat/completions)"), BAD, "wrong_path"),
    (400, openai(CONTEXT, "context_length_exceeded", param="messages"), REFUSED, "too_long"),
    (
        400,
        openai("Unsupported value: 'temperature' does not support 0.2", "unsupported_value", param="temperature"),
        BAD,
        "setting_refused",
    ),
    (400, openai("you must provide a model parameter", param="model"), BAD, "model_missing"),
    (400, openai("Invalid content type. image_url is only supported by certain models."), REFUSED, "images_refused"),
    (400, openai("The response was filtered", "content_filter"), REFUSED, "content_filter"),
    (400, openai("something else"), REFUSED, "bad_request"),
    (429, openai("Rate limit reached", "rate_limit_exceeded", "requests"), BUSY, "too_many_requests"),
    (
        429,
        openai("You exceeded your current quota, please check your plan", "insufficient_quota", "insufficient_quota"),
        BAD,
        "quota",
    ),
    (500, openai("The server had an error", kind="server_error"), FAILED, "model_failed"),
    (503, openai("The engine is currently overloaded", kind="server_error"), BUSY, "overloaded"),
    # DeepSeek, OpenRouter
    (402, openai("Insufficient Balance"), BAD, "quota"),
    (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}}, BUSY, "overloaded"),
    # Azure
    (
        400,
        {"error": {"code": None, "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        REFUSED,
        "content_filter",
    ),
    # Ollama, llama.cpp
    (404, {"error": "model 'x' not found"}, BAD, "model_missing"),
    (404, openai('model "x" not found, try pulling it first', kind="api_error"), BAD, "model_missing"),
    (
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size",
                "type": "exceed_context_size_error",
            }
        },
        REFUSED,
        "too_long",
    ),
    # vLLM
    (404, numbered(404, "The model `x` does not exist."), BAD, "model_missing"),
    (400, numbered(400, CONTEXT), REFUSED, "too_long"),
    (400, numbered(400, "x is not a multimodal model"), REFUSED, "images_refused"),
    (
        422,
        {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required", "input": "secret words"}]},
        BAD,
        "model_missing",
    ),
    # DB-GPT's model API
    (400, numbered(40001, "[] is too short - 'messages'"), REFUSED, "bad_request"),
    (400, numbered(40301, "Only a|b allowed now, your model x"), BAD, "model_missing"),
    (400, numbered(40302, "3 is greater than the maximum of 2 - 'temperature'"), BAD, "setting_refused"),
    (400, numbered(40303, CONTEXT), REFUSED, "too_long"),
    (400, numbered(42901, "slow down"), BUSY, "too_many_requests"),
    (400, numbered(50001, "internal"), FAILED, "model_failed"),
    (
        401,
        {"detail": {"error": {"message": "", "type": "invalid_request_error", "code": "invalid_api_key"}}},
        BAD,
        "unauthorized",
    ),
    # DB-GPT's application server, asked by mistake
    (400, {"success": False, "err_code": "E0003", "err_msg": "Traceback", "data": None}, BAD, "dbgpt_server"),
    # What stands in between
    (404, {"detail": "Not Found"}, BAD, "wrong_path"),
    (404, PAGE, BAD, "wrong_path"),
    (400, b"The plain HTTP request was sent to HTTPS port", BAD, "plain_on_tls"),
    (405, {"detail": "Method Not Allowed"}, BAD, "wrong_path"),
    (301, PAGE, BAD, "redirected"),
    (413, PAGE, BAD, "wrong_path"),
    (413, {"error": "too large"}, REFUSED, "too_long"),
    (429, PAGE, BUSY, "too_many_requests"),
    (500, PAGE, FAILED, "server_error"),
    (502, PAGE, AWAY, "http_502"),
    (503, PAGE, AWAY, "http_503"),
    (504, PAGE, AWAY, "http_504"),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), CASES)
def test_every_refusal_becomes_an_error_of_its_kind(
    status: int, body: object, kind: type[BackendError], code: str
) -> None:
    error = explain_refusal(refusal(status, body))

    assert (type(error), error.code) == (kind, code)
    assert not error.accepted or status >= 500


@pytest.mark.parametrize(("status", "body", "kind", "code"), CASES)
def test_members_read_a_sentence_of_ours_and_operators_a_fix(
    status: int, body: object, kind: object, code: str
) -> None:
    error = explain_refusal(refusal(status, body))
    put_in_words(error)

    told = error.user_message
    assert told.endswith(".")
    assert not any(word in told for word in ("sk-", "nginx", "10.0", "token", "HTTP", "API", "vLLM", "`"))
    assert fix_for(code) or not isinstance(error, BackendMisconfigured)


def test_the_log_has_neither_keys_nor_what_was_asked() -> None:
    told = openai(
        "Incorrect API key provided: sk-proj-abcdef123. [type=x, input_value='my question']", "invalid_api_key"
    )

    detail = str(explain_refusal(refusal(401, told)))

    assert "abcdef" not in detail
    assert "my question" not in detail
    assert "Incorrect API key" in detail


@pytest.mark.parametrize(
    ("status", "body"), [(429, openai("x")), (429, PAGE), (503, openai("x")), (503, PAGE), (400, numbered(42901))]
)
def test_a_busy_server_is_given_the_time_that_it_asks_for(status: int, body: object) -> None:
    error = explain_refusal(refusal(status, body, **{"Retry-After": "7"}))

    assert error.retry_after == timedelta(seconds=7)
    assert not error.accepted
