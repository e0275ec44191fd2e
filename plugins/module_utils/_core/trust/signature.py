# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A detached SSH signature: its envelope, read strictly, so that no changed byte goes unnoticed.

The format is openssh-portable/PROTOCOL.sshsig. Nothing is verified here; ``SignatureCheck`` does that.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from ..errors import BadInput
from .keys import split_strings

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC, _VERSION = b"SSHSIG", b"\0\0\0\1"
#: Characters in each line that ssh-keygen writes.
_WIDTH = 70
LARGEST = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The key that signed, the purpose, and the hash algorithm of the message."""

    key: bytes
    namespace: str
    hash_name: str


def read_envelope(signature: bytes, where: str) -> Envelope:
    """Read what ssh-keygen -Y sign wrote.

    :raises BadInput: it is anything else, even if only a blank or a line follows the end.
    """
    if len(signature) > LARGEST:
        raise BadInput(where, f"{len(signature)} bytes", f"a signature of at most {LARGEST} bytes")
    try:
        text = signature.decode("ascii")
        body = "".join(text.split("\n")[1:-2])
        data = base64.b64decode(body, validate=True)
        if to_armour(data) != text or not data.startswith(_MAGIC + _VERSION):
            raise ValueError("another envelope")
        key, namespace, reserved, hash_name, _signed = split_strings(data[len(_MAGIC + _VERSION) :])
        if reserved or hash_name not in (b"sha512", b"sha256"):
            raise ValueError("another version")
        return Envelope(key=key, namespace=namespace.decode("ascii"), hash_name=hash_name.decode("ascii"))
    except (ValueError, binascii.Error):
        expected = "exactly what ssh-keygen -Y sign wrote, with nothing before or after it"
        raise BadInput(where, signature[:60], expected) from None


def to_armour(data: bytes) -> str:
    """Return the lines in which ssh-keygen writes a signature."""
    body = base64.b64encode(data).decode()
    return "\n".join([_BEGIN, *(body[at : at + _WIDTH] for at in range(0, len(body), _WIDTH)), _END, ""])
