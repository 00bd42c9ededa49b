"""What the stand-in Dify says: answers that depend on a word in the question, for somebody who tries the bridge out."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.playground.dify.drawing import draw_bars
from bridge.playground.dify.faults import Fault, cut, error_event, html_503, too_many_requests_400
from bridge.playground.dify.kept_files import MadeFile
from bridge.playground.dify.people import PeopleForm

# About four characters to a token, as measured with the model behind the recordings.
_TOKEN = re.compile(r"\s?\S{1,5}|\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the model, token by token."""

    tokens: Sequence[str] = ()
    first_token: float | None = None
    """Seconds before the first token; None takes the server's own."""
    per_token: float | None = None
    """Seconds between tokens; None takes the server's own."""
    pace: float = 1.0
    """Multiplies the server's own seconds between tokens; a long answer would take a minute otherwise."""
    fault: Fault | None = None
    """Goes wrong on its own account, whatever the server's switches say."""
    replaced_by: str | None = None
    """Moderation replaces the whole answer with this at the end."""
    tool: str = ""
    """An agent calls this tool first, or several at once with semicolons between."""
    nodes: Sequence[str] = ()
    """Titles of nodes that a chatflow runs before its model."""
    step_seconds: float = 0.0
    """How long the tool and each of the nodes take."""
    files: Sequence[MadeFile] = ()
    """What the app makes."""
    sources: Sequence[str] = ()
    """Names of documents that it cites, where citing is on."""
    suggestions: Sequence[str] = ()
    """What could be asked next, where that is on."""
    annotated: bool = False
    """Somebody wrote it beforehand. A chatflow does not tell."""
    outputs: Mapping[str, object] | None = None
    """What a workflow ends with; None: `result`, which is what its model said."""
    partial: bool = False
    """A node of a workflow or a chatflow fails, and it goes on without."""
    form: PeopleForm | None = None
    """A chatflow waits for people behind the tokens, where it can."""


def split_tokens(text: str) -> list[str]:
    """Pieces that join to exactly `text`."""
    return _TOKEN.findall(text)


_HELP = """Try one of these words:

- `markdown`, `code`, `table`: how formatting comes through
- `long`, `huge`: answers that need several messages
- `slow`: nothing for 20 seconds, then an answer
- `think`: a model that thinks aloud (you should not see that)
- `mention`: an answer that tries to ping everybody (it should not)
- `tools`: what the app does on its way to the answer, step by step (an agent's tool, a chatflow's nodes)
- `cite`: an answer that rests on documents
- `outputs`, `partial`: a workflow that ends with several things, or without one of them
- `file`, `picture`: an answer with a file that the app made
- `link`: an answer of a chatflow with signed links to its files all over it (you should see none of them)
- `approve`, `form`: a chatflow that waits until somebody presses a button, or fills in a form
- send a file along: the answer tells what arrived
- `error`, `cut`, `busy`, `down`, `empty`: what failures look like
"""

_MARKDOWN = """# A heading

Some **bold**, some *italic*, some ~~struck~~ and some `code`, with a [link](https://docs.dify.ai/).

> A quotation that is
> two lines long.

1. first
2. second
   - nested with **bold** text
   - and `inline code`
3. third

---

Done with *markdown* \U0001f389 and a family: \U0001f468\u200d\U0001f469\u200d\U0001f467.
"""

_CODE = """Here is a function:

```python
def greet(name: str) -> str:
    # <b>not</b> html, *not* bold
    return f"Hello, {name}!"


print(greet("thread"))
```

And a command: `pip install nothing`.
"""

_TABLE = """Planets by size:

| Planet | Radius (km) | Moons |
|--------|------------:|------:|
| Jupiter | 69,911 | 95 |
| Saturn | 58,232 | 146 |
| Uranus | 25,362 | 28 |
| Neptune | 24,622 | 16 |

The *largest* is **Jupiter**.
"""

_CSV = b"Planet,Radius (km),Moons\r\nJupiter,69911,95\r\nSaturn,58232,146\r\n"

