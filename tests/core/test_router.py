"""What is answered, what counts as a rating, an order or a change, and what is left alone."""

from dataclasses import replace

import pytest

from bridge.admitting import NO_APP, NOT_ADMITTED, SHARED_CHANNEL
from bridge.decisions import (
    Ask,
    Comment,
    Decision,
    Greet,
    Ignore,
    Obey,
    Rate,
    Refuse,
    Retry,
    Revise,
    Stop,
    Withdraw,
)
from bridge.events import Command, MessageReceived
from bridge.facts import Facts, Policy
from bridge.messages import Address, Attachment, ButtonAction, ConversationId, EventId, Origin, PersonId, Rating, Said
from bridge.router import (
    decide,
    question_in,
    wants_muted,
    wants_replied,
    wants_thread,
)
from bridge.routing import Access, AppPolicy, External, Follow, Guests, Resolution
from bridge.words import MuteWords
from tests.core import doings
from tests.fakes import values
from tests.fakes.events import deleted, edited, pressed

POLICY = Policy(
    like=frozenset({"👍", "+1"}),
    dislike=frozenset({"👎", "-1"}),
    stop=frozenset({"🛑", "octagonal_sign"}),
    retry=frozenset({"🔁", "repeat"}),
)
KNOWN = ConversationId(7)
APP = AppPolicy(name=values.APP)
THREAD = Resolution(app=APP)
MENTION = Resolution(app=APP, follow=Follow.MENTION)
EVERYTHING = Resolution(app=APP, follow=Follow.EVERYTHING)
NOBODY = Resolution(app=None, because=("No route matches.",))
ONLY_GRACE = Resolution(app=APP, access=Access(users=frozenset({PersonId("grace")}), roles=frozenset({"staff"})))


def judged(event: MessageReceived, facts: Facts | None = None, resolution: Resolution = THREAD) -> Decision:
    return decide(event, facts or Facts(), POLICY, resolution)


def asked(decision: Decision) -> Ask:
    assert isinstance(decision, Ask)
    return decision


def ignored(decision: Decision) -> str:
    assert isinstance(decision, Ignore)
    return decision.reason


def refused(decision: Decision) -> str:
    assert isinstance(decision, Refuse)
    return decision.notice


# Who is heard


@pytest.mark.parametrize("resolution", [THREAD, MENTION, EVERYTHING])
def test_mentions_replies_and_direct_messages_are_questions_wherever_an_app_answers(resolution: Resolution) -> None:
    for event in (
        values.message(),
        values.message(in_thread=True),
        values.message(mentions_bot=False, is_direct=True),
        values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True),
        values.message(mentions_bot=False, in_thread=True, reply_to=values.ref("a1"), replies_to_bot=True),
    ):
        decision = asked(judged(event, resolution=resolution))
        assert (decision.message, decision.app, decision.join, decision.may_stop) == (event, APP, None, False)


def test_a_reply_that_only_the_store_knows_as_a_reply_to_us_is_a_question_too() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"))
    assert asked(judged(event, Facts(replied=KNOWN), MENTION)).join == KNOWN


def test_a_follow_up_in_a_known_thread_needs_no_mention() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert asked(judged(event, Facts(thread=KNOWN))).join is None


def test_a_message_in_a_thread_of_others_is_left_alone() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert ignored(judged(event)) == "in a thread of others"


def test_where_mentions_are_asked_for_a_known_thread_needs_one_each_time() -> None:
    event = values.message(mentions_bot=False, in_thread=True)
    assert ignored(judged(event, Facts(thread=KNOWN), MENTION)) == "in a thread, without a mention"


@pytest.mark.parametrize("in_thread", [True, False])
def test_where_everything_is_followed_whatever_a_person_writes_is_a_question(in_thread: bool) -> None:
    asked(judged(values.message(mentions_bot=False, in_thread=in_thread), resolution=EVERYTHING))


