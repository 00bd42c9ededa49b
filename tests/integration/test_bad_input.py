"""Whatever a server sends: the member reads one clear sentence, the operator finds the cause by its reference, nothing grows
without bounds, and the next question is answered."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
import structlog

from tests.contracts.dbgpt_dialect import DbgptDialect
from tests.contracts.dialects import KEY, MIB, PROXY_PAGE, SECRET, Dialect, Limits
from tests.contracts.dify_dialect import DifyDialect, DifyWorkflowDialect
from tests.contracts.test_openai_wire import OpenAIDialect
from tests.contracts.wire import JSON, PAGE, Break, Flood, Hang, Pause, Said, Step
from tests.integration.slack_world import GENERAL, living
from tests.integration.wire_world import WireWorld

DIALECTS: Sequence[Callable[[], Dialect]] = (
    DifyDialect,
    DifyWorkflowDialect,
    OpenAIDialect,
    DbgptDialect,
)
"""One line per backend, and per way of answering of it. The bytes themselves are the affair of the wire contract."""

LIMITS = Limits(idle=1.0, progress=2.0, largest_event=2 * MIB)


def _torn(dialect: Dialect) -> bytes:
    whole = dialect.said("never shown")
    return whole[: len(whole) // 2]


BAD: dict[str, Callable[[Dialect], Said]] = {
    "a page of a proxy": lambda _: Said(headers=PAGE, steps=[PROXY_PAGE]),
    "a page of a proxy that lost its server": lambda _: Said(status=502, headers=PAGE, steps=[PROXY_PAGE]),
    "the page of a wrong address": lambda _: Said(status=404, headers=PAGE, steps=[PROXY_PAGE]),
    "a key that is refused": lambda dialect: Said(status=401, headers=JSON, steps=[dialect.refused(401, SECRET)]),
    "a redirect to a login": lambda _: Said(status=302, headers={**PAGE, "Location": "https://acme.example/login"}),
    "half a reply in JSON": lambda _: Said(headers=JSON, steps=[b'{"answer": "half of']),
    "half an event": lambda dialect: Said(steps=[_torn(dialect), Break()]),
    "half an event after some text": lambda dialect: Said(steps=[dialect.said("Kept."), _torn(dialect), Break()]),
    "nothing at all": lambda _: Said(steps=[Break()]),
    "silence": lambda dialect: Said(steps=[dialect.said("Kept."), Hang()]),
    "signs of life for ever": lambda dialect: Said(steps=[dialect.said("Kept."), Flood(dialect.ping(), pause=0.1)]),
    "a line without an end": lambda dialect: Said(steps=[dialect.said("Kept."), b"data: ", Flood(b"x" * 65536)]),
    "a failure in the stream": lambda dialect: Said(steps=[dialect.said("Kept."), dialect.failed(SECRET)]),
}


@pytest.fixture(params=DIALECTS, ids=lambda make: make.__name__.removesuffix("Dialect").lower())
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[WireWorld]:
    world = WireWorld(tmp_path, request.param(), LIMITS)
    async with living(world):
        yield world


@pytest.mark.parametrize("bad", BAD)
async def test_bad_input_ends_in_a_sentence_and_a_line_of_the_log(world: WireWorld, bad: str) -> None:
    world.wire.answer = said = BAD[bad](world.dialect)

    with structlog.testing.capture_logs() as lines:
        root = await world.ask("What is the matter?")
        (answer,) = await world.answered(GENERAL, root, "Reference")

    kept = any(isinstance(step, bytes) and b"Kept." in step for step in said.steps)
    text = answer.visible_text
    assert text.startswith("Kept.") is kept
    sentence = re.fullmatch(r"(?:Kept\.)?\s*⚠️ (.+\.) \(Reference ([0-9A-F]{6})\)", text, re.DOTALL)
    assert sentence, text
    for leak in ("acme", "10.0.0.7", "sk-123", "nginx", "http", "<", "{", KEY):
        assert leak not in text.lower()
    (line,) = [line for line in lines if line.get("reference") == sentence[2]]
    assert line["event"] == "answer_failed"
    assert line["code"]
    assert line["detail"]
    assert KEY not in str(lines)
    assert "What is the matter" not in str(lines)
    assert world.wire.asked == 1
    assert world.wire.sent < 16 * MIB

    world.wire.answer = Said(steps=[world.dialect.said("All is well again."), world.dialect.ended()])
    await world.ask("And now?", thread=root)
    await world.answered(GENERAL, root, "All is well again.", count=2)
    assert world.failed_calls() == []


@pytest.mark.parametrize("make", DIALECTS)
async def test_an_answer_of_two_megabytes_is_there_whole_in_messages_and_a_file(
    tmp_path: Path, make: Callable[[], Dialect]
) -> None:
    world = WireWorld(tmp_path, make(), Limits(idle=20, progress=20))
    async with living(world):
        await _tell_everything(world)


async def _tell_everything(world: WireWorld) -> None:
    lines = [f"Line {number}: " + "word " * 40 + "\n\n" for number in range(2 * MIB // 220)]
    steps: list[Step] = []
    for start in range(0, len(lines), 100):
        steps += [world.dialect.said("".join(lines[start : start + 100])), Pause(0.005)]
    world.wire.answer = Said(steps=[*steps, world.dialect.ended()])

    root = await world.ask("Tell me everything")
    await world.until(lambda: any(one.files for one in world.answers(GENERAL, root)), "the file is there")
    await world.settled()

    answers = world.answers(GENERAL, root)
    (file,) = [file for one in answers for file in one.files]
    whole = "\n".join(one.visible_text for one in answers) + (world.slack.uploads.content(file.id) or b"").decode()
    found = [int(number) for number in re.findall(r"Line (\d+):", whole)]
    assert found == list(range(len(lines)))
    assert world.failed_calls() == []
