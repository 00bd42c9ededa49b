"""The tables. Their history is in `migrations/`; a test keeps both identical.

All times are UTC. Columns that are part of a unique key are never NULL ('' instead), for NULLs never collide in SQL.
States are plain text, so that a new one needs no rebuilt table.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

from bridge.storage.portable import Plain, PlainText


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Naive ones are refused on the way in; what comes out is aware and in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite keeps no zone; what was written is UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only when the column's type is spelled exactly INTEGER (which has 64 bits there).
RowId = BigInteger().with_variant(Integer, "sqlite")
ZERO = text("0")
EMPTY = text("''")

# Where a platform that can be in several places is installed. What opens doors is in `secrets` alone, encrypted (see `vault`).
installation = Table(
    "installation",
    metadata,
    Column("platform", Plain, primary_key=True),
    Column("id", Plain, primary_key=True),
    Column("name", Plain, nullable=False),
    Column("facts", PlainText, nullable=False),  # JSON
    Column("secrets", PlainText, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
)

# Words that were given to people who went to allow an installation. Only a digest: whoever reads the table cannot bring one back.
install_state = Table(
    "install_state",
    metadata,
    Column("platform", Plain, primary_key=True),
    Column("digest", Plain, primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False),
)

conversation = Table(
    "conversation",
    metadata,
    Column("id", RowId, primary_key=True),
    # Platform and installation as text, not a row of `installation`: with tokens from the environment there is no such row, and
    # an adapter's installation id is stable by contract.
    Column("platform", Plain, nullable=False),
    Column("installation", Plain, nullable=False),
    Column("channel_id", Plain, nullable=False),
    Column("thread_id", Plain, nullable=False, server_default=EMPTY),
    Column("user_key", Plain, nullable=False, server_default=EMPTY),
    Column("app", Plain, nullable=False),
    Column("reset_generation", Integer, nullable=False, server_default=ZERO),
    Column("backend_user", Plain, nullable=False),
    # What within the app its latest question asked for; '' is what the app's operator set.
    Column("choice", Plain, nullable=False, server_default=EMPTY),
    Column("backend_conversation_id", Plain),
    # A turn of that backend conversation was lost, so later ones may fail. False while there is none.
    Column("poisoned", Boolean, nullable=False, server_default=false()),
    # Questions up to this one belong to what was forgotten on purpose, and so does what their answers still reveal.
    Column("fresh_after", Integer, nullable=False, server_default=ZERO),
    Column("muted", Boolean, nullable=False, server_default=false()),
    Column("bots_in_a_row", Integer, nullable=False, server_default=ZERO),  # questions by bots since one by a person
    Column("reply_target", PlainText),  # JSON; the opened thread, once there is one
    Column("titled", Boolean, nullable=False, server_default=false()),  # that thread, by the app, or it was tried
    Column("tail", Integer, nullable=False, server_default=ZERO),  # number of the last accepted question
    Column("head", Integer, nullable=False, server_default=ZERO),  # number of the last answered question
    Column("epoch", Integer, nullable=False, server_default=ZERO),
    # The one unfinished answer. No foreign key: answer and conversation would then need each other to be created.
    Column("active_answer_id", RowId),
    # It waits for people and nothing is to be done about it: whoever looks for work passes this conversation by.
    Column("resting", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint(
        "platform",
        "installation",
        "channel_id",
        "thread_id",
        "user_key",
        "app",
        "reset_generation",
        name="uq_conversation_key",
    ),
)

answer = Table(
    "answer",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("conversation_id", RowId, ForeignKey(conversation.c.id), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),  # how often the backend was asked
    Column("epoch", Integer, nullable=False),
    Column("state", Plain, nullable=False),
    # The backend's message of an earlier attempt at this answer. What earlier answers left there is found by their own rows.
    Column("last_seen_message_id", Plain),
    Column("backend_conversation_id", Plain),
    Column("backend_message_id", Plain),
    Column("task_id", Plain),
    Column("run_id", Plain),
    Column("stop_requested_at", UtcDateTime),
    Column("stop_reason", Plain),
    Column(
        "asked_revision", BigInteger, nullable=False, server_default=ZERO
    ),  # of the question, when it was asked last
    Column(
        "outcome", PlainText, nullable=False, server_default=EMPTY
    ),  # JSON, once it is settled and until it is blanked
    Column("job_id", Plain),
    Column("error", PlainText, nullable=False, server_default=EMPTY),
    # As whom it was asked, where its conversation goes on as somebody else by now. NULL: as the conversation says.
    Column("backend_user", Plain),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("conversation_id", "seq", "attempt"),
    Index("ix_answer_backend_conversation", "backend_conversation_id"),
)

# What an unfinished answer waits for, or waited for last. The row goes with the end of the answer.
pause = Table(
    "pause",
    metadata,
    Column("answer_id", RowId, ForeignKey(answer.c.id), primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("payload", PlainText, nullable=False),  # JSON
    Column("event_id", Plain, nullable=False, server_default=EMPTY),  # of what answered it
    Column("look_at", UtcDateTime),
    Column("remind_at", UtcDateTime),
    Column("reminded", Boolean, nullable=False, server_default=false()),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_pause_due", "look_at"),
)

# What came in and must not count twice. `kind` says as what it is claimed:
#   message  a question, or (without `seq`) a message that says stop, or one that found too much waiting
#   retry    a question of an answer that had ended, once more; its `revision` is the id of that answer, so there is one at most
#   again    the same of a whole answer, wanted by `person_id`
#   edit, delete  without `seq`
#   stop, mute, reset, resume, forget, speak  without `seq`; they have no message, so their address is made of their event
inbound_event = Table(
    "inbound_event",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("platform", Plain, nullable=False),
    Column("installation", Plain, nullable=False),
    Column("event_id", Plain, nullable=False),
    Column("message_address", Plain, nullable=False),
    Column("kind", Plain, nullable=False),
    Column("revision", BigInteger, nullable=False, server_default=ZERO),
    Column("conversation_id", RowId, ForeignKey(conversation.c.id), nullable=False),
    Column(
        "person_id", Plain, nullable=False, server_default=EMPTY
    ),  # who asks; '' also where an earlier release wrote it
    # Where it was asked, which a conversation that was moved may not tell any more; '' likewise.
    Column("channel_id", Plain, nullable=False, server_default=EMPTY),
    Column("seq", Integer),  # NULL: not a question, handled outside the queue
    Column("payload", PlainText, nullable=False),  # JSON; empty when it is no question, and once it is blanked
    # Newest edit of the question that is known. Not `revision`, which is part of its identity.
    Column("edit_revision", BigInteger, nullable=False, server_default=ZERO),
    Column("state", Plain, nullable=False),
    Column("answer_id", RowId, ForeignKey(answer.c.id)),
    Column("received_at", UtcDateTime, nullable=False),
    UniqueConstraint("platform", "installation", "event_id", name="uq_inbound_event_delivery"),
    # Slack can deliver one message as two events with different ids.
    UniqueConstraint("platform", "message_address", "kind", "revision", name="uq_inbound_event_message"),
    UniqueConstraint("conversation_id", "seq"),
    Index("ix_inbound_event_person", "platform", "installation", "person_id"),
    # For quotas: the latest questions of one person, or in one channel.
    Index("ix_inbound_event_asker", "platform", "person_id", "received_at"),
    Index("ix_inbound_event_channel", "platform", "installation", "channel_id", "received_at"),
)

outbound_message = Table(
    "outbound_message",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("answer_id", RowId, ForeignKey(answer.c.id), nullable=False),
    Column("part", Integer, nullable=False),
    Column("nonce", Plain, nullable=False),
    Column("role", Plain, nullable=False, server_default=text("'text'")),
    Column("platform", Plain, nullable=False),
    # NULL while a post is only intended; any number of those must be able to stand side by side.
    Column("message_address", Plain),
    Column("state", Plain, nullable=False),
    Column("shown_text", PlainText, nullable=False, server_default=EMPTY),
    Column("intended_at", UtcDateTime),  # NULL: from a release that did not record it
    Column("posted_at", UtcDateTime),
    UniqueConstraint("answer_id", "part"),
    UniqueConstraint("nonce"),
    UniqueConstraint("platform", "message_address"),
)

# Votes point at messages, not at answers: a reaction may arrive before we know that the message is ours.
feedback = Table(
    "feedback",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("platform", Plain, nullable=False),
    Column("message_address", Plain, nullable=False),
    Column("person_id", Plain, nullable=False),
    Column("source", Plain, nullable=False),
    Column("rating", Plain, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("revision", BigInteger, nullable=False),
    # The answer that it is about, where its message has become another answer's since. NULL: whose the message is now.
    Column("past_answer_id", RowId),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("platform", "message_address", "person_id", "source", name="uq_feedback_vote"),
)

# Why a person thinks so, and like a vote perhaps told before the message is known as ours. The row outlives its text, so that the
# same comment, told again, is not a new one.
feedback_comment = Table(
    "feedback_comment",
    metadata,
    Column("platform", Plain, primary_key=True),
    Column("message_address", Plain, primary_key=True),
    Column("person_id", Plain, primary_key=True),
    Column("text", PlainText, nullable=False),  # empty once it is blanked
    Column("revision", BigInteger, nullable=False),
    Column("past_answer_id", RowId),  # as of `feedback`
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_feedback_comment_past", "past_answer_id"),
)

rating = Table(
    "rating",
    metadata,
    Column("answer_id", RowId, ForeignKey(answer.c.id), primary_key=True, autoincrement=False),
    Column("wanted", Plain),  # NULL is "no rating"
    Column("sent", Plain),
    # Digests of which comments belong to it, and of those that were handed out and sent (see `comments`).
    Column("comments_wanted", Plain, nullable=False, server_default=EMPTY),
    Column("comments_handed", Plain, nullable=False, server_default=EMPTY),
    Column("comments_sent", Plain, nullable=False, server_default=EMPTY),
    # The backend may have something else than `sent` says: a delivery was begun and its end is not known.
    Column("uncertain", Boolean, nullable=False, server_default=false()),
    Column("dirty", Boolean, nullable=False, server_default=false()),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("retry_at", UtcDateTime),
    Column("likes", Integer, nullable=False, server_default=ZERO),
    Column("dislikes", Integer, nullable=False, server_default=ZERO),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_rating_due", "dirty", "retry_at"),
)

# How far a backend that keeps what each person thinks was told of it (see `bridge.opinions`).
opinions_told = Table(
    "opinions_told",
    metadata,
    Column("answer_id", RowId, ForeignKey(answer.c.id), primary_key=True, autoincrement=False),
    Column("told_at", UtcDateTime),  # the date of the rating that it was told of
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("retry_at", UtcDateTime),
)

# Which app members chose, in a thread or for themselves in a channel (see `bridge.picks`).
app_pick = Table(
    "app_pick",
    metadata,
    Column("platform", Plain, primary_key=True),
    Column("installation", Plain, primary_key=True),
    Column("channel_id", Plain, primary_key=True),
    Column("thread_id", Plain, primary_key=True),
    Column("user_key", Plain, primary_key=True),
    Column("app", Plain, nullable=False),
    Column("choice", Plain, nullable=False, server_default=EMPTY),
    Column("event_id", Plain, nullable=False),
    Column("picked_at", UtcDateTime, nullable=False),
)

# What each asking for an answer has cost, as its app counted. Holds no text and outlives it; answers may go.
spent = Table(
    "spent",
    metadata,
    Column("answer_id", RowId, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("app", Plain, nullable=False),
    Column("platform", Plain, nullable=False),
    Column("installation", Plain, nullable=False),
    Column("person_id", Plain, nullable=False),
    Column("day", Plain, nullable=False),  # "2026-11-21", in UTC
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("total_tokens", BigInteger, nullable=False),
    Column("price_nanos", BigInteger),  # a thousand-millionth of the currency; NULL: no price was named
    Column("currency", Plain, nullable=False, server_default=EMPTY),
    Column("latency_ms", BigInteger),
    Index("ix_spent_day", "day"),
)

# Conversations that a backend is still to delete. Here they are forgotten already.
unwanted = Table(
    "unwanted",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("app", Plain, nullable=False),
    Column("backend_user", Plain, nullable=False),
    Column("backend_conversation_id", Plain, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=ZERO),
    Column("retry_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("app", "backend_conversation_id"),
)

bookmark = Table(
    "bookmark",
    metadata,
    Column("platform", Plain, primary_key=True),
    Column("name", Plain, primary_key=True),
    Column("value", PlainText, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

# What members have filled in for a conversation, sent with each of its questions.
conversation_input = Table(
    "conversation_input",
    metadata,
    Column("conversation_id", RowId, ForeignKey(conversation.c.id), primary_key=True, autoincrement=False),
    Column("name", Plain, primary_key=True),
    Column("value", PlainText, nullable=False),  # JSON; an empty text: it was left empty
    Column("seq", Integer, nullable=False),  # number of the question for which it was filled in
    Column("updated_at", UtcDateTime, nullable=False),
)

# What the asker of a question is being asked for before the app can be. Gone once all of it is filled in.
input_request = Table(
    "input_request",
    metadata,
    Column("answer_id", RowId, ForeignKey(answer.c.id), primary_key=True, autoincrement=False),
    Column("person_id", Plain, nullable=False),
    Column("form", PlainText, nullable=False),  # JSON
    Column("expires_at", UtcDateTime, nullable=False),
    Index("ix_input_request_expires", "expires_at"),
)

rate_slot = Table(
    "rate_slot",
    metadata,
    Column("key", Plain, primary_key=True),
    Column("next_at", UtcDateTime, nullable=False),
)