@pytest.mark.parametrize("resolution", [THREAD, MENTION])
def test_unaddressed_talk_in_a_channel_is_left_alone(resolution: Resolution) -> None:
    assert ignored(judged(values.message(mentions_bot=False), resolution=resolution)) == "not addressed to the bot"


def test_stickers_are_no_questions_unless_they_are_said_to_the_bot() -> None:
    sticker = values.message(" ", mentions_bot=False, in_thread=True)
    assert ignored(judged(sticker, Facts(thread=KNOWN))) == "says nothing"
    assert ignored(judged(sticker, resolution=EVERYTHING)) == "says nothing"
    asked(judged(replace(sticker, attachments=(Attachment(name="a.pdf"),)), resolution=EVERYTHING))
    asked(judged(replace(sticker, mentions_bot=True)))


def test_a_reply_to_the_bot_whose_answer_is_forgotten_starts_anew() -> None:
    event = values.message(mentions_bot=False, reply_to=values.ref("a1"), replies_to_bot=True)
    assert asked(judged(event)).join is None


def test_inside_a_thread_the_thread_counts_and_not_the_message_replied_to() -> None:
    event = values.message(mentions_bot=False, in_thread=True, reply_to=values.ref("a1"))
    assert asked(judged(event, Facts(thread=KNOWN, replied=ConversationId(8)))).join is None


@pytest.mark.parametrize("origin", [Origin.SELF, Origin.BOT, Origin.SYSTEM])
def test_only_people_are_answered(origin: Origin) -> None:
    event = values.message(origin=origin, is_direct=True)
    for resolution in (EVERYTHING, NOBODY):
        assert origin.value in ignored(judged(event, Facts(thread=KNOWN, replied=KNOWN), resolution))


def test_busy_channels_do_not_cost_a_look_into_the_store() -> None:
    in_thread = values.message(in_thread=True, mentions_bot=False)
    assert wants_thread(in_thread, THREAD, POLICY)
    assert wants_thread(in_thread, EVERYTHING, POLICY), "it may be muted"
    mute = values.message("Mute!", in_thread=True, mentions_bot=False)
    for resolution in (THREAD, MENTION, EVERYTHING):
        assert wants_thread(mute, resolution, POLICY)
        assert wants_thread(replace(mute, mentions_bot=True), resolution, POLICY)
    for event, resolution in (
        (values.message(mentions_bot=False), THREAD),
        (values.message(in_thread=True), THREAD),
        (values.message(in_thread=True, mentions_bot=False, origin=Origin.BOT), THREAD),
        (in_thread, MENTION),
        (in_thread, NOBODY),
        (mute, NOBODY),
        (replace(mute, in_thread=False), EVERYTHING),
        (replace(mute, is_direct=True), THREAD),
        (replace(in_thread, is_external=True), EVERYTHING),
        (replace(mute, is_external=True), THREAD),
    ):
        assert not wants_thread(event, resolution, POLICY)
    assert wants_muted(in_thread, Facts(thread=KNOWN), POLICY)
    for event, facts in (
        (in_thread, Facts()),
        (replace(in_thread, mentions_bot=True), Facts(thread=KNOWN)),
        (in_thread, Facts(thread=KNOWN, replied=KNOWN)),
        (mute, Facts(thread=KNOWN)),
    ):
        assert not wants_muted(event, facts, POLICY)
    reply = values.message(reply_to=values.ref("a1"))
    assert wants_replied(reply, THREAD)
    assert not wants_replied(reply, NOBODY)
    assert not wants_replied(values.message(), THREAD)


# Who is refused


@pytest.mark.parametrize(("resolution", "notice"), [(NOBODY, NO_APP), (ONLY_GRACE, NOT_ADMITTED)])
def test_who_speaks_to_a_bot_that_does_not_answer_here_is_told_so(resolution: Resolution, notice: str) -> None:
    assert refused(judged(values.message(), resolution=resolution)) == notice
    assert refused(judged(values.message(mentions_bot=False, is_direct=True), resolution=resolution)) == notice
    reply = values.message(mentions_bot=False, replies_to_bot=True)
    assert refused(judged(reply, resolution=resolution)) == notice


