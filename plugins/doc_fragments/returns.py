# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """The shape of what modules return that work in one or many account-Regions."""

    DOCUMENTATION = r"""
notes:
  - The result has the same shape for one account-Region and for many. RV(places) holds one row for each account-Region
    that succeeded, accounts first, Regions second, in the order of O(accounts) and O(regions). Each row has C(place)
    (C(account/region)), C(account), C(region), C(changed) and the object that the module manages. A registered result
    of a task in one account-Region is read as C(result.places[0]).
  - RV(failed_places) holds one row for each account-Region that failed, with C(place), C(account), C(region) and
    C(error), which has C(code) and C(message). It is empty if all succeeded.
  - C(account) is V(null) if O(accounts) is not set and AWS STS cannot be reached.
"""

    INFO = r"""
notes:
  - The result has the same shape for one account-Region and for many. It is one flat list in which every row has
    C(account) and C(region).
  - RV(failed_places) holds one row for each account-Region that failed, with C(place) (C(account/region)), C(account),
    C(region) and C(error), which has C(code) and C(message). It is empty if all succeeded.
  - C(account) is V(null) if O(accounts) is not set and AWS STS cannot be reached.
"""
