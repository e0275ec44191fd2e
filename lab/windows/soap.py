# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management messages of shells: what requests hold, and envelopes of answers and faults.

Sources: DMTF DSP0226 (WS-Management) and MS-WSMV for the messages, MS-PSRP for the payload.
"""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass

NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "r": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "p": "http://schemas.microsoft.com/powershell",
    "f": "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
}
#: The client asks again (MS-WSMV 3.1.4.1.29; ERROR_WSMAN_OPERATION_TIMEDOUT).
OPERATION_TIMEOUT = 2150858793
#: The shell is not there any more: the host was rebooted (ERROR_WSMAN_INVALID_SELECTORS).
NO_SHELL = 2150858843
_ENVELOPE = (
    "<s:Envelope {names}><s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{message}</a:MessageID>"
    "<a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
)
_NAMESPACES = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())


@dataclass(frozen=True, slots=True)
class Request:
    """A message of a client. ``operation``: the last part of its action, such as ``Receive``."""

    tree: ET.Element

    @property
    def action(self) -> str:
        return self.text(".//a:Action").strip()

    @property
    def operation(self) -> str:
        return self.action.rpartition("/")[2]

    @property
    def resource(self) -> str:
        return self.text(".//w:ResourceURI").strip()

    @property
    def shell(self) -> str:
        return self.text(".//w:Selector[@Name='ShellId']")

    @property
    def seconds(self) -> float:
        """How long the client waits for an answer, ``PT20S``."""
        found = re.fullmatch(r"PT([0-9.]+)S", self.text(".//w:OperationTimeout"))
        return float(found[1]) if found else 20.0

    def text(self, path: str) -> str:
        return self.tree.findtext(path, "", NAMES)

    def attribute(self, path: str, name: str) -> str:
        found = self.tree.find(path, NAMES)
        return (found.get(name) or "") if found is not None else ""

    def option(self, name: str) -> str:
        return self.text(f".//w:Option[@Name='{name}']")

    def payload(self, path: str) -> bytes:
        return base64.b64decode(self.text(path))


def read(raw: bytes) -> Request:
    return Request(ET.fromstring(raw))


def answer(request: Request, body: str) -> bytes:
    return _envelope(request, f"{request.action}Response", body)


def fault(request: Request, code: int, text: str) -> bytes:
    """Return a fault as WinRM writes it: clients read the code of WSManFault."""
    body = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:TimedOut</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault Code="{code}" Machine="lab"><f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>'
    )
    return _envelope(request, "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", body)


def _envelope(request: Request, action: str, body: str) -> bytes:
    relates = request.text(".//a:MessageID")
    filled = _ENVELOPE.format(names=_NAMESPACES, action=action, message=uuid.uuid4(), relates=relates, body=body)
    return filled.encode()
