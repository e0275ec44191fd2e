# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes virtual machines out of the back ends of Azure Load Balancer and Application Gateway: the ``DrainPort``.

Back ends are members of the IP configurations of network interfaces. An update replaces the interface as a whole, with
its etag, so that nobody's change is lost; PATCH changes tags only (Microsoft.Network 2023-09-01, NetworkInterfaces).
Back ends that name IP addresses are not known from the machine and are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._core.errors import NotFound, ServiceError
from .._core.fleet.azure import to_tags
from .._core.prepare.ports import Target
from .arm import Arm
from .each import on_each, reason
from .machines import COMPUTE_API, machine

API = "2023-09-01"
#: Member of an IP configuration → type of a target.
_POOLS: Mapping[str, str] = {
    "loadBalancerBackendAddressPools": "load_balancer",
    "applicationGatewayBackendAddressPools": "application_gateway",
}
#: State of a target. No call tells the health of all kinds of back ends, so nobody waits for it.
REGISTERED = "registered"
_TRIES = 3


class AzureDrain:
    """The ``DrainPort`` of a subscription's virtual machines. A call for each machine and interface to read."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    def targets(self, ids: Sequence[str]) -> dict[str, tuple[Target, ...]]:
        found, errors = on_each(ids, self._of_machine)
        for error in errors.values():
            if not isinstance(error, NotFound):
                raise error
        return {item: targets for item, targets in found.items() if targets}

    def drain(self, targets: Sequence[Target]) -> dict[str, str]:
        return self._change(targets, lambda pools, group: [row for row in pools if _id(row) != group])

    def restore(self, targets: Sequence[Target]) -> dict[str, str]:
        def back(pools: list[dict[str, Any]], group: str) -> list[dict[str, Any]]:
            return pools if any(_id(row) == group for row in pools) else [*pools, {"id": group}]

        return self._change(targets, back)

    def health(self, targets: Sequence[Target]) -> dict[Target, str]:
        """Return ``draining`` while a target is in its back end, else ``unused``."""
        cards, errors = on_each([_card(target) for target in targets], self._read)
        for error in errors.values():
            if not isinstance(error, NotFound):
                raise error
        return {
            target: "draining" if target.group in _pools_of(cards[_card(target)], target) else "unused"
            for target in targets
            if _card(target) in cards
        }

    def _of_machine(self, node_id: str) -> tuple[Target, ...]:
        model = machine(self._arm, node_id, COMPUTE_API)
        cards = ((model.get("properties") or {}).get("networkProfile") or {}).get("networkInterfaces") or ()
        found = []
        for card in (_id(item) for item in cards):
            for config in _configurations(self._read(card)):
                for member, kind in _POOLS.items():
                    for pool in (config.get("properties") or {}).get(member) or ():
                        name = f"{card}#{config['name']}"
                        found.append(
                            Target(
                                node_id=node_id,
                                group=_id(pool),
                                target_id=name,
                                port=None,
                                target_type=kind,
                                state=REGISTERED,
                            )
                        )
        return tuple(found)

    def _read(self, card: str) -> Mapping[str, Any]:
        return self._arm.read(card, API, f"read the network interface {card.rpartition('/')[2]}")

    def _change(
        self, targets: Sequence[Target], edit: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]
    ) -> dict[str, str]:
        by_card: dict[str, list[Target]] = {}
        for target in targets:
            by_card.setdefault(_card(target), []).append(target)

        def write(card: str) -> None:
            for number in range(_TRIES):
                try:
                    self._write(card, by_card[card], edit)
                    return
                except ServiceError as error:
                    # Somebody else changed the interface meanwhile: it is read again.
                    if error.code not in ("PreconditionFailed", "HTTP412") or number + 1 == _TRIES:
                        raise

        _done, errors = on_each(by_card, write)
        problems = {card: reason(error) for card, error in errors.items() if not isinstance(error, NotFound)}
        return {target.node_id: problems[card] for card in problems for target in by_card[card]}

    def _write(
        self,
        card: str,
        targets: Sequence[Target],
        edit: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]],
    ) -> None:
        """Replace an interface if that changes something, and wait for the end."""
        found = dict(self._read(card))
        changed = False
        configs = []
        for config in _configurations(found):
            properties = dict(config.get("properties") or {})
            for target in targets:
                if target.target_id == f"{card}#{config['name']}":
                    member = next(name for name, kind in _POOLS.items() if kind == target.target_type)
                    before = [dict(row) for row in properties.get(member) or ()]
                    properties[member] = edit(before, target.group)
                    changed = changed or properties[member] != before
            configs.append({**config, "properties": properties})
        if not changed:
            return
        properties = {**(found.get("properties") or {}), "ipConfigurations": configs}
        body = {"location": found.get("location"), "tags": to_tags(found.get("tags")), "properties": properties}
        action = f"update the network interface {card.rpartition('/')[2]}"
        etag = str(found.get("etag") or "")
        if not etag:
            raise ServiceError(action, "NoEtag", "the service named no etag, so somebody else's change could be lost")
        self._arm.wait(self._arm.write("PUT", card, API, body, action, etag=etag), action)


def _configurations(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in (card.get("properties") or {}).get("ipConfigurations") or () if row.get("name")]


def _pools_of(card: Mapping[str, Any], target: Target) -> set[str]:
    member = next(name for name, kind in _POOLS.items() if kind == target.target_type)
    return {
        _id(pool)
        for config in _configurations(card)
        if f"{_card(target)}#{config['name']}" == target.target_id
        for pool in (config.get("properties") or {}).get(member) or ()
    }


def _card(target: Target) -> str:
    return target.target_id.partition("#")[0]


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("id") or "").lower()
