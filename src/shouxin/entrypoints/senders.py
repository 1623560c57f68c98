"""Senders and registers: how codes leave the house, and who knows real names. Chosen by settings.

SHOUXIN_SENDER is ``file`` (the default: one line a message in ``outbox/messages.jsonl`` of the home, the
address masked), ``console`` (standard error), or ``smtp://user:password@host:port?from=shop@example.com``
(``smtps`` for TLS from the first byte; ``smtp`` changes to TLS where the server offers it).
SHOUXIN_REAL_NAMES names a CSV file with columns ``name,national_id`` that stands for the register.
"""

from __future__ import annotations

import csv
import json
import os
import smtplib
import ssl
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from shouxin.database import Home
from shouxin.governance import normalised
from shouxin.governance.domain.masking import masked
from shouxin.ingestion.verification import (
    RealNameAnswer,
    RealNameCheck,
    Sender,
    UnableToCheck,
    UnableToSend,
)
from shouxin.kernel import Bilingual

SENDER_VARIABLE = "SHOUXIN_SENDER"
REAL_NAMES_VARIABLE = "SHOUXIN_REAL_NAMES"
_TIMEOUT_SECONDS = 10.0


class UnableToChooseSender(ValueError):
    """The setting names no sender that there is."""


@dataclass(frozen=True, slots=True)
class FileSender:
    """Writes each message as a line of JSON, for a shop that tries the house out."""

    path: Path

    def send(self, *, field: str, address: str, text: Bilingual, code: str) -> None:
        """Append the message; the address is masked, since a file is not a vault."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "to": f"{field}:{masked(field, address)}",
            "code": code,
            "text": text.as_data(),
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            raise UnableToSend(f"the outbox {self.path} can not be written: {error.strerror}") from None


@dataclass(frozen=True, slots=True)
class ConsoleSender:
    """Says the message on standard error."""

    def send(self, *, field: str, address: str, text: Bilingual, code: str) -> None:
        """One line a message, the address masked."""
        sys.stderr.write(f"to {field}:{masked(field, address)}: {text.en} / {text.zh}\n")


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Sends e-mail through a mail server; it has no way to a phone."""

    host: str
    port: int
    sender: str
    tls_from_start: bool
    username: str = ""
    password: str = field(default="", repr=False)

    def send(self, *, field: str, address: str, text: Bilingual, code: str) -> None:
        """Hand the message to the mail server; raises UnableToSend."""
        if field != "email":
            raise UnableToSend(
                f"the mail server can not reach a {field}; name another sender in {SENDER_VARIABLE}"
            )
        message = EmailMessage()
        message["From"], message["To"] = self.sender, address
        message["Subject"] = "验证码 / Your code"
        message.set_content(f"{text.zh}\n\n{text.en}\n")
        try:
            with self._session() as session:
                if self.username:
                    session.login(self.username, self.password)
                session.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            # The error of a mail server may quote the address.
            raise UnableToSend(
                f"the mail server {self.host}:{self.port} failed: {type(error).__name__}"
            ) from None

    def _session(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls_from_start:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        session = smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        session.ehlo()
        if session.has_extn("starttls"):
            session.starttls(context=context)
            session.ehlo()
        return session


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register of real names in a CSV file, for trying out and for tests; a real one is a service."""

    path: Path
    provider: str = "file"

    def check(self, *, name: str, national_id: str) -> RealNameAnswer:
        """Whether the file has this id under this name; raises UnableToCheck when it can not be read."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                rows = [(row["name"], row["national_id"]) for row in csv.DictReader(file)]
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise UnableToCheck(
                f"the register {self.path} can not be read ({type(error).__name__}); "
                "it needs columns name,national_id"
            ) from None
        wanted = normalised("national_id", national_id)
        names = {
            normalised("name", row_name)
            for row_name, row_id in rows
            if normalised("national_id", row_id) == wanted
        }
        if not names:
            return RealNameAnswer.UNKNOWN
        return RealNameAnswer.AGREES if normalised("name", name) in names else RealNameAnswer.DIFFERS


def chosen_sender(home: Home) -> Sender:
    """The sender of the settings; raises UnableToChooseSender."""
    setting = os.environ.get(SENDER_VARIABLE, "file")
    if setting == "file":
        return FileSender(home.path / "outbox" / "messages.jsonl")
    if setting == "console":
        return ConsoleSender()
    parts = urlsplit(setting)
    if parts.scheme in {"smtp", "smtps"} and parts.hostname:
        implicit = parts.scheme == "smtps"
        return SmtpSender(
            parts.hostname,
            parts.port or (465 if implicit else 587),
            parse_qs(parts.query).get("from", [f"shouxin@{parts.hostname}"])[0],
            implicit,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
        )
    raise UnableToChooseSender(
        f"{SENDER_VARIABLE} must be file, console or smtp://host:port?from=..; it is none of them"
    )


def chosen_register() -> RealNameCheck | None:
    """The register of the settings, or None when there is none."""
    setting = os.environ.get(REAL_NAMES_VARIABLE)
    return RegisterFile(Path(setting)) if setting else None
