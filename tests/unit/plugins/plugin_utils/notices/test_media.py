# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail and webhooks against real servers: what arrives, that it is neutral, and which answers may be tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import Mail, Webhook
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.mail import MailSender
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Message
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.sender import NotSent
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.webhook import WebhookSender, sign, to_key

from tests.fakes.fleet_port import START
from tests.fakes.receivers import MailReceiver, WebReceiver, mail_receiver, web_receiver

SECRET = "s3cr3t-value-of-a-key"
HOSTILE = "<!channel> [x](javascript:alert(1)) & {{ 7*7 }} **b**"


def message(text: str = "line one\nline two", subject: str = "contoso: a subject", **data: Any) -> Message:
    given = {"kind": "paused", "severity": "warning", "title": subject, "body": text, **data}
    return Message(route="r", key="k" * 64, keys=("k" * 64,), subject=subject, text=text, data=given)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEY", SECRET)


@pytest.fixture
def web() -> Iterator[WebReceiver]:
    with web_receiver() as found:
        yield found


@pytest.fixture
def mails() -> Iterator[MailReceiver]:
    with mail_receiver() as found:
        yield found


def send_mail(server: MailReceiver, text: Message | None = None, **more: Any) -> str:
    given = {"security": "none", "to": ("a@example.com", "b@example.com"), **more}
    rules = Mail(host="127.0.0.1", port=server.port, sender="patching@example.com", **given)
    return MailSender(rules, lambda: START).send(text or message(), 5)


def send_hook(server: WebReceiver, text: Message | None = None, **more: str) -> None:
    WebhookSender(Webhook(**{"url": server.url, **more})).send(text or message(), 5)


def test_a_mail_arrives_as_plain_text(mails: MailReceiver) -> None:
    assert send_mail(mails, message(f"Wärmebild {HOSTILE}", "contoso: paused, ä")) == ""
    (mail,) = mails.mails
    assert (mail["Subject"], mail["To"]) == ("contoso: paused, ä", "a@example.com, b@example.com")
    assert mail.get_content_type() == "text/plain" and mail.get_content().strip() == f"Wärmebild {HOSTILE}"
    assert (mail["Message-ID"].strip(), mail["Auto-Submitted"]) == (f"<{'k' * 64}@patchtide>", "auto-generated")
    assert mail["Importance"] is None
    send_mail(mails, message(severity="critical"))
    assert mails.mails[1]["Importance"] == "high"


def test_a_mail_has_no_more_headers_than_ours(mails: MailReceiver) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed|Header"):
        send_mail(mails, message(subject="a\r\nBcc: x@example.com"))
    assert not mails.mails


@pytest.mark.parametrize(("answer", "again"), [("451 try later", True), ("554 refused s3cr3t", False)])
def test_a_mail_that_is_not_accepted(mails: MailReceiver, answer: str, again: bool) -> None:
    mails.answers.append(answer)
    with pytest.raises(NotSent, match=f"127.0.0.1 answered {answer}") as caught:
        send_mail(mails)
    assert caught.value.again is again and not mails.mails


def test_some_refused_receivers_are_a_remark_and_all_of_them_an_error(mails: MailReceiver) -> None:
    mails.refused = frozenset({"b@example.com"})
    assert send_mail(mails) == "127.0.0.1 refuses b@example.com"
    assert len(mails.mails) == 1
    with pytest.raises(NotSent, match="refuses all receivers") as caught:
        send_mail(mails, to=("b@example.com",))
    assert not caught.value.again


def test_a_mail_server_that_is_not_there(mails: MailReceiver) -> None:
    mails.port = 1
    with pytest.raises(NotSent, match="Connection refused") as caught:
        send_mail(mails)
    assert caught.value.again


def test_a_server_without_starttls_gets_no_password_and_no_mail(mails: MailReceiver) -> None:
    with pytest.raises(NotSent, match="STARTTLS") as caught:
        send_mail(mails, security="starttls", user="u", password="${KEY}")
    assert not mails.mails and not caught.value.again


