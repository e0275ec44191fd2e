# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists over a month: what is no longer offered, what comes along, and what the probe says changed on the machine.

[PBO] is AWS's own payload as published in tekumara/aws-ssm-patch-manager (2021; today's may differ).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe

from lab.aws.launch import Lab, lab

from .conftest import WEB, Fleet
from .test_patch_uploads import INSTALL, LONG, put_list
from .test_patching import bind_baseline, states

DAY = 86_400
ADDRESS = {"InstallOverrideList": ["s3://lists/a.yml"]}


@pytest.fixture(scope="module")
def month() -> Iterator[Lab]:
    with lab(Path(__file__).with_name("month.yml")) as running:
        yield running


@pytest.fixture
def fleet(month: Lab) -> Fleet:
    month.reset()
    found = Fleet(month)
    bind_baseline(found, "app-01", "APP", "DEBIAN", ApprovalRules=_rules())
    bind_baseline(found, "win-01", "WIN", "WINDOWS", ApprovalRules=_rules(7))
    return found


def _rules(days: int | None = None) -> dict[str, Any]:
    rule = {"PatchFilterGroup": {"PatchFilters": []}, "ComplianceLevel": "HIGH", "EnableNonSecurity": days is None}
    return {"PatchRules": [{**rule, **({"ApproveAfterDays": days} if days is not None else {"ApproveAfterDays": 0})}]}


def titles(fleet: Fleet, name: str, state: str = "MISSING") -> set[str]:
    fleet.send(name, wait=300)
    page = fleet.ssm(name).describe_instance_patches(InstanceId=fleet.id(name))["Patches"]
    return {row["Title"] for row in page if row["State"] == state}


def installs(fleet: Fleet) -> set[str]:
    return {f"{row['patch']}:{row['version']}" for row in fleet.lab.get("ledger")["installs"]}


def listed(fleet: Fleet, *rows: tuple[str, str]) -> None:
    text = "".join(f"- {{id: '{patch}', title: '{title}'}}\n" for patch, title in rows)
    put_list(fleet, f"patches:\n{text}", WEB)


def install(fleet: Fleet, name: str) -> dict[str, Any]:
    command = fleet.send(name, Parameters={**INSTALL, **ADDRESS}, wait=LONG)
    return fleet.outcome(command, name, PluginName="PatchWindows" if "win" in name else "PatchLinux")


def test_an_archive_drops_a_version_for_the_next_one(fleet: Fleet) -> None:
    """deb archives keep the newest version of a suite; the list that names the older one installs neither [PBO]."""
    old, new = (f"bind9-dnsutils.amd64:1:9.18.{number}-1~deb12u1" for number in (41, 44))
    assert old in titles(fleet, "app-01")
    listed(fleet, ("bind9-dnsutils.amd64", old))
    fleet.lab.advance(6 * DAY)
    assert install(fleet, "app-01")["Status"] == "Success"
    assert installs(fleet) == set()
    assert new in titles(fleet, "app-01") and old not in titles(fleet, "app-01")


def test_the_epoch_is_part_of_an_apt_version(fleet: Fleet) -> None:
    """apt versions are matched as a whole; "9.18.41-1~deb12u1" is none of this package's [PBO, APT_CODES]."""
    listed(fleet, ("bind9-dnsutils.amd64", "9.18.41-1~deb12u1"), ("openssl.amd64", "3.0.17-1~deb12u2"))
    install(fleet, "app-01")
    assert installs(fleet) == {"openssl.amd64:3.0.17-1~deb12u2"}


def test_what_a_patch_needs_comes_along_though_no_row_names_it(fleet: Fleet) -> None:
    """[PBO, _can_be_installed_or_upgraded]: only a listed id in another version is blocked."""
    listed(fleet, ("libvirt-daemon.amd64", "libvirt-daemon.amd64:9.0.0-4+deb12u3"))
    install(fleet, "app-01")
    both = {f"libvirt-{name}.amd64:9.0.0-4+deb12u3" for name in ("daemon", "common")}
    assert installs(fleet) == both
    assert states(fleet, "app-01")["libvirt-common.amd64"] == "INSTALLED_PENDING_REBOOT"


def test_a_dependency_that_a_row_names_in_another_version_is_blocked(fleet: Fleet) -> None:
    rows = [("libvirt-daemon.amd64", "*"), ("libvirt-common.amd64", "libvirt-common.amd64:1")]
    listed(fleet, *rows)
    assert install(fleet, "app-01")["Status"] == "Failed"
    assert installs(fleet) == set()


def test_a_rejected_package_is_installed_on_linux_where_a_list_names_it(fleet: Fleet) -> None:
    """ "whether or not they are approved" (user guide); rejected ones are looked at without a list only [PBO]."""
    bind_baseline(fleet, "vault-01", "VAULT", "DEBIAN", RejectedPatches=["openssl*"], RejectedPatchesAction="BLOCK")
    listed(fleet, ("openssl.amd64", "openssl.amd64:3.0.17-1~deb12u2"))
    install(fleet, "vault-01")
    assert installs(fleet) == {"openssl.amd64:3.0.17-1~deb12u2"}


def test_a_kb_that_was_replaced_is_not_offered_any_more(fleet: Fleet) -> None:
    """Superseded updates are not applicable; the next one waits for its approval delay."""
    assert any("KB5995101" in title for title in titles(fleet, "win-01"))
    listed(fleet, ("KB5995101", "whatever"))
    fleet.lab.advance(6 * DAY)
    install(fleet, "win-01")
    assert installs(fleet) == set()
    fleet.send("win-01", wait=300)
    found = states(fleet, "win-01")
    assert found["KB5995201"] == "AVAILABLE_SECURITY_UPDATE" and "KB5995101" not in found


def test_what_was_approved_since_is_missing_beside_what_was_installed(fleet: Fleet) -> None:
    fleet.lab.advance(4 * DAY)
    assert "curl.amd64:7.88.1-10+deb12u15" in titles(fleet, "app-01")


@pytest.mark.parametrize(("name", "platform"), [("app-01", "linux"), ("win-01", "windows")])
def test_the_probe_says_what_changed_and_what_others_changed_too(fleet: Fleet, name: str, platform: str) -> None:
    def look(mode: str, key: str = "r-1") -> dict[str, Any]:
        command = fleet.script(name, to_probe(platform, "", key, mode), wait=120)
        return dict(json.loads(fleet.outcome(command, name)["StandardOutputContent"].splitlines()[0]))

    assert look("compare")["packages"] is None
    assert look("remember")["packages_known"] is not None
    assert look("compare")["packages"]["rows"] == [] and look("compare", "r-2")["packages"] is None
    listed(fleet, ("openssl.amd64", "*"), ("KB5995102", "*"))
    fleet.fault(name, changed_by_others=["tzdata.amd64"])
    install(fleet, name)
    rows = {
        "linux": ["openssl.amd64 3.0.17-1~deb12u1 3.0.17-1~deb12u2", "tzdata.amd64 2026a-0+deb12u1 2026b-0+deb12u1"],
        "windows": ["KB5995102 - 200"],
    }[platform]
    assert look("compare")["packages"]["rows"] == rows
    pending = titles(fleet, name, "INSTALLED_PENDING_REBOOT")
    assert not any("tzdata" in title for title in pending) and len(pending) == 1
