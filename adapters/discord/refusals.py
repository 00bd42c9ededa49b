"""What Discord refuses, and what that means for the bridge: SDK errors and Discord's codes become `PlatformError`s."""

from collections.abc import Mapping
from datetime import timedelta

import aiohttp
import discord

from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited

# Codes of Discord's REST API (API reference, JSON Error Codes).
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
EDITS_OF_OLD_MESSAGE = 30046
OPENING_DIRECT_MESSAGES_TOO_FAST = 40003
THREAD_ARCHIVED = 50083
THREAD_EXISTS = 160004
THREAD_LOCKED = 160005

CLOUDFLARE_PAUSE = timedelta(minutes=10)
"""How long to keep silent after a 429 that came from Cloudflare, before it says otherwise. Cloudflare bans after 10,000
refused calls in ten minutes (Discord documentation, Invalid Request Limit)."""
SHORTEST_CLOUDFLARE_PAUSE = timedelta(minutes=1)

SUB_LIMIT_PAUSE = timedelta(minutes=1)
"""For limits that Discord reports by code and without a time."""

SDK_ERRORS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
# What discord.py raises when the answer is no JSON of the expected shape (a proxy's page with status 200, say).
UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


def translate(error: BaseException) -> PlatformError:
    """An error of the SDK in the bridge's words. `code` is Discord's JSON code where it gave one, else the status."""
    if isinstance(error, PlatformError):
        return error
    if isinstance(error, discord.GatewayNotFound) and error.__cause__ is not None:
        return translate(error.__cause__)
    if isinstance(error, discord.RateLimited):
        return RateLimited(str(error), retry_after=timedelta(seconds=error.retry_after))
    if isinstance(error, discord.LoginFailure):
        return NotAllowed("Discord refuses the token", code="401")
    if isinstance(error, discord.HTTPException):
        return _translate_answer(error)
    return PlatformUnavailable(f"{type(error).__name__}: no answer from Discord", code=type(error).__name__)


def _translate_answer(error: discord.HTTPException) -> PlatformError:
    code = str(error.code or error.status)
    detail = f"Discord answered {error.status} ({code})"
    if error.status == 429 or error.code in (EDITS_OF_OLD_MESSAGE, OPENING_DIRECT_MESSAGES_TOO_FAST):
        return _translate_limit(error, code)
    if error.status >= 500 or (error.status == 404 and not error.code):
        # A 404 without a code is about the path: whatever answers at this address is not Discord's API.
        return PlatformUnavailable(detail, code=code)
    if error.status == 404 or error.code in (UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, THREAD_ARCHIVED, THREAD_LOCKED):
        return MessageGone(detail, code=code)
    if error.status in (401, 403):
        return NotAllowed(detail, code=code)
    return MessageRefused(detail, code=code)


def ban_in(status: int, headers: Mapping[str, str]) -> timedelta | None:
    """For how long an answer says that Cloudflare has shut us out; None: it does not say so."""
    if status != 429 or headers.get("Via"):
        # Discord's own answers come through its proxy and say so; Cloudflare's never got that far.
        return None
    told = _seconds(headers.get("Retry-After", ""))
    return CLOUDFLARE_PAUSE if told is None else max(told, SHORTEST_CLOUDFLARE_PAUSE)


def _translate_limit(error: discord.HTTPException, code: str) -> RateLimited:
    banned = ban_in(error.status, error.response.headers)
    if banned is not None:
        return RateLimited("Cloudflare has shut us out", retry_after=banned, code="cloudflare")
    told = _seconds(error.response.headers.get("Retry-After", ""))
    return RateLimited(f"rate limited ({code})", retry_after=SUB_LIMIT_PAUSE if told is None else told, code=code)


def _seconds(text: str) -> timedelta | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return timedelta(seconds=seconds) if 0 <= seconds < timedelta(days=1).total_seconds() else None
