"""Where a link may lead, and when its label would be taken for the address itself. Pure."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//|www\.|^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/:?#]|$)", re.IGNORECASE)
_UNSAFE = re.compile(r"[\s()<>|\\`*\[\]\"{}^\x00-\x20]")


def web_address(href: str, schemes: Collection[str]) -> str | None:
    """`href` as it may stand in a link; None for what must not be one: other schemes, relative addresses, garbage."""
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in schemes or not (parts.netloc or scheme == "mailto"):
        return None
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), href)


def is_address(label: str) -> bool:
    """Whether a person would take this label for an address, and so be deceived if the link led elsewhere."""
    label = label.strip()
    return " " not in label and _ADDRESS.search(label) is not None
