"""A question whose ids are not known is found by its words and its place, or said to be unclear; never a wrong one is taken."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bridge.backend_api import Fate, Question, Recovered
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.recovering import LONGEST_RUN_SECONDS
from bridge.clock import SystemClock
from bridge.errors import BackendError, BackendMisconfigured, BackendUnreachable
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendRunId, BackendUser
from bridge.playground.dify import DifyServer, Reply
from tests.backends.dify.asking import ask, hear, make_backend
from tests.backends.dify.scripted import ScriptedServer
from tests.backends.dify.test_histories import HistoryServer

Json = dict[str, object]


def row(ident: str, query: str, second: int, *, answer: str = "", **fields: object) -> Json:
    return {"id": ident, "query": query, "answer": answer, "status": "normal", "created_at": second, **fields}


def listing(*rows: Json) -> tuple[int, Json]:
    return 200, {"data": list(rows), "has_more": False, "limit": 20}


def run(status: str, **fields: object) -> tuple[int, Json]:
    return 200, {"id": "r-1", "status": status, "outputs": "{}", "created_at": 0, **fields}


async def recover(
    others: dict[str, tuple[int, Json]],
    *,
    text: str = "hi",
    ids: BackendIds | None = None,
    continues: str = "",
    last_seen: str = "",
) -> Recovered:
    async with ScriptedServer(others={f"/v1/{path}": reply for path, reply in others.items()}) as server:
        backend = make_backend(server.base_url)
        question = Question(
            text=text,
            user=BackendUser("thread-1"),
            conversation=BackendConversationId(continues) if continues else None,
        )
        try:
            return await backend.recover(
                question, ids or BackendIds(), BackendMessageId(last_seen) if last_seen else None
            )
        finally:
            await backend.close()
            assert not server.asked
            assert all(call.startswith("GET ") for call in server.called)


KNOWN = BackendIds(conversation=BackendConversationId("c-1"), message=BackendMessageId("m-1"))
WITH_RUN = BackendIds(
    conversation=BackendConversationId("c-1"), message=BackendMessageId("m-1"), run=BackendRunId("r-1")
)


@pytest.mark.parametrize(
    ("rows", "fate", "message"),
    [
        pytest.param([], Fate.ABSENT, None, id="the conversation is empty"),
        pytest.param([row("m-0", "hi", 10, answer="a")], Fate.ABSENT, None, id="only what was seen before"),
        pytest.param([row("m-0", "x", 10), row("m-9", "other", 11)], Fate.ABSENT, None, id="something else came"),
        pytest.param([row("m-0", "x", 10), row("m-1", "hi", 12)], Fate.UNSURE, "m-1", id="ours, without an answer"),
        pytest.param([row("m-1", "hi", 12, answer="a"), row("m-0", "x", 10)], Fate.ANSWERED, "m-1", id="any order"),
        pytest.param(
            [row("m-1", "hi", 9, answer="old"), row("m-0", "x", 10)], Fate.ABSENT, None, id="the same, but older"
        ),
        pytest.param(
            [row("m-1", "hi", 10, answer="old?"), row("m-0", "x", 10)],
            Fate.UNSURE,
            None,
            id="the same, in the same second as what was seen",
        ),
        pytest.param(
            [row("m-0", "x", 10), row("m-1", "hi", 11), row("m-2", "hi", 14, answer="second try")],
            Fate.ANSWERED,
            "m-2",
            id="asked twice: the later one",
        ),
        pytest.param(
            [row("m-0", "x", 10), row("m-2", "hi", 11, answer="a"), row("m-1", "hi", 11)],
            Fate.ANSWERED,
            "m-2",
            id="asked twice within a second: the one with an answer",
        ),
        pytest.param(
            [row("m-1", "hi", 11, answer="a")], Fate.UNSURE, None, id="what was seen before is not there to compare"
        ),
    ],
)
async def test_in_a_known_conversation_only_what_is_certainly_later_is_taken(
    rows: list[Json], fate: Fate, message: str | None
) -> None:
    found = await recover({"messages": listing(*rows)}, continues="c-1", last_seen="m-0")

    assert (found.fate, found.ids.message) == (fate, message)
    assert found.ids.conversation == "c-1"


async def test_without_anything_to_compare_an_equal_question_is_not_taken_for_ours() -> None:
    equal = listing(row("m-1", "hi", 10, answer="an old answer"))

    assert (await recover({"messages": equal}, continues="c-1")).fate is Fate.UNSURE
    assert (await recover({"messages": equal}, continues="c-1", text="new")).fate is Fate.ABSENT


async def test_a_conversation_that_our_question_began_holds_nothing_else() -> None:
    began = BackendIds(conversation=BackendConversationId("c-1"))

    found = await recover({"messages": listing(row("m-1", "hi", 10, answer="a"))}, ids=began)

    assert (found.fate, found.text, found.ids.message) == (Fate.ANSWERED, "a", "m-1")


@pytest.mark.parametrize("text", ["hi\0", " hi\n"])
async def test_words_are_compared_as_dify_keeps_them(text: str) -> None:
    stored = text.replace("\0", "")

    found = await recover(
        {"messages": listing(row("m-0", "x", 1), row("m-1", stored, 2, answer="a"))},
        text=text,
        continues="c-1",
        last_seen="m-0",
    )

    assert found.fate is Fate.ANSWERED


def conversation(ident: str, second: int) -> Json:
    return {"id": ident, "created_at": second}


class TestANewConversation:
    """Nothing is known but the user. `messages` of the scripted server are the same for every conversation."""

    async def test_the_only_one_with_nothing_but_our_question_is_ours(self) -> None:
        found = await recover(
            {"conversations": listing(conversation("c-1", 5)), "messages": listing(row("m-1", "hi", 5, answer="a"))}
        )

        assert (found.fate, found.text) == (Fate.ANSWERED, "a")
        assert (found.ids.conversation, found.ids.message) == ("c-1", "m-1")

    async def test_none_at_all_means_that_it_never_arrived(self) -> None:
        assert (await recover({"conversations": listing()})).fate is Fate.ABSENT

    async def test_one_that_went_on_is_older_than_our_question(self) -> None:
        others = {
            "conversations": listing(conversation("c-1", 5)),
            "messages": listing(row("m-1", "hi", 5, answer="a"), row("m-2", "and?", 6)),
        }

        assert (await recover(others)).fate is Fate.ABSENT

    async def test_of_several_that_begin_alike_none_is_taken(self) -> None:
        others = {
            "conversations": listing(conversation("c-1", 5), conversation("c-2", 9)),
            "messages": listing(row("m-1", "hi", 5, answer="a")),
        }

        found = await recover(others)

        assert (found.fate, found.ids, found.text) == (Fate.UNSURE, BackendIds(), "")

    async def test_what_was_seen_before_tells_which_conversation_is_older(self) -> None:
        others = {
            "conversations": listing(conversation("c-0", 5)),
            "messages": listing(row("m-0", "hi", 5, answer="a")),
        }

        assert (await recover(others, last_seen="m-0")).fate is Fate.ABSENT


class StandingClock(SystemClock):
    """Its time of day moves only when told to; waiting takes real time."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + self.ahead


