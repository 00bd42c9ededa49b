"""What is counted, and that labels stay few."""

import math

from prometheus_client.parser import text_string_to_metric_families

from bridge.messages import AnswerState, AppName, PlatformName, Rating
from bridge.metrics import MOST_CODES, Ending, LimitedCall, Metrics, QuestionResult, Rescue

APP, SLACK, DISCORD = AppName("support"), PlatformName("slack"), PlatformName("discord")


def samples(metrics: Metrics, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Every sample of one name, as a scraper reads it."""
    families = text_string_to_metric_families(metrics.render().decode())
    found = [sample for family in families for sample in family.samples if sample.name == name]
    return {tuple(sorted(sample.labels.items())): sample.value for sample in found}


def test_turns_are_counted_by_ending_and_what_did_not_end_was_handed_over() -> None:
    metrics = Metrics()
    for state in AnswerState:
        metrics.turn_ended(APP, SLACK, state)
    metrics.turn_ended(APP, DISCORD, Ending.STOPPED)
    endings = {ending: metrics.read("bridge_turns_total", app=APP, platform=SLACK, ending=ending) for ending in Ending}
    assert endings == {Ending.DONE: 1, Ending.STOPPED: 1, Ending.FAILED: 1, Ending.HANDED_OVER: 5}
    assert metrics.read("bridge_turns_total", app=APP, platform=DISCORD, ending="stopped") == 1


def test_times_and_writes_fall_into_buckets() -> None:
    metrics = Metrics()
    metrics.first_text(APP, SLACK, 0.4)
    metrics.last_text(APP, SLACK, 12.0, writes=9)
    first = samples(metrics, "bridge_first_text_seconds_bucket")
    labels = (("app", "support"), ("platform", "slack"))
    assert first[(labels[0], ("le", "0.25"), labels[1])] == 0
    assert first[(labels[0], ("le", "0.5"), labels[1])] == 1
    assert samples(metrics, "bridge_last_text_seconds_sum") == {labels: 12.0}
    assert samples(metrics, "bridge_answer_writes_sum") == {(labels[1],): 9.0}


def test_everything_else_is_counted_where_it_happened() -> None:
    metrics = Metrics()
    metrics.question(SLACK, QuestionResult.DUPLICATE)
    metrics.rescued(APP, SLACK, Rescue.FETCHED)
    metrics.rate_limited(DISCORD, LimitedCall.EDIT)
    metrics.retried(SLACK)
    metrics.voted(SLACK, Rating.LIKE)
    metrics.store_unavailable()
    assert metrics.read("bridge_questions_total", platform=SLACK, result="duplicate") == 1
    assert metrics.read("bridge_rescued_turns_total", app=APP, platform=SLACK, how="fetched") == 1
    assert metrics.read("bridge_rate_limited_total", platform=DISCORD, call="edit") == 1
    assert metrics.read("bridge_retries_total", platform=SLACK) == 1
    assert metrics.read("bridge_votes_total", platform=SLACK, rating="like") == 1
    assert metrics.read("bridge_store_unavailable_total") == 1
    assert metrics.read("bridge_questions_total", platform=DISCORD, result="accepted") == 0


def test_a_backend_that_makes_up_codes_cannot_make_endless_series() -> None:
    metrics = Metrics()
    for number in range(MOST_CODES + 25):
        metrics.backend_failed(APP, f"code_{number}")
    metrics.backend_failed(APP, "code_0")
    metrics.backend_failed(APP, "a sentence, with what somebody wrote")
    metrics.backend_failed(APP, "x" * 200)
    counted = samples(metrics, "bridge_backend_errors_total")
    assert len(counted) == MOST_CODES + 1
    assert counted[(("app", APP), ("code", "code_0"))] == 2
    assert counted[(("app", APP), ("code", "other"))] == 25 + 2


def test_gauges_are_refreshed_whenever_somebody_reads() -> None:
    metrics = Metrics()
    queue = [3]
    metrics.before_reading(lambda: metrics.waiting(APP, queue[0]))
    metrics.before_reading(lambda: metrics.platform(SLACK, connected=True, hearing=queue[0] > 1, heartbeat_age=1.5))
    assert samples(metrics, "bridge_questions_waiting") == {(("app", APP),): 3}
    assert samples(metrics, "bridge_platform_hearing") == {(("platform", SLACK),): 1}
    queue[0] = 1
    assert samples(metrics, "bridge_questions_waiting") == {(("app", APP),): 1}
    assert samples(metrics, "bridge_platform_hearing") == {(("platform", SLACK),): 0}
    assert samples(metrics, "bridge_heartbeat_age_seconds") == {(("platform", SLACK),): 1.5}


def test_an_unknown_heartbeat_is_not_a_young_one() -> None:
    metrics = Metrics()
    metrics.platform(SLACK, connected=False, hearing=False)
    assert math.isnan(samples(metrics, "bridge_heartbeat_age_seconds")[(("platform", SLACK),)])


def test_every_name_has_our_prefix_or_is_a_figure_of_any_process() -> None:
    names = {family.name for family in text_string_to_metric_families(Metrics().render().decode())}
    assert "bridge_turns" in names
    assert {name for name in names if not name.startswith(("bridge_", "process_"))} == set()


def test_two_bridges_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.retried(SLACK)
    assert (one.read("bridge_retries_total", platform=SLACK), other.read("bridge_retries_total", platform=SLACK)) == (
        1,
        0,
    )
