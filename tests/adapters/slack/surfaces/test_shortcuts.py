"""The shortcut in the menu of a message, and the form in which somebody asks about it, over both transports."""

import pytest
from structlog.testing import capture_logs

from adapters.slack.surfaces import picking
from adapters.slack.surfaces.desk import ASK_AGAIN, GONE, NO_QUESTION, NOT_HERE, NOT_OPENED, TOO_OLD
from adapters.slack.surfaces.forms import METADATA_CHARS, SHORTCUT
from bridge.messages import Origin, Said
from bridge.playground.slack.model import Fault, File
from bridge.playground.slack.views import View
from tests.adapters.slack.peer import asked, question, until
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import Hall, texts_in

GENERAL = "C0GENERAL"


async def say(hall: Hall, text: str = "the plan is to wait", **more: object) -> str:
    ts = await hall.server.post_as("U0ADA", GENERAL, text, **more)  # type: ignore[arg-type]
    await hall.settle()
    return ts


async def pick(hall: Hall, ts: str, channel: str = GENERAL) -> View:
    await hall.server.shortcut("U0GRACE", SHORTCUT, channel, ts)
    return await hall.shown_modal()


async def test_the_form_shows_the_message_and_who_wrote_it(hall: Hall) -> None:
    act = await hall.server.shortcut("U0GRACE", SHORTCUT, GENERAL, await say(hall, "wait for <@U0LINUS>"))
    view = await hall.shown_modal()
    await hall.settle()
    assert act.outcome == "acked"
    assert "Ada: wait for @Linus" in texts_in(view)
    assert hall.server.pings == []


async def test_a_question_about_a_message_is_asked_in_its_thread_and_brings_it_along(hall: Hall) -> None:
    ts = await say(hall)
    view = await pick(hall, ts)
    act = await hall.submit(view, " why wait & see? ")
    heard = await hall.next_unseen()
    assert (act.outcome, hall.modal()) == ("acked", None)
    assert (heard.text, heard.about) == ("why wait & see?", Said(who="Ada", text="the plan is to wait"))
    assert (heard.author.id, heard.author.display_name, heard.origin) == ("U0GRACE", "Grace", Origin.PERSON)
    assert (heard.unseen, heard.mentions_bot, heard.in_thread, heard.is_direct) == (True, True, True, False)
    assert (heard.target.opens_thread, heard.target.conversation.thread) == (False, ts)
    assert heard.event_id == f"form/{view.id}"
    await hall.platform.send(heard.target, question("because"))
    assert [one.visible_text for one in hall.server.messages(GENERAL, ts)][-1] == "because"


async def test_about_a_reply_it_is_asked_in_the_thread_that_the_reply_is_in(hall: Hall) -> None:
    root = await say(hall)
    reply = await say(hall, "until when?", thread_ts=root)
    await hall.submit(await pick(hall, reply), "well?")
    heard = await hall.next_unseen()
    assert heard.target.conversation.thread == root
    assert heard.about == Said(who="Ada", text="until when?")


@pytest.mark.parametrize("begun", [False, True])
async def test_what_goes_wrong_is_told_to_the_asker_alone_where_slack_shows_it(hall: Hall, *, begun: bool) -> None:
    ts = await say(hall)
    if begun:
        await say(hall, "a reply", thread_ts=ts)
    await hall.submit(await pick(hall, ts), "why?")
    private = (await hall.next_unseen()).private
    assert private is not None
    await hall.platform.send(private, question("not now"))
    assert [(one.person, one.thread_ts, one.visible_text) for one in hall.server.ephemerals] == [
        ("U0GRACE", ts if begun else None, "not now")
    ]


@pytest.mark.parametrize("words", ["", "   "])
async def test_without_a_question_the_form_stays_and_says_so(hall: Hall, words: str) -> None:
    view = await pick(hall, await say(hall))
    if words:
        await hall.submit(view, words)
        assert list(view.errors.values()) == [NO_QUESTION]
    else:
        # Slack itself does not let a field go that must be filled in.
        with pytest.raises(ValueError, match="words"):
            await hall.submit(view, words)
    assert hall.modal() is view
    assert hall.unseen == []


