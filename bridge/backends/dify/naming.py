"""Titles of conversations. Dify thinks of one when it is asked, which costs a call of its model.

By itself it would do so with the first answer, and 1.12 holds that answer back for a second to begin with; so questions are asked
with `auto_generate_name` off (see `backend`), and a title only where somebody wants one.
"""

import re

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.lacking import is_absent
from bridge.messages import BackendConversationId, BackendUser
from bridge.remote.framing import text_of
from bridge.remote.plain import make_plain
from bridge.remote.thinking import ThinkFilter

LONGEST_TITLE = 100
"""Characters."""

# What a conversation is called before it has a name. Dify answers 200 with it when its model failed.
_NAMELESS = "new conversation"

# Around a whole title: quotation marks, and what Markdown makes bold, slanted or code.
_AROUND = re.compile(
    r"""(?P<mark>\*{1,3}|_{1,3}|[`"'])(?P<inside>(?:(?!(?P=mark)).)+)(?P=mark)|“(?P<curly>[^“”]+)”|「(?P<corner>[^「」]+)」"""
)
_HEADING = re.compile(r"\A#{1,6} +")


async def fetch_name(client: DifyClient, conversation: BackendConversationId, user: BackendUser) -> str:
    """As `NamesConversations.name_of`."""
    reply = await client.call("POST", f"/conversations/{conversation}/name", body={"auto_generate": True, "user": user})
    if is_absent(reply) or (reply.status in (404, 405, 501) and not reply.is_json):
        # A server that is like Dify and names nothing.
        return ""
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply, continuing=True)
    return tidy_name(text_of(reply.read(), "name"))


def tidy_name(name: str) -> str:
    """A title as it can be shown; "" where nothing is left of it. A model that thinks aloud does so in titles as well, and Dify
    cuts them off within the thought."""
    thoughts = ThinkFilter()
    line = make_plain(thoughts.feed(name) + thoughts.flush(), 4 * LONGEST_TITLE)
    line = _HEADING.sub("", line)
    while (around := _AROUND.fullmatch(line)) is not None:
        line = (around["inside"] or around["curly"] or around["corner"]).strip()
    return "" if line.lower() == _NAMELESS else _shorten(line)


def _shorten(line: str) -> str:
    if len(line) <= LONGEST_TITLE:
        return line
    # Between two words, unless the language has no spaces or the last word is endless.
    words = line[:LONGEST_TITLE].rpartition(" ")[0]
    return (words if len(words) > LONGEST_TITLE // 2 else line[: LONGEST_TITLE - 1]) + "…"