class RotatedThread:
    """Conversations of one user at the stand-in, one second apart unless told otherwise."""

    def __init__(self, server: DifyServer, backend: DifyBackend, clock: StandingClock) -> None:
        self.server = server
        self.backend = backend
        self.clock = clock

    async def ask(self, text: str, *, seconds: int = 1) -> BackendMessageId:
        await hear(self.backend.answer(ask(text)))
        self.clock.ahead += timedelta(seconds=seconds)
        return BackendMessageId(self.server.requests[-1].message_id)

    async def recover(self, text: str, last_seen: BackendMessageId) -> Recovered:
        return await self.backend.recover(ask(text), BackendIds(), last_seen)


@pytest.fixture
async def thread() -> AsyncIterator[RotatedThread]:
    clock = StandingClock()
    server = DifyServer(clock)
    server.script = lambda query: Reply(tokens=["yes"], first_token=0, per_token=0)
    await server.start()
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    yield RotatedThread(server, backend, clock)
    await backend.close()
    await server.stop()


class TestANewConversationAfterOthers:
    async def test_only_a_later_one_is_taken(self, thread: RotatedThread) -> None:
        await thread.ask("hi")
        seen = await thread.ask("what went before")
        ours = await thread.ask("hi")

        found = await thread.recover("hi", seen)

        assert (found.fate, found.ids.message) == (Fate.ANSWERED, ours)

    async def test_an_earlier_one_is_not(self, thread: RotatedThread) -> None:
        await thread.ask("hi")
        seen = await thread.ask("what went before")

        assert (await thread.recover("hi", seen)).fate is Fate.ABSENT

    async def test_one_of_the_same_second_may_be_either(self, thread: RotatedThread) -> None:
        seen = await thread.ask("what went before", seconds=0)
        await thread.ask("hi")

        assert (await thread.recover("hi", seen)).fate is Fate.UNSURE


