"""From a server's refusals to the bridge's errors: by HTTP status, then by code, by the words only where servers leave no choice.

Members get sentences of our own. Details are for the log, shortened, and without the key, which some servers repeat.
"""

import re
from datetime import timedelta

from bridge.backends.openai.sentences import FILTERED_QUESTION, IMAGES_REFUSED
from bridge.backends.openai.troubles import Trouble, find_trouble
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendUnreachable,
    QuestionRefused,
)
from bridge.remote.connecting import connection_fixes
from bridge.remote.refusing import NEVER_HANDED_ON, Refusal, retry_after, shorten
from bridge.remote.sentences import TOO_LONG as TOO_LONG_FOR_APP

WRONG_PATH = "wrong_path"
TOO_LONG = "too_long"

# What only the operator can mend, and how.
_OPERATOR_FIXES = {
    **connection_fixes("OPENAI", "the server"),
    "unauthorized": "Copy the key again into OPENAI_API_KEY.",
    "forbidden": "Look with the provider whether OPENAI_API_KEY may use OPENAI_MODEL, and from where.",
    "model_missing": "Set OPENAI_MODEL to one of the models that `dify-chat-bridge check` lists.",
    "quota": "The account's credit or quota is used up; look with the provider.",
    "setting_refused": "Empty OPENAI_TEMPERATURE and OPENAI_MAX_TOKENS, or choose another model in OPENAI_MODEL.",
    "images_refused": "Set OPENAI_MOST_IMAGES to 0 if OPENAI_MODEL cannot see.",
    TOO_LONG: "Lower OPENAI_HISTORY_TOKENS, shorten OPENAI_SYSTEM_PROMPT, or let the server give the model more context.",
    "plain_on_tls": "Write https:// instead of http:// in OPENAI_BASE_URL.",
    WRONG_PATH: "OPENAI_BASE_URL must be what comes before /chat/completions, for example https://api.openai.com/v1.",
    "redirected": "Set OPENAI_BASE_URL to the address it leads to (often https:// instead of http://).",
    "dbgpt_server": 'This is DB-GPT\'s application server: use backend = "dbgpt", or its model API (port 8100, /api/v1).',
}

_KEYS = re.compile(r"\b(sk|pk|gsk|hf|app)[-_][\w*.-]{4,}")
_TOO_LONG = re.compile(
    r"context.{0,20}(length|window|size)|(prompt|input|message).{0,30}too long|too many (input )?tokens|exceeds?.{0,30}tokens?",
    re.IGNORECASE,
)
_FILTERED = re.compile(r"content.?(filter|policy|management)|ResponsibleAI|moderation|safety", re.IGNORECASE)
_ABOUT_IMAGES = re.compile(r"\bimages?\b|image_url|multi.?modal", re.IGNORECASE)
_QUOTA = re.compile(
    r"insufficient_(quota|balance|funds)|billing|credit|\bbalance\b|quota.{0,20}(exceed|exhaust|used)", re.IGNORECASE
)
_NO_MODEL = re.compile(
    r"model.{0,80}(not (found|exist|support|available|allowed|valid)|does not exist)|(invalid|unknown|only).{0,40}model",
    re.I,
)
_OUR_SETTINGS = ("temperature", "max_tokens", "max_completion_tokens", "model", "stream")


def fix_for(code: str) -> str:
    """What the operator can do about an error with this code; "" when there is nothing to say."""
    return _OPERATOR_FIXES.get(code, "")


def explain_refusal(refusal: Refusal) -> BackendError:
    """The error for an HTTP answer of another status than 200."""
    reply = refusal.read()
    status = refusal.status
    trouble = find_trouble(reply) or Trouble()
    detail = _describe(f"the server answered {status}", trouble)
    if not reply:
        kind = refusal.headers.get("Content-Type") or "no content type"
        detail = f"the server answered {status} with {kind} instead of JSON"
    if 300 <= status < 400:
        target = refusal.headers.get("Location", "").split("?")[0][:200]
        return BackendMisconfigured(f"{detail}; it redirects to {target or 'nowhere'}", code="redirected")
    if trouble.code.startswith("E0") and "err_code" in reply:
        return BackendMisconfigured(detail, code="dbgpt_server")
    if status in (401, 403):
        return BackendMisconfigured(detail, code="unauthorized" if status == 401 else "forbidden")
    if status in (402, 429):
        return _explain_limit(detail, status, trouble, retry_after(refusal.headers))
    if status >= 500:
        return _explain_server_error(detail, refusal, trouble, is_json=bool(reply))
    if not reply:
        # The words of nginx and Apache for plain HTTP on a port that speaks TLS.
        plain = b"HTTPS port" in refusal.body or b"HTTPS server" in refusal.body
        return BackendMisconfigured(detail, code="plain_on_tls" if plain else WRONG_PATH)
    if status == 404:
        missing = "model" in f"{trouble.code} {trouble.about}" or _NO_MODEL.search(trouble.words)
        return BackendMisconfigured(detail, code="model_missing" if missing else WRONG_PATH)
    if status == 405:
        return BackendMisconfigured(detail, code=WRONG_PATH)
    if status == 413:
        return QuestionRefused(detail, code=TOO_LONG, user_message=TOO_LONG_FOR_APP)
    return _explain_bad_request(detail, trouble, retry_after(refusal.headers))


