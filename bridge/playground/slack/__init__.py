"""A strict stand-in for Slack: Web API, Socket Mode, signed callbacks, limits, and faults on demand.

It refuses what the real platform refuses. It has streams, agent sessions, modals, commands, files, OAuth and several workspaces;
it does not have user tokens, stacks of modals, scheduled messages or search.
"""

from bridge.playground.slack.model import (
    Act,
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
    "Act",
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
