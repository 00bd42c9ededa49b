"""Buttons under our messages and on our page. Slack has no id for a press that tells a second one apart, so it is put together
from what does. Nothing is remembered: a press under an old message is understood like any other."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.addresses import (
    FEEDBACK_ACTION,
    Place,
    message_ref,
    read_action_id,
    read_block_id,
    read_valued_id,
    write_question_id,
)
from adapters.slack.reading.fields import (
    Ignored,
    Json,
    at_microseconds,
    is_id,
    items_in,
    microseconds,
    moment,
    object_in,
    text_in,
)
from adapters.slack.reading.people import Identity, author_of, home_of
from adapters.slack.reading.spots import direct_messages, for_one, in_thread, is_direct_channel
from bridge.events import ButtonPressed, Command, CommandInvoked, MessageReceived
from bridge.messages import Author, ButtonAction, EventId, InstallationId, MessageRef, Origin, PersonId, ReplyTarget

BUTTON_PRESS = "block_actions"
"""Type of the payload for a press of a button (Slack's page on block_actions)."""

_QUESTION = re.compile(re.escape(write_question_id(0)).removesuffix("0") + r"[0-9]{1,2}")
_PRESSES = (ButtonAction.STOP, ButtonAction.RETRY, ButtonAction.LIKE, ButtonAction.DISLIKE)
_RATINGS = {action.value: action for action in (ButtonAction.LIKE, ButtonAction.DISLIKE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Press:
    """A press under a message, as far as all of its kinds go."""

    id: str
    at: int
    """Microseconds since the epoch."""
    message: MessageRef
    target: ReplyTarget
    private: ReplyTarget
    author: Author
    is_direct: bool


def people_in_press(payload: Json) -> tuple[str, ...]:
    """Who pressed, where their name will be read."""
    ids = [text_in(one, "action_id") for one in items_in(payload, "actions")]
    told = any(_QUESTION.fullmatch(one) or read_valued_id(one) is ButtonAction.INPUT for one in ids)
    person = text_in(object_in(payload, "user"), "id")
    return (person,) if told and person else ()


def read_press(
    payload: Json, me: Identity, names: Mapping[str, str], *, rolling: bool
) -> ButtonPressed | MessageReceived | CommandInvoked | Ignored:
    for pressed in items_in(payload, "actions"):
        action_id = text_in(pressed, "action_id")
        # Of a menu, what was chosen.
        value = text_in(pressed, "value") or text_in(object_in(pressed, "selected_option"), "value")
        if _QUESTION.fullmatch(action_id):
            return _read_question(payload, pressed, me, names, rolling=rolling)
        action = _RATINGS.get(value) if action_id == FEEDBACK_ACTION else read_action_id(action_id)
        valued = read_valued_id(action_id)
        match action or valued:
            case ButtonAction.RESET:
                return _read_reset(payload, pressed, me, names)
            case ButtonAction() as known if known in _PRESSES or valued is not None:
                name = known.value if valued is None else action_id
                press = _read(payload, pressed, me, names, action_id=name, rolling=rolling)
                if isinstance(press, Ignored):
                    return press
                return ButtonPressed(
                    event_id=EventId(press.id),
                    message=press.message,
                    installation=InstallationId(me.team),
                    person=press.author.id,
                    action=known,
                    value=value if valued else "",
                    revision=press.at,
                    author=press.author,
                    target=press.target,
                    private=press.private,
                )
    return Ignored(reason="interaction with something else than our buttons")


def presser(payload: Json, me: Identity, names: Mapping[str, str]) -> Author:
    """Who used a control. Their own workspace stands beside them; in an organisation a colleague may belong to another one than
    where the app is installed, and Slack does not tell such a one from a stranger [?], so both count as strangers. Where the app
    is installed for the whole organisation its own id stands for all of them."""
    user, enterprise = object_in(payload, "user"), text_in(object_in(payload, "enterprise"), "id")
    person = text_in(user, "id")
    home = home_of(text_in(user, "team_id"), me, enterprise)
    if payload.get("is_enterprise_install") is True:
        home = ""  # `team` is null then, so that we are where the person is
    return author_of(person, names, fallback=text_in(user, "name") or text_in(user, "username"), home=home)


def digest(*parts: str) -> str:
    """A short word for what happened, the same whenever it is delivered again."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:20]


def _read(
    payload: Json, pressed: Json, me: Identity, names: Mapping[str, str], *, action_id: str, rolling: bool
) -> _Press | Ignored:
    container = object_in(payload, "container")
    channel, ts = text_in(container, "channel_id"), text_in(container, "message_ts")
    above = text_in(container, "thread_ts") or text_in(object_in(payload, "message"), "thread_ts")
    above = above or read_block_id(text_in(pressed, "block_id"))
    root = above or ts
    author, at = presser(payload, me, names), text_in(pressed, "action_ts")
    pressed_at = microseconds(at)
    if not (is_id(channel) and moment(ts) and moment(root) and is_id(author.id) and pressed_at is not None):
        return Ignored(reason="button without message, person or time")
    is_direct = is_direct_channel(channel)
    thread = Place(team=me.team, channel=channel, ts=root)
    target = in_thread(thread, author.id, is_direct=is_direct, rolling=rolling)
    return _Press(
        id=f"press/{channel}/{ts}/{action_id}/{author.id}/{at}",
        at=pressed_at,
        message=message_ref(Place(team=me.team, channel=channel, ts=ts)),
        target=target,
        # What only one person sees begins no thread.
        private=for_one(
            target.conversation, author.id, thread=above if container.get("is_ephemeral") is True else root
        ),
        author=author,
        is_direct=is_direct,
    )


def _read_question(
    payload: Json, pressed: Json, me: Identity, names: Mapping[str, str], *, rolling: bool
) -> MessageReceived | Ignored:
    action_id, text = text_in(pressed, "action_id"), text_in(pressed, "value").strip()
    press = _read(payload, pressed, me, names, action_id=action_id, rolling=rolling)
    if isinstance(press, Ignored):
        return press
    if not text:
        return Ignored(reason="button without a question")
    channel = text_in(object_in(payload, "container"), "channel_id")
    return MessageReceived(
        event_id=EventId(press.id),
        ref=message_ref(Place(team=me.team, channel=channel, ts=f"!{digest(press.id)}")),
        target=press.target,
        author=press.author,
        origin=Origin.PERSON,
        text=text,
        mentions_bot=True,
        is_direct=press.is_direct,
        in_thread=True,
        is_external=bool(press.author.home),
        unseen=True,
        private=press.private,
        sent_at=at_microseconds(press.at),
    )


def _read_reset(payload: Json, pressed: Json, me: Identity, names: Mapping[str, str]) -> CommandInvoked | Ignored:
    """On the Home tab, which stands in no channel: ours is written into it (see `surfaces.home`)."""
    channel, at = text_in(object_in(payload, "view"), "private_metadata"), text_in(pressed, "action_ts")
    author = presser(payload, me, names)
    if not (is_id(channel) and is_direct_channel(channel) and is_id(author.id) and moment(at)):
        return Ignored(reason="reset without direct messages, person or time")
    target = direct_messages(me.team, channel, author.id)
    return CommandInvoked(
        event_id=EventId(f"press/{channel}/home/{ButtonAction.RESET.value}/{PersonId(author.id)}/{at}"),
        command=Command.RESET,
        target=target,
        author=author,
        is_direct=True,
        private=target,
    )
