"""Log in to a hub, and look after its users, groups, tokens, tables and artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from projects.core.library.toolbox import query


@query
def login(
    name: str = "", open_browser: bool = False, days: float = 90.0, server: str = ""
) -> dict[str, Any]:
    """Get in: a link for the browser, or (with a name) a token for this machine's command line.

    On the machine where the hub runs it prints a link that works once: whoever started the hub is
    its first user, and an admin. Anywhere else give your name: the password is asked for (or read
    from stdin, when that is no terminal), and a token is kept where the other commands find it.
    On the hub's machine they go on with its own; TOPGALLANT_USER=NAME lets them use yours.

    Args:
        name: Your name at the hub.
        open_browser: Open the link.
        days: The token expires after so many days.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub login
    ./run_toolbox.py hub login ann --server=https://hub.example.org
    """
    from projects.hub.accounts import command_line

    client = _client(server)
    if name:
        return command_line.keep_token(client, name, command_line.ask_password(), days)
    made: dict[str, Any] = client.post_json("/api/v1/links", {})
    if open_browser:
        import webbrowser

        webbrowser.open(made["url"])
    return made


@query
def users(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "show", "add", "change", "disable", "enable", "link", "password"] = (
        "list"
    ),
    name: str = "",
    full_name: str | None = None,
    email: str | None = None,
    admin: bool | None = None,
    autoshare: list[str] | None = None,
    server: str = "",
) -> Any:
    """List, make and change users; for admins, and for oneself `show`, `change`, `password`.

    A new user gets a link that logs them in once, within 3 days; then they choose a password.
    `disable` ends all their sessions and tokens at once; what they own stays.

    Args:
        action: What is done; `link` prints another log-in link, `password` asks for a new one.
        name: Whom it is done to.
        full_name: The name by which people know them.
        email: Where mail reaches them.
        admin: Whether they see and do everything.
        autoshare: Groups that see what they submit, unless the submission says otherwise.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub users add ann --full_name="Ann Lee"
    ./run_toolbox.py hub users change ann --autoshare=team
    ./run_toolbox.py hub users disable ann
    """
    client = _client(server)
    if action == "list":
        return _all(client, "/api/v1/users")
    path = f"/api/v1/users/{_part('name', name)}"
    given = {"full_name": full_name, "email": email, "admin": admin, "autoshare": autoshare}
    changes = {key: value for key, value in given.items() if value is not None}
    if action == "show":
        return client.get_json(path)
    if action == "add":
        changes.pop("autoshare", None)
        made = client.post_json("/api/v1/users", {"name": name, **changes})
        return made | {"link": client.post_json("/api/v1/links", {"user": name})["url"]}
    if action == "link":
        return client.post_json("/api/v1/links", {"user": name})
    if action == "password":
        from projects.hub.accounts import command_line

        return command_line.change_password(client, name)
    if action in ("disable", "enable"):
        changes = {"disabled": action == "disable"}
    if not changes:
        from projects.core.errors import UsageError

        raise UsageError("what is changed? give --full_name, --email, --admin or --autoshare")
    return client.send_json("PATCH", path, changes)


@query
def groups(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "show", "add", "rename", "remove", "join", "leave"] = "list",
    group: str = "",
    user: str = "",
    title: str = "",
    manager: bool = False,
    server: str = "",
) -> Any:
    """List, make and change groups: their members see what is shared with them.

    Admins make groups; managers of a group add and remove members; members may leave.

    Args:
        action: What is done.
        group: Id of the group it is done to.
        user: Who joins or leaves.
        title: The name of the group for people.
        manager: Whether who joins adds and removes members.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub groups add team --title="The team"
    ./run_toolbox.py hub groups join team ann --manager
    """
    client = _client(server)
    if action == "list":
        return _all(client, "/api/v1/groups")
    path = f"/api/v1/groups/{_part('group', group)}"
    if action == "add":
        return client.post_json("/api/v1/groups", {"id": group, "title": title})
    if action == "rename":
        return client.send_json("PATCH", path, {"title": title})
    if action == "remove":
        return client.send_json("DELETE", path)
    if action in ("join", "leave"):
        member = f"{path}/members/{_part('user', user)}"
        if action == "join":
            client.send_json("PUT", member, {"manager": manager})
        else:
            client.send_json("DELETE", member)
    return client.get_json(path)


@query
def share(
    submission: str, groups: list[str] | None = None, satellite: str = "", server: str = ""
) -> list[str]:
    """Show which groups see a submission and its jobs, or say which do from now on.

    Its owner says so, of groups that they are in. Who looks changes nothing.

    Args:
        submission: Its id, or number.
        groups: The groups that see it, and no others; an empty list: its owner alone.
        satellite: Nickname of the satellite where it is; the hub's own machine by default.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub share kw0dZmh4R42lb2yZH7kGBA --groups=team
    ./run_toolbox.py hub share kw0dZmh4R42lb2yZH7kGBA --satellite=lab-1 --groups=[]
    """
    client = _client(server)
    where = f"/satellites/{_part('satellite', satellite)}" if satellite else ""
    path = f"/api/v1{where}/submissions/{_part('submission', submission)}/groups"
    if groups is None:
        return list(client.get_json(path)["groups"])
    return list(client.send_json("PUT", path, {"groups": list(groups)})["groups"])


@query
def tokens(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "add", "revoke"] = "list",
    token: str = "",
    scopes: list[Literal["read", "submit", "admin", "satellite"]] = ["submit"],  # noqa: B006
    label: str = "",
    days: float | None = 90.0,
    owner: str | None = None,
    server: str = "",
) -> Any:
    """List, make and revoke tokens: one's own, for admins everybody's.

    The text of a new token is printed this once. A satellite that registers needs the scope
    `satellite`; it opens nothing else.

    Args:
        action: What is done.
        token: Id of the token that is revoked.
        scopes: What it opens; submit includes read, admin includes both.
        label: What it is for.
        days: It expires after so many days; null: never.
        owner: Whose it is; for admins.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub tokens add --scopes=satellite --label="the lab" --days=365
    ./run_toolbox.py hub tokens revoke kw0dZmh4R42lb2yZH7kGBA
    """
    client = _client(server)
    if action == "list":
        return client.get_json("/api/v1/tokens")["items"]
    if action == "revoke":
        return client.send_json("DELETE", f"/api/v1/tokens/{_part('token', token)}")
    if days is not None and days <= 0:
        from projects.core.errors import UsageError

        raise UsageError(f"--days={days:g}: more than 0, or null for a token that doesn't expire")
    request = {
        "scopes": list(scopes),
        "label": label,
        "lifetime": None if days is None else days * 86400.0,
    }
    return client.post_json("/api/v1/tokens", request | ({"owner": owner} if owner else {}))


@query
def tables(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "show", "rows", "upload", "download", "change"] = "list",
    test_system: str = "",
    test_name: str = "",
    file: str = "",
    where: str = "",
    sort: str = "",
    limit: int = 100,
    groups: list[str] | None = None,
    column: str = "",
    better: Literal["lower", "higher", "none"] | None = None,
    unit: str | None = None,
    again: bool = False,
    server: str = "",
) -> Any:
    """List result tables, look at their rows, upload and download them.

    A file that is uploaded a second time adds nothing, so an upload that broke off can be
    repeated. The name of the file says what it is: .csv, .json; .jsonl and .parquet can be
    downloaded, too.

    Args:
        action: What is done.
        test_system: The table's test system.
        test_name: The table's test.
        file: What is uploaded, or written; without it a download goes to stdout, as CSV.
        where: Which rows: 'latency > 5 and tool = "my tool"'.
        sort: The column by which rows are sorted; with - in front, descending.
        limit: So many rows at most, up to 1000.
        groups: Groups that see the table, when an upload makes it or `change` says so.
        column: The column of which `change` says something.
        better: Which way is good for it; none: nobody says so any more.
        unit: Its unit.
        again: Add the rows also if this file was uploaded before.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub tables upload sqlite speed results.csv
    ./run_toolbox.py hub tables rows sqlite speed --where="latency > 5" --sort=-latency
    ./run_toolbox.py hub tables download sqlite speed speed.jsonl
    ./run_toolbox.py hub tables change sqlite speed --column=latency --better=lower --unit=ms
    """
    client = _client(server)
    if action == "list":
        return _all(client, "/api/v1/tables")
    path = f"/api/v1/tables/{_part('test_system', test_system)}/{_part('test_name', test_name)}"
    if action == "show":
        return client.get_json(path)
    if action == "rows":
        return client.get_json(f"{path}/rows", where=where or None, sort=sort or None, limit=limit)
    from projects.hub.tables import command_line

    if action == "change":
        return command_line.change(client, path, column, better, unit, groups)
    if action == "upload":
        return command_line.upload(client, path, file, groups, again=again)
    return command_line.download(client, path, file, where)


@query
def artifacts(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "show", "get", "rm"] = "list",
    run: str = "",
    path: str = "",
    to: Path = Path(),
    project: str = "",
    outcome: Literal["passed", "failed", "error", "skipped", "timeout", "interrupted", "cancelled"]
    | None = None,
    limit: int = 50,
    server: str = "",
) -> Any:
    """List the runs that were exported to the hub, look at their files, fetch or remove them.

    Args:
        action: What is done.
        run: The run: its id, or the address of its page.
        path: A folder to show, or a file to get; without it, get fetches all as .tar.gz.
        to: Folder that what is fetched is put into.
        project: Only runs of this project.
        outcome: Only runs that ended so.
        limit: So many at most, up to 1000.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub artifacts list --project=sqlite_bench
    ./run_toolbox.py hub artifacts show kw0dZmh4R42lb2yZH7kGBA 000__sqlite_bench__measure
    ./run_toolbox.py hub artifacts get kw0dZmh4R42lb2yZH7kGBA _run.log
    """
    from projects.hub.artifacts import command_line

    client = _client(server)
    if action == "list":
        asked = {"project": project or None, "outcome": outcome or None, "limit": limit}
        return client.get_json("/api/v1/artifacts", **asked)["items"]
    address = f"/api/v1/artifacts/{_part('run', run.rstrip('/').rpartition('/')[2])}"
    if action == "show":
        return command_line.show(client, address, path, limit)
    if action == "get":
        return command_line.get(client, address, path, to)
    client.send_json("DELETE", address)
    return None


@query
def notifications(  # noqa: PLR0917  (the words of a command line)
    action: Literal["list", "add", "test", "pause", "resume", "remove", "outbox"] = "list",
    rule: str = "",
    target: str = "",
    on: list[Literal["failed", "recovered", "slower"]] = [  # noqa: B006
        "failed",
        "recovered",
        "slower",
    ],
    pattern: str = "*",
    shared: bool = False,
    name: str = "",
    limit: int = 20,
    server: str = "",
) -> Any:
    """Say what you want to be told and where, try it, and see what was told.

    What signs the messages of a new webhook, its secret, is printed this once.

    Args:
        action: What is done; `outbox` shows what was told, or waits, or was given up and why.
        rule: Number of the rule; for `add` the channel: mail, webhook, slack or github.
        target: Where to: an address of mail, an https address, or owner/repository#12.
        on: What is told: jobs that fail or recover, columns of tables that get slower.
        pattern: Which tests, or tables as system/name; * ? and […] as in a shell.
        shared: Also what your groups see, not only what is yours.
        name: A name of the rule, for you.
        limit: So many lines of the outbox.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.

    Examples
    --------
    ./run_toolbox.py hub notifications add slack https://hooks.slack.com/services/... --on=failed
    ./run_toolbox.py hub notifications test 1
    ./run_toolbox.py hub notifications outbox
    """
    client = _client(server)
    if action == "list":
        return client.get_json("/api/v1/notifications/rules")["items"]
    from projects.hub.notifications import command_line

    if action == "add":
        more = {"on": list(on), "pattern": pattern, "shared": shared, "name": name}
        return command_line.make(client, rule, target, more)
    return command_line.do(client, action, rule, limit)


@query
def registration(to: Literal["open", "closed"] | None = None, server: str = "") -> Any:
    """Show whether everybody may make themselves a user, or change it; for admins.

    Args:
        to: What it is from now on.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.
    """
    client = _client(server)
    if to:
        return client.send_json("PATCH", "/api/v1/settings", {"registration": to})
    return client.get_json("/api/v1/settings")


@query
def audit(
    user: str = "", action: str = "", what: str = "", limit: int = 100, server: str = ""
) -> Any:
    """Show who did what, when and from where, the newest first; for admins.

    Args:
        user: Only what this user did.
        action: Only this, such as login.failed or user.change.
        what: Only what was done to this.
        limit: So many at most, up to 1000.
        server: Address of the hub; $TOPGALLANT_HUB, $SATELLITE_URL, or this machine's, by default.
    """
    query_ = {"user": user or None, "action": action or None, "object": what or None}
    return _client(server).get_json("/api/v1/audit", limit=limit, **query_)["items"]


def _client(server: str) -> Any:
    import os

    from projects.jobs.library.client import Client

    return Client(server or os.environ.get("TOPGALLANT_HUB") or None)


def _all(client: Any, path: str) -> list[Any]:
    """Return the items of all pages."""
    items: list[Any] = []
    cursor = None
    while True:
        page = client.get_json(path, limit=1000, cursor=cursor)
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def _part(word: str, value: str) -> str:
    """Return a part of a path."""
    from urllib.parse import quote

    from projects.core.errors import UsageError

    if not value:
        raise UsageError(f"which {word}? give it after the action, or as --{word}=…")
    if value in (".", ".."):  # clients take these out of a path, however they are encoded
        raise UsageError(f"{value!r} is no {word}")
    return quote(value, safe="")
