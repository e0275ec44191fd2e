# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to Azure of what runs on the controller without options for it: the environment's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..module_utils._azure.tenants import Tenants


def env_tenants() -> Tenants:
    """Return the connections of the environment's login. :raises BadInput: a variable is not valid."""
    from ..module_utils._azure.credentials import login_of
    from ..module_utils._azure.tenants import Tenants

    return Tenants(login_of(os.environ))
