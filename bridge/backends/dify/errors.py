"""From Dify's refusals to the bridge's errors: by HTTP status, then by `code`, by the words only where Dify leaves no choice.

Members get sentences of our own: Dify's texts name providers, repeat their raw answers, and give advice about routes. Details are
for the log, shortened, and without the parts of validation messages that repeat what was asked.
"""

import re

from bridge.backends.dify.sentences import FILES_REFUSED, INPUTS, SWITCHED_OFF
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendUnreachable,
    ConversationMissing,
    QuestionRefused,
)
from bridge.remote.connecting import connection_fixes
from bridge.remote.framing import Json, text_of
from bridge.remote.refusing import NEVER_HANDED_ON, Refusal, retry_after, shorten
from bridge.remote.sentences import MODEL_BUSY, TOO_LONG

WRONG_PATH = "wrong_path"
PLAIN_ON_TLS = "plain_on_tls"
REDIRECTED = "redirected"
NOT_CHAT_APP = "not_chat_app"
NO_QUERY_INPUT = "no_query_input"
"""Not one of Dify's codes: which input takes the question is not clear."""

NO_VOICE_FIX = "Choose a text-to-speech model in Dify: Settings > Model Provider > System Model Settings."
NO_SPEECH_MODEL_FIX = "Choose a speech-to-text model in Dify: Settings > Model Provider > System Model Settings."

_USE_ANOTHER = "Use the key of a chat, agent, chatflow, completion or workflow app in DIFY_API_KEY."

# What only the operator can mend, and how.
_OPERATOR_FIXES = {
    "not_chat_app": _USE_ANOTHER,
    "not_completion_app": _USE_ANOTHER,
    "not_workflow_app": _USE_ANOTHER,
    "app_unavailable": "Open the app in Dify, finish its settings and publish it.",
    "agent_not_published": "Open the app in Dify and publish it.",
    "provider_not_initialize": "Set up the model provider in Dify: Settings > Model Provider.",
    "provider_quota_exceeded": "The model provider's quota is used up; add credit or choose another model in Dify.",
    "model_currently_not_support": "Choose another model for the app in Dify.",
    "provider_not_support_speech_to_text": NO_SPEECH_MODEL_FIX,
    "rate_limit_error": "The quota of your Dify plan is used up; wait for it to renew or change the plan.",
    "unauthorized": "Copy the key again into DIFY_API_KEY: open the app in Dify, then API Access > API Key.",
    "forbidden": "Switch the app's Service API on in Dify: open the app, then Overview > Service API.",
    PLAIN_ON_TLS: "Write https:// instead of http:// in DIFY_BASE_URL.",
    WRONG_PATH: "DIFY_BASE_URL should end in /v1, for example https://api.dify.ai/v1.",
    REDIRECTED: "Set DIFY_BASE_URL to the address it leads to (often https:// instead of http://).",
    "unsupported_media_type": "A proxy in front of Dify changes requests; let it pass the Content-Type header on.",
    "method_not_allowed": "DIFY_BASE_URL should end in /v1, for example https://api.dify.ai/v1.",
    **connection_fixes("DIFY", "Dify"),
}

_TOO_MANY = "too many requests"
_PROVIDER_CODES = ("provider_not_initialize", "provider_quota_exceeded", "model_currently_not_support")
_WRONG_APP_CODES = ("not_chat_app", "not_completion_app", "not_workflow_app", "app_unavailable", "agent_not_published")

# The model's provider says it has too much to do. Dify passes the status on in its words only (measured on both versions).
_PROVIDER_BUSY = re.compile(r"status code 429\b|rate.?limit|too many requests", re.IGNORECASE)

# Refusals of a question for a file of it. All come as `invalid_param`, so only the words tell (Dify's file factory).
_ABOUT_FILES = re.compile(r"Invalid upload file|File validation failed|Number of (image )?files exceeds", re.IGNORECASE)


def fix_for(code: str) -> str:
    """What the operator can do about an error with this code; "" when there is nothing to say."""
    return _OPERATOR_FIXES.get(code, "")


