"""One's account, as a browser without scripts sees and changes it."""

from __future__ import annotations

import re

import httpx
import pytest

from projects.hub.accounts.guard import Guard
from tests.hub.hub_world import PASSWORD, TEST, Hub

NEW = "an even longer horse"


@pytest.fixture
def ann(hub: Hub) -> httpx.Client:
    hub.user("ann", password=PASSWORD)
    return hub.browser("ann")


def sent(browser: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send a form as a page of ours does: the token is a field, no header."""
    csrf = browser.headers["X-CSRF-Token"]
    headers = {"X-CSRF-Token": csrf}
    return browser.post(path, data={**fields, "csrf_token": csrf}, headers=headers)


def beside(page: str, name: str) -> str:
    """Return what is said beside a field."""
    found = re.search(rf'<p class="error" id="(?:f|new)-{name}-wrong">(.*?)</p>', page)
    return found[1] if found else ""


def test_a_password_is_changed_and_other_browsers_are_out(hub: Hub, ann: httpx.Client) -> None:
    other = hub.browser("ann")
    answer = sent(ann, "/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account?done=password")
    assert "Your password is changed" in ann.get(answer.headers["Location"]).text
    assert other.get("/account").status_code == 401
    assert hub.log_in(hub.browser(), "ann", NEW).status_code == 200
    assert hub.log_in(hub.browser(), "ann", PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("old", "new", "again", "field", "said", "status"),
    [
        ("guess", NEW, NEW, "old", "this is not your password", 403),
        (PASSWORD, "short", "short", "new", "has 5 characters", 422),
        (PASSWORD, NEW, NEW + "x", "again", "not the same", 422),
    ],
)
def test_mistakes_are_beside_their_fields_and_nothing_is_changed(  # noqa: PLR0917
    hub: Hub,
    ann: httpx.Client,
    old: str,
    new: str,
    again: str,
    field: str,
    said: str,
    status: int,
) -> None:
    answer = sent(ann, "/account/password", old=old, new=new, again=again)
    assert answer.status_code == status
    assert said in beside(answer.text, field)
    assert f'id="f-{field}" name="{field}" type="password"' in answer.text
    for secret in (old, new, again):
        assert f'"{secret}"' not in answer.text
    assert hub.log_in(hub.browser(), "ann").status_code == 200


def test_guesses_of_the_old_password_are_told_to_wait(hub: Hub, ann: httpx.Client) -> None:
    hub.accounts.guard = Guard(lambda: 7.0)  # hashes take their time
    for _ in range(5):
        sent(ann, "/account/password", old="guess", new=NEW, again=NEW)
    answer = sent(ann, "/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert answer.status_code == 429
    assert "try again in 1 s" in answer.text


def test_who_came_by_a_link_has_no_old_password(hub: Hub) -> None:
    hub.user("bob")
    bob = hub.browser("bob")
    assert "Old password" not in bob.get("/account").text
    assert sent(bob, "/account/password", new=NEW, again=NEW).status_code == 303
    assert hub.log_in(hub.browser(), "bob", NEW).status_code == 200


def test_a_token_sets_no_first_password(hub: Hub) -> None:
    hub.user("bob")
    form = {"old": "anything", "new": NEW, "again": NEW}
    assert hub.client("bob").post("/account/password", data=form).status_code == 403
    body = {"old": "anything", "new": NEW}
    assert hub.client("bob").put("/api/v1/users/bob/password", json=body).status_code == 403


def test_other_browsers_are_logged_out(hub: Hub, ann: httpx.Client) -> None:
    others = [hub.browser("ann") for _ in range(2)]
    assert "Log out all others" in ann.get("/account").text
    assert sent(ann, "/account/sessions/end").status_code == 303
    assert [other.get("/account").status_code for other in others] == [401, 401]
    assert "Log out all others" not in ann.get("/account").text
    assert ("ann", "logout", "ann") in hub.audited()


def test_name_and_address_are_changed(hub: Hub, ann: httpx.Client) -> None:
    assert sent(ann, "/account/about", full_name="Ann <Lee>", email="a@b").status_code == 303
    assert 'value="Ann &lt;Lee&gt;"' in ann.get("/account").text
    answer = sent(ann, "/account/about", full_name="x\ty", email="a@b")
    assert answer.status_code == 422
    assert beside(answer.text, "full_name")


def test_what_is_done_on_pages_is_in_the_audit_log_too(hub: Hub, ann: httpx.Client) -> None:
    sent(ann, "/account/tokens", label="ci", scope="read", days="1")
    (token,) = hub.world.store.tokens("ann")
    sent(ann, f"/account/tokens/{token.id}/revoke")
    hub.world.puppets.hold = True
    (job,) = hub.world.submit(hub.client("ann"))
    assert sent(ann, f"/jobs/{job}/cancel").status_code == 303
    assert sent(ann, "/submit/example", site="nick", **{"p.a": "1"}).status_code == 303
    said = hub.audited()
    assert ("ann", "token.create", token.id) in said
    assert ("ann", "token.revoke", token.id) in said
    assert ("ann", "job.cancel", job) in said
    made = [what for _, action, what in said if action == "submission.create"]
    assert len(made) == 2
    assert "example" not in made


def test_who_registers_with_a_mistake_is_told_beside_the_field(hub: Hub) -> None:
    hub.directory.set_registration("open", TEST)
    browser = hub.browser()
    assert "No account yet?" in browser.get("/login").text
    given = {"name": "eve", "full_name": "Eve E", "email": "", "password": "short"}
    answer = browser.post("/register", data=given)
    assert answer.status_code == 422
    assert beside(answer.text, "password").startswith("has 5 characters")
    assert 'value="Eve E"' in answer.text
    assert "short" not in answer.text
    answer = browser.post("/register", data=given | {"password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert browser.get("/account").status_code == 200
    taken = hub.browser().post("/register", data=given | {"password": PASSWORD})
    assert (taken.status_code, beside(taken.text, "name")) == (409, "the name eve is taken")
    hub.directory.set_registration("closed", TEST)
    closed = hub.browser().post("/register", data=given | {"name": "eva", "password": PASSWORD})
    assert closed.status_code == 403
    assert "registration is closed" in closed.text


def test_nobody_is_registered_by_a_page_of_another_site(hub: Hub) -> None:
    hub.directory.set_registration("open", TEST)
    browser = hub.browser()
    browser.headers["Origin"] = "https://evil.example"
    answer = browser.post("/register", data={"name": "eve", "password": PASSWORD})
    assert answer.status_code == 403
    assert hub.accounts.user("eve") is None


@pytest.mark.parametrize(
    ("page", "onward"),
    [("/submit/example?site=nick", "%2Fsubmit%2Fexample%3Fsite%3Dnick"), ("", "%2F")],
)
def test_a_form_that_comes_after_the_session_ended_leads_to_the_log_in_and_back(
    hub: Hub, ann: httpx.Client, page: str, onward: str
) -> None:
    id_ = hub.accounts.sessions_of("ann")[0].id
    hub.accounts.end_session("ann", id_, TEST)
    ann.headers["Accept"] = "text/html"
    ann.headers["Referer"] = f"{hub.address}{page}" if page else "https://evil.example/jobs"
    for path in ("/submit/example", "/api/v1/logout"):
        answer = sent(ann, path)
        assert answer.status_code == 303
        assert answer.headers["Location"] == f"/login?next={onward}"
    ann.headers["HX-Request"] = "true"
    part = sent(ann, "/submit/example/preview")
    assert (part.status_code, part.headers["HX-Redirect"]) == (204, f"/login?next={onward}")