def test_a_login_with_the_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_receiver(password=SECRET, auth_require_tls=False) as server:
        send_mail(server, user="u", password="${KEY}")
        assert len(server.mails) == 1
        monkeypatch.setenv("KEY", "wrong-password")
        with pytest.raises(NotSent, match="535") as caught:
            send_mail(server, user="u", password="${KEY}")
    assert "wrong-password" not in str(caught.value)
    monkeypatch.delenv("KEY")
    with pytest.raises(BadInput, match=r"mail.password: '\$\{KEY\}' is not valid, expected an environment variable"):
        send_mail(server, user="u", password="${KEY}")


def test_a_generic_request_is_signed(web: WebReceiver) -> None:
    send_hook(web, key="${KEY}")
    ((headers, body),) = web.requests
    assert json.loads(body)["title"] == "contoso: a subject"
    assert headers["webhook-id"] == "k" * 64 and headers["content-type"] == "application/json"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_signature_is_that_of_standard_webhooks() -> None:
    """The example of their specification's reference implementations."""
    key = to_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body) == expected


def test_two_keys_give_two_signatures_and_none_gives_none(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "first-key second-key")
    send_hook(web, key="${KEY}")
    send_hook(web)
    assert len(web.requests[0][0]["webhook-signature"].split()) == 2
    assert "webhook-signature" not in web.requests[1][0] and web.requests[1][0]["webhook-id"]


def test_a_key_that_is_none(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "whsec_not*base64")
    with pytest.raises(BadInput, match=r"webhook.key: '\*\*\*'"):
        send_hook(web, key="${KEY}")


def test_slack_reads_no_mention_and_no_link(web: WebReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", web.url)
    send_hook(web, message(HOSTILE * 100, HOSTILE * 5), url="${HOOK}", format="slack")
    ((headers, body),) = web.requests
    sent = json.loads(body)
    assert [block["text"]["type"] for block in sent["blocks"]] == ["plain_text", "plain_text"]
    assert [len(block["text"]["text"]) for block in sent["blocks"]] == [150, 3000]
    assert not set("<>") & set(sent["text"]) and sent["text"].startswith("&lt;!channel&gt;")
    assert not any(name.startswith("webhook-") for name in headers)


@pytest.mark.parametrize("text", ["a", "line\n" * 5000, "\u200b" * 40000, ""])
def test_a_card_for_teams_is_small_and_has_no_markdown(
    text: str, web: WebReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", web.url)
    send_hook(web, message(f"{HOSTILE}\n{text}"), url="${HOOK}", format="teams")
    body = web.requests[0][1]
    (attachment,) = json.loads(body)["attachments"]
    rows = attachment["content"]["body"]
    assert len(body) < 28 << 10 and {row["type"] for row in rows} == {"RichTextBlock"}
    assert {run["type"] for row in rows for run in row["inlines"]} == {"TextRun"}
    assert rows[1]["inlines"][0]["text"] == HOSTILE


@pytest.mark.parametrize(
    ("status", "again", "wait"), [(404, False, 0), (302, False, 0), (429, True, 7), (500, True, 0), (503, True, 30)]
)
def test_a_request_that_is_not_accepted(web: WebReceiver, status: int, again: bool, wait: float) -> None:
    after = {429: "7", 503: "900"}.get(status, "")
    web.answers = [(status, {"Retry-After": after, "Location": "http://127.0.0.1:1/elsewhere"})]
    with pytest.raises(NotSent, match=f"answered {status}") as caught:
        send_hook(web)
    assert (caught.value.again, caught.value.wait, len(web.requests)) == (again, wait, 1)


def test_no_message_shows_a_secret_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:1/services/{SECRET}")
    sender = WebhookSender(Webhook(url="${HOOK}", format="slack"))
    with pytest.raises(NotSent, match=r"slack webhook at 127\.0\.0\.1: ") as caught:
        sender.send(message(), 5)
    assert SECRET not in str(caught.value) + sender.shown + repr(caught.value.to_dict())
    monkeypatch.setenv("HOOK", f"http://user:{SECRET}@127.0.0.1/")
    with pytest.raises(BadInput) as refused:
        WebhookSender(Webhook(url="${HOOK}", format="slack"))
    assert SECRET not in str(refused.value)