@pytest.mark.parametrize("resolution", [NOBODY, ONLY_GRACE])
def test_who_does_not_speak_to_the_bot_is_not_bothered(resolution: Resolution) -> None:
    for follow in Follow:
        event = values.message(mentions_bot=False, in_thread=True)
        ignored(judged(event, Facts(thread=KNOWN), replace(resolution, follow=follow)))


def test_the_reason_for_silence_names_the_routes() -> None:
    decision = judged(values.message(), resolution=NOBODY)
    assert isinstance(decision, Refuse)
    assert "No route matches." in decision.reason


def test_a_user_or_a_role_on_the_list_is_enough() -> None:
    asked(judged(replace(values.message(), author=values.person("grace")), resolution=ONLY_GRACE))
    asked(judged(replace(values.message(), author=replace(values.person(), roles=("staff",))), resolution=ONLY_GRACE))


# Stop and retry


@pytest.mark.parametrize("text", ["stop", "Stop!", " STOP. ", "/stop", "!stop", "**stop**", "🛑 stop 🛑", "_stop_"])
def test_the_word_stop_alone_may_be_an_order(text: str) -> None:
    assert asked(judged(values.message(text))).may_stop


@pytest.mark.parametrize("text", ["", "!", "stop it", "please stop", "nonstop", "stop stop", "how do I stop?", "st op"])
def test_stop_among_other_words_is_a_question(text: str) -> None:
    assert not asked(judged(values.message(text))).may_stop


def test_stop_beside_a_file_is_a_question() -> None:
    assert not asked(judged(values.message("stop", attachments=(Attachment(name="a.pdf"),)))).may_stop


def test_configured_emoji_and_buttons_stop_and_retry_the_answer_they_stand_on() -> None:
    for emoji in ("🛑", "octagonal_sign"):
        event = values.reaction("a1", emoji)
        assert decide(event, Facts(), POLICY, NOBODY) == Stop(event_id=event.event_id, answer=values.ref("a1"))
    for emoji in ("🔁", "repeat"):
        event = values.reaction("a1", emoji)
        assert decide(event, Facts(), POLICY, NOBODY) == Retry(event_id=event.event_id, answer=values.ref("a1"))
    stop, retry = pressed(ButtonAction.STOP, "a1"), pressed(ButtonAction.RETRY, "a1")
    assert decide(stop, Facts(), POLICY, NOBODY) == Stop(event_id=stop.event_id, answer=values.ref("a1"))
    assert decide(retry, Facts(), POLICY, NOBODY) == Retry(event_id=retry.event_id, answer=values.ref("a1"), ours=True)


def test_a_stop_button_ends_what_is_running_there_while_its_message_is_not_recorded_yet() -> None:
    stop = doings.press(ButtonAction.STOP, "a1")
    decision = decide(stop, Facts(), POLICY, THREAD)
    assert isinstance(decision, Stop)
    assert THREAD.app is not None
    assert (decision.answer, decision.key, decision.app) == (
        *(values.ref("a1"), values.target().conversation),
        THREAD.app.name,
    )


@pytest.mark.parametrize("emoji", ["🛑", "🔁"])
def test_taking_an_order_away_or_giving_it_as_a_bot_does_nothing(emoji: str) -> None:
    ignored(decide(values.reaction("a1", emoji, added=False), Facts(), POLICY, THREAD))
    ignored(decide(values.reaction("a1", emoji, origin=Origin.BOT), Facts(), POLICY, THREAD))


# Votes


@pytest.mark.parametrize(
    ("emoji", "rating"), [("👍", Rating.LIKE), ("+1", Rating.LIKE), ("👎", Rating.DISLIKE), ("-1", Rating.DISLIKE)]
)
def test_configured_emoji_are_ratings(emoji: str, rating: Rating) -> None:
    decision = decide(values.reaction("a1", emoji, revision=5), Facts(), POLICY, THREAD)
    assert isinstance(decision, Rate)
    assert (decision.vote.rating, decision.vote.source, decision.vote.revision) == (rating, emoji, 5)
    assert decision.vote.active


