"""Pages as a browser without scripts gets them."""

from __future__ import annotations

import re

import httpx
import pytest

from projects.hub.sites.local import LocalSite
from tests.hub.hub_world import TEST, Hub

PAGES = (
    "/",
    "/jobs",
    "/submissions",
    "/satellites",
    "/satellites/nick",
    "/submit",
    "/account",
    "/groups",
    "/notifications",
    "/tables",
)


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    hub.user("ann")
    return hub.browser("ann")


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_nothing_that_is_not_a_file_of_ours(ann: httpx.Client, path: str) -> None:
    answer = ann.get(path)
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(answer.content) < 100_000


def test_files_of_the_pages_are_named_by_their_content(ann: httpx.Client) -> None:
    found = re.findall(r'(?:href|src)="(/static/[^"#]+)', ann.get("/").text)
    assert len(set(found)) >= 6
    for path in set(found):
        answer = ann.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    for path in ("../pages.py", "..%2f..%2fsecret", "vendor/htmx.LICENSE", "absent.css"):
        assert ann.get(f"/static/{path}").status_code == 404


def test_a_part_is_sent_where_a_script_asks(ann: httpx.Client) -> None:
    part = ann.get("/jobs", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert 'id="live"' in part


def test_who_is_not_logged_in_is_led_to_the_log_in(hub: Hub) -> None:
    anonymous = hub.browser()
    look = {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    answer = anonymous.get("/jobs?state=live", headers=look)
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        "/login?next=%2Fjobs%3Fstate%3Dlive",
    )


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example", "javascript:1"])
def test_the_log_in_leads_nowhere_else(hub: Hub, onward: str) -> None:
    text = hub.browser().get("/login", params={"next": onward}).text
    assert 'name="next" value="/"' in text


def test_the_list_of_satellites_asks_for_counts_only(
    hub: Hub, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.world.puppets.hold = True
    hub.world.submit(hub.client("ann"), 3)

    async def jobs(*_: object) -> None:
        raise AssertionError("no jobs are shown")

    monkeypatch.setattr(LocalSite, "jobs", jobs)
    shown = re.findall(r'class="num">(\d+)<', ann.get("/satellites").text)
    assert sum(map(int, shown)) == 3  # some run, some wait


def test_lists_are_gone_through_in_both_directions(hub: Hub, ann: httpx.Client) -> None:
    ids = hub.world.submit(hub.client("ann"), 120)
    for job in ids:
        hub.world.ended(job)

    def shown(text: str) -> list[int]:
        return [int(number) for number in re.findall(r"#(\d+)</span>", text)]

    first = ann.get("/jobs").text
    assert shown(first) == list(range(120, 70, -1))
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = ann.get(older[1].replace("&amp;", "&")).text
    assert shown(second) == list(range(70, 20, -1))
    newer = re.search(r'rel="prev" href="([^"]+)"', second)
    assert newer is not None
    assert shown(ann.get(newer[1].replace("&amp;", "&")).text) == shown(first)
    assert len(first) < 100_000
    filtered = ann.get("/jobs", params={"state": "", "outcome": "FAILED", "tool": ""}).text
    assert shown(filtered) == []


def test_finding(hub: Hub, ann: httpx.Client) -> None:
    (job,) = hub.world.submit(hub.client("ann"))
    for text in (job, "1", "#1"):
        assert ann.get("/find", params={"q": text}).headers["Location"] == f"/jobs/{job}"
    assert ann.get("/find", params={"q": "example"}).headers["Location"] == "/jobs?tool=example"
    assert ann.get("/find", params={"q": ""}).headers["Location"] == "/jobs"


def test_a_form_with_mistakes_comes_back_with_what_was_written(ann: httpx.Client) -> None:
    token = ann.headers["X-CSRF-Token"]
    form = {"site": "nick", "p.a": "<many>", "note": 'a "note"', "csrf_token": token}
    answer = ann.post("/submit/example", data=form)
    assert answer.status_code == 422
    assert "is not an integer" in answer.text
    assert 'value="&lt;many&gt;"' in answer.text
    assert 'value="a &#34;note&#34;"' in answer.text


def test_a_form_of_another_site_changes_nothing(hub: Hub, ann: httpx.Client) -> None:
    del ann.headers["X-CSRF-Token"]
    assert ann.post("/submit/example", data={"site": "nick", "p.a": "1"}).status_code == 403
    evil = {"Origin": "http://evil.example"}
    assert ann.post("/submit/example", data={"p.a": "1"}, headers=evil).status_code == 403
    assert hub.world.store.counts().total == 0


def test_a_log_is_followed_as_html(hub: Hub, ann: httpx.Client) -> None:
    hub.world.puppets.output = b"\x1b[31m<red>\x1b[0m\nrest\n"
    (job,) = hub.world.submit(hub.client("ann"))
    hub.world.ended(job)
    with ann.stream("GET", f"/jobs/{job}/log/stdout/follow") as answer:
        text = "".join(answer.iter_text())
    assert 'data: <div class="chunk"><span class="ansi-fg-1">&lt;red&gt;</span>' in text
    assert text.endswith("event: end\ndata: success\n\n")


def test_files_are_downloads_that_nothing_runs(hub: Hub, ann: httpx.Client) -> None:
    (job,) = hub.world.submit(hub.client("ann"))
    hub.world.ended(job)
    (hub.world.directory(job) / "page.html").write_text("<script>alert(1)</script>")
    answer = ann.get(f"/jobs/{job}/files/page.html")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert ann.get(f"/jobs/{job}/files/../../../etc/passwd").status_code == 404
    plain = ann.get(f"/jobs/{job}/log/stdout/plain")
    assert (plain.text, plain.headers["Content-Type"]) == ("hello\n", "text/plain; charset=utf-8")


def test_tokens_are_made_shown_once_and_revoked(hub: Hub, ann: httpx.Client) -> None:
    csrf = {"csrf_token": ann.headers["X-CSRF-Token"]}
    made = ann.post("/account/tokens", data={"label": "lab-1", "scope": "satellite", **csrf})
    text = re.search(r"tg_[\w-]+", made.text)
    assert text is not None
    assert text[0] not in ann.get("/account").text
    assert ann.post("/account/tokens", data={"scope": "admin", **csrf}).status_code == 403
    (token,) = hub.world.store.tokens("ann")
    answer = ann.post(f"/account/tokens/{token.id}/revoke", data=csrf)
    assert answer.status_code == 303
    assert hub.world.client_with(text[0]).get("/api/v1/me").status_code == 401


def test_a_token_made_with_one_that_ends_ends_with_it(hub: Hub) -> None:
    hub.user("ann")
    client = hub.world.client_with(hub.world.token("ann", ["submit"], 60.0))
    form = {"label": "longer", "scope": "submit", "days": "0"}
    client.post("/account/tokens", data=form).raise_for_status()
    first, second = sorted(hub.world.store.tokens("ann"), key=lambda token: token.created)
    assert first.expires is not None
    assert second.expires is not None
    assert second.expires <= first.expires + 1_000_000


def test_an_admin_invites_and_others_do_not(hub: Hub, ann: httpx.Client) -> None:
    assert ann.get("/admin").status_code == 403
    hub.user("boss", admin=True)
    boss = hub.browser("boss")
    form = {"name": "new", "csrf_token": boss.headers["X-CSRF-Token"]}
    text = boss.post("/admin/users", data=form).text
    link = re.search(r"/login\?link=[\w-]+", text)
    assert link is not None
    assert hub.accounts.user("new") is not None


def test_what_got_slower_is_on_the_overview(hub: Hub, ann: httpx.Client) -> None:
    rows = [{"latency": 10 + at % 3 / 10 + 5 * (at > 30)} for at in range(45)]
    client = hub.client("ann")
    for row in rows:
        client.post("/api/v1/tables/db/read/rows", json=row).raise_for_status()
    better = {"columns": {"latency": {"better": "lower"}}}
    client.patch("/api/v1/tables/db/read", json=better).raise_for_status()
    hub.world.until(lambda: "db/read: latency" in ann.get("/").text)
    hub.user("bob")
    assert "db/read: latency" not in hub.browser("bob").get("/").text


def test_a_mistake_of_ours_shows_nothing_of_itself(
    hub: Hub, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret is 7")

    monkeypatch.setattr(hub.world.store, "counts", broken)
    answer = ann.get("/jobs")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Its log has the details under" in answer.text


def test_who_is_in_a_group_shares_from_the_form(hub: Hub, ann: httpx.Client) -> None:
    hub.user("bob")
    hub.group("team", members=["ann", "bob"])
    hub.directory.change("ann", {"autoshare": ["team"]}, TEST)
    csrf = {"csrf_token": ann.headers["X-CSRF-Token"], "site": "nick", "p.a": "1"}
    form = ann.get("/submit/example").text
    assert 'name="groups" value="team" checked' in form
    shared = ann.post("/submit/example", data={**csrf, "groups": "team"}).headers["Location"]
    alone = ann.post("/submit/example", data=csrf).headers["Location"]
    bob = hub.browser("bob")
    assert (bob.get(shared).status_code, bob.get(alone).status_code) == (200, 404)
    for job, checked in ((shared, True), (alone, False)):
        again = ann.get("/submit/example", params={"again": job.rpartition("/")[2]}).text
        assert ('value="team" checked' in again) is checked
    refused = ann.post("/submit/example", data={**csrf, "groups": "others"})
    assert refused.status_code == 422
    assert "others" in refused.text


def test_the_form_of_who_is_in_no_group_offers_none(ann: httpx.Client) -> None:
    assert "Share with" not in ann.get("/submit/example").text
