# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Azure refuses what the published specification and guides refuse."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.arm import Arm
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.credentials import AzureLogin, Credentials
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.errors import Throttled
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.machines import COMPUTE_API, HYBRID_API
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, NotFound, ServiceError

from lab.azure.estate import load_azure_estate, to_azure_estate
from lab.azure.graph import BadQuery, run
from lab.azure.launch import DEFAULT_ESTATE, AzureLab, azure_lab
from lab.azure.tunnel import tunnel

SHOP, PLANT = "22222222-bbbb-4bbb-8bbb-000000000001", "22222222-bbbb-4bbb-8bbb-000000000002"
VM = f"/subscriptions/{SHOP}/resourceGroups/rg-web/providers/Microsoft.Compute/virtualMachines/az-web-01"
WIN = VM.replace("az-web-01", "az-win-01")
OFF = VM.replace("az-web-01", "az-win-02")
ARC = f"/subscriptions/{PLANT}/resourceGroups/rg-plant/providers/Microsoft.HybridCompute/machines/arc-db-01"
NEVER = {"rebootSetting": "Never"}
ONE = {"rebootSetting": "Never", "linuxParameters": {"packageNameMasksToInclude": ["openssl"]}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureLab]:
    with azure_lab(tmp_path_factory.mktemp("azure")) as lab:
        yield lab


@pytest.fixture
def azure(running: AzureLab) -> AzureLab:
    running.post("reset")
    return running


@pytest.fixture
def arm(azure: AzureLab) -> Arm:
    login = AzureLogin(arm_endpoint=azure.url, authority=azure.url, ca_bundle=str(azure.ca), **azure.login)
    return Arm(login, Credentials(login, {}).of(), pause=lambda seconds: None)


def install(arm: Arm, node: str, body: dict[str, Any]) -> str:
    return arm.act(f"{node}/installPatches", HYBRID_API if node == ARC else COMPUTE_API, body, "install").headers[
        "location"
    ]


@pytest.mark.parametrize(
    ("node", "body", "code"),
    [
        (VM, {"linuxParameters": {"packageNameMasksToInclude": ["x"]}}, "InvalidRequestContent"),
        (VM, {**ONE, "rebootSettings": "Never"}, "InvalidRequestContent"),
        (VM, {**ONE, "maximumDuration": "4h"}, "InvalidRequestContent"),
        (VM, {"rebootSetting": "NeverReboot", "linuxParameters": {}}, "InvalidRequestContent"),
        (VM, {"rebootSetting": "Never"}, "InvalidParameter"),
        (VM, {"rebootSetting": "Never", "windowsParameters": {"kbNumbersToInclude": ["1"]}}, "InvalidParameter"),
        (
            VM,
            {"rebootSetting": "Never", "linuxParameters": {"classificationsToInclude": ["Other", "Security"]}},
            "InvalidParameter",
        ),
        (ARC, ONE, "InvalidRequestContent"),
        (OFF, {"rebootSetting": "Never", "windowsParameters": {"kbNumbersToInclude": ["1"]}}, "OperationNotAllowed"),
    ],
)
def test_installations_that_are_refused(arm: Arm, node: str, body: dict[str, Any], code: str) -> None:
    with pytest.raises(ServiceError, match=code):
        install(arm, node, body)


def test_a_second_operation_on_a_machine_is_refused(arm: Arm) -> None:
    install(arm, VM, ONE)
    with pytest.raises(ServiceError, match="OperationNotAllowed"):
        install(arm, VM, ONE)


def test_patch_operations_are_throttled_per_machine(arm: Arm, azure: AzureLab) -> None:
    """6 at most, 2 a minute (Microsoft Learn, "Compute throttling limits")."""
    azure.post("faults", {"machine": "az-web-01", "slow": 0.001})
    for _number in range(6):
        arm.act(f"{VM}/assessPatches", COMPUTE_API, None, "assess")
        azure.post("clock", {"advance": 1})
    with pytest.raises(Throttled, match="TooManyRequests"):
        arm.act(f"{VM}/assessPatches", COMPUTE_API, None, "assess")
    azure.post("clock", {"advance": 60})
    arm.act(f"{VM}/assessPatches", COMPUTE_API, None, "assess")