def test_taking_a_reaction_away_is_a_vote_too() -> None:
    decision = decide(values.reaction("a1", added=False), Facts(), POLICY, THREAD)
    assert isinstance(decision, Rate)
    assert not decision.vote.active


def test_other_emoji_and_bots_do_not_rate() -> None:
    assert ignored(decide(values.reaction("a1", "🎉"), Facts(), POLICY, THREAD)) == "emoji means nothing here"
    assert "bot" in ignored(decide(values.reaction("a1", origin=Origin.BOT), Facts(), POLICY, THREAD))


# Edits and deletions


def test_an_edit_is_told_under_its_own_event_with_the_message_as_it_reads_now() -> None:
    event = edited(values.message("first"), "second", revision=9)
    decision = decide(event, Facts(), POLICY, THREAD)
    assert decision == Revise(message=replace(event.now, event_id=EventId("edit q1 9")), revision=9, running=True)
    assert decide(event, Facts(), replace(POLICY, follow_edits_running=False), THREAD) == replace(
        decision, running=False
    )


def test_edits_of_bots_are_left_alone_and_people_may_be_too() -> None:
    assert "bot" in ignored(decide(edited(values.message(origin=Origin.BOT)), Facts(), POLICY, THREAD))
    unfollowed = replace(POLICY, follow_edits_waiting=False)
    assert ignored(decide(edited(values.message()), Facts(), unfollowed, THREAD)) == "edits are not followed"


def test_a_deletion_withdraws_whatever_was_asked_with_it_unless_that_is_switched_off() -> None:
    event = deleted(3)
    decision = decide(event, Facts(), POLICY, NOBODY)
    assert decision == Withdraw(event_id=event.event_id, message=values.ref("q3"))
    assert "not followed" in ignored(decide(event, Facts(), replace(POLICY, follow_deletions=False), NOBODY))


# The rest of what platforms tell


def test_what_is_asked_by_a_form_or_a_command_is_said_to_the_bot_and_the_question_keeps_what_it_is_about() -> None:
    event = replace(
        values.message(mentions_bot=False, in_thread=True), unseen=True, about=Said(who="Grace", text="It broke.")
    )
    question = question_in(asked(judged(event, resolution=MENTION)).message)
    assert (question.in_thread, question.unseen, question.about) == (True, True, event.about)
    plain = question_in(values.message())
    assert (plain.in_thread, plain.unseen, plain.about, plain.author.is_bot) == (False, False, None, False)


def test_a_question_keeps_where_its_files_are() -> None:
    file = Attachment(name="a.pdf", media_type="application/pdf", size=7, address=Address("F1"))
    assert question_in(values.message(attachments=(file,))).attachments == (file,)


@pytest.mark.parametrize(
    ("action", "rating"), [(ButtonAction.LIKE, Rating.LIKE), (ButtonAction.DISLIKE, Rating.DISLIKE)]
)
def test_thumbs_that_are_buttons_are_votes_under_one_source(action: ButtonAction, rating: Rating) -> None:
    decision = decide(doings.press(action, "a1", revision=9), Facts(), POLICY, THREAD)
    assert isinstance(decision, Rate)
    vote = decision.vote
    assert (vote.message, vote.person, vote.source) == (values.ref("a1"), "ada", "button")
    assert (vote.rating, vote.active, vote.revision) == (rating, True, 9)


@pytest.mark.parametrize("action", [ButtonAction.ASK, ButtonAction.RESET])
def test_buttons_that_platforms_tell_as_something_else_do_nothing_when_told_as_buttons(action: ButtonAction) -> None:
    assert ignored(decide(doings.press(action, "a1"), Facts(), POLICY, THREAD))


