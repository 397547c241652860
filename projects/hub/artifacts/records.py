"""Runs and their files in the database: one function for each thing that is asked or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update

from projects.hub.artifacts.values import File, Run
from projects.hub.store.tables_artifacts import (
    artifact,
    artifact_file,
    artifact_group,
    artifact_tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, Exists, Select

    from projects.hub.artifacts.values import Filter

_MANY = 500


def run_of(connection: Connection, id_: str) -> Run | None:
    """Return a run by its id."""
    return _first(connection, select(artifact).where(artifact.c.id == id_))


def run_at(connection: Connection, owner: str, place: str) -> Run | None:
    """Return the run of an owner by its place."""
    query = select(artifact).where(artifact.c.owner == owner, artifact.c.place == place)
    return _first(connection, query)


def _first(connection: Connection, query: Select[Any]) -> Run | None:
    found = _runs(connection, query)
    return found[0] if found else None


def _runs(connection: Connection, query: Select[Any]) -> list[Run]:
    rows = connection.execute(query).mappings().all()
    groups: dict[int, list[str]] = {}
    for some in _in_parts([row["number"] for row in rows]):
        asked = select(artifact_group).where(artifact_group.c.artifact.in_(some))
        for number, group in connection.execute(asked.order_by(artifact_group.c.group)):
            groups.setdefault(number, []).append(group)
    return [Run(**row, groups=tuple(groups.get(row["number"], ()))) for row in rows]


def add_run(connection: Connection, id_: str, owner: str, place: str, now: int) -> None:
    """Add a run that nothing has come for yet."""
    connection.execute(
        insert(artifact).values(
            id=id_,
            owner=owner,
            place=place,
            run_id=place,
            project="",
            name=place.rpartition("/")[2],
            outcome="",
            created=now,
            touched=now,
            files=0,
            bytes=0,
            draft_bytes=0,
            holder="",
            held_until=0,
        )
    )


def change_run(connection: Connection, number: int, **values: Any) -> None:
    """Change what is kept of a run."""
    connection.execute(update(artifact).where(artifact.c.number == number).values(values))


def set_groups(connection: Connection, number: int, groups: Iterable[str]) -> None:
    """Let these groups see a run, and no others."""
    connection.execute(delete(artifact_group).where(artifact_group.c.artifact == number))
    if rows := [{"artifact": number, "group": group} for group in sorted(set(groups))]:
        connection.execute(insert(artifact_group), rows)


def remove_run(connection: Connection, run: Run) -> None:
    """Remove a run with its files; their contents stay until they are collected."""
    for tree in (run.tree, run.draft):
        remove_tree(connection, tree)
    connection.execute(delete(artifact_group).where(artifact_group.c.artifact == run.number))
    connection.execute(delete(artifact).where(artifact.c.number == run.number))


def add_tree(connection: Connection, owner: str, files: Sequence[File]) -> int:
    """Add a set of files; what the owner has sent before counts as stored."""
    number = int(
        connection.execute(
            insert(artifact_tree).values(owner=owner).returning(artifact_tree.c.number)
        ).scalar_one()
    )
    if files:
        rows = [
            {
                "tree": number,
                "path": file.path,
                "size": file.size,
                "sha256": file.sha256,
                "mtime": file.mtime,
                "stored": False,
            }
            for file in files
        ]
        connection.execute(insert(artifact_file), rows)
        other = artifact_file.alias()
        had = exists().where(
            other.c.sha256 == artifact_file.c.sha256,
            other.c.size == artifact_file.c.size,
            other.c.stored,
            other.c.tree == artifact_tree.c.number,
            artifact_tree.c.owner == owner,
        )
        query = update(artifact_file).where(artifact_file.c.tree == number, had)
        connection.execute(query.values(stored=True))
    return number


def has_tree(connection: Connection, number: int) -> bool:
    """Return whether a set of files is still there."""
    query = select(artifact_tree.c.number).where(artifact_tree.c.number == number)
    return connection.execute(query).first() is not None


def remove_tree(connection: Connection, number: int | None) -> None:
    """Remove a set of files."""
    if number is not None:
        connection.execute(delete(artifact_file).where(artifact_file.c.tree == number))
        connection.execute(delete(artifact_tree).where(artifact_tree.c.number == number))


def missing(connection: Connection, tree: int) -> list[tuple[bytes, int]]:
    """Return the contents of a set that are not stored, with their sizes."""
    query = select(artifact_file.c.sha256, artifact_file.c.size).distinct()
    query = query.where(artifact_file.c.tree == tree, ~artifact_file.c.stored)
    return [(bytes(digest), size) for digest, size in connection.execute(query)]


def content_in(connection: Connection, tree: int, digest: bytes) -> tuple[int, bool] | None:
    """Return the size of a content of a set, and if it is stored; None: no file of it has it."""
    file = artifact_file.c
    query = select(file.size, file.stored).where(file.tree == tree, file.sha256 == digest)
    row = connection.execute(query.limit(1)).first()
    return (row[0], row[1]) if row else None


def sizes_in(connection: Connection, tree: int, digests: Sequence[bytes]) -> dict[bytes, int]:
    """Return the sizes of those of some contents that a file of a set has."""
    file, found = artifact_file.c, {}
    for some in _in_parts(digests):
        query = select(file.sha256, file.size).where(file.sha256.in_(some), file.tree == tree)
        found.update({bytes(digest): int(size) for digest, size in connection.execute(query)})
    return found


def set_stored(
    connection: Connection, tree: int, digests: Iterable[bytes], *, stored: bool = True
) -> None:
    """Note whether contents of a set are on the disk."""
    query = update(artifact_file).where(
        artifact_file.c.tree == tree, artifact_file.c.sha256 == bindparam("digest")
    )
    if rows := [{"digest": digest} for digest in digests]:
        connection.execute(query.values(stored=stored), rows)


def files_from(
    connection: Connection, tree: int, start: bytes, end: bytes | None, limit: int | None
) -> list[File]:
    """Return files by path, from `start` on and before `end`, if they are stored or not."""
    file = artifact_file.c
    query = select(file.path, file.size, file.sha256, file.mtime)
    query = query.where(file.tree == tree, file.path >= start)
    if end is not None:
        query = query.where(file.path < end)
    rows = connection.execute(query.order_by(file.path).limit(limit))
    return [File(bytes(path), size, bytes(digest), mtime) for path, size, digest, mtime in rows]


def file_at(connection: Connection, tree: int, path: bytes) -> File | None:
    """Return the file of a set at a path, if its content is stored."""
    file = artifact_file.c
    query = select(file.path, file.size, file.sha256, file.mtime)
    row = connection.execute(query.where(file.tree == tree, file.path == path, file.stored)).first()
    return File(bytes(row[0]), row[1], bytes(row[2]), row[3]) if row else None


def stored(connection: Connection, tree: int) -> list[tuple[bytes, int]]:
    """Return the contents of a set that are noted as stored with their sizes, each once."""
    query = select(artifact_file.c.sha256, artifact_file.c.size).distinct()
    rows = connection.execute(query.where(artifact_file.c.tree == tree, artifact_file.c.stored))
    return [(bytes(digest), size) for digest, size in rows]


def totals(connection: Connection, tree: int) -> tuple[int, int]:
    """Return how many files a set has, and their bytes."""
    query = select(func.count(), func.coalesce(func.sum(artifact_file.c.size), 0))
    count, size = connection.execute(query.where(artifact_file.c.tree == tree)).one()
    return int(count), int(size)


def named(connection: Connection, digests: Sequence[bytes]) -> set[bytes]:
    """Return those of some contents that a file has."""
    found: set[bytes] = set()
    for some in _in_parts(digests):
        query = select(artifact_file.c.sha256).where(artifact_file.c.sha256.in_(some)).distinct()
        found.update(bytes(digest) for digest in connection.execute(query).scalars())
    return found


def _in_parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), _MANY):
        yield items[start : start + _MANY]


def page(
    connection: Connection,
    asked: Filter,
    sees: tuple[str, Sequence[str]] | None,
    before: int | None,
    limit: int,
) -> list[Run]:
    """Return runs, the newest first, before a number.

    `sees`: an owner and groups whose published runs are meant, and what the owner sends; None:
    everybody's.
    """
    query = select(artifact)
    if sees is not None:
        query = query.where(_seen(*sees))
    for column in ("project", "owner", "outcome", "place"):
        if value := getattr(asked, column):
            query = query.where(artifact.c[column] == value)
    if not asked.place:
        query = query.where(artifact.c.published.is_not(None))
    if asked.group:
        query = query.where(_shared().where(artifact_group.c.group == asked.group))
    if asked.since is not None:
        query = query.where(artifact.c.published >= asked.since)
    if before is not None:
        query = query.where(artifact.c.number < before)
    return _runs(connection, query.order_by(artifact.c.number.desc()).limit(limit))


def _seen(owner: str, groups: Sequence[str]) -> ColumnElement[bool]:
    if not groups:
        return artifact.c.owner == owner
    among = _shared().where(artifact_group.c.group.in_(groups))
    return or_(artifact.c.owner == owner, artifact.c.published.is_not(None) & among)


def _shared() -> Exists:
    return exists().where(artifact_group.c.artifact == artifact.c.number)


def newest_of_projects(
    connection: Connection,
    sees: tuple[str, Sequence[str]] | None,
    after: str | None,
    limit: int,
    each: int,
) -> dict[str, list[Run]]:
    """Return the newest runs of `limit` projects by name, from behind `after` on; see `page`.

    A look into the index for each project: nothing is read of the runs that aren't returned.
    """
    project, number = artifact.c.project, artifact.c.number
    following = select(func.min(project)).where(project > bindparam("after"))
    query = select(number).where(project == bindparam("project"), artifact.c.published.is_not(None))
    if sees is not None:
        query = query.where(_seen(*sees))
    query = query.order_by(number.desc()).limit(each)
    name = connection.scalar(
        select(func.min(project)) if after is None else following, {"after": after}
    )
    found: dict[str, list[int]] = {}
    while name is not None and len(found) < limit:
        if numbers := list(connection.scalars(query, {"project": name})):
            found[name] = numbers
        name = connection.scalar(following, {"after": name})
    runs: dict[int, Run] = {}
    for some in _in_parts([one for numbers in found.values() for one in numbers]):
        runs |= {
            run.number: run for run in _runs(connection, select(artifact).where(number.in_(some)))
        }
    return {name: [runs[one] for one in numbers] for name, numbers in found.items()}


def projects(connection: Connection) -> list[str]:
    """Return the projects that runs belong to."""
    query = select(artifact.c.project).distinct().order_by(artifact.c.project)
    return list(connection.execute(query).scalars())


def published_before(connection: Connection, project: str, moment: int, keep: int) -> list[Run]:
    """Return the runs of a project published before a moment, but the newest `keep`."""
    ours = (artifact.c.project == project) & artifact.c.published.is_not(None)
    newest = select(artifact.c.number).where(ours).order_by(artifact.c.published.desc()).limit(keep)
    query = select(artifact).where(
        ours, artifact.c.published < moment, artifact.c.number.not_in(newest.scalar_subquery())
    )
    return _runs(connection, query)


def begun_before(connection: Connection, moment: int) -> list[Run]:
    """Return the runs that something was begun for, and nobody has touched since a moment."""
    unfinished = or_(artifact.c.draft.is_not(None), artifact.c.published.is_(None))
    return _runs(connection, select(artifact).where(unfinished, artifact.c.touched < moment))
