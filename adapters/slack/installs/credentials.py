"""What tells Slack that it is our app that asks for tokens, and the one method that is asked that way."""

import aiohttp
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs.records import Answer
from adapters.slack.refusals import ask


class Credentials:
    """Client ID and client secret of the app."""

    def __init__(self, client_id: str, client_secret: SecretStr) -> None:
        self.client_id = client_id
        self._client_secret = client_secret

    async def exchange(self, client: AsyncWebClient, **form: str) -> Answer:
        """oauth.v2.access, for a code or a refresh token. Raises a `PlatformError`.

        Slack wants the two in the header rather than in the form (its page on the method). slack_sdk would write them there by
        a class that aiohttp is about to drop.
        """
        basic = aiohttp.encode_basic_auth(self.client_id, self._client_secret.get_secret_value())
        response = await ask(
            "oauth.v2.access", client.api_call("oauth.v2.access", data=form, headers={"Authorization": basic})
        )
        return response.data if isinstance(response.data, dict) else {}