def test_a_stop_by_the_platforms_own_means_is_about_its_message_and_else_about_its_thread() -> None:
    event = doings.stop(message=values.ref("a1"))
    stop = Stop(event_id=event.event_id, answer=values.ref("a1"), key=values.key(), app=values.APP)
    assert decide(event, Facts(), POLICY, THREAD) == stop
    assert decide(event, Facts(), POLICY, NOBODY) == replace(stop, app=None)


def test_comments_and_looks_at_the_bots_own_page_are_passed_on() -> None:
    for resolution in (THREAD, NOBODY):
        given = doings.comment("a1", "Too long.")
        assert decide(given, Facts(), POLICY, resolution) == Comment(given=given)
        for event in (doings.home_opened(), doings.chat_opened()):
            assert decide(event, Facts(), POLICY, resolution) == Greet(event=event)


# Orders in words


def order_in(decision: Decision) -> Command | None:
    return decision.order.command if isinstance(decision, Obey) else None


@pytest.mark.parametrize("text", ["mute", "Mute!", "**MUTE**", "/mute", " mute. "])
@pytest.mark.parametrize("resolution", [THREAD, MENTION, EVERYTHING])
def test_mute_alone_in_a_thread_in_which_the_bot_was_asked_is_an_order(text: str, resolution: Resolution) -> None:
    for mentioned in (True, False):
        event = values.message(text, in_thread=True, mentions_bot=mentioned)
        assert order_in(judged(event, Facts(thread=KNOWN), resolution)) is Command.MUTE


def test_unmute_is_heard_where_it_is_muted() -> None:
    event = values.message("unmute", in_thread=True, mentions_bot=False)
    assert order_in(judged(event, Facts(thread=KNOWN, muted=True))) is Command.UNMUTE


@pytest.mark.parametrize(
    ("event", "facts"),
    [
        (values.message("mute"), Facts()),
        (values.message("mute", in_thread=True), Facts()),
        (values.message("mute", is_direct=True, in_thread=True), Facts()),
        (values.message("mute it", in_thread=True), Facts(thread=KNOWN)),
        (values.message("how do I mute", in_thread=True), Facts(thread=KNOWN)),
        (values.message("mute", in_thread=True, attachments=(Attachment(name="a"),)), Facts(thread=KNOWN)),
        (values.message("mute" + "!" * 200, in_thread=True), Facts(thread=KNOWN)),
        (replace(values.message("mute", in_thread=True), unseen=True), Facts()),
    ],
)
def test_mute_elsewhere_or_among_other_words_is_a_question(event: MessageReceived, facts: Facts) -> None:
    asked(judged(event, facts))


def test_mute_in_a_thread_of_others_is_left_alone() -> None:
    ignored(judged(values.message("mute", in_thread=True, mentions_bot=False)))


def test_the_operator_chooses_the_words() -> None:
    policy = replace(POLICY, words=MuteWords(mute=frozenset({"Ruhe", "静かに"}), unmute=frozenset({"weiter"})))
    for text, command in (
        ("ruhe!", Command.MUTE),
        ("静かに。", Command.MUTE),
        ("Weiter", Command.UNMUTE),
        ("mute", None),
    ):
        event = values.message(text, in_thread=True, mentions_bot=False)
        assert order_in(decide(event, Facts(thread=KNOWN), policy, THREAD)) is command


@pytest.mark.parametrize("command", list(Command))
def test_commands_with_a_slash_are_heard_wherever_they_are_said_to_the_bot(command: Command) -> None:
    for event in (
        values.message(f"/{command.value}", in_thread=True),
        values.message(f" `/{command.value.upper()}`. ", mentions_bot=False, is_direct=True),
        values.message(f"/{command.value}"),
    ):
        assert order_in(judged(event)) is command


@pytest.mark.parametrize("text", ["/reset please", "reset", "help", "//help", "/help me", "/resets", "please /reset"])
def test_other_words_around_a_command_or_no_slash_make_it_a_question(text: str) -> None:
    asked(judged(values.message(text, in_thread=True), Facts(thread=KNOWN)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/app", ""),
        ("/app sales", "sales"),
        ("`/APP  Our  Handbook`", "Our Handbook"),
        ("*/app* ", ""),
        ("/app x/y", "x/y"),
    ],
)
def test_the_name_of_an_app_may_stand_behind_its_command(text: str, words: str) -> None:
    decision = judged(values.message(text, in_thread=True))
    assert isinstance(decision, Obey)
    assert (decision.order.command, decision.order.words) == (Command.APP, words)


