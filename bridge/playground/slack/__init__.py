"""A strict stand-in for Slack: Web API, Socket Mode, signed callbacks, limits, and faults on demand.

It refuses what the real platform refuses. It does not have streams, interactive messages, OAuth or files of people to download.
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
    Status,
)
from bridge.playground.slack.server import SlackServer

__all__ = ["Call", "Channel", "Delivery", "Fault", "Faults", "File", "Message", "Person", "SlackServer", "Status"]
