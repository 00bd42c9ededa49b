"""What each cell of the README's table of backends is proven by."""

from collections.abc import Sequence
from dataclasses import dataclass

CHAT, AGENT, CHATFLOW, COMPLETION, WORKFLOW = "Dify chat", "agent", "chatflow", "completion", "workflow"
OPENAI, DBGPT, ECHO = "OpenAI-compatible", "DB-GPT", "echo"
TALKS = (CHAT, AGENT, CHATFLOW)
"""Apps that hold conversations."""
DIFY = (*TALKS, COMPLETION, WORKFLOW)
COLUMNS = (*DIFY, OPENAI, DBGPT, ECHO)

CLASSES = {
    **dict.fromkeys(DIFY, "bridge.backends.dify.backend.DifyBackend"),
    OPENAI: "bridge.backends.openai.backend.OpenAIBackend",
    DBGPT: "bridge.backends.dbgpt.backend.DbgptBackend",
    ECHO: "bridge.backends.echo.backend.EchoBackend",
}
WIRES = {
    **dict.fromkeys(DIFY, "tests/contracts/test_dify_wire.py"),
    OPENAI: "tests/contracts/test_openai_wire.py",
    DBGPT: "tests/contracts/test_dbgpt_wire.py",
}
"""Where the contract of the wire is bound."""
BINDINGS = {
    **dict.fromkeys(DIFY, "tests/contracts/test_dify_backend.py"),
    OPENAI: "tests/contracts/test_openai_backend.py",
    DBGPT: "tests/contracts/test_dbgpt_backend.py",
    ECHO: "tests/contracts/test_echo_backend.py",
}
"""Where the contract suites are bound."""

_SUITE = "tests/contracts/backend_suite.py"
_EXTRAS = "tests/contracts/backend_extras_suite.py"
_AT_DIFY = "tests/backends/dify"
_AT_DBGPT = "tests/backends/dbgpt"
_WHOLE = "tests/integration"
_FILLED_IN = "test_a_form_is_filled_in_the_question_is_answered_with_it_and_so_are_those_that_follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    proofs: Sequence[tuple[Sequence[str], str]]
    """Columns, and the test that proves their cells, as "path::name"."""
    ability: str = ""
    """The protocol that a backend has exactly where one of its cells promises something."""
    also: Sequence[str] = ()
    """Protocols that say more about it."""


