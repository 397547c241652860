"""Messages on their way: once, again after failures, never to where they must not go."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from projects.core.errors import ConfigurationError
from projects.hub.notifications import posting
from projects.hub.notifications.channels import SIGNATURE, channels
from projects.hub.notifications.courier import PATIENCE, Courier
from projects.hub.notifications.outbox import MOST_AN_HOUR, Outbox
from projects.hub.notifications.settings import GitHub, Mail, Settings, read_settings
from projects.hub.notifications.values import WANTED, Delivery, Happening, Kind, Rule
from projects.hub.store.database import open_hub_store
from projects.jobs.model import moment
from tests.hub.notifications.listeners import Heard, mail_server, web_server

HOUR = 3600 * moment.SECOND


class Room:
    """An outbox and its courier, at a time that the test says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.now = 1_000_000 * moment.SECOND
        self.settings = Settings("https://hub.example.com", allow_private=True)
        self.open()

    def open(self) -> None:
        self.database = open_hub_store(self.url)
        self.outbox = Outbox(self.database, lambda: self.now)

    def rule(self, channel: str, target: str) -> Rule:
        values = {"name": "", "pattern": "*", "shared": False, "active": True}
        new = {"owner": "ann", "kinds": list(WANTED), "channel": channel, "target": target}
        return self.outbox.add_rule({**values, **new, "secret": "s3cret"})

    def happens(self, id_: str = "job:1", text: str = "FAILED: exit 1") -> int:
        what = Happening(
            Kind.FAILED, id_, "disk", "ann", (), "disk failed", text, "/jobs/1", self.now
        )
        with self.database.write(durable=True) as connection:
            return self.outbox.decide(connection, [what], {}, self.settings.url)

    def deliver(self) -> Delivery:
        """Deliver what is due; return the newest line of the outbox."""
        Courier(self.outbox, channels(self.settings), lambda: self.now).deliver()
        return self.outbox.page(None, limit=1)[0]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(f"sqlite:///{tmp_path}/hub.db")
    yield made
    made.database.close()


@pytest.fixture
def web() -> Iterator[Heard]:
    with web_server() as heard:
        yield heard


def test_a_webhook_gets_signed_json_once(room: Room, web: Heard) -> None:
    room.rule("webhook", web.url + "?key=1")
    assert room.happens() == 1
    assert room.happens() == 0
    assert room.deliver().state == "delivered"
    room.deliver()
    ((path, headers, body),) = web.requests
    assert path == "/hook?key=1"
    wanted = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"sha256={wanted}"
    message = json.loads(body)
    assert message["event"] == "failed"
    assert message["url"] == "https://hub.example.com/jobs/1"


def test_postgresql_keeps_it_as_well(postgresql: str, web: Heard) -> None:
    room = Room(postgresql)
    web.moods = [(500, {})]
    room.rule("webhook", web.url)
    assert [room.happens(text="a\0b") for _ in range(2)] == [1, 0]
    assert room.deliver().state == "waiting"
    room.now += HOUR
    assert room.deliver().state == "delivered"
    room.outbox.clean()
    room.outbox.remove_rule(1)
    assert room.outbox.page("ann", limit=9) == []
    room.database.close()


def test_slack_and_github_get_their_forms(room: Room, web: Heard) -> None:
    room.settings = Settings(
        github=GitHub("ghp_token", ["acme/*"], web.url.removesuffix("/hook")), allow_private=True
    )
    room.rule("slack", web.url)
    room.rule("github", "acme/ship#7")
    room.happens(text="<!channel> ``` @all")
    room.deliver()
    (_, _, slack), (path, headers, comment) = web.requests
    assert json.loads(slack)["text"] == "disk failed\n&lt;!channel&gt; ``` @all"
    assert path == "/repos/acme/ship/issues/7/comments"
    assert headers["Authorization"] == "Bearer ghp_token"
    assert "'''" in json.loads(comment)["body"]


