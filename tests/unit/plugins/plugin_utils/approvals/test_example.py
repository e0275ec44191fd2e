# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The annotated example of a bundle and of a controller's pins can be read as they are."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import ACTIONS
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.pins import read_pins
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.responsibilities import responsibility_rows
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import parse_yaml

EXAMPLES = Path(__file__).parents[5] / "examples" / "trust"


def test_the_example_s_bundle() -> None:
    text = (EXAMPLES / "bundle.yml").read_text("utf-8")
    bundle = read_bundle(parse_yaml(text, "bundle.yml")[0], "bundle.yml")
    assert (
        bundle.version == 7 and set(bundle.decisions) < set(ACTIONS) and len(bundle.people["ana@example.com"].keys) == 2
    )
    rows = responsibility_rows(bundle)
    assert rows[0]["activity"] == "Change baselines, patch groups and windows" and rows[-1]["responsible"] == "security"


def test_the_example_s_pins() -> None:
    pins = read_pins(yaml.safe_load((EXAMPLES / "trust.yml").read_text("utf-8")), "trust.yml")
    assert (pins.signatures, sorted(pins.root_keys), pins.awx["url"]) == (
        2,
        ["alice", "bob"],
        "https://awx.example.com",
    )
    assert pins.servicenow["url"] == "https://contoso.service-now.com"
