"""A strict stand-in for Slack: Web API, Socket Mode, signed callbacks, limits, and faults on demand.

It refuses what the real platform refuses. Of interactivity it has buttons. It does not have streams, OAuth or files of people to
download.
"""

from bridge.playground.slack.model import (
    Call,
    Channel,
    Delivery,
    Fault,
    Faults,
    File,
    Message,
    Person,
    Press,
    Status,
)
from bridge.playground.slack.server import SlackServer

__all__ = [
    "Call",
    "Channel",
    "Delivery",
    "Fault",
    "Faults",
    "File",
    "Message",
    "Person",
    "Press",
    "SlackServer",
    "Status",
]