async def test_a_row_that_is_made_a_moment_later_is_found() -> None:
    def reply(*rows: Json) -> dict[str, object]:
        body = json.dumps({"data": rows})
        return {"path": "/v1/messages", "status": 200, "headers": {"Content-Type": "application/json"}, "body": body}

    before = row("m-0", "x", 1)
    async with HistoryServer([reply(before), reply(before, row("m-1", "hi", 2))]) as server:
        backend = make_backend(server.base_url)
        found = await backend.recover(ask("hi", conversation="c-1"), BackendIds(), BackendMessageId("m-0"))
        await backend.close()

    assert (found.fate, found.ids.message) == (Fate.UNSURE, "m-1")


@pytest.mark.parametrize(
    ("stored", "fate", "text"),
    [
        ({"answer": "<think>hm</think>\n\nYes."}, Fate.ANSWERED, "Yes."),
        ({"answer": "Yes."}, Fate.ANSWERED, "Yes."),
        ({"answer": "", "status": "error", "error": "boom"}, Fate.FAILED, ""),
        ({"answer": "", "status": "paused"}, Fate.PAUSED, ""),
        ({"answer": ""}, Fate.UNSURE, ""),
        ({"answer": None, "agent_thoughts": "x"}, Fate.UNSURE, ""),
        (
            {
                "answer": "",
                "agent_thoughts": [
                    {"position": 2, "thought": "It is nine.", "tool": ""},
                    {"position": 1, "thought": "<think>hm</think>Let me see. ", "tool": "clock"},
                ],
            },
            Fate.ANSWERED,
            "Let me see. It is nine.",
        ),
    ],
)
async def test_what_is_stored_is_judged_and_shaped_as_the_stream_would_have_been(
    stored: Json, fate: Fate, text: str
) -> None:
    found = await recover({"messages": listing({**row("m-1", "hi", 5), **stored})}, ids=KNOWN)

    assert (found.fate, found.text, found.ids) == (fate, text, KNOWN)


@pytest.mark.parametrize(
    ("reply", "fate", "text"),
    [
        (run("succeeded", outputs=json.dumps({"answer": "<think>x</think>a"})), Fate.ANSWERED, "a"),
        (run("succeeded", outputs={"answer": "an object"}), Fate.ANSWERED, "an object"),
        (run("succeeded", outputs='{"answer": ""}'), Fate.ANSWERED, ""),
        (run("partial-succeeded", outputs='{"answer": "a"}'), Fate.ANSWERED, "a"),
        (run("succeeded"), Fate.UNSURE, ""),
        (run("succeeded", outputs="{"), Fate.UNSURE, ""),
        (run("running"), Fate.RUNNING, ""),
        (run("failed", error="boom"), Fate.FAILED, ""),
        (run("stopped", outputs='{"answer": "half"}'), Fate.STOPPED, "half"),
        (run("stopped"), Fate.STOPPED, ""),
        (run("paused"), Fate.PAUSED, ""),
        (run("scheduled"), Fate.UNSURE, ""),
        ((200, {"id": None, "status": None}), Fate.UNSURE, ""),
        ((400, {"code": "not_workflow_app"}), Fate.UNSURE, ""),
        ((404, {"code": "not_found"}), Fate.UNSURE, ""),
        (run("running", created_at=1), Fate.UNSURE, ""),
    ],
)
async def test_a_run_tells_what_the_history_does_not(reply: tuple[int, Json], fate: Fate, text: str) -> None:
    others = {"messages": listing(row("m-1", "hi", 5)), "workflows/run/r-1": reply}

    found = await recover(others, ids=WITH_RUN)

    assert (found.fate, found.text, found.ids) == (fate, text, WITH_RUN)
    assert LONGEST_RUN_SECONDS == 1200


@pytest.mark.parametrize(
    ("status", "fate"), [("stopped", Fate.STOPPED), ("succeeded", Fate.ANSWERED), ("running", Fate.RUNNING)]
)
async def test_a_stored_answer_is_what_its_run_says_it_is(status: str, fate: Fate) -> None:
    others = {"messages": listing(row("m-1", "hi", 5, answer="stored")), "workflows/run/r-1": run(status)}

    found = await recover(others, ids=WITH_RUN)

    assert (found.fate, found.text) == (fate, "" if fate is Fate.RUNNING else "stored")


GONE: tuple[int, Json] = (404, {"code": "not_found", "message": "Conversation Not Exists."})


async def test_a_conversation_that_is_gone_leaves_it_unclear_whether_it_was_asked() -> None:
    assert (await recover({"messages": GONE}, ids=KNOWN)).fate is Fate.UNSURE
    assert (await recover({"messages": GONE}, continues="c-1", last_seen="m-0")).fate is Fate.UNSURE


