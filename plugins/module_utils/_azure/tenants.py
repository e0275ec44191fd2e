# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection for each tenant, and which tenant a subscription belongs to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .arm import Arm
from .credentials import AzureLogin, Credentials


class Tenants:
    """Connections to Azure by tenant or by subscription. Thread-safe; connections are shared.

    :param arm: returns the connection of a login with a credential, and is replaced by tests.
    """

    def __init__(
        self, login: AzureLogin, credentials: Credentials | None = None, arm: Callable[[AzureLogin, Any], Arm] = Arm
    ) -> None:
        self._login = login
        self._credentials = credentials or Credentials(login)
        self._make = arm
        self._lock = threading.RLock()
        self._arms: dict[str, Arm] = {}
        self._tenants: dict[str, str] = {}

    def of_tenant(self, tenant: str = "") -> Arm:
        """Return the connection to a tenant, by default that of the login. :raises AccessDenied: no credentials."""
        with self._lock:
            if tenant not in self._arms:
                self._arms[tenant] = self._make(self._login, self._credentials.of(tenant))
            return self._arms[tenant]

    def of(self, subscription: str) -> Arm:
        """Return the connection to a subscription's tenant; one call for each subscription, without a token.

        :raises PatchtideError: no credentials, or the service does not answer.
        """
        with self._lock:
            if subscription not in self._tenants:
                self._tenants[subscription] = self.of_tenant().tenant_of(subscription)
            return self.of_tenant(self._tenants[subscription])
