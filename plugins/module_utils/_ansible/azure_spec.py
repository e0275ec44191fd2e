# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of modules that call Azure, and the module object with them. The doc fragment ``azure`` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from .._azure.credentials import AUTH_SOURCES, CLOUDS, AzureLogin
from .._azure.errors import HAS_SDK

TEXT: dict[str, Any] = {"type": "str"}
STATE: dict[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
LOGIN: dict[str, Any] = {
    "cloud": {"type": "str", "choices": list(CLOUDS), "default": "public"},
    "arm_endpoint": {"type": "str", "fallback": (env_fallback, ["PATCHTIDE_AZURE_ENDPOINT"])},
    "authority": {"type": "str", "fallback": (env_fallback, ["AZURE_AUTHORITY_HOST"])},
    "ca_bundle": {"type": "path", "fallback": (env_fallback, ["PATCHTIDE_AZURE_CA_BUNDLE"])},
    "auth_source": {
        "type": "str",
        "choices": list(AUTH_SOURCES),
        "default": "auto",
        "fallback": (env_fallback, ["ANSIBLE_AZURE_AUTH_SOURCE"]),
    },
    "profile": {"type": "str"},
    "client_id": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "x509_certificate_path": {"type": "path"},
    "tenant": {"type": "str"},
}
SUBSCRIPTIONS: dict[str, Any] = {
    "subscriptions": {"type": "list", "elements": "raw", "default": []},
    "on_subscription_error": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}


def azure_login_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleModule:
    """Return a module with the connection options and ``spec``, with check mode. It fails without Azure's libraries."""
    module = AnsibleModule(argument_spec={**LOGIN, **spec}, supports_check_mode=True, **rules)
    if not HAS_SDK:
        module.fail_json(msg=missing_required_lib("azure-identity azure-core", reason="to call Azure"))
    return module


def azure_module(spec: Mapping[str, Any], **rules: Any) -> AnsibleModule:
    """Return such a module that works in many subscriptions."""
    return azure_login_module({**SUBSCRIPTIONS, **spec}, **rules)


def to_login(params: Mapping[str, Any]) -> AzureLogin:
    """Return the login that the options describe. :raises BadInput: an option is not valid."""
    return AzureLogin(**{name: params[name] or "" for name in LOGIN})
