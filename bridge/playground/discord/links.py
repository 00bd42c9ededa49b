"""The signed addresses of files: good for a while, for whoever has them (docs: reference, Signed Attachment CDN URLs)."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

from bridge.playground.discord.world import World

Standing = Literal["good", "expired", "altered"]


def sign(world: World, channel_id: str, file_id: str, filename: str) -> str:
    now = world.clock.now().timestamp()
    # Upwards, so that a link is never good for less than was promised.
    issued, expires = f"{int(now):x}", f"{-int(-(now + world.link_seconds) // 1):x}"
    path = f"/attachments/{channel_id}/{file_id}/{quote(filename, safe='')}"
    seal = _seal(world, channel_id, file_id, issued, expires)
    return f"{world.address}{path}?ex={expires}&is={issued}&hm={seal}"


def judge(world: World, channel_id: str, file_id: str, query: Mapping[str, str]) -> Standing:
    expires, issued = query.get("ex", ""), query.get("is", "")
    if not hmac.compare_digest(_seal(world, channel_id, file_id, issued, expires), query.get("hm", "")):
        return "altered"
    return "good" if int(expires, 16) >= world.clock.now().timestamp() else "expired"


def _seal(world: World, channel_id: str, file_id: str, issued: str, expires: str) -> str:
    text = f"{channel_id}/{file_id}/{issued}/{expires}"
    return hmac.new(world.token.encode(), text.encode(), hashlib.sha256).hexdigest()
