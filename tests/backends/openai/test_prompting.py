"""What the model is told: the system prompt with its inputs, the newest of the conversation, the question."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.backend_api import Question, UploadedFile
from bridge.backends.openai.prompting import compose, count_tokens, fill_in, trim
from bridge.history_api import Exchange
from tests.backends.openai.asking import USER, ask


def exchange(number: int, size: int = 40) -> Exchange:
    return Exchange(question=f"q{number}".ljust(size, "."), answer=f"a{number}".ljust(size, "."))


def cost(exchange: Exchange) -> int:
    return count_tokens(exchange.question) + count_tokens(exchange.answer)


def test_messages_are_the_prompt_the_conversation_and_the_question() -> None:
    question = ask("and now?", history=(("first", "one"), ("second", "two")))

    assert compose(question, "Be brief.", 1000) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "and now?"},
    ]


def test_without_a_prompt_there_is_no_system_message() -> None:
    assert compose(ask("hi"), "  ", 1000) == [{"role": "user", "content": "hi"}]


def test_the_prompt_is_kept_when_nothing_of_the_conversation_fits() -> None:
    messages = compose(ask("hi", history=(("x" * 4000, "y" * 4000),)), "Be brief.", 100)

    assert messages == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]


def test_inputs_take_their_places_in_the_prompt_and_other_braces_stay() -> None:
    prompt = 'Speak {language}, {formal}, at most {words}. Reply as {"answer": {other}}.'

    filled = fill_in(prompt, {"language": "French", "formal": True, "words": 50})

    assert filled == 'Speak French, true, at most 50. Reply as {"answer": {other}}.'


def test_an_input_cannot_bring_another_ones_place() -> None:
    assert fill_in("{a}{b}", {"a": "{b}", "b": "x"}) == "{b}x"


def test_the_oldest_is_left_out_first() -> None:
    history = [exchange(number) for number in range(10)]

    assert list(trim(history, 3 * cost(exchange(0)))) == history[-3:]


def test_of_a_long_last_answer_its_beginning_and_its_end_are_told() -> None:
    last = Exchange(question="tell me", answer="BEGINNING" + "." * 10_000 + "END")

    (kept,) = trim([exchange(1), last], 200)

    assert kept.question == "tell me"
    assert kept.answer.startswith("BEGINNING")
    assert kept.answer.endswith("END")
    assert cost(kept) <= 200


@given(
    st.lists(st.builds(Exchange, question=st.text(max_size=300), answer=st.text(max_size=300)), max_size=12),
    st.integers(min_value=0, max_value=400),
)
def test_what_is_told_again_never_costs_more_than_allowed(history: list[Exchange], tokens: int) -> None:
    kept = trim(history, tokens)

    assert sum(map(cost, kept)) <= tokens
    assert [one.question for one in kept] == [one.question for one in history[len(history) - len(kept) :]]


def test_scripts_with_few_letters_to_a_token_are_not_counted_too_low() -> None:
    # cl100k_base makes 8 tokens of the first and about 9 of the second.
    assert count_tokens("The quick brown fox jumps over the dog") >= 8
    assert count_tokens("敏捷的棕色狐狸跳过懒狗") >= 8


def test_images_come_in_parts_beside_the_text() -> None:
    image = UploadedFile(id="data:image/png;base64,AAAA", kind="image")
    question = Question(text="what is it?", user=USER, files=(image,))

    assert compose(question, "", 0)[-1]["content"] == [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]


def test_images_of_earlier_questions_come_with_them() -> None:
    past = Exchange(question="what is it?", answer="A cat.", files=("data:image/png;base64,AAAA",))

    first, second, third = compose(Question(text="what colour?", user=USER, history=(past,)), "", 1000)

    assert first["content"] == [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    assert (second["content"], third["content"]) == ("A cat.", "what colour?")
