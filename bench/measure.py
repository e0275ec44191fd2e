# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one inventory file once in a process of its own and prints what it cost, as one JSON line.

python -m bench.measure FILE            parse alone, as every playbook does it
python -m bench.measure FILE --list     what ansible-inventory --list does, output to nowhere
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from typing import Any


def parse(path: str) -> Any:
    """Load an inventory file as Ansible does and return its manager."""
    from ansible.inventory.manager import InventoryManager
    from ansible.parsing.dataloader import DataLoader

    return InventoryManager(loader=DataLoader(), sources=[path])


def show(path: str) -> int:
    """Run ansible-inventory --list in this process; return the number of hosts it wrote."""
    from ansible.cli.inventory import InventoryCLI

    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the process ends
    command = InventoryCLI(["ansible-inventory", "-i", path, "--list"])
    command.parse()
    try:
        command.run()
    except SystemExit as end:
        assert not end.code, end.code
    finally:
        sys.stdout = sys.__stdout__
    return len(command.inventory.hosts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    from ansible.plugins.loader import init_plugin_loader

    if not options.list:
        init_plugin_loader([])
    wall, cpu = time.perf_counter(), time.process_time()
    groups = 0
    if options.list:
        hosts = show(options.file)
    else:
        manager = parse(options.file)
        hosts, groups = len(manager.hosts), len(manager.groups)
    report = {
        "hosts": hosts,
        "groups": groups,
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