@pytest.mark.parametrize("text", ["/apple", "app", "my /app", "/app " + "x" * 120])
def test_what_only_looks_like_that_command_is_a_question(text: str) -> None:
    asked(judged(values.message(text, in_thread=True), Facts(thread=KNOWN)))


def test_a_button_for_an_app_is_an_order_of_who_pressed_it_and_refused_to_who_is_not_admitted() -> None:
    pressed = replace(doings.press(ButtonAction.APP, "a1"), value="1/sales")
    decision = decide(pressed, Facts(), POLICY, THREAD)
    assert isinstance(decision, Obey)
    order = decision.order
    assert (order.command, order.value, order.private) == (Command.APP, "1/sales", pressed.private)
    closed = replace(THREAD, access=Access(users=frozenset({PersonId("bob")})))
    assert isinstance(decide(pressed, Facts(), POLICY, closed), Refuse)
    assert isinstance(decide(pressed, Facts(), POLICY, NOBODY), Refuse)
    ignored(decide(replace(pressed, author=None), Facts(), POLICY, THREAD))


def test_commands_that_are_not_said_to_the_bot_are_left_alone() -> None:
    ignored(judged(values.message("/reset", mentions_bot=False)))
    ignored(judged(values.message("/help", mentions_bot=False, in_thread=True), Facts(thread=KNOWN, muted=True)))
    asked(judged(values.message("/help", mentions_bot=False, in_thread=True), Facts(thread=KNOWN)))


def test_help_is_for_who_asked_and_what_changes_a_thread_is_said_to_everybody() -> None:
    for_one = (Command.HELP, Command.APP, Command.HISTORY, Command.FORGET)
    for command in Command:
        event = doings.privately(values.message(f"/{command.value}", in_thread=True))
        decision = judged(event)
        assert isinstance(decision, Obey)
        assert decision.order.private == (event.private if command in for_one else None)


def test_in_a_muted_thread_only_what_is_said_to_the_bot_is_answered() -> None:
    muted = Facts(thread=KNOWN, muted=True)
    for resolution in (THREAD, EVERYTHING):
        assert ignored(judged(doings.follow_up(), muted, resolution)) == "in a thread that is muted"
        asked(judged(doings.mention_in_thread("and?"), muted, resolution))
        asked(judged(replace(doings.follow_up(), replies_to_bot=True), muted, resolution))
        asked(judged(doings.follow_up(), replace(muted, replied=KNOWN), resolution))


# Access for everything that tells who did it


ORDERS = [ButtonAction.STOP, ButtonAction.RETRY, ButtonAction.LIKE, ButtonAction.DISLIKE]


@pytest.mark.parametrize("action", ORDERS)
def test_who_is_not_admitted_presses_in_vain_and_is_told_so_in_private_alone(action: ButtonAction) -> None:
    decision = decide(doings.press(action, "a1"), Facts(), POLICY, ONLY_GRACE)
    assert isinstance(decision, Refuse)
    assert (decision.notice, decision.tell) == (NOT_ADMITTED, doings.aside())
    shown_nowhere = decide(doings.press(action, "a1", private=False), Facts(), POLICY, ONLY_GRACE)
    assert isinstance(shown_nowhere, Refuse)
    assert shown_nowhere.tell is None
    admitted = doings.press(action, "a1", author=values.person("grace"))
    assert not isinstance(decide(admitted, Facts(), POLICY, ONLY_GRACE), Refuse)


