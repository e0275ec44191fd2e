# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent does on a node when a command arrives, as generators over simulated time.

A behaviour yields seconds to let pass, or REBOOT, and returns a ``Result``. Between two yields the node may have been
stopped, cut off or cancelled: that is the business of ``invocations.py``.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..catalogue import Patch
from ..node import NEWEST_AGENT, Node
from .overrides import NotReadable, baseline_override, blocks, chosen, install_list, snapshot
from .packages import about_packages, to_output
from .patch_groups import baseline_of
from .patchstate import COUNTS, Report, Scanner, look, write_report
from .windows_update import install_everything

if TYPE_CHECKING:
    from .backend import Place

REBOOT = object()
#: the line of the probe that says what it does about services
_SERVICES = re.compile(r"\$?services ?= ?'(remember|compare)'; \$?key ?= ?'([\w-]+)'")
#: the line of the probe that has the endpoints, in both languages
_ENDPOINTS = re.compile(r"(?:for url in|.*foreach \(\$url in) (https:.*?)(?:; do|\) \{)")
PROBE, REBOOT_SCRIPT = "# patchtide:probe:1", "# patchtide:reboot:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Exit code and output of the step that did the work."""

    code: int
    stdout: str = ""
    stderr: str = ""


Parameters = dict[str, list[str]]
Behaviour = Generator[Any, None, Result]


def behaviour_of(place: Place, node: Node, document: str, parameters: Parameters) -> Behaviour:
    return _BEHAVIOURS[document](place, node, parameters)