def explain_refusal(refusal: Refusal, *, continuing: bool = False) -> BackendError:
    """The error for an HTTP answer of another status than 2xx (or of a kind that Dify never sends).

    `continuing` says that the request named a conversation: only then can one be missing.
    """
    reply = refusal.read()
    status = refusal.status
    code = text_of(reply, "code")
    words = text_of(reply, "message")
    detail = f"Dify answered {status} {code}".rstrip() + (f": {shorten(words)}" if words else "")
    if not reply:
        detail = f"the server answered {status} with {refusal.headers.get('Content-Type') or 'no content type'} instead of JSON"

    if status == 429 or code == "too_many_requests" or (status == 400 and words.lower().startswith(_TOO_MANY)):
        if code == "rate_limit_error":
            return BackendMisconfigured(detail, code=code)
        return BackendBusy(detail, code="too_many_requests", retry_after=retry_after(refusal.headers))
    if 300 <= status < 400:
        target = refusal.headers.get("Location", "").split("?")[0][:200]
        return BackendMisconfigured(f"{detail}; it redirects to {target or 'nowhere'}", code=REDIRECTED)
    if status in (401, 403):
        # The finer 403 codes of newer versions all say that the operator closed the app.
        switched_off = SWITCHED_OFF if status == 403 else ""
        return BackendMisconfigured(
            detail, code="unauthorized" if status == 401 else code or "forbidden", user_message=switched_off
        )
    if status == 404:
        return _explain_not_found(detail, code, continuing=continuing)
    if status == 405:
        return BackendMisconfigured(detail, code="method_not_allowed")
    if status == 413:
        return QuestionRefused(detail, code=code or "too_large", user_message=TOO_LONG)
    if status == 415:
        return BackendMisconfigured(detail, code="unsupported_media_type")
    if status >= 500:
        return _explain_server_error(detail, code, refusal, is_dify=bool(reply))
    if not reply:
        # The words of nginx and Apache for plain HTTP on a port that speaks TLS.
        plain = b"HTTPS port" in refusal.body or b"HTTPS server" in refusal.body
        return BackendMisconfigured(detail, code=PLAIN_ON_TLS if plain else WRONG_PATH)
    return _explain_bad_request(detail, code, reply, continuing=continuing)


def _explain_not_found(detail: str, code: str, *, continuing: bool) -> BackendError:
    if code and continuing:
        return ConversationMissing(detail, code=code)
    # An unknown path is an HTML page; JSON without a conversation of ours means that something else was not found.
    return BackendMisconfigured(detail, code=code or WRONG_PATH)


def _explain_server_error(detail: str, code: str, refusal: Refusal, *, is_dify: bool) -> BackendError:
    if is_dify and refusal.status == 500:
        return BackendFailed(detail, code=code or "internal_server_error")
    if refusal.status == 500:
        return BackendFailed(detail, code="server_error")
    error = BackendUnreachable(detail, code=code or f"http_{refusal.status}", retry_after=retry_after(refusal.headers))
    error.accepted = refusal.status not in NEVER_HANDED_ON
    return error


def _explain_bad_request(detail: str, code: str, reply: Json, *, continuing: bool) -> BackendError:
    words = text_of(reply, "message")
    if code in _WRONG_APP_CODES:
        return BackendMisconfigured(detail, code=code)
    if code in _PROVIDER_CODES:
        return BackendMisconfigured(detail, code=code)
    if code == "completion_request_error":
        if "too long" in words.lower():
            return QuestionRefused(detail, code=code, user_message=TOO_LONG)
        return explain_failed_run(detail, code, words)
    if words.startswith("Run failed:"):
        # What an `error` event would have said, had the server streamed.
        return explain_failed_run(detail, code, words)
    if continuing and (code == "conversation_completed" or _is_about(reply, "conversation_id")):
        return ConversationMissing(detail, code=code)
    if _ABOUT_FILES.match(words):
        return QuestionRefused(detail, code=code, user_message=FILES_REFUSED)
    if "in input form" in words or _is_about(reply, "inputs"):
        return QuestionRefused(detail, code=code, user_message=INPUTS)
    return QuestionRefused(detail, code=code or "bad_request")


def _is_about(reply: Json, field: str) -> bool:
    """Whether a validation error names this field: `params` before 1.0, the second line of pydantic's text after."""
    if text_of(reply, "params") == field:
        return True
    lines = text_of(reply, "message").splitlines()
    return len(lines) > 1 and lines[1].strip() == field


def explain_error_event(event: Json) -> BackendError:
    """The error for an `error` event: the app had started, so nothing here counts as never accepted."""
    code = text_of(event, "code")
    words = text_of(event, "message")
    status = event.get("status")
    detail = f"Dify reported {code or 'an error'} ({status if isinstance(status, int) else 'no status'}) in the stream"
    if words:
        detail += f": {shorten(words)}"
    error: BackendError
    if words.lower().startswith(_TOO_MANY) or code == "too_many_requests":
        error = BackendBusy(detail, code="too_many_requests")
        error.accepted = True
        return error
    if code in _PROVIDER_CODES:
        error = BackendMisconfigured(detail, code=code)
        error.accepted = True
        return error
    if code == "conversation_completed":
        return ConversationMissing(detail, code=code)
    if "in input form" in words:
        # 1.13 and newer look at a workflow's and a chatflow's inputs only once it has begun.
        error = QuestionRefused(detail, code=code or "invalid_param", user_message=INPUTS)
        error.accepted = True
        return error
    # `invalid_param` here is any failure inside the app (a node, a tool), not something wrong with the request.
    return explain_failed_run(detail, code or "error", words)


def explain_failed_run(detail: str, code: str, words: str) -> BackendFailed:
    """`words`: what the app says of it, which tells whether its model has too much to do."""
    return BackendFailed(detail, code=code, user_message=MODEL_BUSY if _PROVIDER_BUSY.search(words) else "")


def is_bare(event: Json) -> bool:
    """An `error` event without code and words: what 1.13 and newer say when a chatflow's conversation does not exist."""
    return not text_of(event, "code") and not text_of(event, "message").strip()
