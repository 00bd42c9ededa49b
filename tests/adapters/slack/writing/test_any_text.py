"""Whatever an app writes, and however it comes in pieces: a stream shows in the end what one edit would have shown, and calls
nobody on its way there."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.adapter import SlackPlatform
from adapters.slack.dialect import DIALECT
from adapters.slack.writing.additions import Addition, SoFar
from adapters.slack.writing.growth import open_fence
from bridge.messages import MessageRef, ReplyTarget, Step, StepState
from bridge.playground.slack import SlackServer
from bridge.playground.slack.streams import Chunk, Content, Task, TaskChunk, TextChunk
from bridge.splitting import Splitter
from tests.adapters.slack.writing.said import UPDATE, final, live, methods, texts
from tests.fakes.clock import FakeClock

PIECES = (
    *("word ", "another one, ", "end.\n\n", " ", "  ", "\n", "\n\n", "\n\n\n", "\t", "\r\n", "\x00"),
    *("\u3000", "\u00a0", "\u200b", "**", "*", "__", "_", "~~", "~", "`", "``", "\\", "#", "|", "| ", "||"),
    *("```\n", "\n```\n", "```py\n", "\n~~~\n", "    code\n", "\n# ", "\n> ", "\n- ", "\n   - ", "\n1. "),
    *("\n| a | b |\n", "|---|---|\n", "| 1 | 2 |\n", "\n---\n", "[", "](", ")", "[x](http://x.io/a_b) "),
    *("<", ">", "&", "&lt;", "&commat;", "<!channel>", "<@U0ADA>", "@here ", "@channel", "<!subteam^S1>"),
    *("漢字のある文", "。", "🙂", "👩\u200d👩\u200d👧 ", "e\u0301", "<br>", "$x^2$ ", "\\*", "5 * 3 * 2 "),
    "http://x.io/_a_ ",
)


def nasty(seed: int) -> tuple[str, list[int]]:
    """A text, and after how many characters it comes in."""
    chance = random.Random(seed)
    text = "".join(chance.choice(PIECES) for _ in range(chance.choice((8, 40, 160))))
    ends = sorted(chance.sample(range(1, len(text)), min(len(text) - 1, 24)))
    return text, [*ends, len(text)]


def growing(text: str, ends: list[int]) -> Iterator[list[str]]:
    splitter = Splitter(DIALECT)
    for end in ends:
        yield splitter.feed(text[:end])
    yield splitter.feed(text, final=True)


@pytest.mark.parametrize("seed", range(24))
async def test_a_stream_shows_what_an_edit_would(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, clock: FakeClock, seed: int
) -> None:
    text, ends = nasty(seed)
    ref: MessageRef | None = None
    whole = ""
    for *_, whole in filter(None, growing(text, ends)):
        if ref is None:
            ref = await platform.send(target, live(whole))
        else:
            await platform.edit(target, ref, live(whole))
        await clock.advance(1)
    assert ref is not None
    await platform.edit(target, ref, final(whole))
    streamed = texts(server, root)
    await platform.edit(target, ref, final(whole))
    assert methods(server)[-1] == UPDATE
    # A break above all text is not seen, and not kept by streams.
    assert streamed == [shown.lstrip() for shown in texts(server, root)]
    assert server.pings == []
    assert [call.error for call in server.calls if call.error] == []


def added(content: Content, addition: Addition) -> Content:
    chunks: list[Chunk] = [
        *([TextChunk(text=addition.before)] if addition.before else []),
        *(TaskChunk(id=step.id, title=step.title, status="in_progress") for step in addition.steps),
        *([TextChunk(text=addition.text)] if addition.text else []),
    ]
    assert all(chunk.text.strip() for chunk in chunks if isinstance(chunk, TextChunk))
    return content.with_chunks(chunks)


pieces = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), min_size=1, max_size=60)


@given(pieces=pieces, steps=st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=300, deadline=None)
def test_what_a_stream_is_believed_to_say_is_what_it_says(pieces: list[str], steps: list[int]) -> None:
    so_far, content, begun = SoFar(in_chunks=True), Content(), list[Step]()
    splitter, text, whole = Splitter(DIALECT), "", ""
    for number, piece in enumerate(pieces):
        begun += [Step(id=f"{number}-{one}", title="x", state=StepState.RUNNING) for one in steps if one == number]
        text += piece
        for shown in splitter.feed(text)[:1]:
            whole = DIALECT.render(shown).text
            addition = so_far.next(whole, begun, listed=True)
            content = added(content, addition)
            so_far.confirm(addition)
            assert without_gaps(content.text) == without_gaps(so_far.said)
            if not steps:
                assert content.text == so_far.said.lstrip()
    last = so_far.last(whole, begun, listed=True, failed=False)
    if last is not None:
        content = added(content, last)
        assert without_gaps(content.text) == without_gaps(whole)
        assert {task.id for task in content.tasks} == {step.id for step in begun}
        for part, below in zip(content.parts, content.parts[1:], strict=False):
            if isinstance(part, str) and isinstance(below, Task):
                assert not open_fence(part)


def without_gaps(text: str) -> str:
    return "".join(text.split())
