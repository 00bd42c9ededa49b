"""What the stand-in cannot send: odd messages, built from payloads with the real library and no connection."""

from datetime import UTC, datetime

import discord
import pytest

from adapters.discord.inbound import (
    Ignored,
    Place,
    RepliedTo,
    complete,
    needs_author,
    place_from_lookup,
    place_of,
    read_message,
    read_reaction,
    replied_to,
)
from adapters.discord.reading.messages import MOST_POINTED_AT, NO_WORDS, said_in
from bridge.events import MessageReceived
from bridge.messages import Address, Attachment, NamedPerson, Origin, PersonId, Said

ME = 900
ADA = 11
GUILD, GENERAL, THREAD = 50, 60, 70
PLACE = Place(channel=GENERAL, server=GUILD, takes_threads=True)

Payload = dict[str, object]


def user(number: int, name: str = "ada", *, bot: bool = False) -> Payload:
    return {
        "id": str(number),
        "username": name,
        "global_name": name.title(),
        "discriminator": "0",
        "avatar": None,
        "bot": bot,
    }


def build(**fields: object) -> discord.Message:
    """A message in a channel that the library knows nothing about, unless `fields` say otherwise."""
    payload: Payload = {
        "id": str(123 << 22),
        "channel_id": str(GENERAL),
        "guild_id": str(GUILD),
        "author": user(ADA),
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
    }
    client = discord.Client(intents=discord.Intents(guilds=True))
    state = client._connection
    channel, _ = state._get_guild_channel(payload | fields)  # type: ignore[arg-type]
    return discord.Message(state=state, channel=channel, data=payload | fields)  # type: ignore[arg-type]


def read(message: discord.Message, reply: RepliedTo | None = None) -> MessageReceived:
    return read_message(message, me=ME, place=PLACE, reply=reply)


def attached(name: str, media_type: str | None = None, number: int = 1) -> Payload:
    kind: Payload = {} if media_type is None else {"content_type": media_type}
    return {"id": str(number), "filename": name, "size": 7, "url": "http://x/", "proxy_url": "http://x/", **kind}


def file(name: str, media_type: str = "", number: int = 1, *, is_voice: bool = False) -> Attachment:
    """The same as an event tells it, of the message that `build` makes."""
    address = Address(f"{GENERAL}/{123 << 22}/{number}")
    return Attachment(name=name, media_type=media_type, size=7, address=address, is_voice=is_voice)


def test_a_forwarded_message_reads_as_its_text() -> None:
    snapshot = {
        "type": 0,
        "content": "forwarded words",
        "embeds": [],
        "attachments": [attached("plan.pdf", "application/pdf")],
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
    }
    event = read(build(content="look", message_snapshots=[{"message": snapshot}]))
    assert event.text == "look\n\nforwarded words"
    assert event.attachments == (file("plan.pdf", "application/pdf"),)
    assert read(build(message_snapshots=[{"message": snapshot}])).text == "forwarded words"


def test_a_post_of_embeds_only_reads_as_their_text() -> None:
    embed = {"type": "rich", "title": "News", "description": "It rains", "fields": [{"name": "Where", "value": "Here"}]}
    assert read(build(embeds=[embed])).text == "News\nIt rains\nWhere: Here"
    assert read(build(content="own words", embeds=[embed])).text == "own words"


def test_files_are_named() -> None:
    event = read(build(attachments=[attached("a.png", "image/png"), attached("b", number=2)]))
    assert event.attachments == (file("a.png", "image/png"), file("b", number=2))


def test_a_voice_message_is_told_from_a_sound_that_was_attached() -> None:
    sound = [attached("voice-message.ogg", "audio/ogg")]
    assert read(build(attachments=sound, flags=1 << 13)).attachments[0].is_voice
    assert not read(build(attachments=sound)).attachments[0].is_voice


