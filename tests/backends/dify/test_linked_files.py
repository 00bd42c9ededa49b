"""A chatflow links its files all over its answers, over real sockets: no signature gets through, but the files do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.backend_api import Fate, FileProduced
from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from bridge.messages import ProducedFile
from bridge.playground.dify import DifyServer, MadeFile, Reply, cut
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.contracts.backend_suite import ids_of

REPORT = MadeFile(name="report.pdf", kind="document", media_type="application/pdf", content=b"%PDF-1.7")


@pytest.fixture(params=["0.15.3", "1.12.1"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock(), mode="advanced-chat", version=request.param)
    server.first_token = server.per_token = 0
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def backend(server: DifyServer) -> AsyncIterator[DifyBackend]:
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    yield backend
    await backend.close()


def files_of(outcome: Outcome) -> list[ProducedFile]:
    return [event.file for event in outcome.events if isinstance(event, FileProduced)]


def stored_by(server: DifyServer) -> str:
    return "".join(message.answer for one in server.conversations.values() for message in one.messages)


async def test_links_are_taken_out_however_they_are_written_and_cut_and_each_file_can_be_had(
    server: DifyServer, backend: DifyBackend, tmp_path: Path
) -> None:
    outcome = await hear(backend.answer(ask("link")))

    assert stored_by(server).count("sign=") == 6
    for part in ("sign=", "nonce=", "/files/", "127.0.0.1"):
        assert part not in outcome.text
    assert "The table is planets.csv, and this is the chart:" in outcome.text
    assert "| chart | open |" in outcome.text
    assert outcome.text.endswith("|\n")
    table, chart = files_of(outcome)
    assert (table.name, chart.name) == ("planets.csv", "chart.png")
    assert await backend.fetch(table, tmp_path / "table", 1000) == "text/csv"
    assert (tmp_path / "table").read_bytes().startswith(b"Planet,")
    assert await backend.fetch(chart, tmp_path / "chart", 10**6) == "image/png"


async def test_an_answer_that_is_recovered_shows_no_link_either(server: DifyServer, backend: DifyBackend) -> None:
    outcome = await hear(backend.answer(ask("link")))

    found = await backend.recover(ask("link"), ids_of(outcome.events), None)
    without_run = await backend.recover(ask("link"), replace(ids_of(outcome.events), run=None), None)

    for one in (found, without_run):
        assert one.fate is Fate.ANSWERED
        assert "sign=" not in one.text
        assert one.text.strip() == outcome.text.strip()
        assert len(one.files) == 2


@pytest.mark.parametrize("at", [3, 40, 90, 200])
async def test_an_answer_that_breaks_within_a_link_shows_nothing_of_it(
    server: DifyServer, backend: DifyBackend, at: int
) -> None:
    link = server.link_to(REPORT)
    tokens = [*"See [the report](", *link, ")", "."]
    server.script = lambda query: Reply(tokens=tokens, fault=cut(at=len("See [the report](") + at))

    outcome = await hear(backend.answer(ask()))

    assert outcome.ending == "BackendCut"
    assert outcome.text.startswith("See ")
    assert "sign=" not in outcome.text
    assert "nonce=" not in outcome.text


async def test_a_file_that_is_linked_and_listed_is_told_once(server: DifyServer, backend: DifyBackend) -> None:
    server.script = lambda query: Reply(tokens=[f"As [I said]({server.link_to(REPORT)}): "], files=(REPORT,))

    outcome = await hear(backend.answer(ask()))

    assert [file.name for file in files_of(outcome)] == ["report.pdf"]
    assert outcome.text.split() == ["As", "I", "said:", "report.pdf"]


async def test_relative_links_go_as_well(server: DifyServer, backend: DifyBackend, tmp_path: Path) -> None:
    server.features.files_url = ""

    outcome = await hear(backend.answer(ask("link")))

    assert "/files/" not in outcome.text
    assert await backend.fetch(files_of(outcome)[0], tmp_path / "out", 1000) == "text/csv"
