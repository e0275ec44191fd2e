# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public OpenPGP keys: their fingerprints and when they expire. Pure; a minimal host has no gpg that could say it.

Nothing is verified here. Package managers do that; this tells which keys they would trust (RFC 4880, RFC 9580).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

_ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)
_KEY, _SIGNATURE = 6, 2
#: Certifications of a user ID, and a signature on the key itself.
_SELF = (0x10, 0x11, 0x12, 0x13, 0x1F)
_CREATED, _KEY_EXPIRES, _ISSUER = 2, 9, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A primary key. ``fingerprint``: upper-case hex. ``expires``: ``None`` for a key that does not."""

    fingerprint: str
    created: datetime
    expires: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires is not None and self.expires <= now


def read_keys(data: bytes) -> tuple[Key, ...]:
    """Return the primary keys in a keyring or in armoured blocks; what is not one is left out."""
    blocks = [_dearmour(match[1]) for match in _ARMOUR.finditer(data)] or [data]
    return tuple(key for block in blocks for key in _keys(block))


def fingerprint(text: str) -> str:
    """Return a fingerprint as people write it in its plain form: ``"AB CD"`` to ``"ABCD"``."""
    return re.sub(r"[\s:]", "", text).upper().removeprefix("0X")


def _dearmour(body: bytes) -> bytes:
    """Decode what stands behind the headers; the checksum begins with ``=``."""
    _headers, _separator, text = body.replace(b"\r", b"").partition(b"\n\n")
    lines = [line.strip() for line in (text or body).split(b"\n") if line.strip() and not line.startswith(b"=")]
    try:
        return base64.b64decode(b"".join(lines), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _keys(data: bytes) -> Iterator[Key]:
    key: Key | None = None
    newest = -1
    for tag, body in _packets(data):
        if tag == _KEY:
            if key:
                yield key
            key, newest = _primary(body), -1
        elif tag == _SIGNATURE and key and body[:1] == b"\x04" and len(body) > 5 and body[1] in _SELF:
            found = _subpackets(body)
            issuer, created = found.get(_ISSUER, b""), int.from_bytes(found.get(_CREATED, b""), "big")
            if created < newest or (issuer and issuer.hex().upper() != key.fingerprint[-16:]):
                continue
            newest, seconds = created, int.from_bytes(found.get(_KEY_EXPIRES, b""), "big")
            key = replace(key, expires=key.created + timedelta(seconds=seconds) if seconds else None)
    if key:
        yield key


def _primary(body: bytes) -> Key | None:
    if len(body) < 6 or body[0] not in (4, 6):
        return None
    if body[0] == 4:
        digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest()
    else:
        digest = hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body).hexdigest()
    created = datetime.fromtimestamp(int.from_bytes(body[1:5], "big"), timezone.utc)
    return Key(fingerprint=digest.upper(), created=created)


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (tag, body); it ends at the first byte that begins no packet."""
    at = 0
    while at + 1 < len(data) and data[at] & 0x80:
        head = data[at]
        if head & 0x40:
            tag, size, at = head & 0x3F, *_new_length(data, at + 1)
        else:
            width = {0: 1, 1: 2, 2: 4}.get(head & 3)
            tag = head >> 2 & 0x0F
            size = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else -1
            at += 1 + (width or 0)
        if size < 0 or at + size > len(data):
            return
        yield tag, data[at : at + size]
        at += size


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """Return a length and where its packet begins; -1 for partial lengths, which no key has."""
    first = data[at]
    if first < 192:
        return first, at + 1
    if first < 224:
        return (first - 192 << 8) + (data[at + 1] if at + 1 < len(data) else 0) + 192, at + 2
    return (int.from_bytes(data[at + 1 : at + 5], "big"), at + 5) if first == 255 else (-1, at)


def _subpackets(body: bytes) -> dict[int, bytes]:
    """Return the subpackets of a version 4 signature, those that are signed before those that are not."""
    found: dict[int, bytes] = {}
    size = int.from_bytes(body[4:6], "big")
    areas = [body[6 : 6 + size]]
    rest = body[6 + size :]
    areas.append(rest[2 : 2 + int.from_bytes(rest[:2], "big")])
    for area in areas:
        at = 0
        while at < len(area):
            length, at = _new_length(area, at)
            if length < 1 or at + length > len(area):
                break
            found.setdefault(area[at] & 0x7F, area[at + 1 : at + length])
            at += length
    return found