def explain_trouble(trouble: Trouble) -> BackendError:
    """The error for a complaint in the stream: the model had been asked, so nothing here counts as never accepted."""
    detail = _describe("the server reported a failure in the stream", trouble)
    error: BackendError
    if _number_of(trouble) // 100 == 429 or trouble.code == "429" or "rate_limit" in f"{trouble.code} {trouble.kind}":
        error = BackendBusy(detail, code="too_many_requests")
    elif _TOO_LONG.search(trouble.words) or trouble.code in ("context_length_exceeded", "40303"):
        error = QuestionRefused(detail, code=TOO_LONG, user_message=TOO_LONG_FOR_APP)
    elif _FILTERED.search(f"{trouble.code} {trouble.kind}"):
        error = QuestionRefused(detail, code="content_filter", user_message=FILTERED_QUESTION)
    else:
        return BackendFailed(detail, code="model_failed")
    error.accepted = True
    return error


def hide_keys(text: str) -> str:
    return _KEYS.sub(lambda found: f"{found[1]}-...", text)


def _explain_limit(detail: str, status: int, trouble: Trouble, wait: timedelta | None) -> BackendError:
    if (
        status == 402
        or _QUOTA.search(f"{trouble.code} {trouble.kind}")
        or (wait is None and _QUOTA.search(trouble.words))
    ):
        return BackendMisconfigured(detail, code="quota")
    return BackendBusy(detail, code="too_many_requests", retry_after=wait)


def _explain_server_error(detail: str, refusal: Refusal, trouble: Trouble, *, is_json: bool) -> BackendError:
    status, wait = refusal.status, retry_after(refusal.headers)
    if is_json and (status in (503, 529) or "overloaded" in f"{trouble.code} {trouble.kind}"):
        return BackendBusy(detail, code="overloaded", retry_after=wait)
    if status == 500:
        return BackendFailed(detail, code="model_failed" if is_json else "server_error")
    error = BackendUnreachable(detail, code=f"http_{status}", retry_after=wait)
    error.accepted = status not in NEVER_HANDED_ON
    return error


def _explain_bad_request(detail: str, trouble: Trouble, wait: timedelta | None) -> BackendError:
    """All of DB-GPT's model API is 400: its numbers tell (40001 validation, 40301 model, 40303 context, 429.., 5....)."""
    number = _number_of(trouble)
    if number // 100 == 429:
        return BackendBusy(detail, code="too_many_requests", retry_after=wait)
    if number == 40301 or trouble.code == "model_not_found" or (trouble.about == "model"):
        return BackendMisconfigured(detail, code="model_missing")
    if number // 10000 == 5:
        # The model was not even begun with: this is said before a stream starts.
        error = BackendFailed(detail, code="model_failed")
        error.accepted = False
        return error
    said = f"{trouble.code} {trouble.kind} {trouble.words}"
    if number == 40303 or trouble.code == "context_length_exceeded" or _TOO_LONG.search(said):
        return QuestionRefused(detail, code=TOO_LONG, user_message=TOO_LONG_FOR_APP)
    if _FILTERED.search(said):
        return QuestionRefused(detail, code="content_filter", user_message=FILTERED_QUESTION)
    if _QUOTA.search(f"{trouble.code} {trouble.kind}"):
        return BackendMisconfigured(detail, code="quota")
    if (
        trouble.about in _OUR_SETTINGS
        or trouble.code in ("unsupported_parameter", "unsupported_value")
        or number == 40302
    ):
        return BackendMisconfigured(detail, code="setting_refused")
    if _ABOUT_IMAGES.search(said):
        return QuestionRefused(detail, code="images_refused", user_message=IMAGES_REFUSED)
    if _NO_MODEL.search(trouble.words):
        return BackendMisconfigured(detail, code="model_missing")
    return QuestionRefused(detail, code="bad_request")


def _number_of(trouble: Trouble) -> int:
    """DB-GPT's numbers, five digits long; 0 for every other code."""
    return int(trouble.code) if re.fullmatch(r"\d{5}", trouble.code) else 0


def _describe(what: str, trouble: Trouble) -> str:
    names = " ".join(dict.fromkeys(one for one in (trouble.code, trouble.kind) if one))
    about = f" (about {trouble.about})" if trouble.about else ""
    words = f": {hide_keys(shorten(trouble.words))}" if trouble.words else ""
    return f"{what} {hide_keys(names)[:100]}".rstrip() + about[:100] + words
