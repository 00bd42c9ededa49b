"""Where an event happened: as routes see it, as the backend's `user` says it, and as it is answered there. Pure."""

from dataclasses import replace

from bridge.events import (
    ButtonPressed,
    ChatOpened,
    CommandInvoked,
    FormSubmitted,
    HomeOpened,
    InboundEvent,
    MessageReceived,
    StopRequested,
)
from bridge.messages import BackendUser, ChannelId, ConversationKey
from bridge.routing import Answers, Place, Resolution

_LONGEST_USER = 255
"""Dify answers 500 to a longer `user` (measured on 0.15.3 and 1.12.1)."""


def backend_user(key: ConversationKey) -> BackendUser:
    """The backend's `user`: the person in direct messages, the thread everywhere else, so that a thread shares one memory."""
    place = [key.person] if key.person else [key.channel, key.thread]
    return BackendUser(":".join([key.platform, key.installation, *place])[:_LONGEST_USER])


def settle(message: MessageReceived, resolution: Resolution) -> MessageReceived:
    """The message as it is answered in its place: without a thread where answers shall be replies and can be."""
    target = message.target
    if resolution.answers is Answers.THREAD or not (target.opens_thread and target.may_reply):
        return message
    return replace(message, target=replace(target, opens_thread=False))


def place_of(event: InboundEvent) -> Place | None:
    """None where the event does not tell."""
    match event:
        case MessageReceived():
            return place_of_message(event)
        case HomeOpened() | ChatOpened():
            return direct_place(event)
        case CommandInvoked() | StopRequested():
            return _place(event.target.conversation, is_direct=event.is_direct, category=event.category)
        case ButtonPressed(target=target) | FormSubmitted(target=target) if target is not None:
            # Only direct conversations are somebody's own.
            return _place(target.conversation, is_direct=bool(target.conversation.person), category=event.category)
        case _:
            return None


def direct_place(event: HomeOpened | ChatOpened) -> Place:
    return _place(event.target.conversation, is_direct=True)


def place_of_message(message: MessageReceived) -> Place:
    return _place(message.target.conversation, is_direct=message.is_direct, category=message.category)


def _place(key: ConversationKey, *, is_direct: bool, category: ChannelId = ChannelId("")) -> Place:
    return Place(
        platform=key.platform,
        installation=key.installation,
        channel=key.channel,
        category=category,
        is_direct=is_direct,
    )