_THINK = "<think>\nThe person said think. I should think about it.\nStill thinking.\n</think>\n\nI have thought about it: yes."

_MENTION = (
    "Attention @everyone and @here, <!channel>, <!here>, <@U0ADA> and <@&42>: nobody should have been pinged by this."
)


def _long(paragraphs: int) -> str:
    parts = ["A long answer in numbered paragraphs.\n"]
    for number in range(1, paragraphs + 1):
        parts.append(
            f"\n{number}. This is paragraph **{number}** of {paragraphs}. It says that a long answer has to be cut where a line "
            f"ends, that nothing may be lost on the way, and that paragraph {number} comes before paragraph {number + 1}.\n"
        )
        if number % 10 == 0:
            parts.append(f"\n```python\nfor line in range({number}):\n    print('a block of code', line)\n```\n")
    return "".join(parts)


def _make_table() -> MadeFile:
    return MadeFile(name="planets.csv", kind="document", media_type="text/csv", content=_CSV)


def _make_chart() -> MadeFile:
    return MadeFile(name="chart.png", kind="image", media_type="image/png", content=draw_bars((0.4, 0.7, 0.3, 0.9)))


def _link_everywhere(link_to: Callable[[MadeFile], str]) -> str:
    """Two files, linked in every way in which a model writes a link."""
    table, chart = link_to(_make_table()), link_to(_make_chart())
    return f"""The table is [planets.csv]({table}), and this is the chart:

![chart.png]({chart})

Its address is {chart}, or <{chart}>. To fetch the table: `curl -O "{table}"`

| File | Where |
|------|-------|
| chart | [open]({chart} "The chart") |
"""


def _say(text: str) -> Callable[[], Reply]:
    return lambda: Reply(tokens=split_tokens(text))


def _order(action: str, _: Mapping[str, str]) -> Reply:
    done = "The chairs are ordered." if action == "approve" else "Then nothing is ordered."
    return Reply(tokens=split_tokens(f"\n\n{done}"))


def _plan(action: str, values: Mapping[str, str]) -> Reply:
    if action != "send":
        return Reply(tokens=split_tokens("\n\nI threw the draft away."))
    return Reply(tokens=split_tokens(f"\n\nSent to {values['recipient']}, with this note: {values['note'] or 'none'}"))


_LATE = "\n\nNobody said anything in time, so I leave it."


def _approve() -> Reply:
    form = PeopleForm(
        title="Approval", content="**Order 12 chairs for 480 €?**", then=_order, late=Reply(tokens=split_tokens(_LATE))
    )
    return Reply(tokens=split_tokens("I have put the order together."), form=form)


def _form() -> Reply:
    form = PeopleForm(
        title="Send the letter",
        content="To: {{#$output.recipient#}}\n\nNote: {{#$output.note#}}",
        inputs=(
            {
                "type": "text_input",
                "output_variable_name": "recipient",
                "default": {"type": "constant", "selector": [], "value": "Ada"},
            },
            {"type": "paragraph", "output_variable_name": "note", "default": None},
        ),
        actions=(("send", "Send"), ("discard", "Throw away")),
        then=_plan,
        late=Reply(tokens=split_tokens(_LATE)),
    )
    return Reply(tokens=split_tokens("The letter is written."), form=form)


