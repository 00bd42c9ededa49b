"""What the sorting desk goes by besides the event: what the operator chose for every place, and what the store knows. Values."""

from dataclasses import dataclass, field

from bridge.messages import ConversationId
from bridge.words import MuteWords


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the operator chose for every place."""

    like: frozenset[str]
    """Emoji (Slack short names or Unicode) that mean a thumbs up."""
    dislike: frozenset[str]
    stop: frozenset[str] = frozenset()
    """Emoji that end the answer they are put on."""
    retry: frozenset[str] = frozenset()
    """Emoji that have the question of a failed or stopped answer asked again."""
    speak: frozenset[str] = frozenset()
    """Emoji that have a whole answer read aloud."""
    follow_edits_waiting: bool = True
    """An edited question that waits is replaced. Without it no edit is followed at all."""
    follow_edits_running: bool = True
    """An edited question that is being answered is asked anew."""
    follow_deletions: bool = True
    """A deleted question is not answered, or no further."""
    words: MuteWords = field(default_factory=MuteWords)
    bot_turns: int = 3
    """Questions by other bots that may follow one another in a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the store knows about an event's surroundings."""

    thread: ConversationId | None = None
    """The conversation that this thread already is."""
    muted: bool = False
    """In that thread nothing is answered that is not said to the bot."""
    replied: ConversationId | None = None
    """The conversation of the message that is replied to, when that message is one of our answers."""
    asked: ConversationId | None = None
    """The same, when it is somebody's question."""
