"""What people do in an AI app beside writing: commands, presses, comments, stops, looking at its own page."""

from dataclasses import replace

from bridge.events import (
    ButtonPressed,
    ChatOpened,
    Command,
    CommandInvoked,
    CommentGiven,
    HomeOpened,
    MessageReceived,
    StopRequested,
)
from bridge.messages import (
    Address,
    Author,
    ButtonAction,
    EventId,
    InstallationId,
    MessageRef,
    Origin,
    PaceGroup,
    PersonId,
    ReplyTarget,
)
from tests.fakes import values
from tests.fakes.platform import FAKE

AWAY = InstallationId("another company")


def aside(who: str = "ada") -> ReplyTarget:
    """Where only that person reads."""
    return ReplyTarget(
        platform=FAKE,
        conversation=values.key(),
        address=Address(f"only {who}"),
        post_group=PaceGroup("general"),
        edit_group=PaceGroup("general"),
        private=True,
    )


def direct(person: str = "ada", thread: str = "") -> ReplyTarget:
    return values.target(thread, channel=f"with {person}", person=person)


def follow_up(text: str = "and then?", number: int = 2) -> MessageReceived:
    """In the thread of the first question, without a mention."""
    return values.message(text, number=number, in_thread=True, mentions_bot=False)


def mention_in_thread(text: str, number: int = 2, event: str = "") -> MessageReceived:
    return values.message(text, number=number, event=event, in_thread=True)


def privately(message: MessageReceived) -> MessageReceived:
    return replace(message, private=aside(message.author.id))


def by(message: MessageReceived, author: Author) -> MessageReceived:
    return replace(message, author=author)


def outsider(name: str = "eve") -> Author:
    return replace(values.person(name), home=AWAY)


def by_bot(message: MessageReceived, bot: str = "B1") -> MessageReceived:
    return replace(message, author=values.person(bot), origin=Origin.BOT)


def command(
    what: Command,
    *,
    where: ReplyTarget | None = None,
    author: Author | None = None,
    event: str = "command",
    is_direct: bool = False,
    is_external: bool = False,
    in_thread: bool = False,
    private: bool = True,
) -> CommandInvoked:
    author = author or values.person()
    return CommandInvoked(
        event_id=EventId(event),
        command=what,
        target=where or values.target(),
        author=author,
        is_direct=is_direct,
        is_external=is_external,
        in_thread=in_thread,
        private=aside(author.id) if private else None,
    )


def press(
    action: ButtonAction, address: str, *, revision: int = 1, author: Author | None = None, private: bool = True
) -> ButtonPressed:
    author = author or values.person()
    return ButtonPressed(
        event_id=EventId(f"press {action.value} {author.id} {revision}"),
        message=values.ref(address),
        installation=InstallationId("team"),
        person=author.id,
        action=action,
        revision=revision,
        author=author,
        target=values.target(),
        private=aside(author.id) if private else None,
    )


def comment(address: str, text: str, *, who: str = "ada", revision: int = 1) -> CommentGiven:
    return CommentGiven(
        event_id=EventId(f"comment {who} {revision}"),
        message=values.ref(address),
        person=PersonId(who),
        text=text,
        revision=revision,
    )


def stop(
    *,
    where: ReplyTarget | None = None,
    message: MessageRef | None = None,
    author: Author | None = None,
    event: str = "",
    private: bool = False,
) -> StopRequested:
    return StopRequested(
        event_id=EventId(event or "native stop"),
        target=where or values.target(),
        author=author or values.person(),
        is_direct=False,
        message=message,
        private=aside((author or values.person()).id) if private else None,
    )


def home_opened(who: str = "ada", event: str = "home") -> HomeOpened:
    return HomeOpened(event_id=EventId(event), author=values.person(who), target=direct(who))


def chat_opened(who: str = "ada") -> ChatOpened:
    return ChatOpened(event_id=EventId("chat"), author=values.person(who), target=direct(who))
