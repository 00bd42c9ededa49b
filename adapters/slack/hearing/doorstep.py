"""The doorstep: store first, acknowledge second, whichever way a delivery came.

slack-bolt checks signatures and understands both transports, but it would acknowledge before the work is safe, acknowledge
and lose events while `auth.test` fails, and answer 404 to events nobody listens to. So everything is settled in one hook that
runs after the signature check and before bolt authorises (`before_authorize`).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from weakref import WeakValueDictionary

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.hearing.payloads import EVENT, INTERACTIONS, Reply, kind_of
from adapters.slack.inbound import Ignored, Json, channel_in
from bridge import logs
from bridge.errors import StoreUnavailable

log = logs.get("slack")

Take = Callable[[Json], Awaitable[Ignored | Reply | None]]
"""Stores one payload of an event or an interaction, or says why not. None: Slack is told no more than that it arrived. A `Reply`
to an event is not passed on, for Slack wants none. Raises `StoreUnavailable` when it shall not be acknowledged."""

PRESS_WITHIN = 2.5
"""Seconds for an interaction to be stored. Slack does not repeat it: after three it shows the person a warning instead."""

MALFORMED = (ValueError, AttributeError, TypeError, LookupError, RecursionError)
"""What bolt trips over in a payload that has not Slack's shape: it reads the body before it verifies anything."""


class Doorstep:
    """What happens to a delivery, whichever way it came. While `take` is None nothing is acknowledged."""

    def __init__(self, client: AsyncWebClient, signing_secret: str, accept_within: float) -> None:
        self.take: Take | None = None
        self._accept_within, self._press_within = accept_within, min(accept_within, PRESS_WITHIN)
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Below this level bolt logs whole payloads, and warns that SLACK_BOT_TOKEN in the environment is not used by itself.
        logger = logging.getLogger("slack_bolt.bridge")
        logger.setLevel(logging.ERROR)
        self.app = AsyncApp(
            # Bolt also sets the level of the logger of this name, so it must be nobody else's.
            name="slack_bolt.bridge",
            logger=logger,
            client=client,
            signing_secret=signing_secret,
            before_authorize=self.receive,
            # Never asked, since `receive` settles everything before; but without it bolt insists on one token for all.
            authorize=_authorize_nobody,
        )

    async def receive(self, body: dict[str, object], next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        """bolt's hook. A 200 is the acknowledgement; anything else makes Slack deliver again, or warn whoever waits."""
        match kind := kind_of(body):
            case "url_verification":
                await next_()
                return None
            case _ if kind == EVENT:
                # Deliveries run concurrently; questions of one channel must be stored in the order they came.
                line = self._lines.setdefault(channel_in(body), asyncio.Lock())
                return await self._store(kind, body, self._accept_within, line)
            case _ if kind in INTERACTIONS:
                return await self._store(kind, body, self._press_within, nullcontext())
            case "app_rate_limited":
                log.warning("slack_drops_events", minute=body.get("minute_rate_limited"))
            case _:
                log.info("interaction_not_used", type=kind)
        return _answer(200)

    async def _store(
        self, kind: str, payload: Json, within: float, line: AbstractAsyncContextManager[object]
    ) -> BoltResponse:
        take, event_id = self.take, payload.get("event_id", kind)
        if take is None:
            return _answer(503)
        try:
            async with asyncio.timeout(within), line:
                said = await take(payload)
        except StoreUnavailable as error:
            log.warning("event_not_stored", event_id=event_id, error=str(error))
            return _answer(503)
        except TimeoutError:
            log.warning("event_not_stored_in_time", event_id=event_id, seconds=within)
            return _answer(503)
        match said:
            case Reply(body=body) if kind != EVENT:
                return BoltResponse(status=200, body=dict(body))
            case Ignored(reason=reason):
                log.debug("event_ignored", event_id=event_id, reason=reason)
        return _answer(200)


async def _authorize_nobody() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=None)


def _answer(status: int) -> BoltResponse:
    return BoltResponse(status=status, body="")
