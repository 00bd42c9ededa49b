"""A stand-in for a Dify server: the Service API of chat, agent and chatflow apps, as strict as the real one.

It keeps everything in memory, answers from a script, and fails on request. What it says and in which order was measured on Dify
0.15.3 and 1.12.1; it does not run models, tools, files or workflows.
"""

from bridge.playground.dify.faults import (
    Faults,
    HttpFault,
    StreamFault,
    bare_error,
    conversation_missing,
    cut,
    error_event,
    html_503,
    no_message_end,
    ping_only,
    rate_limited,
    silent,
    slow_headers,
    too_many_requests_400,
)
from bridge.playground.dify.records import ChatRequest, Conversation, Rating, StoredMessage
from bridge.playground.dify.script import Reply
from bridge.playground.dify.server import DifyServer

__all__ = [
    "ChatRequest",
    "Conversation",
    "DifyServer",
    "Faults",
    "HttpFault",
    "Rating",
    "Reply",
    "StoredMessage",
    "StreamFault",
    "bare_error",
    "conversation_missing",
    "cut",
    "error_event",
    "html_503",
    "no_message_end",
    "ping_only",
    "rate_limited",
    "silent",
    "slow_headers",
    "too_many_requests_400",
]
