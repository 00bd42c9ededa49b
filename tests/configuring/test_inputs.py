"""Where the values of an app's inputs come from, as `bridge.toml` says it."""

from pathlib import Path

import pytest

from bridge.configuring.document import read_document
from bridge.configuring.inputs import WrittenInputs, read_inputs
from bridge.inputs import Source, Sourced


def read(tmp_path: Path, text: str) -> WrittenInputs:
    file = tmp_path / "bridge.toml"
    file.write_text(f"[apps.support.inputs]\n{text}\n")
    document = read_document(file)
    apps = document.values["apps"]
    assert isinstance(apps, dict)
    return read_inputs(apps["support"]["inputs"], ("apps", "support", "inputs"), document)


def test_a_constant_a_source_and_a_question_for_the_member_are_told_apart(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        'language = "English"\nformal = true\n'
        'customer = { from = "asker.name", else = "guest" }\n'
        'locale = { from = "asker.locale", ask = true }\n'
        "ticket.ask = true\n",
    )
    assert not found.problems
    assert found.constants == {"language": "English", "formal": True}
    assert found.sourced == {
        "customer": Sourced(source=Source.ASKER_NAME, fallback="guest"),
        "locale": Sourced(source=Source.ASKER_LOCALE),
    }
    assert found.asked == {"locale", "ticket"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('a = "x"\nb = ["secret"]', 3, "apps.support.inputs.b must be a text, a number, true or false"),
        ("b = {}", 2, "apps.support.inputs.b must be a text, a number, true or false"),
        ('[apps.support.inputs.b]\nfrom = "asker.mail"', 3, 'apps.support.inputs.b.from must be one of "asker.id"'),
        ("b = { from = 3 }", 2, "apps.support.inputs.b.from must be one of"),
        ("b = { ask = false }", 2, "apps.support.inputs.b.ask must be true, or left out"),
        ('b = { else = "x" }', 2, "there is no `from`"),
        ('b = { from = "asker.id", else = ["secret"] }', 2, "apps.support.inputs.b.else must be a text, a number"),
        ('b = { from = "asker.id", else = "x", ask = true }', 2, "contradict each other"),
        ("b = { form = true }", 2, "apps.support.inputs.b.form is not known; there are from, else, ask"),
        (f"{'b' * 81} = {{ ask = true }}", 2, "cannot be asked for: its name is longer than 80 characters"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_without_what_may_be_a_secret(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    found = read(tmp_path, text)
    assert [one.line for one in found.problems] == [line]
    assert words in found.problems[0].sentence
    assert "secret" not in found.problems[0].sentence
    assert not found.sourced
    assert not found.asked
