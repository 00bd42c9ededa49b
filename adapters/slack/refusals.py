"""What Slack refuses, and what that means for the bridge: SDK errors and Slack's codes become `PlatformError`s."""

from collections.abc import Awaitable, Mapping
from datetime import timedelta

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bridge.errors import (
    MessageGone,
    MessageRefused,
    NotAllowed,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
)

REFUSED_CREDENTIALS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
    }
)
"""Codes that waiting does not mend (Slack's page on auth.test)."""

_GONE = frozenset({"message_not_found", "channel_not_found", "thread_not_found", "is_archived"})
_NOT_ALLOWED = REFUSED_CREDENTIALS | {
    "access_denied",
    "cannot_reply_to_message",
    "cant_update_message",
    "edit_window_closed",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "missing_scope",
    "no_permission",
    "not_in_channel",
    "org_login_required",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
    "user_not_in_channel",
}
REFUSED_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
_REFUSED_CONTENT = REFUSED_BLOCKS | {"invalid_arguments", "invalid_metadata_format", "no_text", "metadata_too_large"}
_SLACKS_TROUBLE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Sent with status 200; Slack says of each that the call may have had its effect."""

RETRY_AFTER_DEFAULT = timedelta(seconds=30)
"""For a 429 without a readable Retry-After; slack_sdk's Socket Mode client assumes the same."""


def translate(error: BaseException, method: str) -> PlatformError:
    """What an SDK failure means. Raise the result `from` the failure."""
    if not isinstance(error, SlackApiError):
        return PlatformUnavailable(f"{method}: {type(error).__name__}")
    status, code, headers = _facts(error)
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return RateLimited(f"{method}: asked to wait", code="ratelimited", retry_after=_retry_after(headers))
    if status >= 500 or not code or code in _SLACKS_TROUBLE:
        return PlatformUnavailable(f"{method}: status {status} {code}".rstrip(), code=code or f"http_{status}")
    if code in _GONE:
        return MessageGone(f"{method}: {code}", code=code)
    if code in _NOT_ALLOWED:
        return NotAllowed(f"{method}: {code}", code=code)
    if code in _REFUSED_CONTENT:
        return MessageRefused(f"{method}: {code}", code=code)
    return PlatformError(f"{method}: {code}", code=code)


async def ask(method: str, request: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """Awaits one SDK call. Raises a `PlatformError` for everything that can go wrong with it."""
    try:
        return await request
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise translate(error, method) from error
    except (AttributeError, ValueError) as error:
        # A proxy that answers 200 with plain text or broken bytes makes the SDK itself stumble.
        raise PlatformUnavailable(f"{method}: an answer that is not Slack's", code="not_slack") from error


def _facts(error: SlackApiError) -> tuple[int, str, Mapping[str, str]]:
    """Status, error code and headers. The SDK puts aiohttp's response there when a body was not JSON."""
    response = error.response
    if isinstance(response, AsyncSlackResponse):
        body: object = response.data
        code = body.get("error") if isinstance(body, dict) else None
        return response.status_code, code if isinstance(code, str) else "", response.headers
    if isinstance(response, aiohttp.ClientResponse):
        return response.status, "", response.headers
    return 0, "", {}


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    # Whole seconds; more than a day is no answer to live by.
    return timedelta(seconds=min(int(value), 86_400)) if value.isdecimal() and len(value) < 9 else RETRY_AFTER_DEFAULT
