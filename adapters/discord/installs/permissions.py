"""What the bot asks of Discord, as tables: each permission and each command with what is missing without it. The invite link and
`check` are made from here, so they cannot disagree. Pure.

Bits are those of Discord's page on permissions, names those that its settings show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from adapters.discord.settings import AppSettings

ADMINISTRATOR = 1 << 3
"""Whoever has it has all others."""


class Use(StrEnum):
    """What a permission is for."""

    ANSWERS = "answers"
    THREADS = "threads"
    CONTEXT = "context"
    FILES = "files"
    SOLVED = "solved tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A permission that the bot asks for."""

    name: str
    bit: int
    use: Use
    without: str
    """What is missing where it was not given, as the end of a sentence."""
    required: bool = False
    """Without it the bot is of no use there."""


VIEW_CHANNELS = Need(
    name="View Channels",
    bit=1 << 10,
    use=Use.ANSWERS,
    without="the bot neither hears nor answers anything there",
    required=True,
)

PERMISSIONS = (
    VIEW_CHANNELS,
    Need(
        name="Send Messages",
        bit=1 << 11,
        use=Use.ANSWERS,
        without="the bot cannot answer in channels",
        required=True,
    ),
    Need(
        name="Create Public Threads",
        bit=1 << 35,
        use=Use.THREADS,
        without="questions are answered by a reply in the channel instead of in a thread",
    ),
    Need(
        name="Send Messages in Threads",
        bit=1 << 38,
        use=Use.THREADS,
        without="the bot cannot answer in threads and forum posts",
        required=True,
    ),
    # Replying needs it too (API reference, Create Message).
    Need(
        name="Read Message History",
        bit=1 << 16,
        use=Use.CONTEXT,
        without="answers do not hang below their questions, and what was said in a thread before, in the message replied to, or "
        "while the bot was away, is not read",
    ),
    Need(
        name="Attach Files",
        bit=1 << 15,
        use=Use.FILES,
        without="long answers come as many messages instead of a few and a file, and the app's files cannot be sent",
    ),
    # Of posts that others began (API reference, Modify Channel).
    Need(
        name="Manage Threads",
        bit=1 << 34,
        use=Use.SOLVED,
        without="forum posts do not get the tag of DISCORD_SOLVED_TAG",
    ),
)
"""Neither Embed Links nor Add Reactions: previews are suppressed, and the bot reacts to nothing."""

COMMANDS: Mapping[str, str] = {
    "ask": "nobody can ask by /ask",
    "reset": "nobody can begin a conversation anew by /reset",
    "stop": "nobody can stop an answer by /stop (the button below it still does)",
    "app": "nobody can choose an app by /app (a mention with it still does)",
    "history": "nobody can go on with an earlier conversation",
    "forget": "nobody can have a conversation deleted by /forget (a mention with it still does)",
    "help": "nobody finds /help",
    "Ask about this message": "nobody can ask about a message by its menu",
}
"""Name of each command, and what is missing where it was not registered, as the end of a sentence."""


def needed_permissions(settings: AppSettings) -> Sequence[Need]:
    """Those that an app with these settings asks for, the most important ones first."""
    return [need for need in PERMISSIONS if need.use is not Use.SOLVED or settings.discord_solved_tag.strip()]


def sum_of(needs: Sequence[Need]) -> int:
    """As Discord's links have it."""
    return sum(need.bit for need in needs)


def missing(needs: Sequence[Need], granted: int) -> Sequence[Need]:
    """Which of them are not among the permissions `granted`."""
    return [] if granted & ADMINISTRATOR else [need for need in needs if not granted & need.bit]