def test_a_failing_server_is_asked_again_later_each_time(room: Room, web: Heard) -> None:
    web.moods = [(500, {}), (429, {"Retry-After": "90"})]
    room.rule("webhook", web.url)
    room.happens()
    first = room.deliver()
    assert (first.state, first.attempts, first.error) == ("waiting", 1, "127.0.0.1 answered 500")
    room.deliver()
    assert len(web.requests) == 1
    room.now = first.next_at or 0
    second = room.deliver()
    assert (second.next_at or 0) - room.now == 90 * moment.SECOND
    room.now = second.next_at or 0
    assert room.deliver().state == "delivered"
    ids = {headers["Topgallant-Delivery"] for _, headers, _ in web.requests}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ((410, {}), "127.0.0.1 answered 410"),
        ((302, {"Location": "/x"}), "127.0.0.1 answered 302; redirects are not followed"),
    ],
)
def test_a_refusal_is_final(
    room: Room, web: Heard, mood: tuple[int, dict[str, str]], said: str
) -> None:
    web.moods = [mood]
    room.rule("webhook", web.url)
    room.happens()
    found = room.deliver()
    assert (found.state, found.error) == ("abandoned", said)
    room.now += HOUR
    room.deliver()
    assert len(web.requests) == 1


def test_a_server_that_is_away_gets_it_when_it_is_back_and_is_given_up_after_days(
    room: Room,
) -> None:
    with web_server() as gone:
        pass
    room.rule("webhook", gone.url)
    room.happens("job:1")
    room.happens("job:2")
    found = room.deliver()
    assert found.state == "waiting"
    assert [one.attempts for one in room.outbox.page(None, limit=9)] == [0, 1], "one probes"
    room.now = found.next_at or 0
    with web_server(gone.address[1]) as back:
        room.deliver()
    assert len(back.requests) == 2
    room.happens("job:3")
    room.now += PATIENCE
    found = room.deliver()
    assert found.state == "abandoned"
    assert found.error.startswith("given up after 3 days: 127.0.0.1: ")


@pytest.mark.parametrize("others", [1, 5])
def test_a_message_that_never_goes_through_keeps_no_others_back(room: Room, others: int) -> None:
    with web_server() as web:
        web.refuses = lambda body: b"poison" in body
        room.rule("webhook", web.url)
        room.happens("job:0", "poison")
        for number in range(others):
            room.happens(f"job:{number + 1}")
        room.deliver()
        pauses = []
        for _ in range(5):
            before, room.now = room.now, room.outbox.next_at() or 0
            pauses.append((room.now - before) / moment.SECOND)
            room.deliver()
        states = [one.state for one in room.outbox.page(None, limit=99)]
        assert states == ["delivered"] * others + ["waiting"]
        assert pauses[-1] >= 16, "it is tried less and less often"
        room.happens("job:later")
        assert room.deliver().state == "delivered"


def test_a_server_that_is_away_is_asked_no_more_often_when_more_waits_for_it(room: Room) -> None:
    with web_server() as gone:
        pass
    room.rule("webhook", gone.url)
    for number in range(20):
        room.happens(f"job:{number}")
    room.deliver()
    for _ in range(9):
        room.now = room.outbox.next_at() or 0
        room.deliver()
    tried = sum(one.attempts for one in room.outbox.page(None, limit=99))
    assert tried == 10
    assert ((room.outbox.next_at() or 0) - room.now) / moment.SECOND >= 512


def test_what_was_decided_before_a_kill_is_delivered_after_it(room: Room, web: Heard) -> None:
    room.rule("webhook", web.url)
    room.happens()
    left = room.database  # a killed server closes nothing
    room.open()
    assert room.happens() == 0
    assert room.deliver().state == "delivered"
    assert len(web.requests) == 1
    left.close()


