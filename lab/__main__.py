# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab up`: the whole rehearsal estate for exploring, until Ctrl-C. `make lab` calls it."""

from __future__ import annotations

import signal
import sys

from lab.rehearsal import BUILD, rehearsal


def main() -> int:
    if sys.argv[1:] != ["up"]:
        print("usage: python -m lab up", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with rehearsal(BUILD / "lab") as stage:
        print("\n# Paste this into another shell:")
        for name, value in stage.environment().items():
            print(f"export {name}={value}")
        print('export PATH="$PWD/.venv/bin:$PATH"\n\n# Then, for example:')
        print(" ".join([*stage.call("scan_compliance", machines=True), *stage.variables]))
        print("\n# Ctrl-C stops everything.", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