async def test_files_of_the_message_come_along(hall: Hall) -> None:
    file = File(id="F1", name="plan.pdf", mimetype="application/pdf", size=3, content=b"pdf")
    await hall.submit(await pick(hall, await say(hall, files=[file])), "why?")
    assert [(one.name, one.media_type, one.size) for one in (await hall.next_unseen()).attachments] == [
        ("plan.pdf", "application/pdf", 3)
    ]


async def test_a_long_message_is_read_whole_though_the_form_cannot_remember_it(hall: Hall) -> None:
    text = 'a "quoted" word and 漢字 ' * 150
    view = await pick(hall, await say(hall, text))
    assert len(str(view.content["private_metadata"])) <= METADATA_CHARS
    assert len(texts_in(view)) < 1_000
    await hall.submit(view, "in short?")
    about = (await hall.next_unseen()).about
    assert about is not None
    assert about.text == text.strip()


async def test_where_a_long_message_cannot_be_read_again_its_beginning_is_told_as_such(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "word " * 1_500
    view = await pick(hall, await say(hall, text))
    monkeypatch.setattr(picking, "WITHIN", 0.05)
    hall.server.faults.fail_next["conversations.replies"] = [Fault.slow(0.3)]
    await hall.submit(view, "in short?")
    about = (await hall.next_unseen()).about
    assert about is not None
    assert about.text.endswith("…")
    assert text.startswith(about.text[:-1])
    assert len(about.text) > 2_000


async def test_the_message_is_asked_about_as_it_reads_when_the_form_is_sent(hall: Hall) -> None:
    ts = await say(hall)
    view = await pick(hall, ts)
    await hall.server.edit_as("U0ADA", GENERAL, ts, "the plan is to act")
    await hall.submit(view, "why?")
    assert (await hall.next_unseen()).about == Said(who="Ada", text="the plan is to act")


@pytest.mark.parametrize("when", ["before", "meanwhile"])
@pytest.mark.parametrize("with_replies", [False, True])
async def test_a_message_that_is_gone_cannot_be_asked_about(hall: Hall, when: str, *, with_replies: bool) -> None:
    ts = await say(hall)
    if with_replies:
        await say(hall, "a reply", thread_ts=ts)
    if when == "before":
        hall.server.faults.fail_next["conversations.replies"] = [Fault.refuse("thread_not_found")]
        view = await pick(hall, ts)
        assert texts_in(view).endswith(GONE)
        assert "submit" not in view.content
    else:
        view = await pick(hall, ts)
        await hall.server.delete_as("U0ADA", GENERAL, ts)
        await hall.submit(view, "why?")
        assert list(view.errors.values()) == [GONE]
    assert hall.unseen == []


@pytest.mark.parametrize("when", ["before", "meanwhile"])
async def test_where_the_bot_is_not_the_form_says_how_to_invite_it(hall: Hall, when: str) -> None:
    ts = await say(hall)
    view = None
    if when == "meanwhile":
        view = await pick(hall, ts)
    await hall.server.kick_bot("U0ADA", GENERAL)
    if view is None:
        assert NOT_HERE in texts_in(await pick(hall, ts))
    else:
        await hall.submit(view, "why?")
        assert list(view.errors.values()) == [NOT_HERE]
    assert hall.unseen == []


async def test_where_slack_does_not_let_us_read_the_shortcut_works_all_the_same(hall: Hall) -> None:
    hall.server.scopes = [scope for scope in hall.server.scopes if not scope.endswith(":history")]
    await hall.submit(await pick(hall, await say(hall)), "why?")
    assert (await hall.next_unseen()).about == Said(who="Ada", text="the plan is to wait")


async def test_a_message_of_another_app_has_its_name_and_what_it_shows(hall: Hall) -> None:
    ts = await hall.server.post_as("U0ADA", GENERAL, "build 7 failed", bot_id="B0CI", app_id="A0CI")
    view = await pick(hall, ts)
    await hall.submit(view, "why?")
    about = (await hall.next_unseen()).about
    assert about is not None
    assert about.text == "build 7 failed"
    assert about.who


@pytest.mark.parametrize("code", ["expired_trigger_id", "internal_error"])
async def test_a_form_that_cannot_be_opened_is_told_to_who_wanted_it(hall: Hall, code: str) -> None:
    hall.server.faults.fail_next["views.open"] = [Fault.refuse(code)]
    with capture_logs() as logged:
        await hall.server.shortcut("U0GRACE", SHORTCUT, GENERAL, await say(hall))
        await until(lambda: bool(hall.server.ephemerals), "a word about it")
        await until(lambda: any(one["event"] == "errand_failed" for one in logged), "the failure in the log")
    assert [(one.person, one.visible_text) for one in hall.server.ephemerals] == [("U0GRACE", NOT_OPENED)]
    assert "plan" not in repr(logged)


async def test_a_form_sent_while_the_store_is_away_stays_and_may_be_sent_again(hall: Hall) -> None:
    view = await pick(hall, await say(hall))
    hall.inbox.fail = 1
    assert (await hall.submit(view, "why?")).outcome == "failed"
    assert (await hall.submit(view, "why?")).outcome == "acked"
    (heard,) = hall.unseen
    assert heard.text == "why?"


async def test_while_slack_does_not_tell_who_reads_along_the_form_stays(opening: Opening) -> None:
    async with opening() as hall:
        view = await pick(hall, await say(hall))
    async with opening() as hall:  # which no event has told anything yet
        hall.server.faults.fail_next["conversations.info"] = [Fault.rate_limit(9)]
        await hall.submit(view, "why?")
        assert (list(view.errors.values()), hall.unseen) == ([ASK_AGAIN], [])


async def test_two_forms_about_one_message_are_two_questions(hall: Hall) -> None:
    ts = await say(hall)
    for text in ("why?", "why?"):
        await hall.submit(await pick(hall, ts), text)
    await hall.next_unseen(2)
    assert len({one.event_id for one in hall.unseen}) == len({one.ref for one in hall.unseen}) == 2


async def test_after_a_restart_an_open_form_still_works(opening: Opening) -> None:
    async with opening() as hall:
        ts = await say(hall)
        view = await pick(hall, ts)
    async with opening() as hall:
        await hall.submit(view, "why?")
        heard = await hall.next_unseen()
        assert (heard.text, heard.target.conversation.thread) == ("why?", ts)
        assert heard.about == Said(who="Ada", text="the plan is to wait")


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "null",
        '{"message":"T0OTHER/C0GENERAL/1.1","root":"1.1","text":"x"}',
        '{"message":"T0PLAYGROUND/C0GENERAL/1.1","root":"yesterday","text":"x"}',
        '{"message":"T0PLAYGROUND/C0GENERAL/!1","root":"1.1","text":"x"}',
        '{"message":["T0PLAYGROUND/C0GENERAL/1.1"],"root":"1.1"}',
    ],
)
async def test_what_a_form_remembers_is_looked_at_before_it_is_believed(hall: Hall, forged: str) -> None:
    view = await pick(hall, await say(hall))
    view.content["private_metadata"] = forged
    await hall.submit(view, "why?")
    assert list(view.errors.values()) == [TOO_OLD]
    assert hall.unseen == []


