"""Links to Dify's own files are taken out of an answer, however it is cut; the files stay known, and other links untouched."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.backend_api import AnswerCompleted, FileProduced, TextReplaced
from bridge.backends.dify.linking import LONGEST_ADDRESS, LONGEST_LABEL, LinkFilter, OwnFiles
from bridge.backends.dify.producing import MOST_FILES, identify
from bridge.messages import ProducedFile
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import (
    IDS,
    MESSAGE_END,
    RUN_STARTED,
    Cut,
    ScriptedServer,
    Step,
    data,
    run_finished,
    said,
)

SIGNATURE = "timestamp=1700000000&nonce=0a1b&sign=-f7i8MM64B0BHu_hD0pacg="
ID = "6a1f1d2e-0000-4000-8000-0123456789ab"
PATH = f"/files/tools/{ID}.png"
SIGNED = f"https://dify.example.com{PATH}?{SIGNATURE}"
RELATIVE = f"{PATH}?{SIGNATURE}"
OWN = OwnFiles(("https://dify.example.com/v1", "http://files.internal:5001", ""))


def show(*pieces: str) -> str:
    return read(*pieces)[0]


def read(*pieces: str) -> tuple[str, tuple[ProducedFile, ...]]:
    links = LinkFilter(OWN)
    return "".join(links.feed(piece) for piece in pieces) + links.flush(), links.files


def in_threes(text: str) -> Iterator[str]:
    return (text[at : at + 3] for at in range(0, len(text), 3))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Here: ![chart.png]({SIGNED}) there.", "Here:  there."),
        (f"![chart.png]({RELATIVE})", ""),
        ("![chart.png](/files/tools/a.png)", ""),
        (f"Take [the report]({SIGNED}).", "Take the report."),
        (f"[Q3.pdf]({RELATIVE})[Q4.pdf]({RELATIVE})", "Q3.pdfQ4.pdf"),
        (f'[a.pdf](<{SIGNED}> "A title")', "a.pdf"),
        (f"![photo[1] (2).png]({SIGNED})!", "!"),
        (f"![a\\]b.png]({SIGNED})", ""),
        (f"[]({SIGNED})", "image.png"),
        (f"[![chart.png]({SIGNED})]({SIGNED})", ""),
        (f"[{SIGNED}]({SIGNED})", "image.png"),
        (f"It is at {SIGNED}.", "It is at image.png."),
        (f"It is at <{SIGNED}>.", "It is at image.png."),
        (f"It is at {RELATIVE}, I think", "It is at image.png, I think"),
        (f"下载：{SIGNED}。再见", "下载：image.png。再见"),
        (f'```\ncurl -O "{SIGNED}"\n```', '```\ncurl -O "image.png"\n```'),
        (f"`![a.png]({SIGNED})` and `{SIGNED}`", "`` and `image.png`"),
        (f"- {SIGNED.replace('&', '&amp;').replace('_', chr(92) + '_')}", "- image.png"),
        (f"[a](https://other.example/?next={SIGNED})", "[a](https://other.example/?next=image.png)"),
        (f"http://files.internal:5001{PATH}?sign=x", "image.png"),
        (f"HTTPS://DIFY.example.com:8443{PATH}?sign=x", "image.png"),
        (f"http://nobody.told.us:5001{PATH}?{SIGNATURE}", "image.png"),
        (f"[open ![a.png]({SIGNED})", "[open "),
        (f"{SIGNED.replace('files', '%66iles').replace('sign', '%73ign')}", "image.png"),
    ],
)
def test_links_to_its_own_files_go(text: str, shown: str) -> None:
    assert show(text) == show(*text) == show(*in_threes(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "See [the docs](https://dify.example.com/docs/files.html) and ![x](https://other.example/files/x.png?sign=1).",
        "https://dify.example.com/files/handbook.pdf is open to all.",
        "https://other.example/files/x.png?sign=1",
        "Put it into /files/config or [here](/etc/files/x), see <https://a.example/>, <b>, a[0](1) and a[i][j].",
        "[unfinished](https://dify.example.com",
        "![unfinished",
        "ends with <htt",
        "ends with /fil",
        "really! [yes] (no) \\[no\\](/files/)\n[a\nb](x)",
        "[brackets [that] never close",
        "https://[broken/files/x?sign=1",
        "[x](https://[broken/files/x)",
        "İhttps://a.example/İ ſ httpſ://b",
        "",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert show(text) == show(*text) == text
    assert read(text)[1] == ()


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        (f"![chart.png]({SIGNED})", "chart.png", "image"),
        (f"![Sales of May]({SIGNED})", "Sales of May.png", "image"),
        (f"![]({SIGNED})", "image.png", "image"),
        (f"[Q3.pdf]({SIGNED.replace('.png', '.pdf')})", "Q3.pdf", "document"),
        (f"[Listen]({SIGNED.replace('.png', '.mp3')})", "Listen.mp3", "audio"),
        (f"![](/files/{ID}/file-preview?{SIGNATURE})", "image", "image"),
        (f"[data](/files/{ID}/file-preview?{SIGNATURE})", "data", "file"),
        (SIGNED, "image.png", "image"),
    ],
)
def test_a_file_that_is_named_is_known_by_a_name_for_people(text: str, name: str, kind: str) -> None:
    (file,) = read(text)[1]

    assert (file.name, file.kind) == (name, kind)


def test_an_address_is_kept_as_it_is_to_be_followed() -> None:
    quoted = SIGNED.replace("&", "&amp;").replace("_", "\\_")
    (file,) = read(f"![a.png]({quoted})")[1]

    assert file.address == SIGNED
    assert identify(file) == PATH


def test_no_more_files_are_known_than_are_passed_on_and_all_links_go() -> None:
    text, files = read("".join(f"![{number}.png](/files/tools/{number}.png)" for number in range(MOST_FILES + 5)))
    assert (text, len(files)) == ("", MOST_FILES)


def test_text_is_held_back_no_longer_than_it_may_become_a_link() -> None:
    links = LinkFilter(OWN)
    shown = [links.feed(piece) for piece in ("Look! ", "[a", "] b ", "https", "ily ", "/fi", "ne", "!", "[x](", "y)")]
    assert shown == ["Look! ", "", "[a] b ", "", "httpsily ", "", "/fine", "", "", "![x](y)"]


def test_what_never_becomes_a_link_does_not_hold_the_answer_back_for_ever() -> None:
    links = LinkFilter(OWN)
    assert len(links.feed("[" + "a" * (LONGEST_LABEL + 1))) > LONGEST_LABEL
    links = LinkFilter(OWN)
    assert len(links.feed("https://a.example/" + "a" * (LONGEST_ADDRESS + 1))) > LONGEST_ADDRESS


def test_an_endless_address_of_its_own_is_never_shown() -> None:
    text = f"See https://dify.example.com/files/{'a' * 3 * LONGEST_ADDRESS}?{SIGNATURE} there"
    assert show(text) == show(*in_threes(text)) == "See  there"


def test_a_million_brackets_take_no_time_worth_mentioning() -> None:
    links = LinkFilter(OWN)
    text = "[" * 2_000
    assert "".join(links.feed(letter) for letter in text) + links.flush() == text


PIECES = st.sampled_from(
    [
        *(
            SIGNED,
            RELATIVE,
            "https://other.example/x",
            "/files/",
            "https://",
            "dify.example.com",
            f"?{SIGNATURE}",
            "sign=",
        ),
        *(
            "![",
            "[",
            "]",
            "](",
            ")",
            "(",
            "<",
            ">",
            "!",
            "\\",
            '"',
            "`",
            "\n",
            " ",
            "a.png",
            ".",
            "漢",
            "é",
            "h",
            "/",
            "&amp;",
        ),
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=25).map("".join)
LEAK = re.compile(r"dify\.example\.com/files/tools/\S*sign=-f7i|" + re.escape(f"{PATH}?"))


@settings(max_examples=400)
@given(TEXTS, st.data())
def test_it_says_the_same_however_it_is_cut_and_never_a_signature(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert read(*pieces) == read(text)
    assert not LEAK.search(show(text))


async def answer(*steps: Step, **made: object) -> Outcome:
    async with ScriptedServer([RUN_STARTED, *steps]) as server:
        backend = make_backend(server.base_url, **made)
        try:
            return await hear(backend.answer(ask()))
        finally:
            await backend.close()


def files_of(outcome: Outcome) -> list[ProducedFile]:
    return [event.file for event in outcome.events if isinstance(event, FileProduced)]


def told(address: str) -> bytes:
    return data(event="message_file", **IDS, type="image", belongs_to="assistant", url=address, filename="told.png")


async def test_an_answer_that_is_streamed_shows_no_link_and_tells_its_file_at_the_end() -> None:
    text = f"Here: ![chart.png]({SIGNED}) there."

    outcome = await answer(*map(said, in_threes(text)), run_finished(), MESSAGE_END)

    assert outcome.text == "Here:  there."
    assert [(file.name, file.address) for file in files_of(outcome)] == [("chart.png", SIGNED)]
    assert isinstance(outcome.events[-1], AnswerCompleted)


async def test_a_file_that_an_event_tells_of_is_told_once_and_by_the_event() -> None:
    link, again = said(f"![]({SIGNED})"), SIGNED.replace("1700000000", "1700000009")
    for steps in ((link, told(again)), (told(again), link)):
        outcome = await answer(*steps, run_finished(), MESSAGE_END)

        assert [(file.name, file.address) for file in files_of(outcome)] == [("told.png", again)]


async def test_a_text_that_replaces_another_shows_no_link_either() -> None:
    replacing = data(event="message_replace", **IDS, answer=f"Rather [this]({RELATIVE}).")

    outcome = await answer(said(f"![old.png]({SIGNED.replace(ID, 'old')})"), replacing, MESSAGE_END)

    assert [event.text for event in outcome.events if isinstance(event, TextReplaced)] == ["Rather this."]
    assert [file.name for file in files_of(outcome)] == ["this.png"], "what was withdrawn is not passed on"


@pytest.mark.parametrize("length", range(len(SIGNED) - len("BHu_hD0pacg="), len(SIGNED) + 1, 3))
async def test_an_answer_that_breaks_within_a_link_shows_nothing_of_a_signature(length: int) -> None:
    outcome = await answer(said(f"Here: ![chart.png]({SIGNED[:length]}"), Cut())

    assert outcome.ending == "BackendCut"
    assert outcome.text.startswith("Here: ")
    assert "sign=" not in outcome.text


async def test_where_files_are_served_elsewhere_those_links_go_as_well() -> None:
    address = "https://files.example.org/files/a/file-preview?sign=1"

    known = await answer(said(address), MESSAGE_END, dify_files_url="https://files.example.org")
    unknown = await answer(said(address), MESSAGE_END)

    assert (known.text, unknown.text) == ("file", address)
