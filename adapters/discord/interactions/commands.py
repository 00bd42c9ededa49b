"""The commands that the app offers, as Discord wants them registered. Pure. What using one means: see `invocations`."""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from adapters.discord.settings import Settings

Json = Mapping[str, object]

ASK, RESET, STOP, APP, HELP = "ask", "reset", "stop", "app", "help"
HISTORY, FORGET = "history", "forget"
ASK_ABOUT = "Ask about this message"
"""Stands in the menu of every message, under Apps."""

QUESTION, FILE = "question", "file"
"""Options of `ASK`."""

NAME = "name"
"""Option of `APP`."""

MAX_QUESTION = 4_000
"""Characters of a question (ours). Discord would take 6,000 in a command and 4,000 in a form."""


MAX_NAME = 100
"""Characters of the name of an app, or of something within one (ours)."""


class Kind(IntEnum):
    """API reference, Application Command Types."""

    TYPED = 1
    MENU = 3


_TEXT, _ATTACHMENT = 3, 11
"""API reference, Application Command Option Type."""

_SERVERS, _PEOPLE = 0, 1
"""API reference, Application Integration Types."""

_IN_SERVERS, _WITH_BOT, _BETWEEN_PEOPLE = 0, 1, 2
"""API reference, Interaction Context Types."""


def wanted(settings: Settings) -> Sequence[Json]:
    """The whole set; empty where commands are switched off. Where they may be used is said of each: what Discord takes for
    granted otherwise has changed before."""
    if not settings.discord_commands:
        return []
    here: Json = {"integration_types": [_SERVERS], "contexts": [_IN_SERVERS, _WITH_BOT]}
    anywhere: Json = {
        "integration_types": [_SERVERS, _PEOPLE],
        "contexts": [_IN_SERVERS, _WITH_BOT, _BETWEEN_PEOPLE],
    }
    asking = anywhere if settings.installs_for_people else here
    return [
        {
            "type": Kind.TYPED.value,
            "name": ASK,
            "description": "Ask me something",
            "options": [
                {
                    "type": _TEXT,
                    "name": QUESTION,
                    "description": "What you want to know",
                    "required": True,
                    "max_length": MAX_QUESTION,
                },
                {"type": _ATTACHMENT, "name": FILE, "description": "A file that your question is about"},
            ],
            **asking,
        },
        {"type": Kind.TYPED.value, "name": RESET, "description": "Have me forget this conversation", **here},
        {"type": Kind.TYPED.value, "name": STOP, "description": "End what I am answering here", **here},
        {
            "type": Kind.TYPED.value,
            "name": APP,
            "description": "Which app answers here, and which others can",
            "options": [
                {"type": _TEXT, "name": NAME, "description": "The one that shall answer", "max_length": MAX_NAME}
            ],
            **here,
        },
        {"type": Kind.TYPED.value, "name": HISTORY, "description": "Go on with an earlier conversation here", **here},
        {"type": Kind.TYPED.value, "name": FORGET, "description": "Delete what was said in this conversation", **here},
        {"type": Kind.TYPED.value, "name": HELP, "description": "What I can do here", **here},
        {"type": Kind.MENU.value, "name": ASK_ABOUT, **asking},
    ]


def are_registered(commands: Iterable[Json], registered: Iterable[Json]) -> bool:
    """Whether what Discord has is exactly this. It adds numbers and defaults of its own, which are not looked at."""
    return sorted(map(_essence, commands)) == sorted(map(_essence, registered))


def _essence(command: Json) -> str:
    listed = command.get("options")
    options = [
        (
            each.get("type"),
            each.get("name"),
            each.get("description"),
            bool(each.get("required")),
            each.get("max_length"),
            each.get("min_length"),
            bool(each.get("autocomplete")),
            each.get("choices") or [],
        )
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, Mapping)
    ]
    places = [_numbers(command.get(name)) for name in ("integration_types", "contexts")]
    return repr(
        (
            command.get("type") or Kind.TYPED.value,
            command.get("name"),
            command.get("description") or "",
            options,
            places,
        )
    )


def _numbers(listed: object) -> Sequence[int]:
    return sorted(each for each in listed if isinstance(each, int)) if isinstance(listed, list) else []