def test_mail_is_taken_put_off_and_refused(room: Room) -> None:
    with mail_server() as server:
        host, port = server.address
        mail = Mail(host, "hub@example.com", ["*@example.com"], port, tls="none")
        room.settings = Settings(mail=mail)
        room.rule("mail", "ann@example.com")
        server.moods = [(451, {})]
        room.happens(text="FAILED\r\nBcc: all@example.com")
        found = room.deliver()
        assert (found.state, found.error) == ("waiting", "127.0.0.1: 451 not now")
        room.now += HOUR
        assert room.deliver().state == "delivered"
        server.moods = [(550, {})]
        room.happens("job:2")
        assert room.deliver().error == "127.0.0.1: 550 not now"
    (text,) = server.mails
    head, _, body = text.partition("\r\n\r\n")
    assert "Subject: disk failed" in head
    assert "Bcc" not in head
    assert "FAILED" in body


def test_mail_without_tls_at_the_server_is_not_sent(room: Room) -> None:
    with mail_server() as server:
        host, port = server.address
        room.settings = Settings(mail=Mail(host, "hub@example.com", ["*"], port))
        room.rule("mail", "ann@example.com")
        room.happens()
        assert "STARTTLS" in room.deliver().error
    assert server.mails == []


def test_the_password_goes_only_through_tls_to_a_server_that_is_trusted(
    room: Room, tmp_path: Path
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
        *("-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
    ]
    subprocess.run(words, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with mail_server(context) as server:
        host, port = server.address
        mail = Mail(host, "hub@example.com", ["*"], port, "hub", "hush!")
        room.settings = Settings(mail=mail)
        room.rule("mail", "ann@example.com")
        room.happens()
        assert "certificate verify failed" in room.deliver().error
        assert server.requests == []
        room.settings = Settings(mail=replace(mail, ca=str(certificate)))
        room.now += HOUR
        assert room.deliver().state == "delivered"
        ((_, _, said),) = server.requests
    assert base64.b64decode(said.split()[-1]) == b"\0hub\0hush!"


def test_a_server_that_answers_a_byte_at_a_time_holds_nobody_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT", 0.3)

    class Slow(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while True:
                    self.request.sendall(b"H")
                    threading.Event().wait(0.02)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        room.rule("webhook", f"http://127.0.0.1:{server.server_address[1]}/")
        room.happens()
        found = room.deliver()
        server.shutdown()
        thread.join()
    assert found.state == "waiting"


def test_private_addresses_are_refused(room: Room, web: Heard) -> None:
    room.settings = Settings()
    for url in (web.url, web.url.replace("127.0.0.1", "localhost")):
        room.rule("webhook", url)
    room.happens()
    room.deliver()
    found = room.outbox.page(None, limit=9)
    assert [one.state for one in found] == ["abandoned"] * 2
    assert all("private" in one.error for one in found)
    assert web.requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104  (nobody listens)
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("::7f00:1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b:1::a00:1", False),
        ("fec0::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert posting.is_public(address) is public


def test_a_flood_is_bounded(room: Room, web: Heard) -> None:
    room.rule("webhook", web.url)
    put = sum(room.happens(f"job:{i}") for i in range(MOST_AN_HOUR + 5))
    assert put == MOST_AN_HOUR
    newest = room.outbox.page(None, limit=1)[0]
    assert "at most 60 an hour" in newest.message["text"]
    room.now += HOUR
    assert room.happens("job:later") == 1


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "notifications.json"
    assert read_settings(path) == Settings()
    mail = {"host": "mail.example.com", "from": "hub@example.com", "to": ["*"], "password": "hush!"}
    path.write_text(json.dumps({"url": "https://hub.example.com/", "mail": mail}))
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_settings(path)
    path.chmod(0o600)
    found = read_settings(path)
    assert found.url == "https://hub.example.com"
    assert "hush!" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "an object is wanted"),
        ("{", "Expecting"),
        ('{"male": {}}', "mail"),
        ('{"mail": {"host": "a"}}', "mail.from, mail.to needed"),
        ('{"mail": {"host": "a", "from": "b", "to": "*"}}', "mail.to is wrong"),
        ('{"mail": {"host": "a", "from": "b", "to": [], "tls": "ssl"}}', "mail.to needed"),
        ('{"mail": {"host": "a", "from": "b", "to": ["*"], "tls": "ssl"}}', "starttls, tls"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "notifications.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=said):
        read_settings(path)
