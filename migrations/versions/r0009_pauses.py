"""pauses: answers that wait for people in the middle, and conversations that rest meanwhile.

What an earlier release uses stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("conversation", sa.Column("resting", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "pause",
        sa.Column("answer_id", ROW_ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("event_id", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_pause_answer_id_answer")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_pause")),
    )
    op.create_index("ix_pause_due", "pause", ["look_at"])


def downgrade() -> None:
    # An earlier release does not know the state: to it, the app was at work on the answer when its process died.
    answer = sa.table("answer", sa.column("state", sa.String()))
    op.execute(answer.update().where(answer.c.state == "paused").values(state="streaming"))
    op.drop_index("ix_pause_due", table_name="pause")
    op.drop_table("pause")
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.drop_column("resting")
