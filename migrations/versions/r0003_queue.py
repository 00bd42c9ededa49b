"""the queue: procrastinate's tables and functions, and a word to the workers when a conversation is free again.

Only on PostgreSQL. The scripts are procrastinate's own, named one by one: they never change once released, while its `schema.sql`
is another one in each release. A later release of it comes with a revision that runs the scripts it added.
"""

from importlib import resources

from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

SCRIPTS = (
    "00.00.00_01_initial",
    "00.05.00_01_drop_started_at_column",
    "00.05.00_02_drop_started_at_column",
    "00.05.00_03_drop_procrastinate_version_table",
    "00.06.00_01_fix_procrastinate_fetch_job",
    "00.07.01_01_fix_trigger_status_events_insert",
    "00.08.01_01_add_queueing_lock_column",
    "00.10.00_01_close_fetch_job_race_condition",
    "00.10.00_02_add_defer_job_function",
    "00.11.00_03_add_procrastinate_periodic_defers",
    "00.12.00_01_add_foreign_key_index",
    "00.14.00_01_add_locks_to_periodic_defer",
    "00.15.02_01_fix_procrastinate_defer_periodic_job",
    "00.16.00_01_add_finish_job_and_retry_job_functions",
    "00.17.00_01_add_trigger_on_job_deletion",
    "00.17.00_02_delete_finished_jobs",
    "00.17.00_03_add_checks_to_finish_job",
    "00.17.00_04_add_checks_to_retry_job",
    "00.18.01_01_fix_finish_job_compat_issue",
    "00.19.00_01_add_index_on_procrastinate_jobs",
    "00.22.00_01_add_kwargs_to_defer_periodic_job",
    "00.23.00_01_null_locks_excluded",
    "01.00.00_01_remove_old_finish_job_function",
    "01.01.01_01_job_id_bigint",
    "02.00.03_01_add_job_priority",
    "02.05.00_01_add_periodic_job_priority",
    "02.06.00_01_add_cancel_states",
    "02.08.00_01_add_additional_params_to_retry_job",
    "02.14.01_01_add_indexes_for_fetch_job",
    "03.00.00_01_pre_cancel_notification",
    "03.00.00_50_post_cancel_notification",
    "03.01.00_01_pre_add_heartbeat",
    "03.01.00_50_post_add_heartbeat",
    "03.02.00_01_pre_batch_defer_jobs",
    "03.02.00_50_post_batch_defer_jobs",
    "03.03.00_01_pre_priority_lock_fetch_job",
    "03.04.00_01_pre_add_retry_failed_job_procedure",
    "03.04.00_50_post_add_retry_failed_job_procedure",
)

# The queue tells its workers of new jobs only. One that waits for another job of its conversation, or that was put back, would be
# found by the next poll, seconds later. The channel is the queue's own; the test of the gap notices if that is renamed.
RELEASE = """
CREATE FUNCTION bridge_tell_that_a_job_may_start() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next_job bigint;
BEGIN
    SELECT id INTO next_job FROM procrastinate_jobs
        WHERE lock = OLD.lock AND status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now())
        ORDER BY id LIMIT 1;
    IF next_job IS NOT NULL THEN
        PERFORM pg_notify(
            'procrastinate_queue_v1#' || OLD.queue_name,
            json_build_object('type', 'job_inserted', 'job_id', next_job)::text
        );
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER bridge_job_ended AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing')
    EXECUTE FUNCTION bridge_tell_that_a_job_may_start();
CREATE TRIGGER bridge_job_left AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing')
    EXECUTE FUNCTION bridge_tell_that_a_job_may_start();
-- What waits for a conversation is looked up by its lock at every fetch and at every end.
CREATE INDEX bridge_jobs_by_lock ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing');
"""

REMOVE = """
DROP TRIGGER bridge_job_ended ON procrastinate_jobs;
DROP TRIGGER bridge_job_left ON procrastinate_jobs;
DROP FUNCTION bridge_tell_that_a_job_may_start();
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers CASCADE;
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT oid::regprocedure FROM pg_proc
        WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || found || ' CASCADE';
    END LOOP;
    FOR found IN SELECT oid::regtype FROM pg_type
        WHERE typname LIKE 'procrastinate\\_%' AND typnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP TYPE ' || found || ' CASCADE';
    END LOOP;
END;
$$;
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    folder = resources.files("procrastinate.sql") / "migrations"
    for name in SCRIPTS:
        run((folder / f"{name}.sql").read_text(encoding="utf-8"))
    run(RELEASE)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    run(REMOVE)


def run(script: str) -> None:
    """Several statements at once, which the driver allows only without parameters; hence not through SQLAlchemy."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None  # noqa: S101  # for mypy: a live connection has one
    driver.execute(script)
