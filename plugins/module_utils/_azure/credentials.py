# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of Azure, from the same places as azure.azcollection reads them. Each tenant has one credential.

One kind of credential is used, never a chain: the probes of a chain hang outside Azure
(https://github.com/Azure/azure-sdk-for-python/issues/28478).
"""

from __future__ import annotations

import configparser
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._core.errors import AccessDenied, BadInput

with suppress(ImportError):  # reported by errors.sdk_missing()
    from azure.identity import (
        AzureCliCredential,
        CertificateCredential,
        ClientSecretCredential,
        ManagedIdentityCredential,
    )

#: Cloud → endpoint of Azure Resource Manager and authority (Microsoft Learn, "Azure Government endpoints" and
#: "Azure China developer guide").
CLOUDS: Mapping[str, tuple[str, str]] = {
    "public": ("https://management.azure.com", "https://login.microsoftonline.com"),
    "us_government": ("https://management.usgovcloudapi.net", "https://login.microsoftonline.us"),
    "china": ("https://management.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}
AUTH_SOURCES = ("auto", "env", "credential_file", "msi", "cli")
_FIELDS = ("client_id", "secret", "tenant", "subscription_id", "x509_certificate_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureLogin:
    """How to connect to Azure: the options of every module and plugin, independent of their source.

    :param arm_endpoint: base URL of Azure Resource Manager if it is not that of ``cloud``; ``authority`` likewise.
    :param ca_bundle: file with the certificates of the authorities to trust instead of the system's.
    """

    cloud: str = "public"
    arm_endpoint: str = ""
    authority: str = ""
    ca_bundle: str = ""
    auth_source: str = "auto"
    profile: str = ""
    client_id: str = ""
    secret: str = field(default="", repr=False)
    x509_certificate_path: str = ""
    tenant: str = ""

    def __post_init__(self) -> None:
        if self.cloud not in CLOUDS:
            raise BadInput("cloud", self.cloud, f"one of {', '.join(CLOUDS)}")
        if self.auth_source not in AUTH_SOURCES:
            raise BadInput("auth_source", self.auth_source, f"one of {', '.join(AUTH_SOURCES)}")
        for name in ("arm_endpoint", "authority"):
            value = getattr(self, name)
            if value and not value.startswith("https://"):
                raise BadInput(name, value, "an https:// URL, because tokens are sent there")
        if self.ca_bundle and not Path(self.ca_bundle).is_file():
            raise BadInput("ca_bundle", self.ca_bundle, "a file with certificates in PEM format")

    @property
    def endpoint(self) -> str:
        """The base URL of Azure Resource Manager, without a slash at its end."""
        return (self.arm_endpoint or CLOUDS[self.cloud][0]).rstrip("/")

    @property
    def authority_url(self) -> str:
        return (self.authority or CLOUDS[self.cloud][1]).rstrip("/")

    @property
    def scope(self) -> str:
        """The scope of tokens for Azure Resource Manager."""
        return f"{self.endpoint}/.default"


def login_of(environment: Mapping[str, str]) -> AzureLogin:
    """Return the login that the environment describes, for what has no options of its own."""
    return AzureLogin(
        cloud=environment.get("PATCHTIDE_AZURE_CLOUD") or "public",
        arm_endpoint=environment.get("PATCHTIDE_AZURE_ENDPOINT", ""),
        authority=environment.get("AZURE_AUTHORITY_HOST", ""),
        ca_bundle=environment.get("PATCHTIDE_AZURE_CA_BUNDLE", ""),
        auth_source=environment.get("ANSIBLE_AZURE_AUTH_SOURCE") or "auto",
    )


class Credentials:
    """The credentials of a login, one for each tenant. Thread-safe.

    :param environment: usually ``os.environ``. :param home: where ``.azure/credentials`` is.
    """

    def __init__(
        self, login: AzureLogin, environment: Mapping[str, str] | None = None, home: Path | None = None
    ) -> None:
        self._login = login
        self._environment = os.environ if environment is None else environment
        self._home = home
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def subscription(self) -> str:
        """Return the subscription that the environment or the profile names, ``""`` if neither does."""
        return self._found()[1].get("subscription_id", "")

    def of(self, tenant: str = "") -> Any:
        """Return the credential for a tenant, by default that of the login. No call is made yet.

        :raises AccessDenied: no credentials are configured.
        """
        with self._lock:
            if tenant not in self._made:
                self._made[tenant] = self._make(tenant)
            return self._made[tenant]

    def _found(self) -> tuple[str, dict[str, str]]:
        """Return the kind of credential, and the fields it is made from."""
        login = self._login
        given = {name: str(getattr(login, name, "") or "") for name in _FIELDS}
        if login.auth_source in ("msi", "cli"):
            return login.auth_source, given
        if login.auth_source == "auto" and (given["secret"] or given["x509_certificate_path"]):
            return "given", given
        if login.auth_source in ("auto", "env"):
            found = {name: self._variable(name) for name in _FIELDS}
            if found["client_id"] or login.auth_source == "env":
                return "env", _filled(given, found)
        if login.auth_source in ("auto", "credential_file"):
            found = self._profile()
            if found or login.auth_source == "credential_file":
                return "credential_file", _filled(given, found)
        return "cli", given

    def _variable(self, name: str) -> str:
        return next((value for key in _VARIABLES[name] if (value := self._environment.get(key, ""))), "")

    def _profile(self) -> dict[str, str]:
        home = self._home or Path.home()
        name = self._login.profile or self._environment.get("AZURE_PROFILE", "") or "default"
        parser = configparser.RawConfigParser()
        try:
            parser.read(home / ".azure" / "credentials", encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise BadInput("~/.azure/credentials", type(error).__name__, "a file of sections with keys") from error
        if parser.has_section(name):
            return {key: parser.get(name, key, fallback="") for key in _FIELDS}
        if self._login.profile:
            raise BadInput("profile", name, "a section of ~/.azure/credentials")
        return {}

    def _make(self, tenant: str) -> Any:
        kind, found = self._found()
        tenant = tenant or found["tenant"]
        verify = {"connection_verify": self._login.ca_bundle} if self._login.ca_bundle else {}
        if kind == "msi":
            return ManagedIdentityCredential(client_id=found["client_id"] or None)
        if kind == "cli":
            return AzureCliCredential(tenant_id=tenant)
        lacking = [name for name in ("client_id", "tenant") if not (tenant if name == "tenant" else found[name])]
        if not (found["secret"] or found["x509_certificate_path"]):
            lacking.append("secret")
        if lacking:
            names = ", ".join(f"{name} ({_VARIABLES[name][0]})" for name in lacking)
            raise AccessDenied("log in to Azure", "NoCredentials", f"not set: {names}")
        more = {
            "authority": self._login.authority_url,
            # The public discovery service does not know the hosts of a private cloud (azure-identity).
            "disable_instance_discovery": bool(self._login.authority),
            **verify,
        }
        if found["secret"]:
            return ClientSecretCredential(tenant, found["client_id"], found["secret"], **more)
        return CertificateCredential(tenant, found["client_id"], found["x509_certificate_path"], **more)


#: Environment variables of azure.azcollection, then those of the Azure SDK, which are also known to Terraform's users.
_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
}


def _filled(given: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that were given, completed from elsewhere."""
    return {name: given[name] or found.get(name, "") for name in _FIELDS}