def test_a_reply_to_somebody_elses_message_is_about_that_message_and_its_files() -> None:
    answered = {"id": "5", "content": "It <@12>s", "mentions": [user(12, "rain")], "author": user(12, "grace")}
    whole = build(**answered, attachments=[attached("sky.png", number=3)])
    pointed = complete(RepliedTo(channel=GENERAL, message=5, author=None), whole)
    event = read(build(content="Why?", type=19, attachments=[attached("b")]), pointed)
    assert event.about == Said(who="Grace", text="It @Rains")
    assert event.reply_to is not None
    assert event.reply_to.address == f"{GENERAL}/5"
    assert [each.address for each in event.attachments] == [f"{GENERAL}/{123 << 22}/1", f"{GENERAL}/5/3"]


def test_a_reply_to_us_is_about_nothing_that_we_do_not_know() -> None:
    ours = build(id="5", content="I said", author=user(ME, "bridge", bot=True), attachments=[attached("x")])
    event = read(build(content="Why?", type=19), complete(RepliedTo(channel=GENERAL, message=5, author=None), ours))
    assert (event.about, event.attachments, event.replies_to_bot) == (None, (), True)


def test_what_is_pointed_at_is_cut_and_never_empty_words() -> None:
    long = said_in(build(content="x" * 3_000))
    assert long is not None
    assert long.text == "x" * MOST_POINTED_AT + "…"
    assert said_in(build()) is None
    assert said_in(build(attachments=[attached("a")])) == Said(who="Ada", text=NO_WORDS)


def test_cards_are_read_where_a_bot_wrote_them_and_not_where_they_show_a_persons_link() -> None:
    card = {"type": "rich", "title": "Build failed"}
    assert read(build(content="main", embeds=[card], author=user(12, "ci", bot=True))).text == "main\n\nBuild failed"
    assert read(build(content="main", embeds=[card], webhook_id="77")).text == "main\n\nBuild failed"
    assert read(build(content="http://x/", embeds=[card])).text == "http://x/"


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({}, Origin.PERSON),
        ({"type": 19}, Origin.PERSON),
        ({"author": user(12, "helper", bot=True)}, Origin.BOT),
        ({"webhook_id": "77"}, Origin.BOT),
        ({"author": user(ME, "bridge", bot=True)}, Origin.SELF),
        ({"type": 7}, Origin.SYSTEM),
        ({"type": 18}, Origin.SYSTEM),
        ({"type": 21}, Origin.SYSTEM),
        ({"type": 9999}, Origin.SYSTEM),
    ],
)
def test_people_bots_and_discord_itself_are_told_apart(fields: Payload, origin: Origin) -> None:
    assert read(build(**fields)).origin is origin


def test_only_being_named_is_a_mention() -> None:
    us = [user(ME, "bridge", bot=True)]
    pinged = RepliedTo(channel=GENERAL, message=5, author=ME)
    assert read(build(content=f"hey <@!{ME}>", mentions=us)).mentions_bot
    assert not read(build(content="hey", mention_everyone=True)).mentions_bot
    assert not read(build(content="hey", mentions=us, type=19), pinged).mentions_bot
    assert read(build(content=f"<@{ME}> hey", mentions=us, type=19), pinged).mentions_bot
    # In a code block Discord sees no mention, and lists nobody.
    assert not read(build(content=f"`<@{ME}>`")).mentions_bot
    # Without the content intent the text may be missing; the list is there.
    assert read(build(content="", mentions=us)).mentions_bot


def test_people_whom_the_question_names_are_told_each_once_and_spelled_as_in_the_text() -> None:
    people = [user(ME, "bridge", bot=True), user(ADA), user(12, "grace"), user(13, "helper", bot=True)]
    event = read(build(content=f"<@{ME}> tell <@!{ADA}> and <@12>, <@12>, <@13>", mentions=people))
    assert event.named == (
        NamedPerson(id=PersonId(str(ADA)), name="Ada"),
        NamedPerson(id=PersonId("12"), name="Grace"),
    )
    assert event.text == "tell @Ada and @Grace, @Grace, @Helper"


