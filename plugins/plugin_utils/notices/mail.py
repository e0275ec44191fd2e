# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails by SMTP: plain text, so that nothing in them is markup. A repeated mail has the same Message-ID."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from ...module_utils._core.policy.notice_rules import Mail
from .message import Message
from .sender import NotSent, cut_bytes, secret

#: A subject is folded by the mail library; longer ones are unreadable in a list of mails.
_SUBJECT = 200
_TEXT = 1 << 20


class MailSender:
    """Sends to all receivers of a route in one mail. :raises BadInput: the password's variable is not set."""

    def __init__(self, rules: Mail, now: Callable[[], datetime]) -> None:
        self._rules, self._now = rules, now
        self._password = secret(rules.password, "mail.password")

    @property
    def shown(self) -> str:
        return f"mail to {', '.join(self._rules.to)}"

    def send(self, message: Message, timeout: float) -> str:
        secrets = (self._password,) if self._password else ()
        mail = self._compose(message)
        try:
            server = self._connected(timeout)
            try:
                refused = server.send_message(mail)
            finally:
                with suppress(OSError, smtplib.SMTPException):  # it is accepted, or not: the farewell decides nothing
                    server.quit()
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            again = any(400 <= code < 500 for code in codes)
            raise NotSent(f"{self._rules.host} refuses all receivers", secrets, again=again) from None
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
            said = f"{self._rules.host} answered {error.smtp_code} {text}"
            raise NotSent(said, secrets, again=not 500 <= error.smtp_code < 600) from None
        except (OSError, smtplib.SMTPException) as error:
            again = not isinstance(error, (ssl.SSLCertVerificationError, smtplib.SMTPNotSupportedError))
            raise NotSent(f"{self._rules.host}: {error or type(error).__name__}", secrets, again=again) from None
        return f"{self._rules.host} refuses {', '.join(sorted(refused))}" if refused else ""

    def _compose(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = message.subject[:_SUBJECT]
        mail["From"], mail["To"] = self._rules.sender, ", ".join(self._rules.to)
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = f"<{message.key}@patchtide>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers
        if message.severity == "critical":
            mail["Importance"] = "high"
        mail.set_content(cut_bytes(message.text, _TEXT))
        return mail

    def _connected(self, timeout: float) -> smtplib.SMTP:
        """Return a connection, with TLS and a login where the policy says so."""
        rules, context = self._rules, ssl.create_default_context()
        if rules.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(rules.host, rules.port, timeout=timeout, context=context)
        else:
            server = smtplib.SMTP(rules.host, rules.port, timeout=timeout)
        try:
            if rules.security == "starttls":
                server.starttls(context=context)
            if rules.user:
                server.login(rules.user, self._password)
        except BaseException:
            with suppress(OSError):
                server.close()
            raise
        return server
