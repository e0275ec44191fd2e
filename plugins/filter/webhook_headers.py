# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

from ..plugin_utils.notices.webhook import sign, to_key

DOCUMENTATION = r"""
name: webhook_headers
short_description: Return the headers that identify and sign a webhook
version_added: 0.1.0
description:
  - Returns C(Content-Type), C(webhook-id), C(webhook-timestamp) and, with a key, C(webhook-signature), as Standard
    Webhooks defines them. The ID follows from the body, so that a repeated request is recognized.
author:
  - The patchtide.hybrid contributors (@patchtide)
positional: key
options:
  _input:
    description: Body of the request, exactly as it is sent.
    type: str
    required: true
  key:
    description:
      - Key of the signature, as C(whsec_) and base64 or any other text. Several keys, separated by a space, give
        several signatures. Without a key, there is no signature.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Send a signed request
  ansible.builtin.uri:
    url: https://tickets.contoso.example/hook
    method: POST
    body: "{{ body | string }}"
    headers: "{{ body | string | patchtide.hybrid.webhook_headers(lookup('env', 'WEBHOOK_KEY')) }}"
"""

RETURN = r"""
_value:
  description: Headers by name.
  type: dict
"""


def headers(body: str, key: str = "") -> dict[str, str]:
    """Return the headers of a request now."""
    data, at = body.encode(), str(int(time.time()))
    name = hashlib.sha256(data).hexdigest()
    found = {"Content-Type": "application/json", "webhook-id": name, "webhook-timestamp": at}
    if key.split():
        found["webhook-signature"] = " ".join(sign(to_key(word), name, at, data) for word in key.split())
    return found


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"webhook_headers": headers}
