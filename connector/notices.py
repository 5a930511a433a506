"""Notices: telling people something outside the texts, by a webhook or by e-mail.

Nothing is retried and nothing is kept here: whoever calls knows whether to try again. What goes
wrong is one error, which names neither an address with a token in it nor a password.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson

from connector.errors import NoticeFailed

if TYPE_CHECKING:
    import smtplib

    import requests

TIMEOUT: Final = (5.0, 10.0)  #: seconds to connect, and to answer
MAIL_SECONDS: Final = 15.0  #: for each answer of the mail server
MOST: Final = 64 * 1024  #: bytes of an answer that are taken, of which none is looked at
LONGEST: Final = 200  #: characters of a subject
COMMAND_SECONDS: Final = 10.0  #: that a command may take
AS_WRITTEN: Final = policy.SMTP.clone(max_line_length=900, cte_type="7bit")
"""A line stays one line on its way (RFC 5322 allows 998), so that it can be copied whole."""


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server that notices leave by: the ``[mail]`` table, with its secret in the clear."""

    host: str
    port: int
    tls: str  #: starttls | tls (from the first byte) | none (on this machine only)
    sender: str  #: the address that notices come from
    user: str = ""  #: "" logs nobody in
    password: str = ""

    def __repr__(self) -> str:
        return f"Mail({self.host}:{self.port} {self.tls})"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The ``[audit]`` table: where the heads of the chains are told, each day and when asked."""

    file: Path | None = None  #: a line is added each time; best on another machine's disk
    webhook: str = field(default="", repr=False)  #: may bear a token
    emails: tuple[str, ...] = ()
    mail: Mail | None = None  #: the server, where there are e-mails

    def __bool__(self) -> bool:
        return bool(self.file or self.webhook or self.emails)


def send_webhook(
    url: str,
    body: Mapping[str, object],
    *,
    headers: Mapping[str, str] | None = None,
    session: requests.Session | None = None,
) -> None:
    """POST ``body`` as JSON to ``url``; any 2xx is taken as heard.

    ``headers`` go beside the content type, such as a signature. A redirect is not followed.
    Raises ``NoticeFailed``, which names the host alone: the path may be a secret.
    """
    from connector.http import open_session  # here, so that the web runs without requests

    http = session or open_session(connections=1)
    try:
        answer = http.post(
            url,
            data=orjson.dumps(body),
            headers={"content-type": "application/json", **(headers or {})},
            timeout=TIMEOUT,
            allow_redirects=False,
            stream=True,
        )
        with answer:
            answer.raw.read(MOST, decode_content=False)  # so that the connection is kept
    except Exception as error:  # a door: whatever went wrong, the notice was not heard
        raise _failed(_host(url), type(error).__name__) from None
    finally:
        if session is None:
            http.close()
    if not 200 <= answer.status_code < 300:
        raise _failed(_host(url), f"it answered {answer.status_code}")


def send_email(mail: Mail, to: tuple[str, ...], subject: str, text: str, *, at: datetime) -> None:
    """Send a plain text to every address of ``to`` over TLS; ``at`` is the date it bears.

    Raises ``NoticeFailed`` where the server could not be reached, does not prove who it is,
    refuses the log-in or refuses any of the addresses.
    """
    try:
        message = _message(mail, to, subject, text, at)
        with _connected(mail) as server:
            if mail.user:
                server.login(mail.user, mail.password)
            refused = server.send_message(message, mail.sender, list(to))
    except (OSError, ValueError) as error:  # smtplib's own faults are OSErrors too
        raise _failed(mail.host, _said(error)) from None
    if refused:
        raise _failed(mail.host, f"it refused {len(refused)} of {len(to)} addresses")


def run_command(command: Sequence[str], text: str, *, folder: Path) -> None:
    """Run a program of the operator's own with ``text`` as its input; no shell reads it.

    It gets none of our environment but the search path, since secrets stand there, and is ended
    after ``COMMAND_SECONDS``. Raises ``NoticeFailed`` where it is not there, fails or hangs.
    """
    name = Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own words, whole in config.toml
            list(command),
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS,
            cwd=folder,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _failed(name, type(error).__name__) from None
    if done.returncode:
        raise _failed(name, f"it ended with {done.returncode}")


def _message(
    mail: Mail, to: tuple[str, ...], subject: str, text: str, at: datetime
) -> EmailMessage:
    message = EmailMessage(AS_WRITTEN)
    message["Subject"] = " ".join(subject.split())[:LONGEST]  # no line of ours becomes a header
    message["From"], message["To"] = mail.sender, ", ".join(to)
    message["Date"] = format_datetime(at)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence note answers it
    message.set_content(text)
    return message


def _connected(mail: Mail) -> smtplib.SMTP:
    """A connection on which a password may travel (RFC 8314: TLS at once, or STARTTLS)."""
    import smtplib  # here, as hardly any process ever writes an e-mail
    import ssl

    context = ssl.create_default_context()
    if mail.tls == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=MAIL_SECONDS, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=MAIL_SECONDS)
    if mail.tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _said(error: Exception) -> str:
    if code := getattr(error, "smtp_code", 0):
        return f"{type(error).__name__}, {code}"
    return type(error).__name__


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the address"
    except ValueError:
        return "the address"


def _failed(where: str, why: str) -> NoticeFailed:
    return NoticeFailed(f"{where} did not take the notice ({why}); look at the host and its log")
