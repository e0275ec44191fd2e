# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of several kinds share: the lab's AWS, started once for a run, and how patient hypothesis is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from lab.aws.launch import Lab, lab
from tests.fakes import patient

settings.load_profile(patient.NAME)


@pytest.fixture(autouse=True)
def own_claims(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a controller of its own: rollouts of other tests hold none of its nodes."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def aws() -> Iterator[Lab]:
    """The running lab. A lab that does not start is an error, never a skip."""
    with lab() as running:
        yield running
