"""The tables, and why each index is there: every one costs at every write."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    and_,
)

from projects.jobs.model.states import Outcome, State

metadata = MetaData()

_Big = BigInteger().with_variant(Integer(), "sqlite")  # only an INTEGER key is the rowid itself

shelf = Table(
    "shelf",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("tool", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("amount", Integer, nullable=False),
    UniqueConstraint("kind", "tool", "owner", "state", "outcome", name="shelf_is_one"),
)
"""Every job is on one shelf: a tool, an owner, a state and an outcome; the shelf counts its jobs.

So one small table knows all counts, and one index on (shelf, number) serves every filter, in the
order of the numbers: the page is merged from the shelves that fit. Submissions have shelves of
their own kind, without a tool, with their phase for a state.
"""

JOB_SHELF, SUBMISSION_SHELF = 0, 1
"""Kinds of shelves."""

tally = Table(
    "tally",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("shelf", Integer, primary_key=True, autoincrement=False),
    Column("amount", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How many jobs of a block of numbers are on a shelf: counts of a time or a submission."""

BLOCK = 13
"""A block has 2 ** BLOCK numbers; what is cut from one at its ends is counted row by row."""

submission = Table(
    "submission",
    metadata,
    Column("number", _Big, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), nullable=False),
    Column("shelf", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("parallel", Integer),
    Column("priority", Integer, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    # `created`, but never smaller than that of the one before, whatever the clock did.
    Column("arrival", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("jobs", Integer, nullable=False),
    Column("cancelled", BigInteger),
    Column("finished", BigInteger),
    # How many of its jobs are where: a list of submissions adds nothing up.
    *(Column(f"in_{state.name.lower()}", Integer, nullable=False) for state in State),
    *(Column(f"of_{outcome.lower()}", Integer, nullable=False) for outcome in Outcome),
    # The job from inside which it was sent; `below` and `below_attempt` while it depends on that.
    Column("parent", LargeBinary(16)),
    Column("below", BigInteger),
    Column("below_attempt", Integer),
    # A submission by its id: every request that names one.
    UniqueConstraint("id", name="submission_by_id"),
)
# Lists by owner and phase; see `shelf`.
Index("submission_by_shelf", submission.c.shelf, submission.c.number)
# From a moment to the number of a job, for since and until; grows at its end only.
Index("submission_by_arrival", submission.c.arrival, submission.c.number)
# The queue: only what isn't done, so it is small and is written twice in the life of a submission.
Index(
    "submission_in_queue",
    submission.c.rank,
    submission.c.number,
    sqlite_where=submission.c.finished.is_(None),
    postgresql_where=submission.c.finished.is_(None),
)
# What runs beside a job and ends with it: few, and of all others there is nothing in it.
Index(
    "submission_below",
    submission.c.below,
    submission.c.number,
    sqlite_where=and_(submission.c.below.is_not(None), submission.c.finished.is_(None)),
    postgresql_where=and_(submission.c.below.is_not(None), submission.c.finished.is_(None)),
)

terms = Table(
    "terms",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    UniqueConstraint("text", name="terms_are_one"),
)
"""What jobs of a tool have in common (timeout, limits, …), once, as JSON."""

job = Table(
    "job",
    metadata,
    # The jobs of a submission have consecutive numbers, so no index is needed for them.
    Column("number", _Big, primary_key=True, autoincrement=False),
    Column("id", LargeBinary(16), nullable=False),
    Column("submission", BigInteger, nullable=False),
    Column("shelf", Integer, nullable=False),
    Column("terms", Integer, nullable=False),
    Column("params", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started", BigInteger),
    Column("finished", BigInteger),
    Column("return_code", Integer),
    Column("signal", SmallInteger),
    Column("reason", Text, nullable=False),
    Column("pid", Integer),
    Column("start_ticks", BigInteger),
    Column("boot_id", Text),
    Column("wall", Float(53)),
    Column("cpu", Float(53)),
    Column("peak_memory", BigInteger),
    # A job by its id: every request that names one.
    UniqueConstraint("id", name="job_by_id"),
)
# Every list and every count; see `shelf`. The only index that a transition changes.
Index("job_by_shelf", job.c.shelf, job.c.number)

process = Table(
    "process",
    metadata,
    Column("job", _Big, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("group", Integer, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("pid", Integer, nullable=False),
    Column("start_ticks", BigInteger, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("exit_code", Integer),
    Column("signal", SmallInteger),
    sqlite_with_rowid=False,
)
"""The processes of jobs that have several; the one of the others is in their row."""

event = Table(
    "event",
    metadata,
    # Given in the order of commits, because writers take turns: readers may go on from the last.
    Column("seq", _Big, Identity(), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("job", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("type", Text, nullable=False),
    Column("before", SmallInteger),
    Column("after", SmallInteger),
    Column("message", Text, nullable=False),
    Column("data", Text),
)
# What happened to one job.
Index("event_by_job", event.c.job, event.c.seq)

upload = Table(
    "upload",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("job", BigInteger, nullable=False),
    Column("test_system", Text, nullable=False),
    Column("test_name", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger),
    Column("last_error", Text, nullable=False),
    Column("done", BigInteger),
)
"""The outbox; `next_at` is null when nothing is to be done any more: it is done, or given up."""
# What is due: only what isn't over.
Index(
    "upload_due",
    upload.c.next_at,
    sqlite_where=upload.c.next_at.is_not(None),
    postgresql_where=upload.c.next_at.is_not(None),
)
# What a job sends.
Index("upload_by_job", upload.c.job)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("last_used", BigInteger),
    Column("revoked", BigInteger),
    # Every request looks its token up.
    UniqueConstraint("hash", name="token_by_hash"),
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
