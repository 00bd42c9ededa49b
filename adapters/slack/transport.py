"""How Slack is heard: what the adapter needs of the folder `hearing`.

Every delivery passes the doorstep, which stores it before it is acknowledged, whether it comes by a socket or by HTTP.
"""

from adapters.slack.hearing.doorstep import PRESS_WITHIN, Doorstep, Take
from adapters.slack.hearing.link import Link, open_link
from adapters.slack.hearing.over_http import BODY_LIMIT, HttpEntrance
from adapters.slack.hearing.payloads import Reply
from adapters.slack.hearing.sockets import MOST_SOCKETS, Pauses, SocketEntrance

__all__ = [
    "BODY_LIMIT",
    "MOST_SOCKETS",
    "PRESS_WITHIN",
    "Doorstep",
    "HttpEntrance",
    "Link",
    "Pauses",
    "Reply",
    "SocketEntrance",
    "Take",
    "open_link",
]
