# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Azure in the process of the lab's AWS: one clock, one ledger, one set of fault rules."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from lab.aws.estate import read_estate
from lab.aws.world import World as AwsWorld

from .certificates import write_certificates
from .estate import to_azure_estate
from .launch import AzureLab
from .server import open_server
from .world import World


def begin_azure(path: Path, aws: AwsWorld) -> dict[str, str]:
    """Start Azure if the estate file has a member ``azure``; return the variables that point at it."""
    data = read_estate(path)
    if "azure" not in data:
        return {}
    estate = to_azure_estate(data["azure"], aws.estate.start)
    world = World(estate, aws.clock, aws.ledger, aws.faults)
    aws.beside.append(world.seed)
    ca, certificate = write_certificates(Path(tempfile.mkdtemp(prefix="patchtide-lab-azure-")), "127.0.0.1")
    server = open_server(world, "127.0.0.1", 0, certificate)
    threading.Thread(target=server.serve_forever, name="lab.azure", daemon=True).start()
    return AzureLab(f"https://127.0.0.1:{server.server_port}", ca, estate.clients[0]).environment()
