"""A stand-in for the application server of DB-GPT: API v2, its history and its feedback, as strict and as odd as the real one.

It keeps everything in memory and answers from a script. What it says and in which order was measured on DB-GPT 0.8.2, and read in
its sources where nothing was to be measured; it runs no models, agents or queries.
"""

from bridge.playground.dbgpt.records import Asked, Ended, Feedback, Listings, Reply, Round, Trouble
from bridge.playground.dbgpt.server import DbgptServer
from bridge.playground.dbgpt.spelling import chart_view, messages_block, plans_block, references_tag

__all__ = [
    "Asked",
    "DbgptServer",
    "Ended",
    "Feedback",
    "Listings",
    "Reply",
    "Round",
    "Trouble",
    "chart_view",
    "messages_block",
    "plans_block",
    "references_tag",
]
