# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets of maintenance windows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from ..change import Change, carry_out, merge
from ..errors import BadInput
from . import limits
from .targets import Targets, check_targets, to_targets

F_co = TypeVar("F_co", covariant=True)
INSTANCE, RESOURCE_GROUP = "INSTANCE", "RESOURCE_GROUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTarget:
    """A target of a maintenance window, known by its ID, else by its name within the window."""

    name: str
    targets: Targets = field(default_factory=dict)
    owner_information: str = ""
    description: str = ""
    window_id: str | None = None
    target_id: str | None = None

    @property
    def resource_type(self) -> str:
        return RESOURCE_GROUP if "resource-groups:Name" in self.targets else INSTANCE


class WindowTargetPort(Protocol):
    """Targets of the windows of one account-Region."""

    def find_window(self, reference: str) -> str | None:
        """Return the ID of the window with this name or ID."""

    def find(self, window_id: str, name: str) -> WindowTarget | None:
        """Return the target with this name; ``None`` if it or the window does not exist."""

    def get(self, window_id: str, target_id: str) -> WindowTarget | None:
        """Return the target of that ID; ``None`` if it or the window does not exist."""

    def register(self, wanted: WindowTarget) -> str:
        """Create it in ``wanted.window_id`` and return its ID."""

    def update(self, wanted: WindowTarget) -> None:
        """Replace everything, by ``wanted.target_id``."""

    def deregister(self, target: WindowTarget, *, safe: bool) -> None:
        """Delete it; with ``safe``, only if no task uses it. Does nothing if it does not exist."""


def plan_window_target(
    before: WindowTarget | None, given: Mapping[str, Any], window_id: str | None, *, present: bool
) -> Change[WindowTarget]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :raises BadInput: a limit of the service is exceeded.
    """
    if not present:
        return Change(before, None)
    wanted = merge(before or WindowTarget(name=given["name"], window_id=window_id), given)
    limits.name("name", wanted.name or None)
    limits.shorter("description", wanted.description, 128)
    limits.shorter("owner_information", wanted.owner_information, 128)
    if not wanted.targets:
        raise BadInput(
            "instance_tags", None, "nodes to work on: instance_ids, instance_tags, tag_keys or resource_group"
        )
    check_targets(wanted.targets)
    if before and before.resource_type != wanted.resource_type:
        reason = f"the type of a window target can't change ({before.resource_type} to {wanted.resource_type})"
        return Change(before, replace(wanted, target_id=None), recreate=reason)
    return Change(before, wanted)


def ensure_window_target(port: WindowTargetPort, change: Change[WindowTarget], *, safe: bool) -> WindowTarget | None:
    """Apply the change and return the resulting target."""
    return carry_out(
        change,
        create=lambda target: replace(target, target_id=port.register(target)),
        update=port.update,
        remove=lambda target: port.deregister(target, safe=safe),
    )


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``WindowTarget``; ``None`` if an option is not set."""
    return {
        "name": options["name"],
        "targets": to_targets(options),
        "owner_information": options["owner_information"],
        "description": options["description"],
    }


class WindowTargetNoun:
    """Declared target of a window at one place.

    A missing window is an error only when the target is written, so that check mode can predict the targets of
    windows that the same policy would create.
    """

    def __init__(self, port: WindowTargetPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[WindowTarget]:
        options = self._options
        window_id = self._port.find_window(options["window"])
        before = find_by_id_or_name(self._port, window_id, "target_id", options)
        return plan_window_target(before, to_given(options), window_id, present=options["state"] == "present")

    def apply(self, change: Change[WindowTarget]) -> WindowTarget | None:
        if change.after and not change.after.window_id:
            raise missing_window(self._options["window"])
        return ensure_window_target(self._port, change, safe=self._options["safe"])


class _Findable(Protocol[F_co]):
    def find(self, window_id: str, name: str) -> F_co | None: ...

    def get(self, window_id: str, own_id: str, /) -> F_co | None: ...


def find_by_id_or_name(
    port: _Findable[F_co], window_id: str | None, id_option: str, options: Mapping[str, Any]
) -> F_co | None:
    """Find what ``options`` mean within a window: by the ID if one is given, else by the name.

    :raises BadInput: the ID means nothing in this window, and the object is to be present.
    """
    own_id = options.get(id_option)
    if not own_id:
        return port.find(window_id, options["name"]) if window_id else None
    limits.uuid(id_option, own_id, "something in a maintenance window")
    found = port.get(window_id, own_id) if window_id else None
    if found is None and options["state"] == "present":
        raise BadInput(id_option, own_id, f"an ID that exists in maintenance window {options['window']}")
    return found


def missing_window(reference: str) -> BadInput:
    """Return the error for a missing window."""
    return BadInput("window", reference, "the name or ID of an existing maintenance window")
