"""The invariants are strong enough: an engine with one of these faults is caught within a few documents."""

import sys
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bridge.markdown.inside
import bridge.splitting
from adapters.discord import dialect as discord
from adapters.slack import dialect as slack
from bridge.markdown.cuts import Cut, Rank
from bridge.splitting import Splitter
from tests.markdown.corpus.document import Place
from tests.markdown.generators import FAMILY, LITERAL, Stream, documents, streams
from tests.markdown.invariants import EVERY, Showing

EXAMPLES = 60
"""Documents that a faulty engine may survive."""

SEED = 4
BYTES = 8_000
"""Of which a document is made; one that would need more is left out. Hypothesis's own search also draws constants that it finds
in whatever modules are loaded, so that the documents would depend on what other tests import."""

Mutation = Callable[[pytest.MonkeyPatch], None]

_freeze = Splitter._freeze
_length = Splitter._length


def _with_other_cut(patch: pytest.MonkeyPatch, change: Callable[[Cut], Cut]) -> None:
    def freeze(self: Splitter, live: str, cut: Cut) -> None:
        _freeze(self, live, change(cut))

    patch.setattr(Splitter, "_freeze", freeze)


def no_fence_reopening(patch: pytest.MonkeyPatch) -> None:
    _with_other_cut(patch, lambda cut: replace(cut, opener="") if "```" in cut.opener else cut)


def no_language_when_reopening(patch: pytest.MonkeyPatch) -> None:
    def forget(cut: Cut) -> Cut:
        before, fence, _ = cut.opener.partition("```")
        return replace(cut, opener=f"{before}{fence}\n") if fence and cut.rank is Rank.CODE else cut

    _with_other_cut(patch, forget)


def no_fence_closing(patch: pytest.MonkeyPatch) -> None:
    _with_other_cut(patch, lambda cut: replace(cut, closer="", opener="") if "```" in cut.closer else cut)


def no_table_header(patch: pytest.MonkeyPatch) -> None:
    _with_other_cut(patch, lambda cut: replace(cut, opener="") if "--" in cut.opener else cut)


def emphasis_left_open(patch: pytest.MonkeyPatch) -> None:
    _with_other_cut(patch, lambda cut: replace(cut, closer="") if set(cut.closer) & set("*_~") else cut)


def cut_by_code_point(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bridge.markdown.inside, "is_boundary", lambda text, at: True)


def closer_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Splitter, "_length", lambda self, cut: _length(self, cut) - len(cut.closer))


def no_escaping(patch: pytest.MonkeyPatch) -> None:
    for writer in (slack._Canonical, discord._Line):
        patch.setattr(writer, "escape", lambda self, text, before, after: text)


def repair_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bridge.splitting, "repair", lambda source, *_: source)


MUTATIONS: tuple[Mutation, ...] = (
    no_fence_reopening,
    no_language_when_reopening,
    no_fence_closing,
    no_table_header,
    emphasis_left_open,
    cut_by_code_point,
    closer_not_counted,
    no_escaping,
    repair_off,
)


def forget() -> None:
    """What the engine remembers of other tests, or they of the fault."""
    for name, module in list(sys.modules.items()):
        if name.startswith("bridge.markdown"):
            for one in vars(module).values():
                if callable(clear := getattr(one, "cache_clear", None)):
                    clear()


def first_caught(place: Place) -> tuple[Stream, int] | None:
    """The first document and limit for which an invariant does not hold. The documents are always the same."""
    caught: list[tuple[Stream, int]] = []

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        limit = data.draw(st.integers(60, 400))  # many cuts
        # Every third one is what most documents have little of.
        rare = [
            st.integers(20, 60).map(lambda count: FAMILY * count),
            st.just(f"say \\*{LITERAL}\\* twice"),
            st.integers(40, 90).map(lambda count: "```python\n" + "x = [1]\n" * count + "```"),
            st.integers(80, 200).map(lambda count: "**" + "bold words " * count + "end**"),
            st.integers(40, 90).map(lambda count: "| К | С |\n|---|---|\n" + "| x1 | y |\n" * count),
        ]
        kind = data.draw(st.sampled_from([documents(limit, 4)] * 4 + rare))
        stream = data.draw(streams(kind))
        try:
            _check(stream, place, limit)
        except AssertionError:
            caught.append((stream, limit))

    random = Random(SEED)
    for _ in range(EXAMPLES):
        look.hypothesis.fuzz_one_input(random.randbytes(BYTES))  # type: ignore[attr-defined]  # `given` puts it there
        if caught:
            break
    return caught[0] if caught else None


def _check(stream: Stream, place: Place, limit: int) -> None:
    showing = Showing(stream, place, limit)
    for invariant in EVERY:
        invariant(showing)


@pytest.mark.parametrize("place", ["slack", "discord"])
@pytest.mark.parametrize("mutate", MUTATIONS)
def test_a_faulty_engine_is_caught(mutate: Mutation, place: Place) -> None:
    with pytest.MonkeyPatch.context() as patch:
        mutate(patch)
        forget()
        caught = first_caught(place)
    forget()
    assert caught is not None, f"{mutate.__name__} survived {EXAMPLES} documents"
    stream, limit = caught
    try:  # it was the fault: without it the same text is shown well
        _check(stream, place, limit)
    except AssertionError as wrong:
        pytest.fail(f"the engine WITHOUT the fault fails on {place} at {limit} too, with {stream!r}: {wrong}")
