"""What an interaction is: a command, something picked from a menu, a button, a form that was sent. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import discord

from adapters.discord import markup
from adapters.discord.addresses import link_address
from adapters.discord.gateway.heard import Build
from adapters.discord.inbound import Ignored
from adapters.discord.interactions.commands import (
    APP,
    ASK,
    ASK_ABOUT,
    FILE,
    FORGET,
    HELP,
    HISTORY,
    NAME,
    QUESTION,
    RESET,
    STOP,
    Kind,
)
from adapters.discord.interactions.fields import Wanted, read_wanted
from adapters.discord.interactions.forms import About, Comment, read_form, words_in
from adapters.discord.interactions.matters import Matter, matter_of
from adapters.discord.interactions.scenes import Scene, scene_of
from adapters.discord.reading.places import ref_to
from adapters.discord.rest import buttons
from bridge.events import ButtonPressed, Command, CommandInvoked, CommentGiven, MessageReceived, StopRequested
from bridge.messages import Attachment, ButtonAction, MessageRef, Origin, ReplyTarget, Said

Json = Mapping[str, object]

STOP_WHERE = (
    "Each thread with me is a conversation of its own, so there is nothing to stop out here. "
    "Use `/stop` in the thread, or press **Stop** below the answer."
)
NO_QUESTION = f"Write your question behind it, for example `/{ASK} What can you do?`"
NOTHING_IN_IT = "There is nothing in that message that I can read."

_ORDERS = {
    RESET: Command.RESET,
    APP: Command.APP,
    HISTORY: Command.HISTORY,
    FORGET: Command.FORGET,
    HELP: Command.HELP,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, and all that it takes to ask it."""

    scene: Scene
    event: MessageReceived


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedByButton:
    """The same of a suggested question, which nobody waits to see acknowledged."""

    scene: Scene
    event: MessageReceived


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    scene: Scene
    event: CommandInvoked | StopRequested


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    scene: Scene
    event: ButtonPressed


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """A message that somebody wants to ask about; what they ask comes with the form."""

    scene: Scene
    about: About
    matter: Matter


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAbout:
    """The form came back."""

    scene: Scene
    about: About
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A form of the core is wanted, or was sent."""

    scene: Scene
    wanted: Wanted
    target: ReplyTarget
    sent: Json | None = None
    """What was filled in, as Discord tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented:
    scene: Scene
    event: CommentGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Nothing that anybody has to hear of; who did it is told this."""

    text: str


Doing = Asked | AskedByButton | Ordered | Pressed | Picked | AskedAbout | Filling | Commented | Explained


def read(interaction: discord.Interaction, build: Build) -> Doing | Ignored:
    """`build` makes a message of what is told of one."""
    scene = scene_of(interaction)
    if scene is None:
        return Ignored(reason="in a kind of channel that is not known")
    told: Json = dict(interaction.data or {})
    match interaction.type:
        case discord.InteractionType.application_command:
            return _read_command(interaction, scene, told, build)
        case discord.InteractionType.component:
            return _read_press(interaction, scene, told)
        case discord.InteractionType.modal_submit:
            return _read_form(scene, told)
        case _:
            return Ignored(reason="interaction of a kind that is not used")


def question_about(asked: AskedAbout, matter: Matter) -> MessageReceived:
    """The form's question as an event, once it is known again what it is about."""
    target = asked.scene.about(asked.about.message)
    return _question(asked.scene, target, asked.words, attachments=matter.attachments, about=matter.said)


def _read_command(interaction: discord.Interaction, scene: Scene, told: Json, build: Build) -> Doing | Ignored:
    name, kind = told.get("name"), told.get("type", Kind.TYPED.value)
    if kind == Kind.MENU.value and name == ASK_ABOUT:
        return _read_picked(interaction, scene, told, build)
    if kind != Kind.TYPED.value:
        return Ignored(reason="menu that is not known")
    if name == ASK:
        options = _options(told)
        text = markup.readable(str(options.get(QUESTION) or ""), _names(told)).strip()
        files = tuple(_files(told, [str(options[FILE])] if FILE in options else []))
        if not text and not files:
            return Explained(text=NO_QUESTION)
        return Asked(scene=scene, event=_question(scene, scene.asked, text, attachments=files))
    if name == STOP and not scene.is_one_conversation:
        return Explained(text=STOP_WHERE)
    if name == STOP:
        stop = StopRequested(
            event_id=scene.event_id,
            target=scene.here,
            author=scene.author,
            is_direct=scene.is_direct,
            category=scene.place.category_id,
            private=scene.private,
        )
        return Ordered(scene=scene, event=stop)
    if isinstance(name, str) and name in _ORDERS:
        order = CommandInvoked(
            event_id=scene.event_id,
            command=_ORDERS[name],
            target=scene.here,
            author=scene.author,
            is_direct=scene.is_direct,
            category=scene.place.category_id,
            in_thread=scene.in_thread,
            private=scene.private,
            words=" ".join(str(_options(told).get(NAME) or "").split()),
        )
        return Ordered(scene=scene, event=order)
    return Ignored(reason="command that is not known")


