"""Ready-made values, so that a test says only what matters to it."""

from datetime import UTC, datetime

from bridge.events import MessageReceived, ReactionChanged
from bridge.messages import (
    Address,
    AnswerId,
    AppName,
    AskedQuestion,
    Attachment,
    Author,
    BackendIds,
    BackendUser,
    ChannelId,
    ConversationId,
    ConversationKey,
    EventId,
    InstallationId,
    MessageRef,
    NamedPerson,
    Origin,
    PaceGroup,
    PersonId,
    ReplyTarget,
    ThreadId,
    Turn,
)
from tests.fakes.platform import FAKE

THEN = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
APP = AppName("default")


def key(thread: str = "1", *, channel: str = "general", person: str = "") -> ConversationKey:
    return ConversationKey(
        platform=FAKE,
        installation=InstallationId("team"),
        channel=ChannelId(channel),
        thread=ThreadId(thread),
        person=PersonId(person),
    )


def target(thread: str = "1", *, channel: str = "general", opens_thread: bool = False, person: str = "") -> ReplyTarget:
    return ReplyTarget(
        platform=FAKE,
        conversation=key(thread, channel=channel, person=person),
        address=Address(f"{channel}/{thread}"),
        post_group=PaceGroup(channel),
        edit_group=PaceGroup(channel),
        opens_thread=opens_thread,
    )


def ref(address: str) -> MessageRef:
    return MessageRef(platform=FAKE, address=Address(address))


def person(name: str = "ada") -> Author:
    return Author(platform=FAKE, id=PersonId(name), display_name=name.capitalize())


GRACE = NamedPerson(id=PersonId("grace"), name="Grace")


def question(
    text: str = "What is up?",
    *,
    number: int = 1,
    where: ReplyTarget | None = None,
    attachments: tuple[Attachment, ...] = (),
    named: tuple[NamedPerson, ...] = (),
) -> AskedQuestion:
    return AskedQuestion(
        ref=ref(f"q{number}"),
        author=person(),
        text=text,
        target=where or target(),
        attachments=attachments,
        named=named,
        sent_at=THEN,
    )


def turn(asked: AskedQuestion | None = None, *, ids: BackendIds | None = None) -> Turn:
    asked = asked or question()
    return Turn(
        answer_id=AnswerId(1),
        conversation_id=ConversationId(1),
        epoch=1,
        seq=1,
        app=APP,
        backend_user=BackendUser("fake:team:general:1"),
        question=asked,
        target=asked.target,
        ids=ids or BackendIds(),
    )


def message(
    text: str = "What is up?",
    *,
    number: int = 1,
    event: str = "",
    where: ReplyTarget | None = None,
    origin: Origin = Origin.PERSON,
    mentions_bot: bool = True,
    is_direct: bool = False,
    in_thread: bool = False,
    reply_to: MessageRef | None = None,
    replies_to_bot: bool = False,
    attachments: tuple[Attachment, ...] = (),
    named: tuple[NamedPerson, ...] = (),
) -> MessageReceived:
    return MessageReceived(
        event_id=EventId(event or f"e{number}"),
        ref=ref(f"q{number}"),
        target=where or target(),
        author=person(),
        origin=origin,
        text=text,
        mentions_bot=mentions_bot,
        is_direct=is_direct,
        in_thread=in_thread,
        reply_to=reply_to,
        replies_to_bot=replies_to_bot,
        attachments=attachments,
        named=named,
        sent_at=THEN,
    )


def reaction(
    address: str,
    emoji: str = "👍",
    *,
    who: str = "ada",
    added: bool = True,
    revision: int = 1,
    origin: Origin = Origin.PERSON,
) -> ReactionChanged:
    return ReactionChanged(
        event_id=EventId(f"r{revision}"),
        message=ref(address),
        person=PersonId(who),
        origin=origin,
        emoji=emoji,
        added=added,
        revision=revision,
    )
