# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where credentials come from, in azure.azcollection's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.credentials import AzureLogin, Credentials
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, BadInput
from azure.identity import AzureCliCredential, ClientSecretCredential, ManagedIdentityCredential

TENANT = "99999999-0000-4000-8000-000000000001"
ENVIRONMENT = {"AZURE_CLIENT_ID": "env-id", "AZURE_SECRET": "env-secret", "AZURE_TENANT": TENANT}


def made(home: Path, environment: dict[str, str], **login: Any) -> Any:
    return Credentials(AzureLogin(**login), environment, home).of()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".azure").mkdir()
    text = (
        f"[default]\nclient_id=file-id\nsecret=x\ntenant={TENANT}\nsubscription_id=s-1\n[other]\nclient_id=other-id\n"
    )
    (tmp_path / ".azure" / "credentials").write_text(text)
    return tmp_path


def test_options_come_first(home: Path) -> None:
    found = made(home, ENVIRONMENT, client_id="own", secret="s", tenant=TENANT)
    assert isinstance(found, ClientSecretCredential) and found._client_id == "own"


def test_then_the_environment(home: Path) -> None:
    assert made(home, ENVIRONMENT)._client_id == "env-id"


def test_then_the_profile(home: Path) -> None:
    assert made(home, {})._client_id == "file-id"
    assert Credentials(AzureLogin(), {}, home).subscription() == "s-1"


def test_then_the_command_line(tmp_path: Path) -> None:
    assert isinstance(made(tmp_path, {}), AzureCliCredential)


def test_names_of_the_sdk_are_known(tmp_path: Path) -> None:
    names = {"AZURE_CLIENT_ID": "sdk", "AZURE_CLIENT_SECRET": "x", "AZURE_TENANT_ID": TENANT}
    assert made(tmp_path, names)._client_id == "sdk"


def test_a_source_that_is_asked_for_is_the_only_one(home: Path) -> None:
    assert made(home, ENVIRONMENT, auth_source="credential_file")._client_id == "file-id"
    assert isinstance(made(home, ENVIRONMENT, auth_source="msi"), ManagedIdentityCredential)
    assert isinstance(made(home, ENVIRONMENT, auth_source="cli"), AzureCliCredential)


def test_what_is_missing_is_named(home: Path) -> None:
    with pytest.raises(AccessDenied, match=r"not set: tenant \(AZURE_TENANT\), secret \(AZURE_SECRET\)"):
        made(home, {"AZURE_CLIENT_ID": "x"})
    with pytest.raises(AccessDenied, match="client_id"):
        made(home, {}, auth_source="env")


def test_a_profile_that_does_not_exist(home: Path) -> None:
    with pytest.raises(BadInput, match=r"profile: 'nobody' is not valid, expected a section of ~/.azure/credentials"):
        made(home, {}, profile="nobody")


def test_one_credential_for_each_tenant(home: Path) -> None:
    found = Credentials(AzureLogin(), ENVIRONMENT, home)
    assert found.of() is found.of()
    assert found.of("aaaaaaaa-0000-4000-8000-000000000001") is not found.of()


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("cloud", "mars", "one of public"),
        ("auth_source", "guess", "one of auto"),
        ("arm_endpoint", "http://arm", "https://"),
        ("authority", "login.example", "https://"),
        ("ca_bundle", "/nowhere.pem", "a file with certificates"),
    ],
)
def test_wrong_options(option: str, value: str, expected: str) -> None:
    with pytest.raises(BadInput, match=f"{option}: .*{expected}"):
        AzureLogin(**{option: value})


@pytest.mark.parametrize(
    ("cloud", "endpoint", "authority"),
    [
        ("public", "https://management.azure.com", "https://login.microsoftonline.com"),
        ("us_government", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
        ("china", "https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
    ],
)
def test_clouds(cloud: str, endpoint: str, authority: str) -> None:
    login = AzureLogin(cloud=cloud)
    assert (login.endpoint, login.authority_url, login.scope) == (endpoint, authority, f"{endpoint}/.default")


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(AzureLogin(secret="hush"))