def _read_picked(interaction: discord.Interaction, scene: Scene, told: Json, build: Build) -> Doing | Ignored:
    number = str(told.get("target_id") or "")
    found = _resolved(told, "messages").get(number)
    if not (number.isascii() and number.isdecimal()) or not isinstance(found, Mapping):
        return Ignored(reason="menu without a message")
    # Told within an interaction, it lacks the server that it stands in.
    server = {} if interaction.guild_id is None else {"guild_id": str(interaction.guild_id)}
    message = build({**found, **server})
    if message is None:
        return Ignored(reason="picked message that cannot be read")
    matter = matter_of(message)
    if matter is None:
        return Explained(text=NOTHING_IN_IT)
    return Picked(scene=scene, about=About(channel=scene.place.channel, message=int(number)), matter=matter)


def _read_press(interaction: discord.Interaction, scene: Scene, told: Json) -> Doing | Ignored:
    message = interaction.message
    if message is None:
        return Ignored(reason="press without a message")
    custom_id = str(told.get("custom_id", ""))
    action = buttons.action_of(custom_id)
    if action is None:
        return Ignored(reason="button that is not known")
    ref = ref_to(scene.place.channel, message.id)
    if action is ButtonAction.ASK:
        question = buttons.question_of(buttons.label_under(message, custom_id), custom_id)
        if question is None:
            return Ignored(reason="button without a question")
        # Outside of threads it belongs to the conversation of the message that suggests it.
        event = _question(scene, scene.about(message.id), question, below=ref)
        return AskedByButton(scene=scene, event=event)
    if action is ButtonAction.FORM:
        wanted = Wanted(channel=scene.place.channel, message=message.id, form=buttons.value_of(custom_id))
        return Filling(scene=scene, wanted=wanted, target=scene.under(message.id))
    return Pressed(
        scene=scene,
        event=ButtonPressed(
            event_id=scene.event_id,
            message=ref,
            installation=scene.place.installation,
            person=scene.author.id,
            action=action,
            revision=scene.revision,
            author=scene.author,
            target=scene.under(message.id),
            category=scene.place.category_id,
            private=scene.private,
            value=_value_of(told, custom_id),
        ),
    )


def _value_of(told: Json, custom_id: str) -> str:
    value, chosen = buttons.value_of(custom_id), told.get("values")
    if value != buttons.CHOSEN_IN_MENU:
        return value
    return str(chosen[0]) if isinstance(chosen, list) and chosen else ""


def _read_form(scene: Scene, told: Json) -> AskedAbout | Commented | Filling | Ignored:
    wanted = read_wanted(str(told.get("custom_id", "")))
    if wanted is not None and wanted.channel == scene.place.channel:
        return Filling(scene=scene, wanted=wanted, target=scene.under(wanted.message), sent=told)
    about, words = read_form(str(told.get("custom_id", ""))), words_in(told)
    if about is None or about.channel != scene.place.channel or not words:
        return Ignored(reason="form that is not known, or without words")
    if isinstance(about, About):
        return AskedAbout(scene=scene, about=about, words=words)
    return Commented(scene=scene, event=_comment(scene, about, words))


def _comment(scene: Scene, about: Comment, words: str) -> CommentGiven:
    return CommentGiven(
        event_id=scene.event_id,
        message=ref_to(about.channel, about.message),
        person=scene.author.id,
        text=words,
        revision=about.revision,
    )


def _question(
    scene: Scene,
    target: ReplyTarget,
    text: str,
    *,
    attachments: tuple[Attachment, ...] = (),
    about: Said | None = None,
    below: MessageRef | None = None,
) -> MessageReceived:
    """`below`: the message of ours that it goes on from."""
    return MessageReceived(
        event_id=scene.event_id,
        ref=scene.ref,
        target=target,
        author=scene.author,
        origin=Origin.PERSON,
        text=text,
        mentions_bot=True,
        is_direct=scene.is_direct,
        in_thread=scene.in_thread,
        reply_to=below,
        replies_to_bot=below is not None,
        attachments=attachments,
        category=scene.place.category_id,
        unseen=True,
        about=about,
        private=scene.private,
        sent_at=scene.at,
    )


def _names(told: Json) -> markup.Names:
    """People are told with a command where its author's Discord knew them."""
    users = {
        int(number): str(each.get("global_name") or each.get("username") or number)
        for number, each in _resolved(told, "users").items()
        if number.isascii() and number.isdecimal() and isinstance(each, Mapping)
    }
    return markup.Names(users=users)


def _files(told: Json, numbers: Iterable[str]) -> Iterable[Attachment]:
    """A command's files hang at no message: nothing but their own address leads to them."""
    known = _resolved(told, "attachments")
    for number in numbers:
        file = known.get(number)
        if isinstance(file, Mapping) and file.get("url"):
            size = file.get("size")
            yield Attachment(
                name=str(file.get("filename") or "file"),
                media_type=str(file.get("content_type") or ""),
                size=size if isinstance(size, int) else None,
                address=link_address(str(file["url"])),
            )


def _resolved(told: Json, kind: str) -> Mapping[str, object]:
    resolved = told.get("resolved")
    found = resolved.get(kind) if isinstance(resolved, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _options(told: Json) -> Mapping[str, object]:
    return {str(each.get("name")): each.get("value") for each in _items(told.get("options"))}


def _items(listed: object) -> list[Json]:
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
