"""What the app asks of Slack, as one table: each scope and each event with the features that need it, and what is missing without
it. The manifest, the consent page and `check` are all made from here, so they cannot disagree."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum


class AppFeature(StrEnum):
    """What an operator may leave out of the app. Mentioning the bot and being answered is no feature: it is always there."""

    AGENT = "agent"
    """Slack shows the app as an agent: its own pane, a Stop button, suggested questions."""
    THREADS = "threads"
    """Follow-ups without a mention, edits, deletions, and what was said in a thread before."""
    DIRECT = "direct"
    REACTIONS = "reactions"
    FILES = "files"
    NAMES = "names"
    COMMANDS = "commands"
    SHORTCUT = "shortcut"
    HOME = "home"


PLAIN = frozenset({AppFeature.AGENT})
"""What a plain bot goes without, for workspaces whose plan has no agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A scope or an event that the app asks for."""

    name: str
    without: str
    """What is missing where the app has it not, as the end of a sentence."""
    features: frozenset[AppFeature] = frozenset()
    """Any of these needs it. None: the bot does, whatever it offers."""
    required: bool = False
    """Without it the bot is of no use."""
    many: bool = False
    """Only where the app is installed in many workspaces."""

    def concerns(self, features: Collection[AppFeature], *, many: bool) -> bool:
        """Whether an app with these features asks for it."""
        if self.many and not many:
            return False
        return not self.features or not self.features.isdisjoint(features)


def _needed_by(*features: AppFeature) -> frozenset[AppFeature]:
    return frozenset(features)


SCOPES = (
    # Slack's pages on each scope say which methods and events it opens; the agents' ones are told on the page on agents.
    Need(name="app_mentions:read", without="the bot does not hear when it is mentioned", required=True),
    Need(name="chat:write", without="the bot cannot answer at all", required=True),
    Need(
        name="assistant:write",
        features=_needed_by(AppFeature.AGENT),
        without="no questions are suggested to people who open the bot's messages, and the app is not shown as an agent",
    ),
    Need(
        name="channels:history",
        features=_needed_by(AppFeature.THREADS),
        without="follow-ups without a mention, edits and deletions are not heard in public channels",
    ),
    Need(
        name="groups:history",
        features=_needed_by(AppFeature.THREADS),
        without="follow-ups without a mention, edits and deletions are not heard in private channels",
    ),
    # People write to an agent in its direct messages.
    Need(
        name="im:history",
        features=_needed_by(AppFeature.DIRECT, AppFeature.AGENT),
        without="direct messages are not heard",
    ),
    Need(
        name="mpim:history",
        features=_needed_by(AppFeature.THREADS),
        without="follow-ups without a mention, edits and deletions are not heard in group messages",
    ),
    Need(
        name="reactions:read",
        features=_needed_by(AppFeature.REACTIONS),
        without="reactions do not become feedback, and neither stop an answer nor ask again",
    ),
    Need(
        name="reactions:write",
        features=_needed_by(AppFeature.REACTIONS),
        without="no reaction shows that a question is worked on where Slack has no better sign",
    ),
    Need(
        name="files:read",
        features=_needed_by(AppFeature.FILES),
        without="files that people attach do not reach the app",
    ),
    Need(
        name="files:write",
        features=_needed_by(AppFeature.FILES),
        without="long answers come as many messages instead of a few and a file, and the app's files cannot be sent",
    ),
    Need(
        name="users:read",
        features=_needed_by(AppFeature.NAMES),
        without="people who are mentioned appear by their id instead of their name",
    ),
    Need(
        name="commands",
        features=_needed_by(AppFeature.COMMANDS, AppFeature.SHORTCUT),
        without="there are no slash commands, and no shortcut on messages",
    ),
    # Messages tell whether a channel is shared; for the other ways in, conversations.info does.
    *(
        Need(
            name=f"{family}:read",
            features=_needed_by(AppFeature.COMMANDS, AppFeature.SHORTCUT),
            without=f"it is not noticed that {places} are shared with another organisation when somebody asks there by a slash "
            "command, the shortcut or a button",
        )
        for family, places in (
            ("channels", "public channels"),
            ("groups", "private channels"),
            ("mpim", "group messages"),
        )
    ),
)

EVENTS = (
    Need(name="app_mention", without="the bot does not hear when it is mentioned", required=True),
    Need(name="message.channels", features=_needed_by(AppFeature.THREADS), without="as without channels:history"),
    Need(name="message.groups", features=_needed_by(AppFeature.THREADS), without="as without groups:history"),
    Need(
        name="message.im",
        features=_needed_by(AppFeature.DIRECT, AppFeature.AGENT),
        without="direct messages are not heard",
    ),
    Need(name="message.mpim", features=_needed_by(AppFeature.THREADS), without="as without mpim:history"),
    Need(name="reaction_added", features=_needed_by(AppFeature.REACTIONS), without="reactions do not become feedback"),
    Need(
        name="reaction_removed",
        features=_needed_by(AppFeature.REACTIONS),
        without="a reaction that is taken back still counts",
    ),
    Need(
        name="app_home_opened",
        # An agent hears by it that somebody opened their direct messages (Slack's page on agents).
        features=_needed_by(AppFeature.HOME, AppFeature.AGENT),
        without="the Home tab stays empty, and no questions are suggested",
    ),
    Need(
        name="agent_session_stopped",
        features=_needed_by(AppFeature.AGENT),
        without="Slack's own Stop button does not stop the app",
    ),
    # The bridge makes nothing of it. Slack's page on agents has every agent subscribe to it, and the manifest of an app of the
    # kind before was refused without its like; whether this one would be is not known.
    Need(name="app_context_changed", features=_needed_by(AppFeature.AGENT), without="nothing is missing"),
    Need(name="app_uninstalled", many=True, without="a workspace that removed the app is noticed a day later"),
    Need(name="tokens_revoked", many=True, without="a workspace that revoked the token is noticed a day later"),
)


def needed_scopes(features: Collection[AppFeature]) -> tuple[Need, ...]:
    """The bot scopes of an app with these features, those that it cannot do without first."""
    return tuple(_chosen(SCOPES, features, many=False))


def needed_events(features: Collection[AppFeature], *, many: bool) -> tuple[Need, ...]:
    """The bot events of such an app."""
    return tuple(_chosen(EVENTS, features, many=many))


def _chosen(needs: Collection[Need], features: Collection[AppFeature], *, many: bool) -> Iterator[Need]:
    return (need for need in needs if need.concerns(features, many=many))