def test_only_the_masks_select(arm: Arm, azure: AzureLab) -> None:
    offered = {row["name"]: row["version"] for row in azure.machine("az-web-01")["offered"]}
    masks = [f"openssl={offered['openssl']}", "libssl3=0.0.0"]
    url = install(arm, VM, {"rebootSetting": "Never", "linuxParameters": {"packageNameMasksToInclude": masks}})
    azure.post("clock", {"advance": 1200})
    body = arm.follow(url, "poll").data
    states = {row["name"]: row["installationState"] for row in body["patches"]}
    assert states["openssl"] == "Installed" and states["libssl3"] == "NotSelected"
    assert "openssl.amd64" in azure.machine("az-web-01")["installed"]


def test_a_short_duration_ends_before_everything_is_begun(arm: Arm, azure: AzureLab) -> None:
    body = {
        "rebootSetting": "Never",
        "maximumDuration": "PT6M",
        "linuxParameters": {"classificationsToInclude": ["Critical", "Security", "Other"]},
    }
    url = install(arm, VM, body)
    azure.post("clock", {"advance": 3600})
    found = arm.follow(url, "poll").data
    assert found["maintenanceWindowExceeded"] is True and found["pendingPatchCount"] > 0
    assert found["status"] == "CompletedWithWarnings"


@pytest.mark.parametrize("api", ["2015-01-01", "2099-01-01"])
def test_unknown_api_versions(arm: Arm, api: str) -> None:
    with pytest.raises(ServiceError, match="InvalidApiVersionParameter"):
        arm.read(VM, api, "read")


def test_unknown_paths_and_subscriptions(arm: Arm) -> None:
    with pytest.raises(NotFound, match="InvalidResourceType"):
        arm.read("/subscriptions/x/providers/Microsoft.Storage/storageAccounts", "2024-01-01", "read")
    with pytest.raises(NotFound, match="SubscriptionNotFound"):
        arm.read(VM.replace(SHOP, "33333333-0000-4000-8000-000000000001"), COMPUTE_API, "read")


def test_permissions(azure: AzureLab) -> None:
    client = next(item for item in load_azure_estate(DEFAULT_ESTATE).clients if item.denied)
    login = AzureLogin(
        arm_endpoint=azure.url, authority=azure.url, ca_bundle=str(azure.ca),
        client_id=client.client_id, secret=client.secret, tenant=client.tenant,
    )  # fmt: skip
    limited = Arm(login, Credentials(login, {}).of(), pause=lambda seconds: None)
    with pytest.raises(AccessDenied, match="installPatches/action"):
        install(limited, VM, ONE)
    with pytest.raises(AccessDenied, match="AuthorizationFailed"):
        limited.read(ARC, HYBRID_API, "read")


def test_a_restart_makes_another_boot_id_and_a_fault_keeps_it(arm: Arm, azure: AzureLab) -> None:
    before = azure.machine("az-web-01")["boot_id"]
    arm.act(f"{VM}/restart", COMPUTE_API, None, "restart")
    azure.post("clock", {"advance": 600})
    after = azure.machine("az-web-01")["boot_id"]
    azure.post("faults", {"machine": "az-web-01", "no_reboot": True})
    arm.act(f"{VM}/restart", COMPUTE_API, None, "restart")
    azure.post("clock", {"advance": 600})
    assert before != after == azure.machine("az-web-01")["boot_id"]


def test_a_script_that_nobody_knows_fails(arm: Arm, azure: AzureLab) -> None:
    body = {"location": "westeurope", "properties": {"source": {"script": "rm -rf /"}, "timeoutInSeconds": 600}}
    arm.write("PUT", f"{VM}/runCommands/x", COMPUTE_API, body, "run")
    azure.post("clock", {"advance": 120})
    found = arm.read(f"{VM}/runCommands/x", COMPUTE_API, "read", {"$expand": "instanceView"})
    assert found["properties"]["instanceView"]["executionState"] == "Failed"


