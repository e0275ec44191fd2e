# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command and patch states of the canned endpoint: commands end node by node while the wall's clock runs.

What a node does follows from its id, so every contestant meets the same estate. A full page always has a token, also
where nothing follows it, as the service may do.
"""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

#: Seconds a stage takes on a node, from and to. Much less than in life: the figures are about the controller.
SPANS = {"precheck": (3, 20), "patch": (20, 90), "reboot": (30, 60), "scan": (10, 30), "verify": (3, 20)}
PAGE = 50
BASELINE = "pb-0123456789abcdef0"
#: Patches missing on a node of each platform before its first install: one month's round.
MISSING = {"linux": 10, "windows": 4}
#: Of a thousand nodes so many never get the command, and on so many the install fails.
LOST, FAILING = 2, 5


@dataclass(slots=True)
class Command:
    """One SendCommand. ``ends``: when each of its nodes has ended and with which StatusDetails."""

    id: str
    stage: str
    document: str
    comment: str
    at: float
    #: The caller's: each patch state names its snapshot and its list, which proves whose state it is.
    parameters: Mapping[str, list[str]] = field(default_factory=dict)
    ends: dict[str, tuple[float, str]] = field(default_factory=dict)


class Commands:
    """The commands of one account-Region."""

    def __init__(self, pace: float = 1.0, hung: int = 0) -> None:
        self.pace = pace
        #: On so many nodes of the place the install never ends.
        self.hung = hung
        #: Seconds from the end of a node's install to its reboot.
        self.reboots_after: list[float] = []
        self._installed: set[str] = set()
        #: Looks at a command times its nodes: what a poll costs is calls per node and look.
        self.node_looks = 0
        #: Calls for one node that prove its install: what is pending after it, and the rest of an output that was cut.
        self.proofs = 0
        self.sent: Counter[str] = Counter()
        self._commands: dict[str, Command] = {}
        #: The last operation of AWS-RunPatchBaseline on each node.
        self._patched: dict[str, Command] = {}
        self._operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "SendCommand": self._send,
            "ListCommands": self._list,
            "ListCommandInvocations": self._invocations,
            "GetCommandInvocation": self._invocation,
            "CancelCommand": lambda request: {},
            "DescribePatchGroups": lambda request: {"Mappings": []},
            "DescribeInstancePatchStates": self._states,
            "DescribeInstancePatches": self._patches,
        }

    def knows(self, operation: str) -> bool:
        return operation in self._operations

    def has_patched(self) -> bool:
        """Whether there are patch states of our own."""
        return bool(self._patched)

    def answer(self, operation: str, request: Mapping[str, Any]) -> bytes:
        return json.dumps(self._operations[operation](request)).encode()

    def _send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        comment, document = request.get("Comment", ""), request["DocumentName"]
        stage = _stage(comment, document, request["Parameters"])
        name = f"00000000-0000-4000-8000-{len(self._commands):012d}"
        command = Command(name, stage, document, comment, time.time(), request["Parameters"])
        low, high = SPANS[stage]
        for node in request["InstanceIds"]:
            chance = zlib.crc32(f"{node}{stage}".encode()) % 100_000 / 100_000
            status = _fate(node, stage)
            hangs = stage == "patch" and number_of(node) < self.hung
            command.ends[node] = (inf if hangs else command.at + self.pace * (low + chance * (high - low)), status)
            if stage == "reboot":
                self.reboots_after.append(command.at - self._patched[node].ends[node][0])
            if stage == "patch" and status == "Success":
                self._installed.add(node)
            if document == "AWS-RunPatchBaseline":
                self._patched[node] = command
        self._commands[command.id] = command
        self.sent[stage] += len(command.ends)
        return {"Command": {"CommandId": command.id, "Comment": comment, "Status": "Pending"}}

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        rows = [{"CommandId": item.id, "Comment": item.comment} for item in self._commands.values()]
        begin = int(request.get("NextToken") or 0)
        return _page("Commands", rows, begin)

    def _invocations(self, request: Mapping[str, Any]) -> dict[str, Any]:
        command = self._commands[request["CommandId"]]
        begin, nodes = int(request.get("NextToken") or 0), list(command.ends)
        if not begin:
            self.node_looks += len(nodes)
        details = bool(request.get("Details"))
        page = _page("CommandInvocations", nodes, begin)
        page["CommandInvocations"] = [_row(command, node, details) for node in page["CommandInvocations"]]
        return page

    def _invocation(self, request: Mapping[str, Any]) -> dict[str, Any]:
        command, node = self._commands[request["CommandId"]], request["InstanceId"]
        self.node_looks += 1
        self.proofs += 1
        row = _row(command, node, details=False)
        return {**row, "StandardOutputContent": _output(command, node), "ResponseCode": 0}

    def _states(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"InstancePatchStates": [self._state(node) for node in request["InstanceIds"] if node in self._patched]}

    def _state(self, node: str) -> dict[str, Any]:
        command = self._patched[node]
        operation = "Install" if command.stage == "patch" else "Scan"
        ended, status = command.ends[node]
        came = operation == "Install" and status == "Success"
        listed = command.parameters.get("InstallOverrideList", []) if operation == "Install" else []
        return {
            "InstanceId": node,
            "PatchGroup": "GROUP-1",
            "BaselineId": BASELINE,
            "SnapshotId": command.parameters.get("SnapshotId", [""])[0],
            **({"InstallOverrideList": listed[0]} if listed else {}),
            "InstalledCount": 300,
            "InstalledOtherCount": 12,
            "InstalledPendingRebootCount": len(patches(node)) if came else 0,
            "InstalledRejectedCount": 0,
            "MissingCount": 0 if node in self._installed else len(patches(node)),
            "FailedCount": int(_fate(node, "patch") == "Failed"),
            "UnreportedNotApplicableCount": 40,
            "NotApplicableCount": 900,
            "OperationStartTime": command.at,
            "OperationEndTime": min(ended, time.time()),
            "Operation": operation,
            "RebootOption": "NoReboot",
            "CriticalNonCompliantCount": 0,
            "SecurityNonCompliantCount": 0,
            "OtherNonCompliantCount": 0,
        }

    def _patches(self, request: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {value for item in request.get("Filters", []) for value in item["Values"]}
        self.proofs += "InstalledPendingReboot" in wanted and "Missing" not in wanted
        row = {"Title": "kernel.x86_64:0:6.1.112-122.189.amzn2023", "KBId": "kernel.x86_64", "Severity": "Important"}
        row |= {"Classification": "Security", "State": "Failed", "CVEIds": "CVE-2026-1001,CVE-2026-1002"}
        node = request["InstanceId"]
        state = "Missing" if node not in self._installed else "InstalledPendingReboot"
        if state in wanted:
            more = {"State": state, "InstalledTime": 0.0}
            return {"Patches": [{**row, "KBId": key, "Title": title, **more} for key, title in patches(node)]}
        failed = _fate(node, "patch") == "Failed" and "Failed" in wanted
        return {"Patches": [{**row, "InstalledTime": 0.0}] if failed else []}


def platform_of(node: str) -> str:
    """Every fourth node has Windows."""
    return "linux" if number_of(node) % 4 < 3 else "windows"


def patches(node: str) -> list[tuple[str, str]]:
    """Return ID and title of what a node misses before its first install."""
    numbers = range(MISSING[platform_of(node)])
    if platform_of(node) == "windows":
        return [(f"KB50{number:05d}", f"2026-12 Update {number} (KB50{number:05d})") for number in numbers]
    return [(f"package{n}.x86_64", f"package{n}.x86_64:0:1.2.{n}-4.amzn2023") for n in numbers]


def _changes(node: str) -> list[str]:
    """Return what the final probe prints of an install that went well."""
    if platform_of(node) == "windows":
        return [f"{key} - 200" for key, _title in patches(node)]
    return [f"{key} 0:1.1-1 {title.partition(':')[2]}" for key, title in patches(node)]


def number_of(node: str) -> int:
    """Return the number of a node in its place."""
    return int(node[-8:], 16)


def is_rebooted(node: str) -> bool:
    """Every second host needs a reboot after its install; a node on which it came in with NoReboot always does."""
    return zlib.crc32(f"{node} reboots".encode()) % 2 == 0


def _fate(node: str, stage: str) -> str:
    number = zlib.crc32(f"{node} fate of {stage}".encode()) % 1000
    if stage == "precheck" and number < LOST:
        return "Undeliverable"
    return "Failed" if stage == "patch" and number < FAILING else "Success"


def _stage(comment: str, document: str, parameters: Mapping[str, list[str]]) -> str:
    """Our comments name the stage; of others the document tells."""
    named = next((stage for stage in SPANS if f"/{stage}/" in comment), None)
    if named or document != "AWS-RunPatchBaseline":
        return named or "precheck"
    return "patch" if parameters.get("Operation") == ["Install"] else "scan"


def _page(name: str, rows: Iterable[Any], begin: int) -> dict[str, Any]:
    found = list(rows)[begin : begin + PAGE]
    return {name: found, **({"NextToken": str(begin + PAGE)} if len(found) == PAGE else {})}


def _row(command: Command, node: str, details: bool) -> dict[str, Any]:
    at, end = command.ends[node]
    ended = time.time() >= at
    status = end if ended else "InProgress"
    row: dict[str, Any] = {
        "CommandId": command.id,
        "InstanceId": node,
        "InstanceName": f"{node}.example.com",
        "Comment": command.comment,
        "DocumentName": command.document,
        "DocumentVersion": "$DEFAULT",
        "RequestedDateTime": command.at,
        "Status": "Failed" if status == "Undeliverable" else status,
        "StatusDetails": status,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "ServiceRole": "",
        "NotificationConfig": {"NotificationArn": "", "NotificationEvents": [], "NotificationType": ""},
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
    }
    if details:
        plugin = {
            "Name": "aws:runShellScript",
            "Status": row["Status"],
            "StatusDetails": status,
            "ResponseCode": 0 if ended else -1,
            "ResponseStartDateTime": command.at,
            "Output": _output(command, node) if ended else "",
            "StandardOutputUrl": "",
            "StandardErrorUrl": "",
            "OutputS3Region": "eu-central-1",
            "OutputS3BucketName": "",
            "OutputS3KeyPrefix": "",
        }
        row["CommandPlugins"] = [plugin | ({"ResponseFinishDateTime": at} if ended else {})]
    return row


def _output(command: Command, node: str) -> str:
    if command.ends[node][1] == "Undeliverable":
        return ""
    if command.document == "AWS-RunPatchBaseline":
        return "Patch summary for the node " + node + "\n" + "-" * 2000
    boot = zlib.crc32(node.encode())
    before, after = f"{boot:08x}-0000-4000-8000-000000000000", f"{boot:08x}-1111-4111-8111-111111111111"
    if command.stage == "reboot":
        return json.dumps({"boot_id_before": before, "boot_id_after": after})
    if command.stage != "verify":
        return json.dumps({**PROBE, "boot_id": before, "packages_known": 300})
    came = _fate(node, "patch") == "Success"
    rows = _changes(node) if came else []
    changes = {"rows": rows, "total": len(rows), "sha256": ""}
    return json.dumps({**PROBE, "boot_id": after if came else before, "packages": changes})


#: What the probe prints on a usual server, some 1.5 kB.
PROBE: dict[str, Any] = {
    "probe": 1,
    "platform": "linux",
    "os": "Amazon Linux",
    "os_version": "2023",
    "kernel": "6.1.109-118.189.amzn2023.x86_64",
    "kernel_newest": "6.1.112-122.189.amzn2023.x86_64",
    "uptime_s": 3456789,
    "manager": "dnf",
    "disks": [
        {"mount": mount, "free_mb": 20480, "size_mb": 102400}
        for mount in ("/", "/boot", "/boot/efi", "/home", "/opt", "/srv", "/tmp", "/var", "/var/lib/data", "/var/log")
    ]
    + [{"mount": "C:", "free_mb": 51200, "size_mb": 102400}],
    "disks_total": 11,
    "pending_reboot": False,
    "lock_held_by": "",
    "repos": [
        {"url": f"https://al2023-repos-eu-central-1.example.com/core/mirrors/{number}/x86_64", "ok": True, "text": ""}
        for number in range(4)
    ],
    "repos_total": 4,
    "failed_units": [],
    "load1": 0.42,
    "cpus": 2,
    "agent": "active",
    "time_synced": True,
}
