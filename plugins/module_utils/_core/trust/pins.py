# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller pins, out of reach of any job: root keys, and the lowest version of the bundle."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import BadInput, PatchtideError
from ..shape import NAME, Object, Rule, Values, check_shape
from .keys import Key, read_key
from .ports import SignatureCheck
from .signature import read_envelope
from .statement import namespace

_POSITIVE = Rule(lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 1, "1 or more")
_KEY = Rule(lambda value: isinstance(value, str) and 0 < len(value) < 5000, "a public key")
_API = Rule(
    lambda value: isinstance(value, str) and bool(re.fullmatch(r"/api/([a-z]+/)?v2/", value)),
    "/api/v2/, or /api/controller/v2/ for Ansible Automation Platform 2.5 and newer",
)
_AWX = Object({"url": NAME, "token_file": NAME}, {"ca_file": NAME, "api": _API})
_SERVICENOW = Object({"url": NAME, "secret_file": NAME}, {"user": NAME, "ca_file": NAME})
_SERVICES = {"awx": _AWX, "servicenow": _SERVICENOW}
_SHAPE = Object(
    {"bundle": NAME, "root_keys": Values(_KEY), "signatures": _POSITIVE, "lowest_version": _POSITIVE},
    _SERVICES,
)
#: Root keys are replaced by changing the pins, so they have no validity period.
_ALWAYS = ("2000-01-01T00:00:00Z", "9999-12-31T23:59:59Z")


class BundleRefused(PatchtideError):
    """The trust bundle is not signed as the controller requires, or too old."""

    code = "BundleRefused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """``signatures``: the number of root keys that must have signed the bundle. ``awx``: where to read approvals, with
    ``url``, ``token_file`` and optionally ``ca_file`` and ``api``, the API's path. ``servicenow``: likewise with
    ``url``, ``secret_file`` and optionally ``user``, whose password the file then has, and ``ca_file``."""

    bundle: str
    root_keys: Mapping[str, Key]
    signatures: int
    lowest_version: int
    awx: Mapping[str, str] = field(default_factory=dict)
    servicenow: Mapping[str, str] = field(default_factory=dict)


def read_pins(data: Any, where: str) -> Pins:
    """Read the controller's pins. :raises BadInput: anything in them is malformed."""
    check_shape(data, _SHAPE, where)
    services = [(data.get(name) or {}, shape, f"{where}.{name}") for name, shape in _SERVICES.items()]
    for found, shape, below in ((data, _SHAPE, where), *services):
        known = {**shape.members, **shape.maybe}
        for name in found:
            if name not in known:
                raise BadInput(f"{below}.{name}", found[name], f"one of {', '.join(known)}")
    keys = {
        str(name): read_key(text, *_ALWAYS, f"{where}.root_keys.{name}") for name, text in data["root_keys"].items()
    }
    if len({key.blob for key in keys.values()}) != len(keys):
        raise BadInput(f"{where}.root_keys", sorted(keys), "each key once")
    if data["signatures"] > len(keys):
        raise BadInput(f"{where}.signatures", data["signatures"], f"at most {len(keys)}, the number of root_keys")
    return Pins(
        bundle=data["bundle"],
        root_keys=keys,
        signatures=data["signatures"],
        lowest_version=data["lowest_version"],
        awx=data.get("awx") or {},
        servicenow=data.get("servicenow") or {},
    )


def check_signatures(data: bytes, signatures: Sequence[bytes], pins: Pins, check: SignatureCheck, at: datetime) -> None:
    """Check that enough root keys have signed a bundle.

    :raises BundleRefused: says how many have, and why others do not count.
    """
    signers: set[str] = set()
    reasons = []
    for signature in signatures:
        why = _signer(data, signature, pins, check, at, signers)
        if why:
            reasons.append(why)
    if len(signers) < pins.signatures:
        known = f"{len(signers)} of {len(pins.root_keys)} root keys have signed it, and {pins.signatures} must"
        raise BundleRefused(f"{pins.bundle}: {'; '.join([known, *reasons])}.")


def _signer(data: bytes, signature: bytes, pins: Pins, check: SignatureCheck, at: datetime, signers: set[str]) -> str:
    """Note who signed, or why a signature does not count."""
    try:
        envelope = read_envelope(signature, "signature")
    except BadInput as error:
        return str(error)
    name = next((name for name, key in pins.root_keys.items() if key.blob == envelope.key), "")
    if not name:
        return "a signature is by none of the root keys"
    why = check.objection(
        data, signature, namespace=namespace("trust"), principal=name, key=pins.root_keys[name], at=at
    )
    if not why:
        signers.add(name)
    return why


def check_version(version: int, pins: Pins, seen: int = 0) -> None:
    """:raises BundleRefused: the bundle is older than the one that this controller or the rollout already had."""
    least, who = max((pins.lowest_version, "this controller demands"), (seen, "this rollout has begun with"))
    if version < least:
        raise BundleRefused(f"{pins.bundle} is version {version}, and {who} at least version {least}.")
