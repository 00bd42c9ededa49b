"""From DB-GPT's refusals to the bridge's errors.

DB-GPT spells a refusal `{"success": false, "err_code": ..., "err_msg": ...}`, with 400 for nearly everything, 200 for some, and
with words that repeat names of databases and what a provider said: they are for the log alone. Its web pages answer every path
that it does not know.
"""

import re

from bridge.backends.dbgpt.sentences import MODEL_FAILED
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendUnreachable,
    QuestionRefused,
)
from bridge.remote.connecting import connection_fixes
from bridge.remote.framing import text_of
from bridge.remote.refusing import NEVER_HANDED_ON, Refusal, retry_after, shorten
from bridge.remote.sentences import MODEL_BUSY, TOO_LONG

WRONG_PATH = "wrong_path"
PLAIN_ON_TLS = "plain_on_tls"
REDIRECTED = "redirected"
NO_SOURCE = "no_source"
NO_MODEL = "no_model"
NO_FLOW = "no_flow"

_OPERATOR_FIXES = {
    "unauthorized": "Set DBGPT_API_KEY to one of the api_keys under [system] in DB-GPT's configuration.",
    "forbidden": "Let the bridge through whatever stands in front of DB-GPT.",
    PLAIN_ON_TLS: "Write https:// instead of http:// in DBGPT_BASE_URL.",
    WRONG_PATH: "Set DBGPT_BASE_URL to DB-GPT's web server, for example http://localhost:5670, with nothing behind the port.",
    REDIRECTED: "Set DBGPT_BASE_URL to the address it leads to (often https:// instead of http://).",
    NO_SOURCE: "Set DBGPT_CHAT_PARAM to the name of a knowledge space or data source as DB-GPT lists it.",
    NO_MODEL: "Set DBGPT_MODEL to a model that runs in DB-GPT, or remove it.",
    NO_FLOW: "Set DBGPT_CHAT_PARAM to the uid of a flow that is deployed.",
    "nothing_said": "Look into DB-GPT's log. Its built-in apps, and apps made of a flow, say nothing here: use the chat mode "
    "that they stand for.",
    "model_failed": "Look into DB-GPT's log and at the model's provider.",
    **connection_fixes("DBGPT", "DB-GPT"),
}

_NO_SOURCE = re.compile(r"Database config not found|have not found knowledge space", re.IGNORECASE)
_NO_MODEL = re.compile(r"not found worker instances for model|model .{0,80}not found", re.IGNORECASE)
_NO_FLOW = re.compile(r"^Flow .{0,80}not found", re.IGNORECASE)
_BUSY = re.compile(r"(error|status) code:? 429\b|rate.?limit|too many requests", re.IGNORECASE)


def fix_for(code: str) -> str:
    """What the operator can do about an error with this code; "" when there is nothing to say."""
    return _OPERATOR_FIXES.get(code, "")


def explain_refusal(refusal: Refusal) -> BackendError:
    """The error for an HTTP answer that is not what was asked for."""
    reply = refusal.read()
    status = refusal.status
    code = text_of(reply, "err_code")
    words = text_of(reply, "err_msg")
    detail = f"DB-GPT answered {status} {code}".rstrip() + (f": {shorten(words)}" if words else "")
    if not reply:
        detail = f"the server answered {status} with {refusal.headers.get('Content-Type') or 'no content type'} instead of JSON"
    if status == 429:
        return BackendBusy(detail, code="too_many_requests", retry_after=retry_after(refusal.headers))
    if 300 <= status < 400:
        target = refusal.headers.get("Location", "").split("?")[0][:200]
        return BackendMisconfigured(f"{detail}; it redirects to {target or 'nowhere'}", code=REDIRECTED)
    if status in (401, 403):
        return BackendMisconfigured(detail, code="unauthorized" if status == 401 else "forbidden")
    if status == 413:
        return QuestionRefused(detail, code="too_large", user_message=TOO_LONG)
    if status == 500:
        return BackendFailed(detail, code="server_error")
    if status > 500:
        error = BackendUnreachable(detail, code=f"http_{status}", retry_after=retry_after(refusal.headers))
        error.accepted = status not in NEVER_HANDED_ON
        return error
    refused = _explain_bad_request(refusal, words, detail, code)
    # Nothing is asked of a model before the stream has begun; what came instead of a stream may be the answer of somebody else.
    refused.accepted = status < 300
    return refused


def _explain_bad_request(refusal: Refusal, words: str, detail: str, code: str) -> BackendError:
    if not refusal.read():
        plain = b"HTTPS port" in refusal.body or b"HTTPS server" in refusal.body
        return BackendMisconfigured(detail, code=PLAIN_ON_TLS if plain else WRONG_PATH)
    return explain_failure(words, detail, code=code)


def explain_failure(words: str, detail: str, *, code: str = "") -> BackendError:
    """What DB-GPT's own words mean, wherever they stood. `detail` is for the log."""
    if _NO_SOURCE.search(words):
        return BackendMisconfigured(detail, code=NO_SOURCE)
    if _NO_MODEL.search(words):
        return BackendMisconfigured(detail, code=NO_MODEL)
    if _NO_FLOW.search(words):
        return BackendMisconfigured(detail, code=NO_FLOW)
    if "invalid_chat" in words or code in ("E0001", "404", "405"):
        return BackendMisconfigured(detail, code=f"refused_{code or 'request'}")
    if code == "400":
        return QuestionRefused(detail, code="bad_request")
    if _BUSY.search(words):
        return BackendFailed(detail, code="model_busy", user_message=MODEL_BUSY)
    if "CheckErrorInfo" in words or "[LLM_ERROR]" in words or "Model server error" in words:
        return BackendFailed(detail, code="model_failed", user_message=MODEL_FAILED)
    return BackendFailed(detail, code="failed_as_text")
