# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python loads this at its start when its folder is in PYTHONPATH; notes every fork in the file BENCH_FORKS names."""

from __future__ import annotations

import os
from typing import Any

if _FILE := os.environ.get("BENCH_FORKS"):
    import _posixsubprocess

    _fork_exec = _posixsubprocess.fork_exec

    def _note() -> None:
        handle = os.open(_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(handle, b".")
        os.close(handle)

    def _noted(*arguments: Any) -> Any:
        _note()
        return _fork_exec(*arguments)

    os.register_at_fork(before=_note)
    _posixsubprocess.fork_exec = _noted
