# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the benchmarks: all of them, or those named.

python -m bench
python -m bench inventory --quick
"""

from __future__ import annotations

import importlib
import sys
from itertools import takewhile
from pathlib import Path


def main() -> None:
    here = Path(__file__).parent
    known = sorted(
        file.stem for file in here.glob("*.py") if "\ndef main(" in file.read_text() and file != Path(__file__)
    )
    known = [name for name in known if name not in ("endpoint", "measure")]
    named = list(takewhile(lambda item: not item.startswith("-"), sys.argv[1:]))
    options = sys.argv[1 + len(named) :]
    if unknown := [name for name in named if name not in known]:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}")
    goals = [goal for name in named or known for goal in importlib.import_module(f"bench.{name}").main(options) or ()]
    print(f"\n{'':64}{'measured':>10}{'at most':>10}")
    for title, figure, most in goals:
        print(f"{title:64}{figure:>10}{most:>10}{'' if figure <= most else '   missed'}")


if __name__ == "__main__":
    main()
