# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

_LOGIN = r"""
  cloud:
    description: Azure cloud, which determines O(arm_endpoint) and O(authority).
    type: str
    choices: [public, us_government, china]
    default: public
  arm_endpoint:
    description:
      - Base URL of Azure Resource Manager, if it is not that of O(cloud).
      - Defaults to the environment variable E(PATCHTIDE_AZURE_ENDPOINT).
    type: str%(endpoint)s
  authority:
    description:
      - URL of the authority that issues tokens, if it is not that of O(cloud). It is then trusted without a query of
        the public instance discovery.
      - Defaults to the environment variable E(AZURE_AUTHORITY_HOST).
    type: str%(authority)s
  ca_bundle:
    description:
      - File with the certificates of the authorities to trust instead of those of the system.
      - Defaults to the environment variable E(PATCHTIDE_AZURE_CA_BUNDLE).
    type: path%(ca_bundle)s
  auth_source:
    description:
      - Source of the credentials. V(auto) takes the options, else the environment, else the file
        C(~/.azure/credentials), else the Azure CLI, in the same order as C(azure.azcollection).
      - V(env) reads E(AZURE_CLIENT_ID), E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET), and E(AZURE_TENANT) or
        E(AZURE_TENANT_ID). V(credential_file) reads O(profile). V(msi) uses the managed identity of the controller.
        V(cli) uses the login of the Azure CLI.
    type: str
    choices: [auto, env, credential_file, msi, cli]
    default: auto%(auth_source)s
  profile:
    description: Section of the file C(~/.azure/credentials). Defaults to E(AZURE_PROFILE), else C(default).
    type: str
  client_id:
    description: Client ID of the service principal, or of a user-assigned managed identity.
    type: str
  secret:
    description: Secret of the service principal.
    type: str
  x509_certificate_path:
    description: File with the certificate and key of the service principal, in PEM format, instead of O(secret).
    type: path
  tenant:
    description: Tenant of the service principal.
    type: str
"""
_SUBSCRIPTIONS = r"""  subscriptions:
    description:
      - Subscriptions to work in. Each entry is an ID, or a dictionary with C(id), C(name), and C(tenant) if it belongs
        to another tenant, in which the same service principal exists.
      - Defaults to E(AZURE_SUBSCRIPTION_ID) or that of O(profile), else to all that the credentials can read.
    type: list
    elements: raw
    default: []
"""
_ENV = "\n    env:\n      - name: {}"
_PLUGIN = {
    "endpoint": _ENV.format("PATCHTIDE_AZURE_ENDPOINT"),
    "authority": _ENV.format("AZURE_AUTHORITY_HOST"),
    "ca_bundle": _ENV.format("PATCHTIDE_AZURE_CA_BUNDLE"),
    "auth_source": _ENV.format("ANSIBLE_AZURE_AUTH_SOURCE"),
}
_REQUIREMENTS = """
requirements:
  - azure-core >= 1.31.0
  - azure-identity >= 1.19.0
"""


class ModuleDocFragment:
    """Connection to Azure, and the subscriptions to work in."""

    DOCUMENTATION: str = (
        "options:"
        + _LOGIN % dict.fromkeys(_PLUGIN, "")
        + _SUBSCRIPTIONS
        + r"""
  on_subscription_error:
    description:
      - What to do if a subscription fails. The module works in all others in any case.
      - V(fail) fails the task at the end. V(report) warns and lists the subscription in RV(failed_subscriptions).
      - The task always fails if no subscription succeeds.
    type: str
    choices: [fail, report]
    default: fail
"""
        + _REQUIREMENTS
    )
    LOGIN: str = "options:" + _LOGIN % dict.fromkeys(_PLUGIN, "") + _REQUIREMENTS
    PLUGINS: str = "options:" + _LOGIN % _PLUGIN + _SUBSCRIPTIONS + _REQUIREMENTS
