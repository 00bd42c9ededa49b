"""Delivery over HTTP: signed POSTs to the app's one address for events and interactivity."""

import hashlib
import hmac
import json
from urllib.parse import urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.delivery import Offer
from bridge.playground.slack.model import Faults, JsonObject
from bridge.playground.slack.payloads import carrier, takes_answer

SIGNING_SECRET = "0123456789abcdef-playground"  # noqa: S105  # made up

_CHALLENGE = "playground-challenge"


class Callbacks:
    """Calls the app. `open` before use, `close` after."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self.url: str | None = None
        self.ack_timeout = limits.ACK_SECONDS
        self._faults = faults
        self._clock = clock
        self._session: ClientSession | None = None

    def open(self) -> None:
        self._session = ClientSession()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def offer(self, payload: JsonObject, attempt: int, reason: str) -> Offer:
        retry = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        try:
            status, no_retry, said = await self._post(payload, retry)
        except TimeoutError:
            return Offer(acked=False, reason="http_timeout", timed_out=True)
        except ClientError:
            return Offer(acked=False, reason="connection_failed")
        # Docs of the Events API: anything outside 2xx is a failure; the app may decline further retries by this header.
        answer = _read_answer(said) if takes_answer(payload) else None
        return Offer(acked=200 <= status < 300, reason="http_error", may_retry=not no_retry, answer=answer)

    async def verify_url(self) -> bool:
        """Whether the app answers `url_verification` with the challenge, as plain text or as JSON."""
        challenge: JsonObject = {
            "token": "made-up-verification-token",
            "challenge": _CHALLENGE,
            "type": "url_verification",
        }
        try:
            status, _, body = await self._post(challenge, {})
        except (TimeoutError, ClientError):
            return False
        if status != 200:
            return False
        try:
            parsed: object = json.loads(body)
        except ValueError:
            return body == _CHALLENGE
        return isinstance(parsed, dict) and parsed.get("challenge") == _CHALLENGE

    async def _post(self, payload: JsonObject, headers: dict[str, str]) -> tuple[int, bool, str]:
        """Status, whether further retries are declined, and the body. Raises `ClientError` and `TimeoutError`."""
        if self._session is None or self.url is None:
            raise RuntimeError("the stand-in is not running or has no events_url")
        body, content_type = json.dumps(payload).encode(), "application/json"
        if carrier(payload) != "events_api":
            # Interactions are forms with the JSON in one field, commands are forms (Slack's pages on handling both).
            fields = payload if carrier(payload) == "slash_commands" else {"payload": body}
            body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        timeout = ClientTimeout(total=self.ack_timeout)
        signed = {"Content-Type": content_type, **self._sign(body), **headers}
        async with self._session.post(
            self.url, data=body, headers=signed, timeout=timeout, allow_redirects=False
        ) as response:
            return response.status, response.headers.get("X-Slack-No-Retry") == "1", await response.text()

    def _sign(self, body: bytes) -> dict[str, str]:
        """Slack's "v0" signature: HMAC-SHA256 over version, timestamp and the raw body."""
        timestamp = str(int(self._clock.now().timestamp() + self._faults.clock_skew))
        secret = "another-secret" if self._faults.bad_signature else SIGNING_SECRET
        digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": f"v0={digest}"}


def _read_answer(said: str) -> JsonObject | str | None:
    try:
        parsed: object = json.loads(said)
    except ValueError:
        return said or None
    return parsed if isinstance(parsed, dict) else said
