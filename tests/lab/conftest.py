# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab that is as new for every test, and the few things all of them ask of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lab.aws.launch import Lab

WEB, DATA, SHARED = "222222222222", "333333333333", "111111111111"


class Fleet:
    """The lab with names instead of ids."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.nodes = {row["name"]: row for row in lab.get("nodes")["nodes"]}

    def id(self, name: str) -> str:
        return str(self.nodes[name]["node_id"])

    def now(self, name: str) -> dict[str, Any]:
        """The machine as it is at this moment."""
        return next(row for row in self.lab.get("nodes")["nodes"] if row["name"] == name)

    def ssm(self, name: str) -> Any:
        """An SSM client of the node's account and Region."""
        return self.lab.client("ssm", self.nodes[name]["region"], self.nodes[name]["account"])

    def fault(self, name: str, **faults: Any) -> None:
        self.lab.post("faults", {"node": name, **faults})

    def rule(self, **rule: Any) -> None:
        self.lab.post("faults", {"rules": [rule]})

    def send(self, *names: str, document: str = "AWS-RunPatchBaseline", wait: float = 0, **more: Any) -> str:
        """Send a command to nodes of one place, let time pass, return the command's id."""
        more.setdefault("Parameters", {"Operation": ["Scan"]})
        ids = [self.id(name) for name in names]
        sent = self.ssm(names[0]).send_command(InstanceIds=ids, DocumentName=document, **more)
        if wait:
            self.lab.advance(wait)
        return str(sent["Command"]["CommandId"])

    def script(self, name: str, line: str, wait: float = 600) -> str:
        document = "AWS-RunPowerShellScript" if "windows" in self.nodes[name]["os"] else "AWS-RunShellScript"
        return self.send(name, document=document, wait=wait, Parameters={"commands": [f"#!/bin/sh\n{line}\ntrue"]})

    def outcome(self, command: str, name: str, **more: Any) -> dict[str, Any]:
        return dict(self.ssm(name).get_command_invocation(CommandId=command, InstanceId=self.id(name), **more))

    def state(self, name: str) -> dict[str, Any]:
        rows = self.ssm(name).describe_instance_patch_states(InstanceIds=[self.id(name)])["InstancePatchStates"]
        return dict(rows[0])


@pytest.fixture
def fleet(aws: Lab) -> Fleet:
    aws.reset()
    return Fleet(aws)


@pytest.fixture
def ssm(fleet: Fleet) -> Any:
    """SSM of the web account in eu-central-1."""
    return fleet.lab.client("ssm", account=WEB)


@pytest.fixture
def refused() -> Callable[..., str]:
    """Call and return the code of the error that must come."""
    from botocore.exceptions import ClientError

    def call(function: Callable[..., Any], **request: Any) -> str:
        with pytest.raises(ClientError) as caught:
            function(**request)
        return str(caught.value.response["Error"]["Code"])

    return call
