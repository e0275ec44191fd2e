# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How patient hypothesis is; a pytest plugin, because environments without the lab have no conftest.py.

How fast a machine is says nothing about the code: no example has a deadline, and no test fails because others run.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

#: The profile, in force once this is imported.
NAME = "patient"
settings.register_profile(NAME, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(NAME)