@pytest.mark.parametrize("action", ORDERS)
def test_presses_that_do_not_tell_who_or_where_and_those_where_no_app_answers_any_more_count(
    action: ButtonAction,
) -> None:
    told = doings.press(action, "a1")
    for event in (replace(told, author=None), replace(told, target=None), pressed(action, "a1")):
        assert not isinstance(decide(event, Facts(), POLICY, ONLY_GRACE), Refuse)
    assert not isinstance(decide(told, Facts(), POLICY, NOBODY), Refuse)


def test_who_is_not_admitted_stops_nothing_and_commands_nothing() -> None:
    stop = decide(doings.stop(), Facts(), POLICY, ONLY_GRACE)
    assert isinstance(stop, Refuse)
    assert stop.tell is None
    for command in Command:
        decision = decide(doings.command(command), Facts(), POLICY, ONLY_GRACE)
        assert isinstance(decision, Refuse)
        assert (decision.notice, decision.tell) == (NOT_ADMITTED, doings.aside())
        assert refused(decide(doings.command(command), Facts(), POLICY, NOBODY)) == NO_APP
        said = values.message(f"/{command.value}", in_thread=True)
        assert refused(judged(said, resolution=ONLY_GRACE)) == NOT_ADMITTED
    ignored(judged(values.message("mute", mentions_bot=False, in_thread=True), Facts(thread=KNOWN), ONLY_GRACE))


def test_refusals_go_where_only_the_author_reads_if_there_is_such_a_place() -> None:
    for event, where in ((doings.privately(values.message()), doings.aside()), (values.message(), values.target())):
        decision = judged(event, resolution=ONLY_GRACE)
        assert isinstance(decision, Refuse)
        assert decision.tell == where


# Other organisations


def shared(policy: External, follow: Follow = Follow.THREAD) -> Resolution:
    return Resolution(app=APP, follow=follow, guests=Guests(external=policy))


def from_outside(event: MessageReceived) -> list[MessageReceived]:
    """In a shared channel, and by somebody of another organisation wherever that is."""
    return [replace(event, is_external=True), replace(event, author=doings.outsider())]


@pytest.mark.parametrize("follow", list(Follow))
def test_where_others_read_along_nothing_is_answered_and_only_who_asked_is_told(follow: Follow) -> None:
    denied = shared(External.DENY, follow)
    for event in from_outside(values.message()):
        assert refused(judged(event, resolution=denied)) == SHARED_CHANNEL
        public, private = judged(event, resolution=denied), judged(doings.privately(event), resolution=denied)
        assert isinstance(public, Refuse)
        assert isinstance(private, Refuse)
        assert (public.tell, private.tell) == (None, doings.aside(event.author.id))
    for event in from_outside(doings.follow_up()):
        ignored(judged(event, Facts(thread=KNOWN), denied))
    for event in from_outside(replace(values.message(), is_direct=True)):
        assert refused(judged(event, resolution=denied)) == SHARED_CHANNEL


@pytest.mark.parametrize("follow", list(Follow))
def test_where_only_mentions_count_nothing_is_followed_when_others_read_along(follow: Follow) -> None:
    mentions = shared(External.MENTION, follow)
    for event in from_outside(values.message()):
        asked(judged(event, resolution=mentions))
    for event in from_outside(doings.follow_up()):
        ignored(judged(event, Facts(thread=KNOWN), mentions))
    for event in from_outside(doings.follow_up("mute")):
        ignored(judged(event, Facts(thread=KNOWN), mentions))
        assert order_in(judged(replace(event, mentions_bot=True), Facts(thread=KNOWN), mentions)) is Command.MUTE


def test_where_shared_channels_are_like_others_they_are_followed() -> None:
    for event in from_outside(doings.follow_up()):
        asked(judged(event, Facts(thread=KNOWN), shared(External.ON)))


def test_what_is_among_ourselves_is_not_touched_by_that() -> None:
    for policy in External:
        asked(judged(doings.follow_up(), Facts(thread=KNOWN), shared(policy)))


