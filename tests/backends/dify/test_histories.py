"""What two real Dify servers told about questions whose asker had gone, told again to the code that judges it."""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from aiohttp import web

from bridge.backend_api import Fate, Question, Recovered
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendRunId, BackendUser
from tests.backends.dify.asking import make_backend

HISTORIES = Path(__file__).parent / "histories"
VERSIONS = ("0.15.3", "1.12.1")

Reply = dict[str, object]


def load(version: str, *names: str) -> list[Reply]:
    scenarios = [json.loads(line) for line in (HISTORIES / f"{version}.jsonl").read_text().splitlines()]
    return [
        reply for name in names for scenario in scenarios if scenario["name"] == name for reply in scenario["replies"]
    ]


def body_of(reply: Reply) -> dict[str, object]:
    body = json.loads(str(reply["body"]))
    assert isinstance(body, dict)
    return body


def first_row(replies: list[Reply]) -> dict[str, object]:
    """The message of the first reply that lists any."""
    rows = next(
        data for reply in replies if isinstance(data := body_of(reply).get("data"), list) and "query" in data[0]
    )
    assert isinstance(rows[0], dict)
    return rows[0]


class HistoryServer:
    """Gives each path its recorded replies in order, and the last of them from then on."""

    def __init__(self, replies: list[Reply]) -> None:
        self._left: dict[str, list[Reply]] = defaultdict(list)
        for reply in replies:
            self._left[str(reply["path"]).split("?")[0]].append(reply)
        self._runner: web.AppRunner | None = None
        self.called: list[str] = []
        self.base_url = ""

    async def __aenter__(self) -> "HistoryServer":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.Response:
        self.called.append(f"{request.method} {request.path_qs}")
        left = self._left[request.path]
        reply = left.pop(0) if len(left) > 1 else left[0]
        status, headers = reply["status"], reply["headers"]
        assert isinstance(status, int)
        assert isinstance(headers, dict)
        return web.Response(body=str(reply["body"]).encode(), status=status, headers=headers)


async def recover(
    replies: list[Reply], ids: BackendIds, *, text: str = "whatever", last_seen: str = "", continues: str = ""
) -> Recovered:
    async with HistoryServer(replies) as server:
        backend = make_backend(server.base_url)
        question = Question(
            text=text,
            user=BackendUser("thread-1"),
            conversation=BackendConversationId(continues) if continues else None,
        )
        found = await backend.recover(question, ids, BackendMessageId(last_seen) if last_seen else None)
        await backend.close()
    assert all(call.startswith("GET ") for call in server.called)
    return found


def ids_of(row: dict[str, object], run: str = "") -> BackendIds:
    return BackendIds(
        conversation=BackendConversationId(str(row["conversation_id"])),
        message=BackendMessageId(str(row["id"])),
        run=BackendRunId(run) if run else None,
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("scenario", "fate", "begins"),
    [
        ("chat_dropped", Fate.UNSURE, ""),
        ("chat_under_way", Fate.UNSURE, ""),
        ("chat_failed", Fate.FAILED, ""),
        ("chat_whole", Fate.ANSWERED, "Echo[1]: LEN=300 TPS=30\n\nalpha0"),
        ("chat_stopped", Fate.ANSWERED, "Echo[1]: LEN="),
        ("chatflow_dropped_messages", Fate.UNSURE, ""),
        ("conversation_deleted", Fate.UNSURE, ""),
    ],
)
async def test_what_the_history_says_is_understood(version: str, scenario: str, fate: Fate, begins: str) -> None:
    replies = load(version, scenario)
    nothing: dict[str, object] = {"id": "m", "conversation_id": "c"}
    row = nothing if scenario == "conversation_deleted" else first_row(replies)

    found = await recover(replies, ids_of(row))

    assert found.fate is fate
    assert found.text.startswith(begins)
    assert bool(found.text) is bool(begins)
    assert found.ids == ids_of(row)


@pytest.mark.parametrize(("version", "fate"), [("0.15.3", Fate.ANSWERED), ("1.12.1", Fate.UNSURE)])
async def test_a_stop_after_the_connection_was_gone_loses_the_text_but_on_old_versions(
    version: str, fate: Fate
) -> None:
    replies = load(version, "chat_stopped_when_gone")

    assert (await recover(replies, ids_of(first_row(replies)))).fate is fate


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_answer_of_a_dropped_agent_is_in_its_last_step(version: str) -> None:
    replies = load(version, "agent_dropped")
    ids = ids_of(first_row(replies))

    # One second after the client had left, and eight.
    early = await recover(replies[:1], ids)
    late = await recover(replies[1:], ids)

    assert early.fate is Fate.UNSURE
    assert late.fate is Fate.ANSWERED
    assert late.text.startswith("Echo[1]: LEN=800 TPS=40\n\nalpha0 ")
    assert len(late.text) == len("Echo[1]: LEN=800 TPS=40\n\n") + 800


