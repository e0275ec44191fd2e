# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of ``azure_fleet``: machines of the subscriptions of one or more tenants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._azure import machines
from ...module_utils._azure.credentials import AzureLogin, Credentials
from ...module_utils._azure.places import find_subscriptions, to_subscriptions
from ...module_utils._azure.tenants import Tenants
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.fleet.azure import ARC, from_row
from ...module_utils._core.fleet.filters import Filters
from ...module_utils._core.fleet.records import Node, Spellings
from ...module_utils._core.model import Place
from .options import Found, GetOption
from .sources import Told

#: Options on which answers depend.
AZURE_ASKED = (
    "arm_endpoint", "client_id", "cloud", "filters", "include_arc", "include_scale_sets", "maintenance_window_keys",
    "patch_group_keys", "profile", "resource_graph", "subscriptions", "tenant",
)  # fmt: skip
_LOGIN = (
    "cloud", "arm_endpoint", "authority", "ca_bundle", "auth_source", "profile", "client_id", "secret",
    "x509_certificate_path", "tenant",
)  # fmt: skip


def azure_source(option: GetOption, filters: Filters, keys: Spellings) -> Subscriptions:
    """Return the source that the options describe. :raises BadInput: an option is not valid."""
    return Subscriptions(option, AzureLogin(**{name: option(name) or "" for name in _LOGIN}), keys)


class Subscriptions:
    """Queries Resource Graph once for all subscriptions of a tenant, or the lists of each subscription."""

    def __init__(self, option: GetOption, login: AzureLogin, keys: Spellings) -> None:
        self._option = option
        self._keys = keys
        credentials = Credentials(login)
        self._wanted = to_subscriptions("subscriptions", option("subscriptions"), credentials.subscription())
        self._arm = Tenants(login, credentials).of_tenant
        self._errors: dict[str, PatchtideError] = {}

    def places(self) -> Found:
        found = find_subscriptions(self._arm, self._wanted)
        self._errors = {item.id: item.error for item in found if item.error}
        names = {item.id: item.name for item in found if item.name}
        return Found(places=[Place(region="", account=item.id) for item in found], names=names)

    def ask(self, places: Sequence[Place], names: Mapping[str, str]) -> list[Told]:
        tenants = {item.id: item.tenant for item in self._wanted}
        told = [
            Told(place=item, error=self._errors[str(item.account)]) for item in places if item.account in self._errors
        ]
        open_places = [item for item in places if item.account not in self._errors]
        for tenant in dict.fromkeys(tenants.get(str(item.account), "") for item in open_places):
            mine = [item for item in open_places if tenants.get(str(item.account), "") == tenant]
            told.extend(self._of_tenant(tenant, mine, names))
        return told

    def _of_tenant(self, tenant: str, places: Sequence[Place], names: Mapping[str, str]) -> list[Told]:
        if not self._option("resource_graph"):
            return [self._of_one(tenant, place, names, ()) for place in places]
        wanted = [str(place.account) for place in places]
        try:
            rows = machines.by_graph(self._arm(tenant), wanted, self._option("include_scale_sets"))
            nodes = self._nodes(rows, names)
        except PatchtideError as error:
            return [self._of_one(tenant, place, names, (error,)) for place in places]
        by_account: dict[str, list[Node]] = {number: [] for number in wanted}
        for node in nodes:
            by_account.setdefault(node["account"], []).append(node)
        return [Told(place=place, nodes=by_account[str(place.account)]) for place in places]

    def _of_one(self, tenant: str, place: Place, names: Mapping[str, str], notes: Sequence[PatchtideError]) -> Told:
        try:
            rows = machines.by_lists(self._arm(tenant), str(place.account))
            return Told(place=place, nodes=self._nodes(rows, names), notes=notes)
        except PatchtideError as error:
            return Told(place=place, error=error)

    def _nodes(self, rows: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Node]:
        nodes = (from_row(row, names, self._keys) for row in rows)
        arc = self._option("include_arc")
        return [node for node in nodes if node is not None and (arc or node["resource_type"] != ARC)]
