"""The documents that an answer rests on, out of `retriever_resources`: position, name and score, never the passages."""

from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

MOST_SOURCES = 10
"""Documents named for one answer. Dify retrieves a handful for each knowledge node."""


_LAST = 1_000_000
"""Where a resource without a position stands."""


def read_sources(resources: object) -> tuple[str, ...]:
    """Each document once, in the order of `position`, as "1. Handbook.pdf (0.87)"; empty unless the app has citations on.

    A model that cites says "[1]" and means the position. Several passages of one document are told by the first of them and by
    the best score among them.
    """
    if not isinstance(resources, list):
        return ()
    told = [one for one in resources if isinstance(one, dict)]
    told.sort(key=_position)
    first: dict[str, int] = {}
    best: dict[str, float] = {}
    for one in told:
        name = make_plain(_name_of(one))
        if name:
            first.setdefault(name, min(_position(one), _LAST))
            best[name] = max(best.get(name, -1.0), _score(one))
    named = list(first.items())[:MOST_SOURCES]
    return tuple(_spell(name, place, number, best[name]) for number, (name, place) in enumerate(named, 1))


def _spell(name: str, place: int, number: int, score: float) -> str:
    known = place if 0 < place < _LAST else number
    return f"{known}. {name}" if score < 0 else f"{known}. {name} ({score:.2f})"


def _name_of(resource: Json) -> str:
    # Nearly everything of a resource may be null; results of a web search have a title only.
    return text_of(resource, "document_name") or text_of(resource, "title") or text_of(resource, "dataset_name")


def _score(resource: Json) -> float:
    """-1 where there is none. What is no share of 1, as some rankers give it, says nothing to a person."""
    score = resource.get("score")
    if not isinstance(score, int | float) or isinstance(score, bool) or not 0 <= score <= 1:
        return -1.0
    return float(score)


def _position(resource: Json) -> int:
    position = resource.get("position")
    return position if isinstance(position, int) else _LAST