_BY_WORD: dict[str, Callable[[], Reply]] = {
    "help": _say(_HELP),
    "markdown": _say(_MARKDOWN),
    "code": _say(_CODE),
    "table": _say(_TABLE),
    "think": _say(_THINK),
    "mention": _say(_MENTION),
    "long": lambda: Reply(tokens=split_tokens(_long(32)), pace=0.25),
    "huge": lambda: Reply(tokens=split_tokens(_long(160)), pace=0.08),
    "slow": lambda: Reply(tokens=split_tokens("That took a while, and here is the answer."), first_token=21.0),
    "error": lambda: Reply(
        tokens=split_tokens("This answer fails in the middle of its sentence."), fault=error_event(at=8)
    ),
    "cut": lambda: Reply(tokens=split_tokens("The connection breaks in the middle of this."), fault=cut(at=8)),
    "busy": lambda: Reply(fault=too_many_requests_400()),
    "down": lambda: Reply(fault=html_503()),
    "empty": lambda: Reply(tokens=[""]),
    "tools": lambda: Reply(
        tokens=split_tokens("I have looked it up and added it all together: the answer is *forty-two*."),
        tool="search_handbook;current_time",
        nodes=("Understand the question", "Search the handbook", "Add it all together"),
        step_seconds=1.0,
    ),
    "approve": _approve,
    "form": _form,
    "cite": lambda: Reply(
        tokens=split_tokens("Holidays are asked for two weeks before, and whoever is on call swaps first."),
        sources=("Employee handbook.pdf", "On-call rules.md", "Holidays 2026.xlsx"),
    ),
    "file": lambda: Reply(tokens=split_tokens("Here is the table as a file."), files=(_make_table(),)),
    "picture": lambda: Reply(
        tokens=split_tokens("Here is the chart."),
        files=(_make_chart(),),
        tool="bar_chart",
    ),
}

_BY_WORD |= {
    "outputs": lambda: Reply(
        tokens=split_tokens("A summary of *three* planets."),
        outputs={
            "summary": "A summary of *three* planets.",
            "moons": 257,
            "planets": ["Jupiter", "Saturn", "Uranus"],
            "largest": {"name": "Jupiter", "radius_km": 69911, "rings": True},
            "remarks": None,
        },
        nodes=("Count the moons",),
    ),
    "partial": lambda: Reply(
        tokens=split_tokens("I could not look it up, but I remember: forty-two."),
        nodes=("Look it up",),
        partial=True,
    ),
}

_SUGGESTIONS = ("What else can you do? help", "Show me a table", "Use tools for that")
_NO_STEPS = " (This one is a plain chat app, which has no steps: tools belong to an agent, nodes to a chatflow.)"


_NO_PEOPLE = " (Only a chatflow waits for people; this app is none.)"
_NO_LINKS = "Only a chatflow writes links to its files into an answer, and this app is none. Try *file* instead."


def make_title(query: str) -> str:
    """What the model calls a conversation that begins like this."""
    first = " ".join(query.split()[:8]).strip(" .,;:!?*_`#>") or "Something"
    return f"About: {first}"


def default_reply(
    query: str,
    earlier: Sequence[str],
    files: Sequence[str] = (),
    mode: str = "chat",
    link_to: Callable[[MadeFile], str] = lambda file: file.path,
) -> Reply:
    """The answer to `query` in a conversation where `earlier` was asked before (oldest first).

    `files` says of each file that came with it what it is; `mode` is the kind of app; `link_to` gives a file's signed address.
    """
    words = re.findall(r"[a-z]+", query.lower())
    for word in words:
        if word == "link" and not files:
            text = _link_everywhere(link_to) if mode == "advanced-chat" else _NO_LINKS
            return Reply(tokens=split_tokens(text), suggestions=_SUGGESTIONS)
        # What was sent along is told, whatever it is about.
        if word in _BY_WORD and not files:
            reply = _BY_WORD[word]()
            if reply.nodes and mode in ("chat", "completion"):
                reply = replace(reply, tokens=[*reply.tokens, *split_tokens(_NO_STEPS)])
            if reply.form and mode != "advanced-chat":
                reply = replace(reply, tokens=[*reply.tokens, *split_tokens(_NO_PEOPLE)])
            return reply if reply.suggestions else replace(reply, suggestions=_SUGGESTIONS)
    text = f"You said: {query.strip()}\n\n"
    if files:
        text += "With it came:\n\n" + "".join(f"- {file}\n" for file in files) + "\n"
    if mode in ("completion", "workflow"):
        text += "I take each question by itself, and remember none. "
    elif earlier:
        text += f"That is question {len(earlier) + 1} in this conversation; the one before was: {earlier[-1].strip()[:200]}\n\n"
    else:
        text += "This is a new conversation, and I shall remember it in this thread. "
    return Reply(tokens=split_tokens(text + "Say *help* to see what else to try."), suggestions=_SUGGESTIONS)