ROWS = {
    "Answers grow while they are made": Row(
        proofs=[(COLUMNS, f"{_SUITE}::test_text_comes_while_it_is_generated")],
    ),
    "Stop": Row(proofs=[(COLUMNS, f"{_SUITE}::test_a_stopped_answer_ends_by_itself_with_what_came")]),
    "An answer whose bridge died": Row(
        proofs=[
            (TALKS, f"{_SUITE}::test_an_answer_that_was_given_is_recovered_whole"),
            ((AGENT,), f"{_AT_DIFY}/test_histories.py::test_the_answer_of_a_dropped_agent_is_in_its_last_step"),
            (
                (CHATFLOW,),
                f"{_AT_DIFY}/test_histories.py::test_the_run_of_a_dropped_chatflow_goes_on_and_tells_its_answer",
            ),
            (
                (COMPLETION,),
                f"{_WHOLE}/test_standing_alone.py::test_a_completion_that_was_lost_is_asked_for_once_more_in_the_same_message",
            ),
            (
                (WORKFLOW,),
                f"{_WHOLE}/test_standing_alone.py::test_a_run_that_outlives_the_bridge_is_fetched_and_not_asked_for_again",
            ),
            ((OPENAI,), f"{_WHOLE}/test_openai_app.py::test_a_killed_bridge_asks_again_and_shows_one_answer"),
            (
                (DBGPT,),
                f"{_AT_DBGPT}/test_recovering.py::test_an_answer_that_was_given_is_told_as_its_stream_told_it",
            ),
            ((ECHO,), f"{_SUITE}::test_an_answer_that_was_given_is_recovered_whole"),
        ],
    ),
    "Conversations": Row(
        proofs=[
            ((*TALKS, OPENAI, DBGPT), f"{_SUITE}::test_a_later_question_continues_the_conversation"),
            (
                (OPENAI,),
                f"{_WHOLE}/test_openai_app.py::test_a_conversation_in_slack_goes_on_after_a_restart",
            ),
        ],
        also=["StandsAlone", "KeepsNoHistory"],
    ),
    "Ratings": Row(
        proofs=[
            (
                (CHAT, AGENT, CHATFLOW, COMPLETION, DBGPT, ECHO),
                f"{_SUITE}::test_a_rating_is_set_changed_and_taken_away",
            ),
            ((OPENAI,), f"{_WHOLE}/test_openai_app.py::test_a_rating_is_kept_without_a_call"),
        ],
        also=["LimitsRatings"],
    ),
    "Steps": Row(
        proofs=[
            ((AGENT, CHATFLOW, WORKFLOW), f"{_EXTRAS}::test_every_step_that_is_told_has_a_title_and_an_end"),
            (
                (DBGPT,),
                f"{_AT_DBGPT}/test_vis.py::test_a_plan_becomes_steps_named_after_agents_and_stands_in_only_for_a_missing_answer",
            ),
        ],
    ),
    "Files with a question": Row(
        ability="AcceptsFiles",
        proofs=[
            (DIFY, f"{_EXTRAS}::test_what_the_rules_allow_can_be_handed_over_and_asked_about"),
            ((OPENAI,), "tests/backends/openai/test_answers.py::test_an_image_is_shown_to_the_model"),
        ],
    ),
    "Files in an answer": Row(
        ability="ProducesFiles",
        proofs=[(DIFY, f"{_EXTRAS}::test_a_made_file_can_be_had_now_and_after_recovery")],
    ),
    "Voice messages": Row(ability="Transcribes", proofs=[(DIFY, f"{_EXTRAS}::test_a_recording_becomes_its_words")]),
    "Answers read aloud": Row(
        ability="Speaks",
        proofs=[
            ((*TALKS, COMPLETION), f"{_EXTRAS}::test_what_was_answered_is_read_aloud"),
            ((CHATFLOW,), f"{_WHOLE}/test_slack_past.py::test_an_answer_is_read_aloud_once_for_whoever_wants_it"),
            ((CHATFLOW,), f"{_WHOLE}/test_discord_past.py::test_an_answer_is_read_aloud_below_it"),
        ],
    ),
    "Sources": Row(
        proofs=[
            ((*TALKS, COMPLETION), f"{_EXTRAS}::test_sources_are_named_once_and_in_order_also_when_recovered"),
            ((DBGPT,), f"{_AT_DBGPT}/test_answering.py::test_a_knowledge_space_names_its_documents"),
        ],
    ),
    "Suggested questions": Row(
        ability="SuggestsQuestions", proofs=[(TALKS, f"{_EXTRAS}::test_suggestions_are_few_short_lines")]
    ),
    "Opening": Row(
        ability="Introduces",
        proofs=[(DIFY, f"{_EXTRAS}::test_an_app_introduces_itself_unless_its_server_is_gone")],
    ),
    "Titles of conversations": Row(
        ability="NamesConversations", proofs=[(TALKS, f"{_EXTRAS}::test_a_conversation_has_a_title_of_one_line")]
    ),
    "Inputs of the app": Row(
        proofs=[
            (DIFY, f"{_AT_DIFY}/test_file_inputs.py::test_attached_files_fill_the_inputs_of_every_kind_of_app"),
            (DIFY, f"{_WHOLE}/test_slack_inputs.py::{_FILLED_IN}"),
            (DIFY, f"{_WHOLE}/test_discord_inputs.py::{_FILLED_IN}"),
            (
                (OPENAI,),
                "tests/backends/openai/test_prompting.py::test_inputs_take_their_places_in_the_prompt_and_other_braces_stay",
            ),
        ],
        also=["DescribesInputs"],
    ),
    "Human input": Row(
        ability="TakesInput",
        proofs=[
            ((CHATFLOW,), f"{_WHOLE}/test_human_input.py::test_a_press_lets_the_app_go_on_in_the_same_message"),
            ((CHATFLOW,), f"{_WHOLE}/test_human_input.py::test_it_waits_over_a_restart"),
            ((WORKFLOW,), f"{_AT_DIFY}/test_people_in_workflows.py::test_a_run_that_waits_shows_its_form"),
            ((WORKFLOW,), f"{_AT_DIFY}/test_people_in_workflows.py::test_the_run_goes_on_to_its_outputs"),
        ],
    ),
    "Earlier conversations by their titles": Row(
        ability="ListsConversations",
        proofs=[
            (
                TALKS,
                f"{_WHOLE}/test_slack_past.py::test_a_list_is_good_after_a_restart_and_titles_are_those_of_the_app",
            ),
            (
                (DBGPT,),
                f"{_WHOLE}/test_slack_dbgpt.py::test_an_earlier_conversation_goes_on_in_another_thread",
            ),
        ],
    ),
    "Forgotten at the app too": Row(
        ability="DeletesConversations",
        proofs=[
            (
                TALKS,
                f"{_WHOLE}/test_slack_past.py::test_what_is_forgotten_is_asked_back_and_deleted_at_the_app_as_its_user",
            ),
            (
                (DBGPT,),
                f"{_AT_DBGPT}/test_rating.py::test_a_conversation_is_forgotten_for_its_own_user_alone_and_twice_is_no_failure",
            ),
        ],
    ),
    "What an answer has cost": Row(
        proofs=[
            (
                (CHAT, AGENT, CHATFLOW, COMPLETION),
                f"{_AT_DIFY}/test_citing_and_spending.py::test_costs_and_sources_come_with_the_end_of_the_message",
            ),
            ((WORKFLOW,), f"{_AT_DIFY}/test_workflows.py::test_what_a_run_has_counted_is_told_before_its_end"),
            ((OPENAI,), "tests/backends/openai/test_answers.py::test_what_an_answer_has_cost_is_told"),
        ],
    ),
    "Choices within the app": Row(
        ability="OffersChoices",
        proofs=[
            (
                (DBGPT,),
                f"{_AT_DBGPT}/test_choices.py::test_everything_that_is_listed_and_can_be_asked_is_offered_in_groups",
            ),
        ],
    ),
    "Servers that only speak like it": Row(
        proofs=[
            ((CHAT,), f"{_AT_DIFY}/test_lookalikes.py::test_questions_are_answered_where_nothing_else_is_there"),
            ((OPENAI,), "tests/backends/openai/test_machine.py::test_every_spelling_of_an_answer_is_understood"),
        ],
    ),
    "Whatever a server sends": Row(
        proofs=[
            (
                (*DIFY, OPENAI, DBGPT),
                "tests/contracts/backend_wire_suite.py::test_a_line_without_an_end_is_given_up_in_bounded_memory",
            ),
            (
                (*TALKS, WORKFLOW, OPENAI, DBGPT),
                f"{_WHOLE}/test_bad_input.py::test_bad_input_ends_in_a_sentence_and_a_line_of_the_log",
            ),
        ],
    ),
}
