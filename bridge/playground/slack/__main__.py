"""`python -m bridge.playground.slack`: the stand-in in a process of its own.

Prints one line of JSON (addresses, tokens, secrets) once it listens, and ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
import signal
import sys

from bridge.playground.slack.server import SlackServer


async def _serve(host: str, port: int, events_url: str | None) -> None:
    server = SlackServer(events_url=events_url)
    await server.start(host, port)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    hello = {
        "api_url": server.api_url,
        "control_url": server.api_url.removesuffix("api/") + "control/",
        "bot_token": server.bot_token,
        "app_token": server.app_token,
        "signing_secret": server.signing_secret,
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "authorize_url": server.authorize_url,
    }
    sys.stdout.write(json.dumps(hello) + "\n")
    sys.stdout.flush()
    await ended.wait()
    await server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bridge.playground.slack", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--events-url", help="deliver events there, signed, instead of over Socket Mode")
    options = parser.parse_args()
    asyncio.run(_serve(options.host, options.port, options.events_url))


if __name__ == "__main__":
    main()
