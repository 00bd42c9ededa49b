"""A strict stand-in for Slack: Web API, Socket Mode, signed callbacks, limits, and faults on demand.

It refuses what the real platform refuses. Streams, agent sessions, modals, Home tabs and files of people to download are
there. Of what people press it has buttons; it does not have OAuth.
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
