# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headers of a webhook: a repeated body has the same ID, and each key signs ID, time and body."""

from __future__ import annotations

import base64
import hashlib

import pytest
from ansible_collections.patchtide.hybrid.plugins.filter.webhook_headers import FilterModule, headers
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.webhook import sign

BODY = '{"text": "ü"}'


def test_a_body_has_its_id_and_a_signature_for_each_key() -> None:
    found = FilterModule().filters()["webhook_headers"](BODY, f"old whsec_{base64.b64encode(b'new').decode()}")
    assert found["webhook-id"] == hashlib.sha256(BODY.encode()).hexdigest()
    expected = [sign(key, found["webhook-id"], found["webhook-timestamp"], BODY.encode()) for key in (b"old", b"new")]
    assert found["webhook-signature"] == " ".join(expected) and found["Content-Type"] == "application/json"


def test_without_a_key_there_is_no_signature_and_a_malformed_one_is_refused() -> None:
    assert set(headers(BODY)) == {"Content-Type", "webhook-id", "webhook-timestamp"}
    with pytest.raises(BadInput):
        headers(BODY, "whsec_?")
