"""Files that an app made, as Dify tells of them: in `message_file` events, in a workflow's `files`, in the history.

Their addresses are signed: whoever sees one can have the file for five minutes. They are kept, and never shown or logged.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bridge.messages import ProducedFile
from bridge.remote.framing import Json, text_of
from bridge.remote.plain import make_plain

MOST_FILES = 20
"""Files of one answer that are passed on."""

_KINDS = frozenset({"image", "document", "audio", "video"})

# Dify's tools name a file after its id, which tells a person nothing.
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def read_file(told: Json) -> ProducedFile | None:
    """None for what is no file of the app: without an address, or handed over by the asker."""
    address = text_of(told, "url") or text_of(told, "remote_url")
    owner = text_of(told, "belongs_to")
    # A workflow does not say whose a file is, but only those of members were uploaded.
    if not address or owner == "user" or (not owner and text_of(told, "transfer_method") == "local_file"):
        return None
    kind = text_of(told, "type")
    kind = kind if kind in _KINDS else "file"
    size = told.get("size")
    return ProducedFile(
        name=name_file(text_of(told, "filename"), address, kind),
        kind=kind,
        address=address,
        media_type=text_of(told, "mime_type")[:100],
        # Dify says 0 or -1 where it does not know.
        size=size if isinstance(size, int) and size > 0 else None,
    )


def read_files(value: object) -> tuple[ProducedFile, ...]:
    """Every file of the app in a list, each once."""
    told = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    return keep_different(file for one in told if (file := read_file(one)) is not None)


def keep_different(files: Iterable[ProducedFile]) -> tuple[ProducedFile, ...]:
    """Each file once. The same one is told under several ids and signatures; only its path stays the same."""
    different: dict[str, ProducedFile] = {}
    for file in files:
        different.setdefault(identify(file), file)
    return tuple(different.values())[:MOST_FILES]


def identify(file: ProducedFile) -> str:
    return _path_of(file.address) or file.address


def name_file(name: str, address: str, kind: str) -> str:
    """What to call a file that is told with this name, which may be empty."""
    path = PurePosixPath(make_plain(name or unquote(_path_of(address).rsplit("/", 1)[-1])).replace("/", "_"))
    if not path.stem or _ID.fullmatch(path.stem):
        return kind + path.suffix[:20]
    return str(path)


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""
