"""picks: which app members chose to be answered by, and what within it.

What an earlier release uses stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_pick",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("installation", sa.String(), nullable=False),
        sa.Column("channel_id", sa.String(), nullable=False),
        sa.Column("thread_id", sa.String(), nullable=False),
        sa.Column("user_key", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("choice", sa.String(), server_default=sa.text("''"), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "installation", "channel_id", "thread_id", "user_key", name=op.f("pk_app_pick")
        ),
    )
    op.add_column("conversation", sa.Column("choice", sa.String(), server_default=sa.text("''"), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.drop_column("choice")
    op.drop_table("app_pick")
