"""What can be done with artifacts: sent, published, read, removed; who may is asked before."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from projects.core.artifacts.spans import fold, read_events
from projects.core.destinations import manifest as manifests
from projects.core.errors import UsageError
from projects.hub.artifacts import batch, records, rules
from projects.hub.artifacts.blobs import Blobs, Taken
from projects.hub.artifacts.lines import LineIndexes
from projects.hub.artifacts.quotas import Quotas
from projects.hub.artifacts.values import Missing, Retention
from projects.jobs.http.refusals import Absent, Invalid
from projects.jobs.model import identity, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from projects.hub.artifacts.blobs import Upload
    from projects.hub.artifacts.values import File, Filter, Run, Wanted
    from projects.jobs.store.database import Database

HELD = 60 * moment.SECOND
"""So long after its last sign of life an export keeps others from its place, in µs."""

JOURNAL = "events.jsonl"
_LONGEST_HOLDER = 1000
_LARGEST_JOURNAL = 256 << 20


class Incomplete(UsageError):
    """A run cannot be published: contents are missing."""

    http_status = 409


class Artifacts:
    """The artifacts of a hub; any thread may call anything.

    By default all is kept, and any number of bytes.
    """

    def __init__(
        self,
        database: Database,
        blobs: Path,
        *,
        quotas: Quotas | None = None,
        retention: Retention | None = None,
        clock: Callable[[], int] = moment.now,
    ) -> None:
        self.database = database
        self.blobs = Blobs(blobs)
        self.quotas = quotas or Quotas(database)
        self.retention = retention or Retention()
        self.clock = clock
        self.lines = LineIndexes()

    # Sending.

    def begin(self, owner: str, wanted: Wanted, files: Sequence[File] | None = None) -> Run:
        """Return the run at a place, made if it isn't there; durable.

        With a `holder` it is kept from others for a while; `files` are what it will have.

        Raises
        ------
        Taken
            Another export to it is on; `holder` says which.
        OverQuota, Invalid
            The files are too much; the place is none.
        """
        place = rules.place_of(wanted.place)
        if len(wanted.holder) > _LONGEST_HOLDER:
            raise Invalid(f"holder: more than {_LONGEST_HOLDER} characters")
        now = self.clock()
        with self.database.write(durable=True) as connection:
            run = records.run_at(connection, owner, place)
            if run is None:
                records.add_run(connection, identity.new(), owner, place, now)
                run = records.run_at(connection, owner, place)
                assert run is not None  # noqa: S101  (it was added just now)
                records.change_run(connection, run.number, project=_project_of(wanted))
                records.set_groups(connection, run.number, wanted.groups)
            if wanted.holder or files is not None:
                self._hold(connection, run, wanted, now)
            if files is not None:
                self._announce(connection, run, files)
                if wanted.project:
                    records.change_run(connection, run.number, project=_project_of(wanted))
            return self._again(connection, run)

    def _hold(self, connection: Connection, run: Run, wanted: Wanted, now: int) -> None:
        held = run.holder if run.held_until > now else ""
        if held and held not in (wanted.holder, wanted.instead_of):
            raise Held(run.holder, (run.held_until - now) / moment.SECOND)
        until = now + HELD if wanted.holder else run.held_until
        holder = wanted.holder or run.holder
        records.change_run(connection, run.number, holder=holder, held_until=until, touched=now)

    def _announce(self, connection: Connection, run: Run, files: Sequence[File]) -> None:
        size = sum(file.size for file in files)
        self.quotas.check(connection, run, size)
        draft = records.add_tree(connection, run.owner, files)
        # What a disk has lost is asked for now: else every export with it would end in vain.
        records.set_stored(connection, draft, self._gone(connection, draft), stored=False)
        records.remove_tree(connection, run.draft)
        records.change_run(connection, run.number, draft=draft, draft_bytes=size)

    def _again(self, connection: Connection, run: Run) -> Run:
        found = records.run_of(connection, run.id)
        if found is None:
            raise Absent(f"there is no artifact {run.id}")
        return found

    def missing(self, run: Run) -> list[Missing]:
        """Return the contents of what is announced that have to be sent, by their hash."""
        if run.draft is None:
            return []
        with self.database.read() as connection:
            found = records.missing(connection, run.draft)
        return [
            Missing(digest, size, self.blobs.offset(run.id, digest))
            for digest, size in sorted(found)
        ]

    def keep_alive(self, run: Run, holder: str, *, release: bool = False) -> None:
        """Say that an export to a run goes on, or that it has ended; Taken if it isn't ours."""
        now = self.clock()
        with self.database.write(durable=False) as connection:
            run = self._again(connection, run)
            if run.holder != holder:
                raise Held(run.holder, (run.held_until - now) / moment.SECOND)
            until = 0 if release else now + HELD
            records.change_run(connection, run.number, held_until=until, touched=now)

    def expected(self, run: Run, digest: bytes) -> tuple[Missing, bool]:
        """Return a content that is to be sent for a run, and whether all of it is here already.

        Raises
        ------
        Absent
            Nothing that is announced has this content.
        OverQuota
            The quota was made smaller meanwhile.
        """
        with self.database.read() as connection:
            found = records.content_in(connection, run.draft, digest) if run.draft else None
            if found is None:
                raise Absent(f"the run {run.id} has announced no file with this content")
            self.quotas.check(connection, run, run.draft_bytes, hub=False)
        size, stored = found
        offset = size if stored else self.blobs.offset(run.id, digest)
        return Missing(digest, size, offset), stored

    def receive(self, run: Run, digest: bytes, offset: int) -> Upload:
        """Return what takes a content from `offset` on; `received` is called in the end."""
        return self.blobs.receive(run.id, digest, self.expected(run, digest)[0].size, offset)

    def received(self, run: Run, upload: Upload, digest: bytes) -> None:
        """Keep a content that has come completely; durable. Invalid if it is another one."""
        upload.finish()
        self._note(run, [digest])
        self.blobs.received(run.id, digest)

    def receive_batch(self, run: Run, body: bytes) -> int:
        """Keep many small contents; durable. Return how many."""
        found = batch.decode(body)
        with self.database.read() as connection:
            self.quotas.check(connection, run, run.draft_bytes, hub=False)
            sizes = records.sizes_in(connection, run.draft, list(found)) if run.draft else {}
        for digest, content in found.items():
            if sizes.get(digest) != len(content):
                raise Absent(f"the run {run.id} has announced no file with {digest.hex()}")
        self.blobs.add(run.id, found)
        self._note(run, list(found))
        return len(found)

    def _note(self, run: Run, digests: Sequence[bytes]) -> None:
        with self.database.write(durable=True) as connection:
            run = self._again(connection, run)
            if run.draft is None:
                raise Absent(f"nothing is announced for the run {run.id} any more")
            # Collecting removes contents inside such a transaction: what is here now, stays.
            here = [digest for digest in digests if self.blobs.size(digest) is not None]
            records.set_stored(connection, run.draft, here)
            records.change_run(connection, run.number, touched=self.clock())

    def finish(self, run: Run, run_id: str, made: int, holder: str = "") -> Run:
        """Let others see what was sent, all at once; durable. Said again, it changes nothing.

        Raises
        ------
        Incomplete
            Contents are missing; their hashes are said.
        Taken, OverQuota
            Another export has taken the place over; the quota was made smaller meanwhile.
        """
        about = self._about(run)
        now = self.clock()
        with self.database.write(durable=True) as connection:
            run = self._again(connection, run)
            if run.holder != holder and run.held_until > now:
                raise Held(run.holder, (run.held_until - now) / moment.SECOND)
            if run.draft is None and (run.run_id, run.made) == (run_id, made):
                return run  # nobody heard the answer to the first time
            if run.draft is None:
                raise Incomplete(f"nothing is announced for the run {run.id}")
            gone = self._gone(connection, run.draft)
            # Said after the transaction, which keeps that they have to be sent again.
            records.set_stored(connection, run.draft, gone, stored=False)
            lacking = records.missing(connection, run.draft)
            if not lacking:
                self.quotas.check(connection, run, run.draft_bytes)
                if records.file_at(connection, run.draft, manifests.NAME.encode()):
                    raise Invalid(f"{manifests.NAME} is made by the hub; leave it out")
                count, size = records.totals(connection, run.draft)
                records.remove_tree(connection, run.tree)
                values: dict[str, Any] = {
                    "files": count,
                    "bytes": size,
                    "tree": run.draft,
                    "draft": None,
                }
                values |= {
                    "draft_bytes": 0,
                    "run_id": run_id,
                    "published": now,
                    "made": made,
                    "touched": now,
                }
                records.change_run(connection, run.number, **values, **about)
                run = self._again(connection, run)
        if lacking:
            shown = ", ".join(digest.hex() for digest, _ in lacking[:3])
            raise Incomplete(f"{len(lacking)} contents are missing: {shown}; send them first")
        self.blobs.give_up(run.id)
        return run

    def _gone(self, connection: Connection, tree: int) -> list[bytes]:
        return [
            digest
            for digest, size in records.stored(connection, tree)
            if self.blobs.size(digest) != size
        ]

    def _about(self, run: Run) -> dict[str, str]:
        """Return what the journal of a run says of it; what it doesn't say is left as it is."""
        about: dict[str, str] = {}
        with self.database.read() as connection:
            draft = run.draft if run.draft is not None else -1
            file = records.file_at(connection, draft, JOURNAL.encode())
            marks = [
                name
                for name in (b"FAILURES", b"FAILURE")
                if records.file_at(connection, draft, name)
            ]
        about["outcome"] = "failed" if marks else ""
        if file is not None and file.size <= _LARGEST_JOURNAL:
            with suppress(OSError):
                root = fold(read_events(self.blobs.path(file.sha256))).root
                project, verb = (str(root.fields.get(key) or "") for key in ("project", "verb"))
                if project:
                    about["project"] = rules.word_of(project)
                if name := f"{project} {verb}".strip():
                    about["name"] = rules.word_of(name)
                if root.outcome not in ("lost", "running"):
                    about["outcome"] = rules.word_of(root.outcome)
        return about

    def withdraw(self, run: Run) -> None:
        """Hide a run: what it had is what is announced again; durable."""
        with self.database.write(durable=True) as connection:
            run = self._again(connection, run)
            if run.tree is None:
                return
            draft = run.draft if run.draft is not None else run.tree
            if draft != run.tree:
                records.remove_tree(connection, run.tree)
            size = records.totals(connection, draft)[1]
            values = {"files": 0, "bytes": 0, "tree": None, "draft": draft, "draft_bytes": size}
            records.change_run(connection, run.number, **values, published=None)

    def share(self, run: Run, groups: Sequence[str]) -> Run:
        """Let these groups see a run; durable."""
        with self.database.write(durable=True) as connection:
            run = self._again(connection, run)
            records.set_groups(connection, run.number, groups)
            return self._again(connection, run)

    def remove(self, run: Run) -> None:
        """Remove a run; its contents go when they are collected. Durable."""
        with self.database.write(durable=True) as connection:
            records.remove_run(connection, self._again(connection, run))
        self.blobs.give_up(run.id)

    # Reading.

    def run(self, id_: str) -> Run | None:
        """Return a run."""
        with self.database.read() as connection:
            return records.run_of(connection, id_)

    def page(
        self,
        asked: Filter,
        sees: tuple[str, Sequence[str]] | None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Run]:
        """Return runs, the newest first; see `records.page`."""
        with self.database.read() as connection:
            return records.page(connection, asked, sees, before, limit)

    def newest_of_projects(
        self,
        sees: tuple[str, Sequence[str]] | None,
        after: str | None = None,
        limit: int = 50,
        each: int = 10,
    ) -> dict[str, list[Run]]:
        """Return the newest runs of each project; see `records.newest_of_projects`."""
        with self.database.read() as connection:
            return records.newest_of_projects(connection, sees, after, limit, each)

    def manifest(self, run: Run) -> str:
        """Return the manifest of a run as an export writes it; Absent if it isn't published."""
        if run.tree is None:
            raise Absent(f"the run {run.id} is not complete")
        with self.database.read() as connection:
            files = records.files_from(connection, run.tree, b"", None, None)
        head = {
            "schema": manifests.SCHEMA,
            "run_id": run.run_id,
            "created": moment.iso(run.made or 0),
        }
        lines = ",\n".join(
            "    "
            + json.dumps(
                {
                    "path": file.name,
                    "size": file.size,
                    "sha256": file.sha256.hex(),
                    "mtime": moment.iso(file.mtime),
                }
            )
            for file in files
        )
        listed = f"[\n{lines}\n  ]" if lines else "[]"
        return json.dumps(head, indent=2)[:-2] + f',\n  "files": {listed}\n}}\n'


class Held(Taken):
    """Another export to a place is on; `fields` say which."""

    def __init__(self, holder: str, seconds: float) -> None:
        self.fields = {"holder": holder, "seconds": f"{max(seconds, 0):.0f}"}
        super().__init__(
            f"another export to it is on; if it was killed, export again in {max(seconds, 0):.0f} s"
        )


def _project_of(wanted: Wanted) -> str:
    return wanted.project[:200] or wanted.place.partition("/")[0][:200]