@pytest.mark.parametrize(
    "query",
    [
        "users",
        "resources | summarize count()",
        "resources | where name matches regex 'x'",
        "resources | project properties.x",
    ],
)
def test_what_the_lab_does_not_know_of_the_query_language_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        run(query, {"resources": lambda: [{"id": "1"}]})


def test_mistakes_in_an_estate_are_named(tmp_path: Path) -> None:
    estate = load_azure_estate(DEFAULT_ESTATE)
    assert len(estate.machines) == 10
    group = {
        "name": "x",
        "count": 1,
        "subscription": "s",
        "location": "l",
        "resource_group": "r",
        "os": "o",
        "colour": 1,
    }
    data = {"clients": [], "subscriptions": [{"subscription_id": SHOP, "name": "s", "tenant": "t"}], "groups": [group]}
    with pytest.raises(ValueError, match=r"unknown keys \['colour'\]"):
        to_azure_estate(data, estate.start)


def public(azure: AzureLab, path: str, token: str = "", body: Any = None, host: str = "management.azure.com") -> Any:
    """Ask the lab through its tunnel, as a program does that knows only the public cloud."""
    with tunnel(azure) as found:
        handlers = (
            urllib.request.ProxyHandler({"https": found["HTTPS_PROXY"]}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=found["SSL_CERT_FILE"])),
        )
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"https://{host}{path}", data, headers)
        return json.loads(urllib.request.build_opener(*handlers).open(request, timeout=30).read())


def public_token(azure: AzureLab, scope: str) -> str:
    login = azure.client
    form = {"client_id": login.client_id, "client_secret": login.secret, "scope": scope}
    data = urllib.parse.urlencode({**form, "grant_type": "client_credentials"}).encode()
    found = public(azure, f"/{login.tenant}/oauth2/v2.0/token", body=data, host="login.microsoftonline.com")
    return str(found["access_token"])


def test_the_lab_answers_under_the_public_names(azure: AzureLab) -> None:
    """azcollection's scope has the slash at the end of its endpoint twice."""
    token = public_token(azure, "https://management.azure.com//.default")
    listed = public(
        azure, f"/subscriptions/{SHOP}/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01", token
    )
    assert {"az-web-01", "az-win-01"} <= {row["name"] for row in listed["value"]}
    configuration = public(
        azure, f"/{azure.client.tenant}/v2.0/.well-known/openid-configuration", host="login.microsoftonline.com"
    )
    assert configuration["token_endpoint"].startswith("https://login.microsoftonline.com/")
    with pytest.raises(urllib.error.HTTPError):
        public_token(azure, "https://vault.azure.net/.default")


def test_a_batch_answers_each_request_by_its_name(azure: AzureLab) -> None:
    token = public_token(azure, "https://management.azure.com/.default")
    urls = {"one": f"https://management.azure.com{VM}?api-version=2024-07-01", "gone": f"{VM}-x?api-version=2024-07-01"}
    rows = [{"httpMethod": "GET", "name": name, "url": url} for name, url in urls.items()]
    found = public(azure, "/batch?api-version=2015-11-01", token, {"requests": rows})["responses"]
    assert [(row["name"], row["httpStatusCode"]) for row in found] == [("one", 200), ("gone", 404)]
    assert found[0]["content"]["name"] == "az-web-01" and found[1]["content"]["error"]["code"] == "ResourceNotFound"
    for wrong in ([], rows * 251):
        with pytest.raises(urllib.error.HTTPError) as refused:
            public(azure, "/batch?api-version=2015-11-01", token, {"requests": wrong})
        assert refused.value.code == 400
    with pytest.raises(urllib.error.HTTPError) as refused:
        public(azure, "/batch?api-version=2015-11-01", "", {"requests": rows})
    assert refused.value.code == 401
