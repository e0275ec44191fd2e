# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux hosts behind the master of shared SSH connections (``ssh_master.py``): one process answers for all of them, so
that the figures are the controller's alone.

The hosts know the scripts of the executor ``linux`` and the modules setup, apt and stat, and answer with as much text
as real ones: Debian with ten updates, an install of 20 to 90 s, a reboot. The host ``bench`` counts.

    python -m bench.hosts --folder /tmp/hosts --hosts 50 --facts facts.json
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.commands import PROBE, SPANS, is_rebooted
from bench.ssh_master import serve

_MARK = re.compile(r"/bin/sh -s (patchtide-[0-9a-f]+)")
_PART = re.compile(r"\n\)\npatchtide_part=\$\?\nprintf '[^']*' '([\w-]+)'")
_MODULE = re.compile(rb"ansible[./]modules[./](setup|apt|stat)\b")
#: The host that tells how often the others were asked for what.
COUNTER = "bench"
#: Updates of a host.
UPDATES = 10
#: What a script of the executor is told by.
_BEGIN, _LOOK, _LIST, _PROBE_SCRIPT = "state=begun", "tell starting", "# patchtide:packages:1", "# patchtide:probe:1"


def host_name(number: int) -> str:
    """Return the name of the n-th host."""
    return f"host-{number:05}"


def update(number: int) -> str:
    """Return the id of the n-th update, as the plan names it."""
    return f"package{number}.amd64:1.2.{number}-4"


@dataclass(slots=True)
class Host:
    """What a host has been through. ``begun``: when its install and its reboot began."""

    install: float = 0.0
    reboot: float = 0.0


class Hosts:
    """All hosts, by name."""

    def __init__(self, facts: str, pace: float, latency: tuple[float, float]) -> None:
        self.calls: Counter[str] = Counter()
        self._facts = facts
        self._pace = pace
        self._latency = latency
        self._hosts: dict[str, Host] = {}
        self._random = random.Random(4711)

    def answer(self, name: str, command: str, text: bytes) -> str:
        """Answer one command after the time that a network takes."""
        if name == COUNTER:
            return json.dumps(self.calls)
        time.sleep(self._random.uniform(*self._latency))
        self.calls["connections"] += 1
        host, mark = self._hosts.setdefault(name, Host()), _MARK.search(command)
        if mark:
            return f"{mark[1]} begin\n{self._scripts(name, host, text.decode())}\n{mark[1]} end 0\n"
        found = _MODULE.search(text)
        module = found[1].decode() if found else "other"
        self.calls[module] += 1
        return self._facts if module == "setup" else json.dumps({"changed": False, "stat": {"exists": False}})

    def _scripts(self, name: str, host: Host, text: str) -> str:
        """Answer one script, or several in one."""
        scripts, answers = _PART.split(text), list[str]()
        if len(scripts) == 1:
            return self._script(name, host, text)
        for script, mark in zip(scripts[::2], scripts[1::2], strict=False):
            answers.append(self._script(name, host, script))
            code = 1 if answers[-1].startswith("state=running") else 2 if "|yes|" in answers[-1] else 0
            answers.append(f"\n{mark} {code}\n")
            if code:
                break
        return "".join(answers)

    def _script(self, name: str, host: Host, text: str) -> str:
        kinds = {"begin": _BEGIN, "look": _LOOK, "list": _LIST, "probe": _PROBE_SCRIPT}
        kind = next((kind for kind, sign in kinds.items() if sign in text), "other")
        self.calls[kind] += 1
        if kind == "begin":
            host.install, host.reboot = (host.install, time.time()) if "systemctl reboot" in text else (time.time(), 0)
            return "state=begun"
        if kind == "look":
            return self._look(name, host)
        if kind == "list":
            lines = [] if host.install else [_update_line(number) for number in range(UPDATES)]
            return _document(simulate=lines, refresh=[], newer=[], sources=[], reboot=["kernel|no|"])
        waits = bool(host.install) and is_rebooted(name) and not host.reboot
        return json.dumps({**PROBE, "boot_id": _boot(name, bool(host.reboot)), "pending_reboot": waits})

    def _look(self, name: str, host: Host) -> str:
        stage, begun = ("reboot", host.reboot) if host.reboot else ("patch", host.install)
        low, high = SPANS[stage]
        chance = zlib.crc32(f"{name}{stage}".encode()) % 1000 / 1000
        over = time.time() >= begun + self._pace * (low + chance * (high - low))
        state = ("unknown" if host.reboot else "ended\nrc=0") if over else "running"
        now = _boot(name, bool(host.reboot) and over)
        look = f"state={state}\nboot_before={_boot(name, False)}\nboot_now={now}\n@@out\n{'-' * 1000}\n@@err\n"
        if not over or host.reboot:
            return look
        rows = [update(number).replace(".amd64:", " amd64 ") for number in range(UPDATES)]
        came = [f"{row} ii" for row in rows]
        waits = "yes" if is_rebooted(name) else "no"
        proof = _document(states=came, came=came, gone=[], steps=["done"], reboot=[f"reboot-required|{waits}|"])
        return f"{look}\n@@proof\n{proof}"


def _boot(name: str, again: bool) -> str:
    return f"{zlib.crc32(name.encode()):08x}-{int(again)}000-4000-8000-000000000000"


def _document(**parts: list[str]) -> str:
    """Return what a script of a package manager prints."""
    found = {name: {"rc": 0, "cut": False, "out": lines, "err": []} for name, lines in parts.items()}
    return json.dumps({"packages": 1, "manager": "apt", "parts": found}, separators=(",", ":")) + "\n"


def _update_line(number: int) -> str:
    name, _separator, version = update(number).partition(".amd64:")
    return f"Inst {name} [1.2.0-1] ({version} Debian-Security:12/stable-security [amd64])"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the control sockets of the hosts will be")
    parser.add_argument("--hosts", type=int, required=True)
    parser.add_argument("--facts", type=Path, required=True, help="a file with what the module setup prints")
    parser.add_argument("--pace", type=float, default=1.0, help="how long installs and reboots take")
    parser.add_argument("--latency", default="20-50", help="of every command, in milliseconds")
    options = parser.parse_args()
    low, _dash, high = options.latency.partition("-")
    hosts = Hosts(options.facts.read_text(), options.pace, (float(low) / 1000, float(high or low) / 1000))
    names = [COUNTER, *map(host_name, range(options.hosts))]
    serve(options.folder, names, hosts.answer, lambda: print(options.folder, flush=True))


if __name__ == "__main__":
    main()
