# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What error codes come to."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.hresults import (
    CAUSES,
    Remedy,
    explain,
    sentence,
    to_hresult,
)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-2145124318, 0x80240022),
        (0x80240022, 0x80240022),
        (-1, 0xFFFFFFFF),
        (0, 0),
        ("Failed (WU_E_NO_SERVICE 0x80240001)", 0x80240001),
        ("0x8024402c", 0x8024402C),
        ("0x80240022ff", None),
        ("no code", None),
        (True, None),
        (2**32, None),
        (-(2**31) - 1, None),
        (1.5, None),
        (None, None),
    ],
)
def test_a_code_is_read_from_numbers_and_texts(value: object, code: int | None) -> None:
    assert to_hresult(value) == code


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (0x80240016, Remedy.WAIT),
        (0x8024402C, Remedy.WAIT),
        (0x80070BC9, Remedy.REBOOT),
        (0x8024002E, Remedy.CONFIGURE),
        (0x80070070, Remedy.SPACE),
        (0x80073712, Remedy.REPAIR),
        (0x80248007, Remedy.CACHE),
        (0x80070005, Remedy.RIGHTS),
        (0x80240017, Remedy.NOTHING),
        (0x80240022, Remedy.LOOK),
        (0xDEADBEEF, Remedy.LOOK),
    ],
)
def test_what_helps(code: int, remedy: Remedy) -> None:
    assert explain(code).remedy is remedy and f"0x{code:08X}" in sentence(code)


def test_a_sentence_names_cause_code_and_remedy() -> None:
    assert sentence(0x80070005) == "access was denied (0x80070005): connect as a local administrator"


def test_every_code_is_one_and_has_words() -> None:
    assert all(0 <= code < 2**32 and cause.text for code, cause in CAUSES.items())
