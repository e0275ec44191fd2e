# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stock inventory azure.azcollection.azure_rm on the lab, with what the guide tells to write.

It needs all 60 packages that azcollection requires (1.6 GB), so it has a target of its own: ``make test-azure-rm``.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import ROOT, lab
from lab.azure.estate import Client
from lab.azure.launch import AzureLab
from lab.azure.tunnel import tunnel
from tests.inventory.test_ssm_fleet_on_the_lab import COLLECTIONS, plain

ESTATE = ROOT / "tests" / "playbooks" / "azure_estate.yml"
RECORDED = ROOT / "tests" / "playbooks" / "azure_rm_hosts.yml"


def guide() -> dict[str, Any]:
    """Return the inventory file of the guide."""
    text = (ROOT / "docs" / "inventory.md").read_text("utf-8")
    return dict(yaml.safe_load(text.partition("```yaml\n# 1.azure_rm.yml\n")[2].partition("```")[0]))


@pytest.mark.slow
def test_the_recorded_hosts_are_what_the_plugin_shows(tmp_path: Path) -> None:
    program = Path(os.environ["PATCHTIDE_AZURE_RM"]) / "ansible-inventory"
    subscriptions = yaml.safe_load(ESTATE.read_text("utf-8"))["azure"]["subscriptions"]
    with lab(ESTATE) as aws:
        found = aws.azure
        client = Client(client_id=found["AZURE_CLIENT_ID"], secret=found["AZURE_SECRET"], tenant=found["AZURE_TENANT"])
        azure = AzureLab(found["PATCHTIDE_AZURE_ENDPOINT"], Path(found["PATCHTIDE_AZURE_CA_BUNDLE"]), client)
        for row in subscriptions:
            file = {**guide(), **azure.login, "subscription_id": row["subscription_id"], "plain_host_names": True}
            (tmp_path / f"{row['name']}.azure_rm.yml").write_text(yaml.safe_dump(file), "utf-8")
        with tunnel(azure) as environment:
            done = subprocess.run(
                [str(program), "-i", str(tmp_path), "--list"],
                env={
                    **os.environ,
                    **environment,
                    "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, COLLECTIONS)),
                    "ANSIBLE_INVENTORY_ENABLED": "azure.azcollection.azure_rm",
                    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
                    "ANSIBLE_NOCOLOR": "1",
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
    assert done.returncode == 0, done.stderr
    hosts = plain(json.loads(done.stdout)["_meta"]["hostvars"])
    assert hosts == yaml.safe_load(RECORDED.read_text("utf-8"))["all"]["hosts"]
