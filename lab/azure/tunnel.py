# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets programs that know only the public cloud reach the lab: a proxy whose every tunnel ends at the lab.

The lab's certificate names the public services, see ``certificates.py``.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from .launch import AzureLab


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other direction has ended the connection


@contextmanager
def tunnel(lab: AzureLab) -> Iterator[dict[str, str]]:
    """Give the environment in which the SDKs of Azure and azure.azcollection find the lab as the public cloud."""
    target = urlsplit(lab.url)

    class Tunnel(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if not self.rfile.readline().startswith(b"CONNECT "):
                return
            while self.rfile.readline().strip():
                pass
            with socket.create_connection((target.hostname or "", target.port or 443)) as there:
                self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Tunnel) as server:
        threading.Thread(target=server.serve_forever, name="lab.azure.tunnel", daemon=True).start()
        try:
            yield {
                "HTTPS_PROXY": f"http://127.0.0.1:{server.server_address[1]}",
                "NO_PROXY": "127.0.0.1",
                "REQUESTS_CA_BUNDLE": str(lab.ca),
                "SSL_CERT_FILE": str(lab.ca),
                "AZURE_CLIENT_ID": lab.client.client_id,
                "AZURE_SECRET": lab.client.secret,
                "AZURE_TENANT": lab.client.tenant,
                "AZURE_DISABLE_INSTANCE_DISCOVERY": "true",
            }
        finally:
            server.shutdown()
