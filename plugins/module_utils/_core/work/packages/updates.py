# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the list of updates that a host printed, whichever package manager it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...errors import PatchtideError
from ..trouble import to_cause
from .apt import read_apt
from .dnf import read_dnf
from .document import Document, parse_document
from .listing import Listing, PackageRules
from .reboot_need import RebootNeed, reconcile
from .zypper import read_zypper

READERS: Mapping[str, Callable[[Document, PackageRules], Listing]] = {
    "apt": read_apt,
    "dnf": read_dnf,
    "yum": read_dnf,
    "zypper": read_zypper,
}
#: Parts without which a list would look shorter than it is, with the exit codes that are no error.
_NEEDED: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "apt": {"refresh": (0,), "simulate": (0,), "newer": (0, 123), "sources": (0,)},
    "dnf": {"refresh": (0,), "updates": (0, 100), "security": (0,)},
    "yum": {"refresh": (0,), "updates": (0, 100)},
    "zypper": {"refresh": (0, 106), "updates": (0, 100, 101, 102, 103), "patches": (0, 100, 101, 102, 103)},
}


class ListFailed(PatchtideError):
    """The package manager could not say what it would install."""

    code = "list_failed"


class Refused(PatchtideError):
    """The host is one whose packages can't be updated in place."""

    code = "refused"


class Locked(PatchtideError):
    """Somebody else works with the package manager, and did not end in time."""

    code = "locked"


def read_list(output: str, rules: PackageRules) -> tuple[Listing, tuple[str, ...]]:
    """Read the output of ``list_script``.

    :return: the listing as the policy wants it, and what the host's sources say about a reboot, for ``reconcile``.
    :raises PatchtideError: the package manager failed; what it said is in the message.
    """
    document = parse_document(output)
    if refused := document.part("refused").out:
        raise Refused(f"it can't be patched by this executor: {refused[0]}")
    if holder := document.part("lock").out:
        raise Locked(f"the package manager is locked by {holder[0]} for more than {rules.lock_seconds} seconds")
    if document.manager not in READERS:
        raise ListFailed("no apt, dnf, yum or zypper")
    for name, codes in _NEEDED[document.manager].items():
        part = document.part(name)
        if part.rc not in codes:
            raise ListFailed(f"{document.manager}, {name} (exit code {part.rc}): {to_cause(part.said)}")
    return READERS[document.manager](document, rules).chosen(rules), document.lines("reboot")


def reboot_need(output: str, *, rebooted: bool) -> RebootNeed:
    """Return whether the host that printed a document needs a reboot. :raises BadAnswer: it is no document."""
    return reconcile(parse_document(output).lines("reboot"), rebooted=rebooted)
