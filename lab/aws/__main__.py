# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab.aws``: run the simulated AWS and print what to export."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

# moto reads these when it is imported: no invented machine images, no built-in IAM policies, no default network.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_CONFIG_FILE"):
    os.environ.pop(name, None)

from lab.azure.beside import begin_azure  # noqa: E402

from .clock import UTC, VirtualClock, from_iso, to_iso  # noqa: E402
from .estate import load_estate  # noqa: E402
from .launch import environment  # noqa: E402
from .server import open_server  # noqa: E402
from .world import DEFAULT_ESTATE, World  # noqa: E402


def main() -> None:
    parser = _parser()
    options = parser.parse_args()
    try:
        estate = load_estate(options.estate)
        lab = World(estate, VirtualClock(_start(options.at, estate.start)))
        server = open_server(lab, options.host, options.port)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    url = f"http://{options.host}:{server.server_port}"
    azure = begin_azure(options.estate, lab)
    if options.json:
        home = estate.home
        told = {"url": url, "home_account": home.account_id, "access_key": home.access_key, "azure": azure}
        print(json.dumps(told), flush=True)
    else:
        _tell(url, lab, azure)
    # Nothing is kept, so nothing needs tidying: taking thousands of moto's objects apart can last longer than the lab.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab.aws", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5050, help="0 takes a free one")
    parser.add_argument("--estate", type=Path, default=DEFAULT_ESTATE)
    parser.add_argument("--at", help="where the clock starts: ISO 8601, or now; the estate's own start by default")
    parser.add_argument("--json", action="store_true", help="print one JSON line instead of shell exports")
    return parser


def _start(text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    return datetime.now(UTC) if text == "now" else from_iso(text)


def _tell(url: str, lab: World, azure: Mapping[str, str]) -> None:
    print(f"# {len(lab.estate.nodes)} nodes in {len(lab.estate.accounts)} accounts; it is {to_iso(lab.clock.now())}")
    for variable, value in {**environment(url, lab.estate.home.access_key), **azure}.items():
        print(f"export {variable}={shlex.quote(value)}")
    for account in lab.estate.accounts:
        for role in account.roles:
            note = " (denied)" if role.denied else f" (external id {role.external_id})" if role.external_id else ""
            print(f"# role arn:aws:iam::{account.account_id}:role/{role.name}{note}")
    print("# Ctrl-C stops it", flush=True)


if __name__ == "__main__":
    main()
