"""opinions: how far a backend that keeps what each person thinks was told of it.

What an earlier release uses stays as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opinions_told",
        sa.Column(
            "answer_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_opinions_told_answer_id_answer")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_opinions_told")),
    )


def downgrade() -> None:
    op.drop_table("opinions_told")