def test_nobody_is_named_by_a_reply_a_role_or_everyone() -> None:
    # Discord lists who is replied to, here the author of the question, although the text does not name them.
    text = f"<@{ME}> @everyone <@&77> <@12>"
    assert read(build(content=text, mentions=[user(ADA)], mention_everyone=True, mention_roles=["77"])).named == ()


def test_a_reply_whose_message_was_left_out_has_to_be_asked_for() -> None:
    reference = {"message_id": "5", "channel_id": str(GENERAL), "guild_id": str(GUILD), "type": 0}
    missing = build(type=19, message_reference=reference)
    assert replied_to(missing) == RepliedTo(channel=GENERAL, message=5, author=None)
    assert needs_author(missing)
    deleted = build(type=19, message_reference=reference, referenced_message=None)
    assert not needs_author(deleted)
    assert not read(deleted, replied_to(deleted)).replies_to_bot
    forwarded = build(message_reference=reference | {"type": 1})
    assert replied_to(forwarded) is None
    assert not needs_author(forwarded)


def test_a_channel_that_the_library_does_not_know_has_no_place_yet() -> None:
    assert place_of(build()) is None


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (0, Place(channel=1, server=2, takes_threads=True, category=3)),
        (5, Place(channel=1, server=2, takes_threads=True, category=3)),
        (2, Place(channel=1, server=2, category=3)),
        (11, Place(channel=1, server=2, parent=3)),
        (12, Place(channel=1, server=2, parent=3)),
    ],
)
def test_a_place_that_was_looked_up_is_like_one_that_was_told(kind: int, place: Place) -> None:
    # A text channel's parent is its category, which is no thread's channel.
    assert place_from_lookup(2, {"id": "1", "type": kind, "parent_id": "3"}) == place


def test_where_no_thread_can_be_the_answer_is_a_reply() -> None:
    event = read_message(build(content="x"), me=ME, place=Place(channel=GENERAL, server=GUILD), reply=None)
    assert not event.target.opens_thread
    assert event.target.address == f"reply/{GENERAL}/{123 << 22}"


def test_the_time_is_the_messages_own_and_aware() -> None:
    sent = read(build()).sent_at
    assert sent == datetime(2015, 1, 1, 0, 0, 0, 123_000, tzinfo=UTC)


def reaction(
    emoji: str | None = "👍", *, author: int | None = ME, person: int = ADA, kind: str = "REACTION_ADD"
) -> discord.RawReactionActionEvent:
    payload: Payload = {"message_id": "5", "channel_id": "6", "user_id": str(person), "type": 0, "burst": False}
    if author is not None:
        payload["message_author_id"] = str(author)
    partial = discord.PartialEmoji.from_dict({"id": None, "name": emoji})
    return discord.RawReactionActionEvent(payload, partial, kind)  # type: ignore[arg-type]


def test_a_reaction_is_ours_unless_discord_says_otherwise() -> None:
    assert isinstance(read_reaction(reaction(author=12), me=ME, revision=1), Ignored)
    assert isinstance(read_reaction(reaction(emoji=None), me=ME, revision=1), Ignored)
    removed = read_reaction(reaction(author=None, kind="REACTION_REMOVE"), me=ME, revision=2)
    assert not isinstance(removed, Ignored)
    assert not removed.added
    assert removed.revision == 2
    assert removed.message.address == "6/5"


def test_our_own_reaction_is_known_as_ours() -> None:
    own = read_reaction(reaction(person=ME), me=ME, revision=1)
    assert not isinstance(own, Ignored)
    assert own.origin is Origin.SELF


def test_every_change_of_a_reaction_is_an_event_of_its_own() -> None:
    changes = [
        read_reaction(reaction(), me=ME, revision=1),
        read_reaction(reaction(kind="REACTION_REMOVE"), me=ME, revision=2),
        read_reaction(reaction(), me=ME, revision=3),
        read_reaction(reaction(person=12), me=ME, revision=3),
    ]
    assert len({each.event_id for each in changes if not isinstance(each, Ignored)}) == 4
