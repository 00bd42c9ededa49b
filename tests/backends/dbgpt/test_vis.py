"""DB-GPT's markup, told in plain Markdown."""

import json

import pytest

from bridge.backends.dbgpt.charts import tell_table
from bridge.backends.dbgpt.shaping import tell_notes
from bridge.backends.dbgpt.vis import tell
from bridge.messages import StepState
from bridge.playground.dbgpt import chart_view, messages_block, plans_block, references_tag


def block(tag: str, value: object) -> str:
    return f"```{tag}\n{json.dumps(value, ensure_ascii=False)}\n```"


def test_text_without_markup_stays_as_it_is() -> None:
    text = "# Title\n\n\n\n```python\nprint('<b>')\n```\n  done  "

    assert tell(text).text == text


def test_what_one_agent_says_is_the_answer() -> None:
    assert tell(messages_block(("Helper", "The **answer**.\n\n```sql\nselect 1\n```"))).text == (
        "The **answer**.\n\n```sql\nselect 1\n```"
    )


def test_what_the_person_asked_is_not_said_again() -> None:
    asked = [{"sender": "Human", "receiver": "Helper", "markdown": "My question"}]
    answered = [*asked, {"sender": "Helper", "receiver": "Human", "markdown": "My answer"}]

    assert tell(block("agent-messages", asked)).text == ""
    assert tell(block("agent-messages", answered)).text == "My answer"


def test_an_agent_that_still_writes_is_heard_although_it_bears_the_persons_name() -> None:
    writing = [{"sender": "Human", "receiver": "?", "model": "fake", "markdown": "Half an ans"}]

    assert tell(block("agent-messages", writing)).text == "Half an ans"


def test_several_agents_are_told_apart() -> None:
    told = tell(messages_block(("Planner", "First."), ("Coder", "Second.")))

    assert told.text == "**Planner**\n\nFirst.\n\n**Coder**\n\nSecond."


def test_a_plan_becomes_steps_named_after_agents_and_stands_in_only_for_a_missing_answer() -> None:
    plan = plans_block(("Planner", messages_block(("Planner", "Thinking."))), ("Coder", "Code."))

    alone, answered = tell(plan), tell(f"{plan}\n{messages_block(('Coder', 'Done.'))}")

    assert [(step.title, step.state) for step in alone.steps] == [
        ("Planner", StepState.DONE),
        ("Coder", StepState.DONE),
    ]
    assert alone.text == "Thinking.\n\nCode."
    assert answered.text == "Done."
    assert "what was asked" not in alone.text + "".join(step.title for step in alone.steps)


def test_thoughts_are_not_shown() -> None:
    assert tell("``````vis-thinking\nI think\n```\nnested\n```\n``````\nSaid.").text == "Said."


@pytest.mark.parametrize("tag", ["vis-db-chart", "vis-chart"])
def test_a_chart_is_a_title_a_table_and_the_query(tag: str) -> None:
    chart = {
        "type": "response_bar_chart",
        "title": "Sales",
        "describe": "By city.",
        "sql": "select city, n from sales",
        "data": [{"city": "Oslo", "n": 3}, {"city": "a|b\nc", "n": None}],
    }

    assert tell(f"Here:\n{block(tag, chart)}\nDone.").text == (
        "Here:\n\n**Sales**\n\nBy city.\n\n| city | n |\n| --- | --- |\n| Oslo | 3 |\n| a\\|b c |  |\n\n"
        "```sql\nselect city, n from sales\n```\n\nDone."
    )


def test_a_chart_whose_query_failed_says_so_and_not_why() -> None:
    told = tell(block("vis-db-chart", {"title": "Sales", "sql": "select 1", "err_msg": "no such table: secrets"}))

    assert "(The query failed.)" in told.text
    assert "secrets" not in told.text


def test_a_dashboard_is_its_charts() -> None:
    board = {"title": "All", "data": [{"title": "A", "data": [{"x": 1}]}, {"title": "B", "data": []}]}

    assert tell(block("vis-dashboard", board)).text == "**All**\n\n**A**\n\n| x |\n| --- |\n| 1 |\n\n**B**\n\n(no rows)"


def test_a_chart_in_a_tag_is_told_like_one_in_a_block() -> None:
    view = chart_view({"type": "response_table", "sql": 'select "a" from b where c < 3', "data": [{"a": "<x> & 'y'"}]})

    assert tell(f"Found one.\n{view}").text == (
        "Found one.\n\n| a |\n| --- |\n| <x> & 'y' |\n\n```sql\nselect \"a\" from b where c < 3\n```"
    )


def test_documents_are_named_once_and_never_quoted() -> None:
    references = references_tag({"Handbook.pdf": ["secret passage"], "Prices.xlsx": ["other"]})

    told = tell(f"The answer.\n\n{references}\n\n{references}")

    assert told.text == "The answer."
    assert told.sources == ["Handbook.pdf", "Prices.xlsx"]


def test_code_that_ran_is_shown_with_what_it_printed() -> None:
    code = {"exit_success": True, "language": "python", "code": [["python", "print('```')"]], "log": "```"}

    assert tell(block("vis-code", code)).text == "````python\nprint('```')\n````\n\nOutput:\n\n````\n```\n````"


def test_a_tool_is_what_it_found_or_that_it_failed() -> None:
    good = block("vis-plugin", {"name": "search", "args": {"key": "secret"}, "status": "complete", "result": "Found."})
    bad = block("vis-plugin", {"name": "search", "args": {}, "status": "failed", "err_msg": "secret 10.0.0.7"})

    assert tell(good).text == "Found."
    assert tell(bad).text == "(search failed.)"


def test_a_block_that_nobody_knows_is_told_by_its_words_or_shown_as_data() -> None:
    assert tell(block("vis-new-thing", {"markdown": "Words."})).text == "Words."
    assert tell(block("vis-new-thing", {"x": [1]})).text == '```json\n{\n  "x": [\n    1\n  ]\n}\n```'


def test_a_block_that_is_still_written_shows_nothing() -> None:
    assert tell('Before.\n```agent-messages\n[{"sender": "Hel').text == "Before."


def test_blocks_within_blocks_come_to_an_end() -> None:
    text = "deep"
    for _ in range(9):
        text = messages_block(("Helper", text))

    assert tell(text).text == ""


def test_a_large_table_is_cut_and_says_so() -> None:
    rows = [{f"c{column}": row for column in range(12)} for row in range(50)]

    table = tell_table(rows)

    assert len(table.splitlines()) == 24
    assert table.endswith("(… and 30 more rows and 2 more columns)")


def test_a_models_notes_are_its_words_and_its_query() -> None:
    assert (
        tell_notes('<think>x</think>{"thoughts": "Counting.", "sql": "select 1"}')
        == "Counting.\n\n```sql\nselect 1\n```"
    )
    assert tell_notes("No JSON at all.") == "No JSON at all."
