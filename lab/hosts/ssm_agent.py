#!/usr/bin/python3
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for the SSM Agent on a host of the lab: its command line, its files, its registration and its pings.

What it does, in which order, and what it says are those of aws/amazon-ssm-agent, agent/agent_parser.go (commit
1c217c89). It runs no commands. Instead of an RSA key it has a secret whose hash is its public key (lab/aws/agents.py).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import secrets
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

VERSION = "3.3.3270.0"
DATA = Path("/var/lib/amazon/ssm")
REGISTRATION = DATA / "registration"
VAULT = DATA / "Vault/Store/RegistrationKey"
FINGERPRINT = DATA / "Vault/Store/InstanceFingerprint"
CONFIG = Path("/etc/amazon/ssm/amazon-ssm-agent.json")
PING_SECONDS = 1


class Refused(Exception):
    """The service refused a call."""


def call(operation: str, body: dict[str, Any], region: str, config: dict[str, Any], key: str = "") -> dict[str, Any]:
    """Call the service at the endpoint of the configuration, or at that of the Region.

    :raises Refused: the service refused, or could not be reached.
    """
    url = config.get("Ssm", {}).get("Endpoint") or f"ssm.{region}.amazonaws.com"
    headers = {"X-Amz-Target": f"AmazonSSM.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    if key:
        headers["SSM-AsymmetricKeyAuthorization"] = key
    request = urllib.request.Request(url if "://" in url else f"https://{url}", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return dict(json.loads(answer.read()))
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
        raise Refused(f"{told['__type']}: {told['message']}\n\tstatus code: {error.code}, request id: lab") from error
    except OSError as error:
        raise Refused(f"RequestError: send request failed\ncaused by: {error}") from error


def keep(instance_id: str, region: str, key: str) -> None:
    """Write the registration to the vault, as UpdateServerInfo does."""
    VAULT.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    VAULT.write_text(json.dumps({"instanceID": instance_id, "region": region, "privateKey": key}))
    VAULT.chmod(0o600)


def kept() -> dict[str, str]:
    """Return what the vault has."""
    return dict(json.loads(VAULT.read_text())) if VAULT.exists() else {}


def configured() -> dict[str, Any]:
    """Return the configuration."""
    return dict(json.loads(CONFIG.read_text())) if CONFIG.exists() else {}


def enter(activation: tuple[str, str], key: str, fingerprint: str, region: str, config: dict[str, Any]) -> str:
    """Register with code and ID of an activation, and return the ID of the node. :raises Refused: see ``call``."""
    members = {"ActivationCode": activation[0], "ActivationId": activation[1], "PublicKeyType": "Rsa"}
    members |= {"PublicKey": hashlib.sha256(key.encode()).hexdigest() * 7, "Fingerprint": fingerprint}
    return str(call("RegisterManagedInstance", members, region, config)["InstanceId"])


def register(given: argparse.Namespace) -> int:
    """Register, or clear the registration."""
    if not (given.code and given.id and given.region):
        return clear() if given.clear else usage()
    if not given.y and kept().get("instanceID"):
        print("Instance already registered. Would you like to override existing with new registration information?")
        if not sys.stdin.readline().lower().startswith("y"):
            print("ERROR Registration failed due to unexpected newline")
            return 1
    key = secrets.token_hex(32)
    keep("", "", key)  # before the service is asked: a failure leaves the old file and no registration
    if not FINGERPRINT.exists():
        FINGERPRINT.write_text(secrets.token_hex(16))
    activation = given.code, given.id
    try:
        instance_id = enter(activation, key, FINGERPRINT.read_text(), given.region, configured())
    except Refused as error:
        print(f"ERROR Registration failed due to error registering the instance with AWS SSM. {error}")
        return 1
    keep(instance_id, given.region, key)
    REGISTRATION.write_text(json.dumps({"ManagedInstanceID": instance_id, "Region": given.region}))
    REGISTRATION.chmod(0o600)
    print(f"INFO Successfully registered the instance with AWS SSM using Managed instance-id: {instance_id}")
    return 0


def clear() -> int:
    """Forget the registration."""
    keep("", "", "")
    REGISTRATION.unlink(missing_ok=True)
    print("INFO Registration information has been removed from the instance.")
    return 0


def usage() -> int:
    """Say how it is called."""
    print("Command-line Usage: -register -id -code -region | -register -clear", file=sys.stderr)
    return 1


def ping(registration: dict[str, str]) -> None:
    """Tell the service about this machine."""
    system = platform.freedesktop_os_release()
    address = os.popen("hostname -I").read().split()[0]
    members = {
        "InstanceId": registration["instanceID"],
        "AgentName": "amazon-ssm-agent",
        "AgentStatus": "Active",
        "AgentVersion": VERSION,
        "PlatformType": "Linux",
        "PlatformName": system["NAME"],
        "PlatformVersion": system["VERSION_ID"],
        "ComputerName": socket.gethostname(),
        "IPAddress": address,
    }
    call("UpdateInstanceInformation", members, registration["region"], configured(), registration["privateKey"])


def run() -> None:
    """Ping for ever. The registration is read once, at the start, as the agent does."""
    registration = kept()
    while True:
        if registration.get("instanceID"):
            try:
                ping(registration)
            except Refused as error:
                print(f"ERROR {error}", flush=True)
        time.sleep(PING_SECONDS)


def main() -> int:
    """Read the flags, which have one dash or two, as Go's do."""
    if len(sys.argv) == 1:
        run()
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("register", "clear", "y", "fingerprint"):
        parser.add_argument(f"-{name}", f"--{name}", action="store_true")
    for name in ("code", "id", "region", "similarityThreshold"):
        parser.add_argument(f"-{name}", f"--{name}", default="")
    given = parser.parse_args()
    if given.register:
        return register(given)
    return 0 if given.fingerprint else usage()


if __name__ == "__main__":
    sys.exit(main())