async def test_a_step_that_is_still_being_written_is_not_taken_for_the_answer() -> None:
    replies = load("1.12.1", "agent_dropped")[1:2]
    growing = json.loads(str(replies[0]["body"]))
    growing["data"][0]["agent_thoughts"][0]["thought"] = "I should look that up."

    found = await recover([{**replies[0], "body": json.dumps(growing)}, replies[0]], ids_of(first_row(replies)))

    assert (found.fate, found.text) == (Fate.UNSURE, "")


async def test_a_step_that_called_a_tool_is_not_the_last_one() -> None:
    replies = load("1.12.1", "agent_dropped")[1:2]
    calling = json.loads(str(replies[0]["body"]))
    calling["data"][0]["agent_thoughts"][0]["tool"] = "current_time"

    assert (
        await recover([{**replies[0], "body": json.dumps(calling)}], ids_of(first_row(replies)))
    ).fate is Fate.UNSURE


async def test_the_run_of_a_dropped_chatflow_goes_on_and_tells_its_answer() -> None:
    history = load("1.12.1", "chatflow_dropped_messages")
    first, second = load("1.12.1", "chatflow_dropped")
    ids = ids_of(first_row(history), str(first["path"]).rsplit("/", 1)[1])

    running = await recover([*history, first], ids)
    finished = await recover([*history, second], ids)

    assert (running.fate, running.text) == (Fate.RUNNING, "")
    assert finished.fate is Fate.ANSWERED
    assert finished.text.startswith("Echo[1]: LEN=400 TPS=40\n\nalpha0 ")
    assert len(finished.text) == len("Echo[1]: LEN=400 TPS=40\n\n") + 400
    assert finished.ids == ids


async def test_a_run_that_died_with_its_server_is_not_waited_for() -> None:
    history = load("1.12.1", "chatflow_dropped_messages")
    first = load("1.12.1", "chatflow_dropped")[0]
    headers = first["headers"]
    assert isinstance(headers, dict)
    later = {**first, "headers": {**headers, "Date": "Sat, 21 Nov 2026 02:34:00 GMT"}}

    found = await recover([*history, later], ids_of(first_row(history), str(first["path"]).rsplit("/", 1)[1]))

    assert found.fate is Fate.UNSURE


async def test_an_old_version_does_not_tell_about_a_chatflows_run() -> None:
    history = load("0.15.3", "chatflow_dropped_messages")
    refused = load("0.15.3", "chatflow_dropped")[0]

    found = await recover([*history, refused], ids_of(first_row(history), str(refused["path"]).rsplit("/", 1)[1]))

    assert found.fate is Fate.UNSURE


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_question_whose_ids_were_never_recorded_is_found_by_its_words(version: str) -> None:
    replies = load(version, "chat_never_begun")

    found = await recover(replies, BackendIds(), text="FIRST=4 LEN=100")
    absent = await recover(replies, BackendIds(), text="something else")

    assert found.fate is Fate.UNSURE
    assert found.ids == ids_of(first_row(replies))
    assert (absent.fate, absent.ids) == (Fate.ABSENT, BackendIds())


@pytest.mark.parametrize(
    ("version", "fate"),
    [
        # Both rows are of one second in this recording, so which came first cannot be told.
        ("0.15.3", Fate.UNSURE),
        ("1.12.1", Fate.ANSWERED),
    ],
)
async def test_a_question_in_a_known_conversation_is_found_among_what_came_later(version: str, fate: Fate) -> None:
    replies = load(version, "chat_whole")
    conversation = str(first_row(replies)["conversation_id"])
    before = str(first_row(replies)["id"])

    found = await recover(replies, BackendIds(), text="parallel LEN=40", last_seen=before, continues=conversation)
    older = await recover(replies, BackendIds(), text="LEN=300 TPS=30", last_seen=before, continues=conversation)

    assert found.fate is fate
    assert found.text.startswith("Echo[2]: parallel" if fate is Fate.ANSWERED else "")
    assert older.fate is Fate.ABSENT
