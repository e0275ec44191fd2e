# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Webhooks: generic JSON with the signature of Standard Webhooks, and the forms of Slack and Teams.

Signature: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md: ``webhook-signature`` is
``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``; several keys give several signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ...module_utils._core.errors import BadInput
from ...module_utils._core.gate.health_rules import MASK
from ...module_utils._core.policy.notice_checks import is_web_address
from ...module_utils._core.policy.notice_rules import Webhook
from .message import Message
from .sender import cut_bytes, post, secret

#: "Maximum length for the text in this field is 150 characters." (header block), "3000 characters" (section block).
_SLACK_HEADER, _SLACK_SECTION = 150, 3000
#: "The message size limit is 28 KB" (Teams, create incoming webhooks); escapes of JSON take up to six bytes each.
_TEAMS_BYTES = 28 << 10


class WebhookSender:
    """:raises BadInput: a variable is not set, or its value is no address."""

    def __init__(self, rules: Webhook) -> None:
        self._format = rules.format
        self._url = secret(rules.url, "webhook.url")
        if not is_web_address(self._url):
            raise BadInput("webhook.url", MASK, "an http or https URL without user and password")
        self._literal = self._url == rules.url
        self._keys = [to_key(word) for word in secret(rules.key, "webhook.key").split()]
        parts = urlsplit(self._url)
        self._secrets = (self._url, *(part for part in (parts.query, *parts.path.split("/")) if len(part) >= 8))

    @property
    def shown(self) -> str:
        """A literal URL is no secret; one from the environment is shown by its host alone."""
        host = urlsplit(self._url).hostname
        return f"webhook {self._url}" if self._literal else f"{self._format} webhook at {host}"

    def send(self, message: Message, timeout: float) -> str:
        body = json.dumps(_BODIES[self._format](message), ensure_ascii=True).encode()
        headers = {"Content-Type": "application/json", **self._signature(message.key, body)}
        secrets = () if self._literal else self._secrets
        post(self.shown, self._url, body, headers, timeout, secrets)
        return ""

    def _signature(self, key: str, body: bytes) -> dict[str, str]:
        """Return the headers of the generic format; without keys, there is no signature."""
        if self._format != "generic":
            return {}
        at = str(int(time.time()))
        headers = {"webhook-id": key, "webhook-timestamp": at}
        if self._keys:
            headers["webhook-signature"] = " ".join(sign(item, key, at, body) for item in self._keys)
        return headers


def to_key(text: str) -> bytes:
    """Return the bytes of a key: ``whsec_`` and base64, or any other text as it is.

    :raises BadInput: it begins with ``whsec_`` and is not base64.
    """
    if not text.startswith("whsec_"):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise BadInput("webhook.key", MASK, "whsec_ and base64, or a key without this prefix") from None


def sign(key: bytes, message_id: str, at: str, body: bytes) -> str:
    """Return one signature of a request. :param at: seconds since 1970, as text."""
    found = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(found).decode()}"


def _generic(message: Message) -> Mapping[str, Any]:
    return message.data


def _slack(message: Message) -> dict[str, Any]:
    """Texts are ``plain_text``, in which Slack reads neither mentions nor links; the fallback escapes them.

    https://docs.slack.dev/messaging/formatting-message-text: escape ``&``, ``<`` and ``>``.
    """
    fallback = message.subject.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    blocks = [_plain("header", message.subject, _SLACK_HEADER)]
    if message.text:
        blocks.append(_plain("section", message.text, _SLACK_SECTION))
    return {"text": fallback, "mrkdwn": False, "link_names": False, "unfurl_links": False, "blocks": blocks}


def _plain(kind: str, text: str, limit: int) -> dict[str, Any]:
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return {"type": kind, "text": {"type": "plain_text", "text": short, "emoji": False}}


def _teams(message: Message) -> dict[str, Any]:
    """An Adaptive Card of text runs: "Unlike TextBlock, TextRun does not support markdown" (adaptivecards.io)."""
    lines = message.text.split("\n")
    while True:
        card = _card(message.subject, lines)
        if len(json.dumps(card)) < _TEAMS_BYTES or len(lines) < 2:
            return card
        lines = [*lines[: len(lines) // 2], "…"] if len(lines) > 2 else [cut_bytes(lines[0], 1024)]


def _card(subject: str, lines: list[str]) -> dict[str, Any]:
    body = [_run(cut_bytes(subject, 512), weight="Bolder"), *(_run(cut_bytes(line, 2048)) for line in lines if line)]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}
    return {"type": "message", "attachments": [attachment]}


def _run(text: str, **more: str) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **more}]}


_BODIES: Mapping[str, Callable[[Message], Mapping[str, Any]]] = {
    "generic": _generic,
    "slack": _slack,
    "teams": _teams,
}
