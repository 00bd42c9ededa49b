"""What is told of an answer besides its text: the documents it rests on, what it cost, and whether people wrote it."""

from decimal import Decimal

import pytest

from bridge.backend_api import AnswerCompleted, UsageReported
from bridge.backends.dify.citing import read_sources
from bridge.backends.dify.events import AnswerMachine
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.spending import read_usage
from bridge.remote.framing import Json

SECRET = "what stands in the passage"


def passage(name: str, position: object = None, score: object = None) -> Json:
    return {"document_name": name, "position": position, "score": score, "content": SECRET}


def test_documents_are_told_by_position_name_and_score_and_never_by_their_words() -> None:
    told = read_sources([passage("B.pdf", 2, 0.5), passage("A.pdf", 1, 0.8765), passage("B.pdf", 3, 0.75)])
    assert told == ("1. A.pdf (0.88)", "2. B.pdf (0.75)")
    assert SECRET not in str(told)


@pytest.mark.parametrize("score", [None, "0.9", True, 17.5, -1, float("nan")])
def test_a_score_that_says_nothing_is_left_out(score: object) -> None:
    assert read_sources([passage("A.pdf", 1, score)]) == ("1. A.pdf",)


def test_documents_without_a_position_are_counted() -> None:
    assert read_sources([passage("A.pdf"), passage("B.pdf", 0), passage("")]) == ("1. B.pdf", "2. A.pdf")


USAGE: Json = {
    "prompt_tokens": 11,
    "completion_tokens": 28,
    "total_tokens": 39,
    "total_price": "0.0000123",
    "currency": "USD",
    "latency": 1.4468053700002201,
}


def test_costs_are_read_to_the_last_digit() -> None:
    assert read_usage(USAGE) == UsageReported(
        prompt_tokens=11,
        completion_tokens=28,
        total_tokens=39,
        price=Decimal("0.0000123"),
        currency="USD",
        latency=1.4468053700002201,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt_tokens": "11", "completion_tokens": None, "total_tokens": -3, "total_price": "0"},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "total_price": "0"},
        {"prompt_tokens": True, "completion_tokens": 10**30, "total_tokens": [], "total_price": "many"},
    ],
)
def test_what_was_not_counted_is_not_told(changed: Json) -> None:
    assert read_usage({**USAGE, **changed}) is None
    assert read_usage({}) is None


@pytest.mark.parametrize("price", [None, "NaN", "Infinity", "-1", "1e99", {}, True])
def test_a_price_that_is_none_is_no_price(price: object) -> None:
    usage = read_usage({**USAGE, "total_price": price})
    assert usage is not None
    assert (usage.price, usage.currency, usage.total_tokens) == (None, "", 39)


def machine() -> AnswerMachine:
    return AnswerMachine(None, OwnFiles(("http://dify.test/v1", "")))


def test_costs_and_sources_come_with_the_end_of_the_message() -> None:
    ending: Json = {
        "event": "message_end",
        "metadata": {"usage": USAGE, "retriever_resources": [passage("A.pdf", 1)], "annotation_reply": None},
    }
    fed = machine()
    fed.take({"event": "message", "answer": "Hi", "message_id": "m"})
    events = fed.take(ending)
    assert [type(event).__name__ for event in events] == ["SourcesCited", "UsageReported"]
    assert fed.end() == AnswerCompleted()


def test_an_answer_that_people_wrote_is_marked() -> None:
    annotation = {"id": "a1", "account": {"id": "u1", "name": "Grace"}}
    fed = machine()
    fed.take({"event": "message", "answer": "Hi", "message_id": "m"})
    fed.take({"event": "message_end", "metadata": {"annotation_reply": annotation}})
    assert fed.end() == AnswerCompleted(annotated=True)
