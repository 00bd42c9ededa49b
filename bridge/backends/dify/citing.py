"""The documents that an answer rests on: their names out of `retriever_resources`, never the passages or their scores."""

from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

MOST_SOURCES = 10
"""Documents named for one answer. Dify retrieves a handful for each knowledge node."""


_LAST = 1_000_000
"""Where a resource without a position stands."""


def read_sources(resources: object) -> tuple[str, ...]:
    """Each document once, in the order of `position`; empty unless the app has citations switched on."""
    if not isinstance(resources, list):
        return ()
    told = [one for one in resources if isinstance(one, dict)]
    told.sort(key=_position)
    names = (make_plain(_name_of(one)) for one in told)
    return tuple(dict.fromkeys(name for name in names if name))[:MOST_SOURCES]


def _name_of(resource: Json) -> str:
    # Nearly everything of a resource may be null; results of a web search have a title only.
    return text_of(resource, "document_name") or text_of(resource, "title") or text_of(resource, "dataset_name")


def _position(resource: Json) -> int:
    position = resource.get("position")
    return position if isinstance(position, int) else _LAST