async def test_a_run_is_asked_for_though_its_conversation_is_gone() -> None:
    others = {"messages": GONE, "workflows/run/r-1": run("succeeded", outputs='{"answer": "a"}')}

    assert (await recover(others, ids=WITH_RUN)).text == "a"


async def test_a_server_without_a_history_cannot_tell() -> None:
    assert (await recover({}, ids=KNOWN)).fate is Fate.UNKNOWN
    assert (await recover({"messages": (200, {"result": "success"})}, ids=KNOWN)).fate is Fate.UNKNOWN


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ((401, {"code": "unauthorized"}), BackendMisconfigured),
        ((403, {"code": "forbidden"}), BackendMisconfigured),
        ((503, {"message": "later"}), BackendUnreachable),
        ((500, {"code": "internal_server_error"}), BackendError),
        ((429, {"code": "too_many_requests"}), BackendError),
    ],
)
async def test_who_cannot_be_asked_is_an_error_and_not_a_fate(
    reply: tuple[int, Json], kind: type[BackendError]
) -> None:
    row_only = listing(row("m-1", "hi", 5))
    cases: list[dict[str, tuple[int, Json]]] = [
        {"messages": reply},
        {"messages": row_only, "workflows/run/r-1": reply},
    ]
    for paths in cases:
        with pytest.raises(kind):
            await recover(paths, ids=WITH_RUN)


async def test_a_long_history_is_read_whole() -> None:
    long = "word " * 40_000

    found = await recover(
        {"messages": listing(row("m-0", "x", 1, answer=long), row("m-1", "hi", 2, answer=long))}, ids=KNOWN
    )

    assert found.text == long


@pytest.mark.parametrize(
    ("query", "fate"),
    [
        ("Written before in this thread:\n\nAda: x\n\nNow the question is:\n\nhi", Fate.ANSWERED),
        ("Now the question is:\n\n  hi\n", Fate.ANSWERED),
        ("They say hi", Fate.ABSENT),
        ("This is\nhi", Fate.ABSENT),
        ("hi\n\nand more", Fate.ABSENT),
    ],
)
async def test_a_question_is_found_below_what_the_app_was_told_besides(query: str, fate: Fate) -> None:
    rows = listing(row("m-0", "x", 10), row("m-1", query, 12, answer="yes"))
    conversations = 200, {"data": [{"id": "c-1", "created_at": 12}], "has_more": False, "limit": 20}

    continued = await recover({"messages": rows}, continues="c-1", last_seen="m-0")
    started = await recover({"conversations": conversations, "messages": listing(row("m-1", query, 12, answer="yes"))})

    assert (continued.fate, started.fate) == (fate, fate)


async def test_links_to_dify_s_own_files_are_not_in_what_is_recovered() -> None:
    link = "/files/tools/a.png?timestamp=1&nonce=2&sign=3"
    told = f"Here: ![chart.png]({link}) [it]({link})"
    thoughts = [{"position": 1, "thought": told, "observation": "", "tool": ""}]
    outputs = json.dumps({"answer": told})
    for paths, ids in (
        ({"messages": listing(row("m-1", "hi", 2, answer=told))}, KNOWN),
        ({"messages": listing(row("m-1", "hi", 2, agent_thoughts=thoughts))}, KNOWN),
        ({"messages": listing(row("m-1", "hi", 2)), "workflows/run/r-1": run("succeeded", outputs=outputs)}, WITH_RUN),
        ({"messages": listing(row("m-1", "hi", 2)), "workflows/run/r-1": run("stopped", outputs=outputs)}, WITH_RUN),
    ):
        found = await recover(paths, ids=ids)

        assert (found.text, [file.name for file in found.files]) == ("Here:  it", ["chart.png"])
        assert found.files[0].address == link


async def test_a_run_tells_its_files_and_the_row_its_sources() -> None:
    made = {"type": "image", "filename": "a.png", "url": "/files/tools/a.png?sign=1", "transfer_method": "tool_file"}
    outputs = json.dumps({"answer": "whole", "files": [made]})
    cited = [{"position": 1, "document_name": "A.pdf"}]
    rows = listing(row("m-1", "hi", 10, retriever_resources=cited))

    found = await recover({"messages": rows, "workflows/run/r-1": run("succeeded", outputs=outputs)}, ids=WITH_RUN)

    assert (found.fate, found.text, found.sources) == (Fate.ANSWERED, "whole", ("1. A.pdf",))
    assert [file.name for file in found.files] == ["a.png"]
