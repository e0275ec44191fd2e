# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what a Windows host says about Windows Update before a change. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...text import counted
from ..node_answer import words
from ..precheck import Finding
from .host_state import HostState, to_moment
from .reboot_sources import reboot_need

#: More than this is a clock that certificates and Kerberos do not accept: 5 minutes (Microsoft Learn, "Maximum
#: tolerance for computer clock synchronization").
MOST_SKEW_SECONDS = 300
#: Whoever connects over HTTPS needs a new certificate by then.
_SOON_DAYS = 30
#: Windows searches about once a day; a month without success is a broken client.
_STALE_DAYS = 30
#: VSS_WS_FAILED_AT_IDENTIFY and all that follow (Microsoft Learn, VSS_WRITER_STATE).
_FIRST_FAILED = 6
_STORES = {"healthy": True, "unknown": True, "repairable": False, "damaged": False}


def findings(state: HostState, skew: float | None = None, group: str = "") -> tuple[Finding, ...]:
    """Return the findings, those that hold the node and those that an operator only wants to know.

    :param skew: seconds by which the host's clock is ahead of the controller's; ``None`` in rehearsals.
    :param group: the computer group of WSUS from which the node's wave takes its updates, ``""`` for none.
    """
    return tuple(_findings(state, state.details, skew, group))


def _findings(state: HostState, details: Mapping[str, Any], skew: float | None, group: str) -> Iterator[Finding]:
    if details.get("administrator") is False:
        yield _bad("rights", "the login has no rights of an administrator, without which nothing can be installed")
    if (mode := details.get("language_mode")) not in (None, "FullLanguage"):
        yield _bad("powershell", f"PowerShell runs in {mode}, in which win_updates does not work")
    if details.get("update_service") in ("Disabled", "absent"):
        yield _bad("update_service", f"the service Windows Update is {str(details['update_service']).lower()}")
    if state.installing:
        yield _bad("lock", "an install of Windows Update is running")
    elif state.processes:
        yield _bad("lock", "a process of win_updates waits for its reader: stop it, or reboot the host")
    store = str(details.get("component_store") or "unknown")
    if not _STORES.get(store, True):
        repair = "DISM /Online /Cleanup-Image /RestoreHealth"
        yield _bad("component_store", f"the component store is {store}: {repair}")
    yield from _notes(state, details)
    yield from _policy(details.get("policy"))
    if group:
        yield from _server(details.get("policy"), group)
    yield from (_note("pending_reboot", text) for text in reboot_need(state.reboot).doubts)
    if skew is not None and abs(skew) > MOST_SKEW_SECONDS:
        yield _note("time_sync", f"its clock differs from the controller's by {skew:.0f} s")


def _notes(state: HostState, details: Mapping[str, Any]) -> Iterator[Finding]:
    """What an operator wants to know, and what holds no node."""
    failed = [
        name
        for number, _space, name in (text.partition(" ") for text in _texts(details.get("vss_writers")))
        if _has_failed(number)
    ]
    if failed:
        yield _note("backup", f"VSS writers have failed, so that backups may be incomplete: {', '.join(failed[:10])}")
    for until in filter(None, map(to_moment, _texts(details.get("listener_certificates")))):
        if state.days_until(until) < _SOON_DAYS:
            yield _note("certificate", f"the certificate of its WinRM listener ends on {until:%Y-%m-%d}")
    found = details.get("roles")
    roles = found if isinstance(found, Mapping) else {}
    if names := _texts(roles.get("availability_groups")):
        yield _note("roles", f"it has the primary replica of availability groups: {', '.join(names[:10])}")
    elif names := _texts(roles.get("cluster_groups")):
        yield _note("roles", f"it owns groups of its cluster: {', '.join(names[:10])}")
    if roles.get("domain_controller") is True:
        yield _note("roles", "it is a domain controller")
    sessions = details.get("sessions")
    if isinstance(sessions, int) and not isinstance(sessions, bool) and sessions > 0:
        yield _note("sessions", f"{counted(sessions, 'session')} of users on it")
    searched = to_moment(details.get("last_search"))
    if searched is not None and state.days_until(searched) < -_STALE_DAYS:
        yield _note("update_service", f"Windows Update last searched with success on {searched:%Y-%m-%d}")


def _has_failed(number: str) -> bool:
    return number.isdecimal() and int(number) >= _FIRST_FAILED


def _texts(value: object) -> list[str]:
    """Return a list of texts. PowerShell turns lists of one entry into the entry."""
    rows = value if isinstance(value, list) else [value]
    return [words(item, 100) for item in rows[:100] if isinstance(item, str)]


def _policy(policy: object) -> Iterator[Finding]:
    if not isinstance(policy, Mapping):
        return
    if policy.get("no_access") is True:
        yield _bad("update_policy", "a policy forbids access to Windows Update (DisableWindowsUpdateAccess)")
    defers = policy.get("defers_quality") is True or policy.get("defers_feature") is True
    if policy.get("uses_server") is True and defers and policy.get("no_dual_scan") is not True:
        text = "deferrals beside an update server: Windows then ignores its updates of Windows (dual scan)"
        yield _note("update_policy", text)
    if policy.get("installs_alone") is True:
        yield _note("update_policy", "Windows Update installs by itself as well (AUOptions 4)")


def _server(policy: object, group: str) -> Iterator[Finding]:
    """A computer of another group, or without a server, has updates that its wave must not have yet."""
    found = policy if isinstance(policy, Mapping) else {}
    named = str(found.get("target_group") or "")
    if found.get("uses_server") is not True:
        yield _bad(
            "update_policy", f"it takes no updates from WSUS (UseWUServer), where its wave has the group {group}"
        )
        return
    if named.casefold() != group.casefold():
        yield _bad(
            "update_policy", f"its computer group is {named or 'not set (TargetGroup)'}, and not {group} as in its wave"
        )
        return
    if server := words(found.get("server") or "", 200):
        yield _note("update_policy", f"it takes its updates from {server}")
    if found.get("no_internet") is not True:
        text = "Windows Update may connect to the internet (DoNotConnectToWindowsUpdateInternetLocations is not set)"
        yield _note("update_policy", text)


def _bad(check: str, text: str) -> Finding:
    return Finding(check=check, ok=False, text=text)


def _note(check: str, text: str) -> Finding:
    return Finding(check=check, ok=True, text=text)
