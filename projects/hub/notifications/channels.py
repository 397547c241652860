"""The channels, behind one interface: mail, webhook, Slack, comments on GitHub."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from projects.hub.notifications.posting import TIMEOUT, Result, post
from projects.hub.notifications.settings import allowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projects.hub.notifications.settings import GitHub, Mail, Settings
    from projects.hub.notifications.values import Message

SIGNATURE = "Topgallant-Signature"
"""`sha256=` and the HMAC of the body with the rule's secret, in hexadecimal."""

_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\Z")
_ISSUE = re.compile(r"([A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})#([1-9][0-9]{0,9})\Z")
_PERMANENT = 500


class Channel(Protocol):
    """A way to tell somebody."""

    def wrong(self, target: str) -> str:
        """Return what is wrong with a target; empty: nothing."""

    def shown(self, target: str) -> str:
        """Return what may be seen of a target."""

    def send(self, message: Message, target: str, secret: str) -> Result:
        """Try once; never raises for what the network does."""


def channels(settings: Settings) -> Mapping[str, Channel]:
    """Return the channels that are set up, by name."""
    found: dict[str, Channel] = {
        "webhook": Webhook(settings.allow_private),
        "slack": Slack(settings.allow_private),
    }
    if settings.mail is not None:
        found["mail"] = Mailing(settings.mail)
    if settings.github is not None:
        found["github"] = Comments(settings.github)
    return found


class Webhook:
    """JSON to an address, signed."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    def wrong(self, target: str) -> str:
        """Return what is wrong with an address."""
        try:
            parts = urlsplit(target)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")
        plain = target.isascii() and target.isprintable() and " " not in target
        good = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        return "" if plain and good else "an address looks like https://example.com/hook"

    def shown(self, target: str) -> str:
        """Return where it is; path and query often are what opens it."""
        parts = urlsplit(target)
        return f"{parts.scheme}://{parts.netloc}/***"

    def send(self, message: Message, target: str, secret: str) -> Result:
        """POST the message."""
        body = json.dumps(asdict(message), ensure_ascii=False).encode("utf-8", "replace")
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: f"sha256={signature}", "Topgallant-Delivery": message.id}
        return self._post(target, body, headers)

    def _post(self, target: str, body: bytes, headers: Mapping[str, str]) -> Result:
        common = {"Content-Type": "application/json", "User-Agent": "Topgallant"}
        return post(target, body, {**common, **headers}, allow_private=self._allow_private)


class Slack(Webhook):
    """Slack's incoming webhooks, which others take as well.

    Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    """

    def send(self, message: Message, target: str, secret: str) -> Result:
        """POST the message as Slack reads it."""
        del secret
        text = "\n".join(part for part in (message.title, message.text, message.url) if part)
        for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            text = text.replace(sign, name)
        return self._post(target, json.dumps({"text": text}).encode(), {})


class Comments:
    """Comments on issues and pull requests: `owner/repository#number`.

    Source: https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
    """

    def __init__(self, settings: GitHub) -> None:
        self._settings = settings

    def wrong(self, target: str) -> str:
        """Return what is wrong with an issue."""
        found = _ISSUE.match(target)
        if found is None or ".." in target:
            return "an issue looks like owner/repository#12"
        if not allowed(self._settings.repositories, found[1]):
            return "the hub doesn't comment in this repository"
        return ""

    def shown(self, target: str) -> str:
        """Return the issue."""
        return target

    def send(self, message: Message, target: str, secret: str) -> Result:
        """Write a comment; what isn't ours to say is in a block, where nobody is mentioned."""
        del secret
        if wrong := self.wrong(target):  # the file may say something else now
            return Result(refused=True, error=wrong)
        repository, _, number = target.partition("#")
        told = f"{message.title}\n{message.text}".replace("`", "'").strip()
        text = f"```text\n{told}\n```\n{message.url}\n<!-- topgallant {message.id} -->"
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._settings.token}",
            "Content-Type": "application/json",
            "User-Agent": "Topgallant",
        }
        url = f"{self._settings.api.rstrip('/')}/repos/{repository}/issues/{number}/comments"
        body = json.dumps({"body": text}).encode()
        # Whoever runs the hub wrote where that is.
        return post(url, body, headers, allow_private=True)


class Mailing:
    """Mail through the hub's server."""

    def __init__(self, settings: Mail) -> None:
        self._settings = settings

    def wrong(self, target: str) -> str:
        """Return what is wrong with an address."""
        if not _ADDRESS.match(target):
            return "an address looks like ann@example.com"
        if not allowed(self._settings.to, target):
            return "the hub doesn't send mail to this address"
        return ""

    def shown(self, target: str) -> str:
        """Return the address."""
        return target

    def send(self, message: Message, target: str, secret: str) -> Result:
        """Hand a mail to the server."""
        import smtplib

        del secret
        if wrong := self.wrong(target):
            return Result(refused=True, error=wrong)
        host = self._settings.host
        try:
            server = self._connect()
            try:
                server.send_message(self._mail(message, target))
            finally:
                server.close()  # not QUIT, which may fail: the mail is taken
        except smtplib.SMTPAuthenticationError:
            return Result(error=f"{host} doesn't take the hub's password")
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _of_smtp(host, code, said)
        except smtplib.SMTPResponseException as error:
            return _of_smtp(host, error.smtp_code, error.smtp_error)
        except (OSError, ValueError, smtplib.SMTPException) as error:
            return Result(error=f"{host}: {error}")
        return Result(delivered=True)

    def _connect(self) -> Any:
        import smtplib
        import ssl

        mail = self._settings
        context = ssl.create_default_context(cafile=mail.ca or None)
        server: smtplib.SMTP
        if mail.tls == "tls":
            server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT, context=context)
        else:
            server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT)
        try:
            if mail.tls == "starttls":
                server.starttls(context=context)
            if mail.user:
                server.login(mail.user, mail.password)
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message, target: str) -> Any:
        from email.message import EmailMessage
        from email.utils import formatdate

        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, target
        mail["Subject"] = " ".join(message.title.split())
        mail["Date"] = formatdate()
        mail["Message-ID"] = f"<{message.id}@{self._settings.host}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n\n".join(p for p in (message.title, message.text, message.url) if p))
        return mail


def _of_smtp(host: str, code: int, said: bytes | str) -> Result:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return Result(refused=code >= _PERMANENT, error=f"{host}: {code} {text[:200]}")
