# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this controller can work by an executor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import EXECUTORS, LINUX, Library
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors import served
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.open import OPENERS


def test_every_executor_of_the_registry_can_be_opened() -> None:
    assert set(OPENERS) == set(EXECUTORS)
    assert {name: served.why_unserved(name) for name in EXECUTORS} == dict.fromkeys(EXECUTORS, "")


def test_one_that_nobody_knows() -> None:
    assert "'sms' is not served by this version" in served.why_unserved("sms")


@pytest.mark.parametrize("module", ["patchtide_no_such_module", "patchtide_no_such.module"])
def test_a_library_that_is_missing_is_the_reason(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    row = replace(LINUX, requires=(Library("json", "json"), Library(module, "the-package")))
    monkeypatch.setattr(served, "find", lambda name: row)
    assert served.why_unserved("linux") == (
        f"executor 'linux' needs Python modules that this controller lacks ({module}): pip install the-package"
    )