def run_patch_baseline(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    """AWS-RunPatchBaseline: scan, install what is missing, reboot if anything was installed, report."""
    told = {name: values[0] for name, values in parameters.items()}
    try:
        _may_begin(node, told)
        scanner = _scanner(place, node, told)
        listed = install_list(place, scanner.override_list) if scanner.override_list else None
    except NotReadable as error:
        # It fails before it reports: the service goes on showing the state of the last run that did.
        yield 5
        return Result(code=error.code, stderr=str(error))
    node.failed.clear()
    if scanner.operation == "Install":
        _others_change(place, node)
    yield node.seconds(40, 90, f"scan {place.sim.now}")
    if scanner.operation == "Scan":
        return Result(code=0, stdout=summary(node, _report(place, node, scanner, told)))
    wanted = _missing(place, node, scanner) if listed is None else _named(place, node, scanner, listed)
    installed, failed = yield from _install(place, node, scanner, wanted, listed)
    # "RebootIfNeeded: … reboots the managed node if any new patches were installed, or any patches were detected
    # with a status of INSTALLED_PENDING_REBOOT": whether a reboot is needed is not evaluated.
    waiting = any(row.awaits_reboot for row in node.installed.values())
    if scanner.reboot_option == "RebootIfNeeded" and (installed or waiting):
        yield REBOOT
        yield node.seconds(30, 60, f"rescan {place.sim.now}")
    error_text = f"{failed} of {installed + failed} patches failed to install" if failed else ""
    if failed and listed is not None and node.system.baseline_os == "SUSE":
        # AWS's payload as published in tekumara/aws-ssm-patch-manager: with a list, an exit of zypper other than 0 ends
        # it before the report, even after installs
        return Result(code=1, stderr=error_text)
    report = _report(place, node, scanner, told)
    return Result(code=1 if failed else 0, stdout=summary(node, report), stderr=error_text)


def _may_begin(node: Node, told: Mapping[str, str]) -> None:
    if node.faults["fails_early"] is not None:
        raise NotReadable("Error loading patching payload", int(node.faults["fails_early"]))
    if told.get("InstallOverrideList") and told.get("BaselineOverride"):
        # "Cannot provide both Baseline Override and Install Override List" (the payload), exit 167
        raise NotReadable("Cannot provide both Baseline Override and Install Override List", 167)


def _scanner(place: Place, node: Node, told: Mapping[str, str]) -> Scanner:
    install, override = told.get("InstallOverrideList", ""), told.get("BaselineOverride", "")
    baseline = baseline_of(place, node)
    if override:
        baseline = {**baseline_override(place, override, node.system.baseline_os), "BaselineId": baseline["BaselineId"]}
    snapshot_id, as_of = told["SnapshotId"], None
    if snapshot_id and not override:
        as_of, baseline = snapshot(place, snapshot_id, baseline)
    return Scanner(
        baseline=baseline,
        operation=told["Operation"],
        snapshot_id=snapshot_id or _own_snapshot(place, node),
        reboot_option=told["RebootOption"],
        started=place.sim.now,
        override_list=install if told["Operation"] == "Install" else "",  # "ignored by Scan"
        # Windows is evaluated in the service, where a snapshot keeps what was approved; Linux on the node, by its clock
        as_of=as_of if node.is_windows else None,
    )


def _own_snapshot(place: Place, node: Node) -> str:
    """Without SnapshotId every node works with a set of patches of its own."""
    bits = node.random(f"snapshot {place.sim.now}").getrandbits(128)
    return str(uuid.UUID(int=bits, version=4))


def _report(place: Place, node: Node, scanner: Scanner, told: Mapping[str, str]) -> Report:
    """Overwrite the node's patch state, unless a baseline override was used: that leaves compliance alone."""
    return write_report(place, node, scanner, keep=not told.get("BaselineOverride"))


def _missing(place: Place, node: Node, scanner: Scanner) -> list[Patch]:
    rows = look(node, scanner.baseline, scanner.as_of or place.sim.now)
    return [row.patch for row in rows if row.state == "MISSING"]


def _named(place: Place, node: Node, scanner: Scanner, listed: list[dict[str, str]]) -> list[Patch]:
    """What a list lets in: on Linux "whether or not they are approved" and rejected ones too, on Windows "only patches
    that are specified in the list and approved by the patch baseline" (user guide, InstallOverrideList)."""
    if node.is_windows:
        return chosen(listed, _missing(place, node, scanner), by_title=False)
    newest: dict[str, Patch] = {}
    for patch in chosen(listed, sorted(node.system.updates, key=lambda item: item.released)):
        held = node.installed.get(patch.patch_id)
        is_newer = held is None or held.patch.released < patch.released
        if is_newer and patch.offered(place.sim.now) and not patch.dependency:
            newest[patch.patch_id] = patch
    return list(newest.values())


def _install(
    place: Place, node: Node, scanner: Scanner, wanted: Sequence[Patch], listed: list[dict[str, str]] | None
) -> Generator[Any, None, tuple[int, int]]:
    """Install one patch after the other; returns how many went in and how many failed."""
    # about 15 minutes on Linux and 40 on Windows, whatever the number of patches
    whole = node.seconds(*((1800, 2500) if node.is_windows else (560, 860)), f"install {place.sim.now}")
    done = 0
    for patch in wanted:
        yield whole / len(wanted)
        done += _bring(place, node, patch, listed, awaits_reboot=scanner.reboot_option == "NoReboot")
    return done, len(wanted) - done


def _others_change(place: Place, node: Node) -> None:
    """What somebody else installs between two looks, such as unattended-upgrades: nothing of it is the document's."""
    for patch_id in node.faults["changed_by_others"]:
        versions = [item for item in node.system.updates if item.patch_id == patch_id and item.offered(place.sim.now)]
        if versions and patch_id not in node.installed:
            node.install(max(versions, key=lambda item: item.released), awaits_reboot=False)


def _bring(place: Place, node: Node, patch: Patch, listed: list[dict[str, str]] | None, *, awaits_reboot: bool) -> bool:
    """Install a patch and what it needs; dependencies are in no list and come in the version that is offered."""
    for name in patch.needs:
        versions = [item for item in node.system.updates if item.name == name and item.offered(place.sim.now)]
        needed = max(versions, key=lambda item: item.released, default=None)
        held = node.installed.get(needed.patch_id) if needed else None
        if needed is None or (held and held.patch.released >= needed.released):
            continue
        if listed is not None and blocks(listed, needed):
            return False
        node.install(needed, awaits_reboot)
    return node.install(patch, awaits_reboot)


def summary(node: Node, report: Report) -> str:
    """The lines the patch document prints at its end."""
    state = report.state
    facts = {
        "PatchGroup": state["PatchGroup"],
        "BaselineId": state["BaselineId"],
        "SnapshotId": state["SnapshotId"],
        "RebootOption": state.get("RebootOption", "RebootIfNeeded"),
        "OwnerInformation": "",
        "OperationType": state["Operation"],
        "OperationStartTime": f"{state['OperationStartTime']:%Y-%m-%dT%H:%M:%SZ}",
        "OperationEndTime": f"{state['OperationEndTime']:%Y-%m-%dT%H:%M:%SZ}",
        **{name: state[name] for name in COUNTS},
    }
    lines = [f"{name:<28}: {value}" for name, value in facts.items()]
    return "\n".join([f"Patch Summary for {node.node_id}", "", *lines, ""])


def run_script(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    """A script: the two that the collection sends are known by a line in them; nothing else can run here."""
    lines = [line.strip() for block in parameters["commands"] for line in block.splitlines()]
    if PROBE in lines:
        yield node.seconds(1, 4, "probe")
        services = yield from _services(node, lines)
        packages, rows = about_packages(node, lines)
        found = {**probe(place, node), **services, **packages, **_ways(node, lines)}
        return Result(code=0, stdout=to_output(found, rows))
    if REBOOT_SCRIPT in lines:
        before = boot_mark(node)
        yield node.seconds(1, 3, "before reboot")
        yield REBOOT  # exit 194 (Linux) or 3010 (Windows): the agent reboots and runs the script again
        yield node.seconds(1, 3, "after reboot")
        if boot_mark(node) == before:
            return Result(code=1, stderr=f"not rebooted: the boot id is still {before}")
        return Result(code=0, stdout=json.dumps({"boot_id_before": before, "boot_id_after": boot_mark(node)}))
    yield node.seconds(1, 2, "script")
    return Result(code=1, stderr="the lab does not run scripts")


def _ways(node: Node, lines: Sequence[str]) -> dict[str, Any]:
    """What the probe says of endpoints that it was told to try."""
    found = next((match[1] for line in lines if (match := _ENDPOINTS.fullmatch(line))), None)
    if found is None:
        return {}
    shut = [str(mask) for mask in node.faults["no_way_to"]]
    urls = [url.strip("',") for url in found.split()]
    blocked = {url: any(fnmatchcase(url.split("/")[2], mask) for mask in shut) for url in urls}
    text = "Connection timed out after 8001 milliseconds"
    return {"ways": [{"url": url, "ok": not bad, "text": text if bad else ""} for url, bad in blocked.items()]}


def _services(node: Node, lines: Sequence[str]) -> Generator[Any, None, dict[str, Any]]:
    """What the probe does about services: remember those that run, or wait for those that do not any more."""
    found = next((told for line in lines if (told := _SERVICES.fullmatch(line))), None)
    if found is None:
        return {}
    mode, key = found.groups()
    known = node.services_of is not None and node.services_of[0] == key
    if mode == "remember":
        node.services_of = node.services_of if known else (key, node.boots)
        return {"services": node.random("services").randint(9, 40)}
    if node.services_of is None or not known:
        return {"services_down": None}
    down = list(node.faults["services_down"]) if node.boots > node.services_of[1] else []
    if down:
        yield 57
    else:
        node.services_of = None
    return {"services_down": down[:20], "services_down_total": len(down)}


def boot_mark(node: Node) -> str:
    """What tells two boots apart on the node: the kernel's boot id, or on Windows the time of the last boot."""
    return f"{node.boot_time:%Y-%m-%dT%H:%M:%SZ}" if node.is_windows else node.boot_id


def run_power_shell(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    if not node.is_windows:
        yield 1
        return Result(code=127, stderr="pwsh: command not found")
    return (yield from run_script(place, node, parameters))


def probe(place: Place, node: Node) -> dict[str, Any]:
    """What the collection's pre-check probe would print on such a machine."""
    return {
        "probe": 1,
        "platform": node.system.platform.lower(),
        "os": node.system.platform_name,
        "os_version": node.system.platform_version,
        "kernel": node.kernel,
        "kernel_newest": node.kernel_newest,
        "boot_id": boot_mark(node),
        "uptime_s": int((place.sim.now - node.boot_time).total_seconds()),
        "manager": _MANAGERS[node.system.baseline_os],
        "disks": _disks(node),
        "disks_total": len(_disks(node)),
        "pending_reboot": node.pending_reboot,
        "lock_held_by": node.faults["lock_held_by"],
        "repos": [_repository(node, url) for url in node.system.repositories],
        "repos_total": len(node.system.repositories),
        "failed_units": list(node.faults["failed_units"]),
        "load1": round(node.random("load").uniform(0.02, 0.9), 2),
        "cpus": 2,
        "agent": "active",
        "time_synced": True,
    }


#: the package manager the probe names, by operating system
_MANAGERS = {
    "AMAZON_LINUX_2023": "dnf",
    "DEBIAN": "apt",
    "REDHAT_ENTERPRISE_LINUX": "dnf",
    "SUSE": "zypper",
    "UBUNTU": "apt",
    "WINDOWS": "wua",
}


def _repository(node: Node, url: str) -> dict[str, Any]:
    down = bool(node.faults["repos_down"])
    return {"url": url, "ok": not down, "text": "connection refused" if down else ""}


def _disks(node: Node) -> list[dict[str, Any]]:
    luck = node.random("disks")
    root = node.faults["disk_free_mb"]
    if node.is_windows:
        return [{"mount": "C:", "free_mb": luck.randint(15000, 60000) if root is None else root, "size_mb": 102400}]
    return [
        {"mount": "/", "free_mb": luck.randint(4000, 20000) if root is None else root, "size_mb": 30720},
        {"mount": "/boot", "free_mb": luck.randint(300, 700), "size_mb": 1024},
        {"mount": "/var", "free_mb": luck.randint(3000, 9000), "size_mb": 20480},
    ]


def update_agent(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    """AWS-UpdateSSMAgent: take the newest version, or the one asked for; an older one needs allowDowngrade."""
    yield node.seconds(60, 120, "agent update")
    newest = parameters["version"][0] or NEWEST_AGENT
    if node.faults["agent_update_fails"]:
        return Result(code=1, stderr="failed to update amazon-ssm-agent: the manifest could not be downloaded")
    if _version(newest) < _version(node.agent_version) and parameters["allowDowngrade"][0] != "true":
        text = f"Updating amazon-ssm-agent to an older version, please enable allow downgrade to proceed: {newest}"
        return Result(code=1, stderr=text)
    said = f"Successfully updated amazon-ssm-agent from {node.agent_version} to {newest}"
    if node.agent_version == newest:
        said = f"amazon-ssm-agent {newest} has already been installed, update skipped"
    node.agent_version = newest
    return Result(code=0, stdout=said)


def gather_inventory(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    """AWS-GatherSoftwareInventory: what it collected last is kept until it runs again."""
    yield node.seconds(5, 30, "inventory")
    found = {name: make(node) for name, make in GATHERED.items() if parameters[name] == ["Enabled"]}
    captured = f"{place.sim.now:%Y-%m-%dT%H:%M:%SZ}"
    place.kept["gathered"][node.node_id] = {
        kind: {"TypeName": kind, "SchemaVersion": "1.0", "CaptureTime": captured, "Content": rows}
        for kind, rows in found.values()
    }
    return Result(code=0, stdout="Inventory policy has been successfully applied")


def _applications(node: Node) -> tuple[str, list[dict[str, str]]]:
    updates = [{"Name": row.patch.name, "Version": row.patch.version} for row in node.installed.values()]
    return "AWS:Application", updates + [{"Name": package, "Version": "0"} for package in node.system.base]


#: Parameter of the document -> what of it the lab's machines have.
GATHERED: Mapping[str, Callable[[Node], tuple[str, list[dict[str, str]]]]] = {
    "applications": _applications,
    "awsComponents": lambda node: (
        "AWS:AWSComponent",
        [{"Name": "amazon-ssm-agent", "Version": node.agent_version, "Publisher": "Amazon.com"}],
    ),
    "networkConfig": lambda node: ("AWS:Network", [{"Name": "eth0", "IPV4": node.spec.ip}]),
}


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def install_windows_updates(place: Place, node: Node, parameters: Parameters) -> Behaviour:
    code, log = yield from install_everything(
        node,
        lambda: place.sim.now,
        install=parameters["Action"] == ["Install"],
        may_reboot=parameters["AllowReboot"] == ["True"],
        reboot=REBOOT,
    )
    return Result(code=code, stdout=log)


_BEHAVIOURS: dict[str, Callable[[Place, Node, Parameters], Behaviour]] = {
    "AWS-GatherSoftwareInventory": gather_inventory,
    "AWS-InstallWindowsUpdates": install_windows_updates,
    "AWS-RunPatchBaseline": run_patch_baseline,
    "AWS-RunPatchBaselineWithHooks": run_patch_baseline,
    "AWS-RunPatchBaselineAssociation": run_patch_baseline,
    "AWS-RunShellScript": run_script,
    "AWS-RunPowerShellScript": run_power_shell,
    "AWS-UpdateSSMAgent": update_agent,
}
