# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the lab's AWS as a process of its own: for tests, the demo and anybody who writes ``with lab() as aws``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SECRET = "lab-secret-not-a-secret"


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab."""

    url: str
    home_account: str
    access_key: str
    #: the variables that point the collection at the lab's Azure; nothing if the estate has none
    azure: Mapping[str, str] = field(default_factory=dict)

    def environment(self, region: str = "eu-central-1") -> dict[str, str]:
        """Return the variables that point the clouds' clients and the collection at the lab."""
        return {**environment(self.url, self.access_key, region), **self.azure}

    def get(self, path: str) -> dict[str, Any]:
        """Read one of the lab's URLs: ``clock``, ``ledger``, ``nodes``, ``faults``."""
        return self._call(path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Write to one of the lab's URLs, such as ``post("clock", {"advance": 600})``."""
        return self._call(path, dict(body or {}))

    def advance(self, seconds: float) -> str:
        return str(self.post("clock", {"advance": seconds})["now"])

    def reset(self) -> None:
        """Estate, ledger and faults as new; the clock goes on."""
        self._call("../reset", {})

    def client(self, service: str, region: str = "eu-central-1", account: str | None = None) -> Any:
        """Return a boto3 client of one account (the home account when not given) that never retries."""
        return _client(self.url, f"AKIA{account}LAB0" if account else self.access_key, service, region)

    def _call(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        tail = path.removeprefix("../") if path.startswith("../") else f"patchtide/{path}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/moto-api/{tail}", data=data, method="GET" if data is None else "POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from error


@cache
def _client(url: str, access_key: str, service: str, region: str) -> Any:
    """Clients are costly to make and safe to share."""
    import boto3
    from botocore.config import Config

    make: Any = boto3.client
    return make(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=access_key,
        aws_secret_access_key=SECRET,
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )


def environment(url: str, access_key: str, region: str = "eu-central-1") -> dict[str, str]:
    """What to export so that AWS clients and the collection use the lab at ``url``."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PATCHTIDE_CLOCK": f"{url}/moto-api/patchtide/clock",
    }


@contextmanager
def lab(
    estate: str | Path | None = None, at: str | None = None, port: int = 0, host: str = "127.0.0.1"
) -> Iterator[Lab]:
    """Start the lab, give it, stop it.

    :param at: where its clock starts (ISO 8601 or ``now``); the estate's start otherwise. :param host: the address that
        it listens at: ``0.0.0.0`` so that real hosts of the lab reach it.
    """
    command = [sys.executable, "-m", "lab.aws", "--host", host, "--port", str(port), "--json"]
    command += ["--estate", str(estate)] if estate else []
    command += ["--at", at] if at else []
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the lab did not start; exit status {process.wait(10)}")
        yield Lab(**json.loads(line))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
