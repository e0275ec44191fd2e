# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the lab's Azure in a thread of this process, for tests and for the lab's AWS, whose clock it shares."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.aws.clock import VirtualClock

from .certificates import write_certificates
from .estate import Client, load_azure_estate
from .server import open_server
from .world import World

DEFAULT_ESTATE = Path(__file__).resolve().parent / "estate.yml"


@dataclass(frozen=True, slots=True)
class AzureLab:
    """A running lab. ``client`` is the service principal that its environment logs in as."""

    url: str
    ca: Path
    client: Client

    def environment(self) -> dict[str, str]:
        """Return the variables that point the collection at the lab."""
        return {
            "AZURE_CLIENT_ID": self.client.client_id,
            "AZURE_SECRET": self.client.secret,
            "AZURE_TENANT": self.client.tenant,
            "PATCHTIDE_AZURE_ENDPOINT": self.url,
            "AZURE_AUTHORITY_HOST": self.url,
            "PATCHTIDE_AZURE_CA_BUNDLE": str(self.ca),
        }

    @property
    def login(self) -> dict[str, str]:
        """The options of the service principal."""
        return {"client_id": self.client.client_id, "secret": self.client.secret, "tenant": self.client.tenant}

    def get(self, path: str) -> dict[str, Any]:
        return self._call(path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._call(path, dict(body or {}))

    def machine(self, name: str) -> dict[str, Any]:
        return next(row for row in self.get("machines")["machines"] if row["name"] == name)

    def _call(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/lab/{path}", data=data, method="POST" if data else "GET")
        context = ssl.create_default_context(cafile=str(self.ca))
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return dict(json.loads(answer.read()))


@contextmanager
def azure_lab(folder: Path, estate: Path = DEFAULT_ESTATE, world: World | None = None) -> Iterator[AzureLab]:
    """Start the lab, give it, stop it. :param folder: for certificates."""
    if world is None:
        found = load_azure_estate(estate)
        world = World(found, VirtualClock(found.start))
    ca, certificate = write_certificates(folder, "127.0.0.1")
    server = open_server(world, "127.0.0.1", 0, certificate)
    thread = threading.Thread(target=server.serve_forever, name="lab.azure", daemon=True)
    thread.start()
    try:
        yield AzureLab(f"https://127.0.0.1:{server.server_port}", ca, world.estate.clients[0])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