def test_commands_presses_and_stops_from_outside_are_refused_too() -> None:
    denied, mentions = shared(External.DENY), shared(External.MENTION)
    eve = doings.outsider()
    for command in (
        doings.command(Command.RESET, is_external=True),
        doings.command(Command.HELP, author=eve),
        doings.command(Command.HELP, author=eve, private=False),
    ):
        decision = decide(command, Facts(), POLICY, denied)
        assert isinstance(decision, Refuse)
        assert (decision.notice, decision.tell) == (SHARED_CHANNEL, command.private)
        assert isinstance(decide(command, Facts(), POLICY, mentions), Obey)
    for action in ORDERS:
        press = doings.press(action, "a1", author=eve)
        assert refused(decide(press, Facts(), POLICY, denied)) == SHARED_CHANNEL
        assert not isinstance(decide(press, Facts(), POLICY, mentions), Refuse)
    assert isinstance(decide(doings.stop(author=eve), Facts(), POLICY, denied), Refuse)
    assert isinstance(decide(doings.stop(author=eve), Facts(), POLICY, mentions), Stop)


# Other bots

GUESTS = Guests(bots=frozenset({PersonId("B1")}))
WITH_BOTS = replace(THREAD, guests=GUESTS)


def test_a_bot_on_the_list_is_answered_when_it_mentions_the_bot_or_writes_in_a_followed_thread() -> None:
    mention = doings.by_bot(values.message())
    assert question_in(asked(judged(mention, resolution=WITH_BOTS)).message).author.is_bot
    for resolution in (WITH_BOTS, replace(EVERYTHING, guests=GUESTS)):
        asked(judged(doings.by_bot(doings.follow_up()), Facts(thread=KNOWN), resolution))
        assert wants_thread(doings.by_bot(doings.follow_up()), resolution, POLICY)


def test_a_bot_on_the_list_is_left_alone_everywhere_else() -> None:
    everything = replace(EVERYTHING, guests=GUESTS)
    chatter = values.message(mentions_bot=False)
    for event, facts, resolution in (
        (chatter, Facts(), everything),
        (replace(chatter, is_direct=True), Facts(), everything),
        (replace(chatter, replies_to_bot=True), Facts(), WITH_BOTS),
        (doings.follow_up(), Facts(), everything),
        (doings.follow_up(), Facts(thread=KNOWN, muted=True), WITH_BOTS),
        (doings.follow_up(), Facts(thread=KNOWN), replace(MENTION, guests=GUESTS)),
    ):
        ignored(judged(doings.by_bot(event), facts, resolution))


def test_bots_that_are_not_on_the_list_are_named_in_the_log_and_not_answered() -> None:
    assert "B2" in ignored(judged(doings.by_bot(values.message(), "B2"), resolution=WITH_BOTS))
    ignored(judged(doings.by_bot(values.message()), resolution=THREAD))
    for origin in (Origin.SELF, Origin.SYSTEM):
        ignored(judged(replace(doings.by_bot(values.message()), origin=origin), resolution=WITH_BOTS))


def test_bots_give_no_orders_and_are_told_nothing() -> None:
    assert not asked(judged(doings.by_bot(values.message("stop")), resolution=WITH_BOTS)).may_stop
    for text in ("/reset", "mute"):
        event = doings.by_bot(doings.mention_in_thread(text))
        asked(judged(event, Facts(thread=KNOWN), WITH_BOTS))
    for resolution in (NOBODY, ONLY_GRACE, shared(External.DENY)):
        event = replace(doings.by_bot(values.message()), is_external=True)
        ignored(judged(event, resolution=replace(resolution, guests=GUESTS)))


def test_a_list_of_people_holds_for_bots_too() -> None:
    ignored(judged(doings.by_bot(values.message()), resolution=replace(ONLY_GRACE, guests=GUESTS)))
    both = Access(users=frozenset({PersonId("grace"), PersonId("B1")}))
    asked(judged(doings.by_bot(values.message()), resolution=replace(WITH_BOTS, access=both)))


def test_edits_by_bots_are_never_followed() -> None:
    ignored(decide(edited(doings.by_bot(values.message())), Facts(), POLICY, WITH_BOTS))
