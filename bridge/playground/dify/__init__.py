"""A stand-in for a Dify server: the Service API of all five kinds of app, as strict as the real one.

It keeps everything in memory, answers from a script, and fails on request. What it says and in which order was measured on Dify
0.15.3 and 1.12.1; it does not run models, tools or workflows.
"""

from bridge.playground.dify.faults import (
    Faults,
    HttpFault,
    StreamFault,
    api_disabled,
    bare_error,
    conversation_missing,
    cut,
    dropped,
    error_event,
    html_502,
    html_503,
    html_504,
    internal_error,
    no_message_end,
    ping_only,
    plan_quota,
    rate_limited,
    silent,
    slow_headers,
    too_many_requests_400,
    wrong_key,
)
from bridge.playground.dify.features import Features, everything_on
from bridge.playground.dify.kept_files import MadeFile, Upload
from bridge.playground.dify.records import (
    Asked,
    ChatRequest,
    Conversation,
    NameCall,
    Rating,
    Recording,
    StopCall,
    StoredMessage,
    StoredRun,
)
from bridge.playground.dify.script import Reply
from bridge.playground.dify.server import DifyServer

__all__ = [
    "Asked",
    "ChatRequest",
    "Conversation",
    "DifyServer",
    "Faults",
    "Features",
    "HttpFault",
    "MadeFile",
    "NameCall",
    "Rating",
    "Recording",
    "Reply",
    "StopCall",
    "StoredMessage",
    "StoredRun",
    "StreamFault",
    "Upload",
    "api_disabled",
    "bare_error",
    "conversation_missing",
    "cut",
    "dropped",
    "error_event",
    "everything_on",
    "html_502",
    "html_503",
    "html_504",
    "internal_error",
    "no_message_end",
    "ping_only",
    "plan_quota",
    "rate_limited",
    "silent",
    "slow_headers",
    "too_many_requests_400",
    "wrong_key",
]
