# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People's public keys in OpenSSH's format: which are accepted, how long they count, and their fingerprints."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from ..errors import BadInput

#: The number of strings in a key of each type, including the type's name: RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4 and
#: openssh-portable/PROTOCOL.u2f. Certificates and DSA are not accepted.
_PARTS = {
    "ssh-ed25519": 2,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
    "ssh-rsa": 3,
}
_LEAST_RSA_BYTES = 256
_ED25519_BYTES = 32
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key, and the period in which its signatures count: from ``valid_from`` until before ``valid_until``."""

    kind: str
    text: str
    valid_from: datetime
    valid_until: datetime

    @property
    def line(self) -> str:
        """Return the key in the format of OpenSSH's files, without a comment."""
        return f"{self.kind} {self.text}"

    @property
    def blob(self) -> bytes:
        return base64.b64decode(self.text)

    @property
    def fingerprint(self) -> str:
        """Return the fingerprint that ``ssh-keygen -l`` shows."""
        return fingerprint(self.blob)

    def objection(self, at: datetime) -> str:
        """Return why the key doesn't count at a time; empty if it does."""
        if at < self.valid_from:
            return f"key {self.fingerprint} is valid only from {moment(self.valid_from)}"
        return f"key {self.fingerprint} expired on {moment(self.valid_until)}" if at >= self.valid_until else ""


def read_key(text: object, valid_from: object, valid_until: object, where: str) -> Key:
    """Read a key as people paste it, with or without a comment.

    :raises BadInput: it is not a public key, too weak, of another type, or its times are not in UTC with a Z.
    """
    words = text.split() if isinstance(text, str) and text.isprintable() else []
    if len(words) < 2 or words[0] not in _PARTS:
        raise BadInput(f"{where}.key", text, f"a public key that begins with one of {', '.join(_PARTS)}")
    try:
        blob = base64.b64decode(words[1], validate=True)
        parts = split_strings(blob)
    except (binascii.Error, ValueError):
        raise BadInput(f"{where}.key", text, "a whole public key, as in the file with the ending .pub") from None
    kind = words[0].encode()
    if len(parts) != _PARTS[words[0]] or parts[0] != kind or base64.b64encode(blob).decode() != words[1]:
        raise BadInput(f"{where}.key", text, f"a whole public key of the type {words[0]}")
    if words[0] == "ssh-rsa" and len(parts[2].lstrip(b"\0")) < _LEAST_RSA_BYTES:
        raise BadInput(f"{where}.key", text, "an RSA key of 2048 bits or more")
    if words[0] == "ssh-ed25519" and len(parts[1]) != _ED25519_BYTES:
        raise BadInput(f"{where}.key", text, "a whole Ed25519 key")
    begin, end = read_moment(valid_from, f"{where}.valid_from"), read_moment(valid_until, f"{where}.valid_until")
    if end <= begin:
        raise BadInput(f"{where}.valid_until", valid_until, f"a time after {moment(begin)}")
    return Key(kind=words[0], text=words[1], valid_from=begin, valid_until=end)


def split_strings(data: bytes) -> list[bytes]:
    """Return the strings, each of which is preceded by its length in four bytes (RFC 4251 5, string).

    :raises ValueError: there is something between or after them.
    """
    found = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size:
            raise ValueError("cut off")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def fingerprint(blob: bytes) -> str:
    """Return a key's SHA-256 as OpenSSH writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def read_moment(value: object, where: str) -> datetime:
    """Read a time. It must be in UTC with a Z, because OpenSSH reads other times as local time.

    :raises BadInput: it is not.
    """
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        except ValueError:
            pass
    raise BadInput(where, value, "a time in UTC such as 2026-12-01T22:00:00Z")


def moment(at: datetime) -> str:
    """The reverse of ``read_moment``; fractions of a second are cut off."""
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