async def test_in_a_shared_channel_it_is_known_that_others_read_along(hall: Hall) -> None:
    hall.server.add_stranger(GENERAL, "Eve")
    await hall.submit(await pick(hall, await say(hall)), "why?")
    heard = await hall.next_unseen()
    assert (heard.is_external, heard.author.home) == (True, "")


async def test_in_direct_messages_it_belongs_to_the_person(hall: Hall) -> None:
    channel = await hall.server.open_dm("U0GRACE")
    ts = await hall.server.post_as("U0GRACE", channel, "what I said before")
    await hall.settle()
    await hall.submit(await pick(hall, ts, channel), "and now?")
    heard = await hall.next_unseen()
    key = heard.target.conversation
    assert (heard.is_direct, key.person, key.thread) == (True, "U0GRACE", ts)


async def test_another_shortcut_is_acknowledged_and_left(hall: Hall) -> None:
    hall.server.shortcuts = {SHORTCUT, "another"}
    act = await hall.server.shortcut("U0GRACE", "another", GENERAL, await say(hall))
    await hall.settle()
    assert (act.outcome, asked(hall.server, "views.open")) == ("acked", 0)


async def test_nothing_of_what_is_said_is_logged(hall: Hall) -> None:
    with capture_logs() as logged:
        await hall.submit(await pick(hall, await say(hall, "a confidential plan")), "a confidential question")
        await hall.next_unseen()
    assert "confidential" not in repr(logged)
