"""From bytes to events: cut anywhere, huge, malformed, or with other line ends."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.remote.framing import EventParser, EventTooLarge, FrameParser, Json, text_of

EVENT = {"event": "message", "answer": 'Grüße, 世界 \U0001f468\u200d\U0001f469\u200d\U0001f467 "quoted" \\ \u2028'}
RAW = b"data: " + json.dumps(EVENT, ensure_ascii=False).encode() + b"\n\n"


def parse(*chunks: bytes) -> list[Json]:
    parser = EventParser(1_000_000)
    return [event for chunk in chunks for event in parser.feed(chunk)] + parser.finish()


def test_an_event_may_be_cut_at_any_byte() -> None:
    for cut in range(1, len(RAW)):
        assert parse(RAW[:cut], RAW[cut:]) == [EVENT]


def test_an_event_may_come_byte_by_byte() -> None:
    assert parse(*(bytes([byte]) for byte in RAW)) == [EVENT]


def test_many_events_may_come_at_once() -> None:
    assert parse(RAW * 5) == [EVENT] * 5


def test_a_ping_is_no_event() -> None:
    assert parse(b"event: ping\n\n", RAW, b"event: ping\n\n") == [EVENT]


@pytest.mark.parametrize(
    "raw",
    [
        RAW.replace(b"\n", b"\r\n"),
        RAW.replace(b"data: ", b"data:"),
        b"\xef\xbb\xbf" + RAW,
        b": a comment\n\n" + RAW,
        b"id: 7\nretry: 10\nevent: message\n" + RAW,
        RAW + b"data: [DONE]\n\n",
        RAW[:-1],
        RAW[:-2],
        RAW.replace(b"data: ", b"data:  \t"),
        RAW.replace(b"}\n", b"} \n"),
        b"data:\n\ndata\n\n" + RAW,
    ],
    ids=[
        "crlf",
        "no space",
        "bom",
        "comment",
        "other fields",
        "done marker",
        "no blank line",
        "no line end",
        "white before",
        "white after",
        "empty",
    ],
)
def test_lookalikes_of_the_framing_are_understood(raw: bytes) -> None:
    assert parse(raw) == [EVENT]


@pytest.mark.parametrize(
    "raw", [b"data: {broken\n\n", b"data: [1]\n\n", b"data: " + b"[" * 100_000 + b"\n\n", b"data: \xff\n\n"]
)
def test_what_is_no_json_object_is_left_out_and_the_rest_goes_on(raw: bytes) -> None:
    assert parse(raw, RAW) == [EVENT]


def test_events_with_other_line_ends_come_at_once() -> None:
    assert EventParser(1_000_000).feed(RAW.replace(b"\n", b"\r\n") * 2) == [EVENT, EVENT]


def test_an_event_split_over_data_lines_is_joined() -> None:
    assert parse(b'data: {"event":\ndata: "x"}\n\n') == [{"event": "x"}]


@pytest.mark.parametrize("piece", [b"x", b"\ndata: xxxx", b"\ndata:"])
def test_memory_is_bounded_whatever_an_event_is_made_of(piece: bytes) -> None:
    parser = EventParser(1000)
    parser.feed(b"data: ")

    def feed_much() -> None:
        for _ in range(2000):
            parser.feed(piece)

    with pytest.raises(EventTooLarge):
        feed_much()


def test_the_limit_is_for_one_event_and_not_for_the_stream() -> None:
    parser = EventParser(len(RAW) + 8)
    assert sum(len(parser.feed(RAW)) for _ in range(100)) == 100


def test_text_has_no_characters_that_databases_and_platforms_refuse() -> None:
    (event,) = parse(b'data: {"answer": "a\\u0000b \\ud83d \\ud83d\\ude00"}\n\n')
    assert text_of(event, "answer") == "ab \ufffd \U0001f600"


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}])
def test_a_field_of_another_type_is_no_text(value: object) -> None:
    assert text_of({"answer": value}, "answer") == ""


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=20))
def test_no_bytes_whatsoever_break_the_parser(chunks: list[bytes]) -> None:
    parse(*chunks)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([b"data: ", b"data:", b"x", b"\n", b"\r\n", b"\r", b"\n\n", b"{}", b": c", b"event: e"]),
        max_size=30,
    )
)
def test_where_the_bytes_are_cut_does_not_matter(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    parser = FrameParser(1_000_000)
    at_once = parser.feed(whole) + parser.finish()
    parser = FrameParser(1_000_000)
    bit_by_bit = [frame for at in range(len(whole)) for frame in parser.feed(whole[at : at + 1])] + parser.finish()

    assert at_once == bit_by_bit
