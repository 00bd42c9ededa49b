"""Looks which abilities a server has, with calls that change nothing and run nothing, and tells the operator what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.lacking import Ability
from bridge.errors import BackendError
from bridge.platform_api import Finding, Severity
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal

LIMIT_SECONDS = 3.0
"""For a look at the end of an answer, which waits for it."""

_NOBODY = "dify-chat-bridge-check"
_NOTHING = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A call that is refused wherever it is there, or changes nothing."""

    method: str
    path: str
    body: Json | None = None
    query: Mapping[str, str] | None = None


_AS_NOBODY: Json = {"user": _NOBODY}

_LOOKS = {
    Ability.RATE: _Look(method="POST", path=f"/messages/{_NOTHING}/feedbacks", body={"rating": None, **_AS_NOBODY}),
    Ability.UPLOAD: _Look(method="POST", path="/files/upload", body=_AS_NOBODY),
    Ability.HEAR: _Look(method="POST", path="/audio-to-text", body=_AS_NOBODY),
    Ability.SPEAK: _Look(method="POST", path="/text-to-audio", body=_AS_NOBODY),
    Ability.SUGGEST: _Look(method="GET", path=f"/messages/{_NOTHING}/suggested", query={"user": _NOBODY}),
    Ability.DESCRIBE: _Look(method="GET", path="/parameters", query={"user": _NOBODY}),
    Ability.STOP: _Look(method="POST", path=f"/chat-messages/{_NOTHING}/stop", body=_AS_NOBODY),
    Ability.REMEMBER: _Look(method="GET", path="/conversations", query={"user": _NOBODY, "limit": "1"}),
    Ability.INTRODUCE: _Look(method="GET", path="/info"),
    Ability.PICTURE: _Look(method="GET", path="/meta"),
}

_INSTEAD = {
    Ability.RATE: "no rating buttons are shown, and reactions count here alone",
    Ability.UPLOAD: "members are told that the app takes no files",
    Ability.HEAR: "members are told that the app listens to no recordings",
    Ability.SPEAK: "no answers are read aloud",
    Ability.SUGGEST: "no questions are suggested after an answer",
    Ability.DESCRIBE: "the app takes no files and has no opening",
    Ability.STOP: "Stop closes the connection and keeps what was shown",
    Ability.REMEMBER: "an answer that was lost in a crash is not looked for",
    Ability.INTRODUCE: "a chat app is assumed unless DIFY_APP_TYPE says otherwise",
    Ability.PICTURE: "",
}
"""What happens where it is lacking; nothing where nobody would notice."""


async def look(client: DifyClient, ability: Ability, limit: float | None = None) -> None:
    """Asks the server for it; `client.lacks` knows afterwards."""
    call = _LOOKS[ability]
    try:
        await client.call(call.method, call.path, body=call.body, query=call.query, limit=limit)
    except BackendError:
        client.lacks.leave(ability)


async def look_for_ratings(client: DifyClient) -> None:
    """Rating buttons promise something, so whether they can be shown is found out before the end of an answer: once in a while,
    and never from a server that tells its version."""
    if not client.version and client.lacks.is_stale(Ability.RATE):
        await look(client, Ability.RATE, LIMIT_SECONDS)


async def offer_question(client: DifyClient) -> Refusal:
    """What the server says to a question without words. It is refused before anything runs wherever questions are taken. Raises
    `BackendError`."""
    body: Json = {"inputs": {}, "query": "", "response_mode": "streaming", **_AS_NOBODY}
    return await client.call("POST", "/chat-messages", body=body)


async def look_over(client: DifyClient) -> Sequence[Finding]:
    """What a server has that may be no Dify, and what happens instead of the rest: its own choice, so none of it is wrong."""
    for ability in Ability:
        await look(client, ability)
    if not any(ability in client.lacks for ability in Ability):
        # Dify itself, behind a proxy that drops its version.
        return []
    has = ", ".join(["questions", *(ability for ability in Ability if ability not in client.lacks)])
    return [
        _ok("Dify look-alike", f"it names no version, as Dify does, and has: {has}"),
        *(
            _ok(f"Dify {ability}", f"not there, so {instead}")
            for ability, instead in _INSTEAD.items()
            if instead and ability in client.lacks
        ),
    ]


def _ok(subject: str, what: str) -> Finding:
    return Finding(severity=Severity.OK, subject=subject, problem=what)
