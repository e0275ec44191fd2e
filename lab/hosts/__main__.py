# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.hosts`: real Debian hosts for the lab, as systemd-nspawn machines.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 left out because this machine can't run them (with --require: 1).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lab.hosts import estate
from lab.hosts.fleet import BUILD, Fleet, Wish
from lab.hosts.requirements import HOST_COMMANDS, TOY_COMMANDS, ensure_able
from lab.hosts.running import HostsError, LeftOut

FAILED, LEFT_OUT = 1, 3


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except LeftOut as reason:
        print(f"left out: {reason}", file=sys.stderr)
        return FAILED if options.require else LEFT_OUT
    except (HostsError, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return FAILED


def _up(options: argparse.Namespace) -> None:
    hosts = estate.choose(
        estate.read_estate(options.estate),
        count=options.count,
        full_disk=options.full_disk,
        wrong_repository=options.wrong_repository,
        apt_daily=options.apt_daily,
    )
    fleet = Fleet(options.name)
    wish = Wish(
        hosts=hosts,
        suite=options.suite,
        mirror=options.mirror,
        security_mirror=options.security_mirror,
        proxy=options.proxy,
        packages=options.packages,
        fresh=options.fresh,
        pending=options.pending,
    )
    machines = fleet.up(wish)
    print(f"{len(machines)} hosts are up; inventory: {fleet.inventory}")


def _down(options: argparse.Namespace) -> None:
    names = sorted(path.parent.name for path in BUILD.glob("*/id_ed25519")) if options.all else [options.name]
    for name in names:
        Fleet(name).down()


def _status(options: argparse.Namespace) -> int:
    rows = Fleet(options.name).status()
    if options.json:
        print(json.dumps(rows, indent=1))
    for row in rows if not options.json else []:
        facts = " ".join(f"{key}={row[key]}" for key in ("boot_id", "pending", "free_mib") if key in row)
        print(f"{row['name']:<24} {row['address']:<15} {row['state']:<12} {facts}")
    if not rows and not options.json:
        print("no hosts are up")
    return 0 if rows and all(row["state"] in ("running", "degraded") for row in rows) else FAILED


def _able(_options: argparse.Namespace) -> None:
    ensure_able(HOST_COMMANDS | TOY_COMMANDS)
    print("this machine can run real hosts")


def _inventory(options: argparse.Namespace) -> int:
    path = Fleet(options.name).inventory
    if not path.is_file():
        print("no hosts are up", file=sys.stderr)
        return FAILED
    print(path.read_text(), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab.hosts", description="Real Debian hosts for the lab (needs root)."
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, run, text in (
        ("up", _up, "bring hosts up and write their inventory; does nothing if they are up already"),
        ("down", _down, "take them down and leave nothing behind"),
        ("status", _status, "a line per host; fails unless all run"),
        ("able", _able, "say whether this machine can run hosts, and install what it lacks"),
        ("inventory", _inventory, "print the Ansible inventory"),
    ):
        action = actions.add_parser(name, help=text, description=text)
        action.set_defaults(run=run)
        action.add_argument("--name", default="lab", help="labs of different names can be up together (default: lab)")
        action.add_argument("--require", action="store_true", help="fail where this machine can't run hosts")
    _add_up_options(actions.choices["up"])
    actions.choices["down"].add_argument("--all", action="store_true", help="every lab of this checkout")
    actions.choices["status"].add_argument("--json", action="store_true", help="machine-readable")
    return parser


def _add_up_options(up: argparse.ArgumentParser) -> None:
    up.add_argument("--count", type=int, help="how many (default: all of the estate file)")
    up.add_argument("--estate", type=Path, default=estate.DEFAULT, help="names, patch groups and tags (YAML)")
    up.add_argument("--suite", default="", help="Debian release (default: this machine's)")
    up.add_argument("--mirror", default="", metavar="URL", help="default: from this machine's apt configuration")
    up.add_argument("--security-mirror", default="", metavar="URL", help="default: likewise")
    up.add_argument("--proxy", default="", metavar="URL", help="HTTP proxy for the mirrors (default: likewise)")
    up.add_argument("--packages", choices=("mirror", "toy", "both"), default="mirror", help="where updates come from")
    up.add_argument(
        "--pending", type=int, metavar="N", help="have about N updates of the mirrors pending (default: all)"
    )
    up.add_argument("--full-disk", action="append", default=[], metavar="HOST", help="a host with 24 MiB left on /")
    up.add_argument("--wrong-repository", action="append", default=[], metavar="HOST", help="a host with a dead mirror")
    up.add_argument("--apt-daily", action="append", default=[], metavar="HOST", help="a host with apt's own timers")
    up.add_argument("--fresh", action="store_true", help="rebuild the base, with today's updates pending")


if __name__ == "__main__":
    sys.exit(main())
