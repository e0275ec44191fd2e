# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory plugins of this collection share: Ansible's plugin interface around ``FleetRun``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ...module_utils._core.errors import PatchtideError
from .run import FleetRun, MakeSource


class FleetPlugin(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc,unused-ignore] # Ansible has no types
    """An inventory plugin whose files end with its short name.

    ``TEMPLATED`` are options that users write as templates, most often to look up a secret. ``ASKED`` are the options
    on which answers depend.
    """

    NAME = ""
    TEMPLATED: ClassVar[Sequence[str]] = ()
    ASKED: ClassVar[Sequence[str]] = ()

    def source(self) -> MakeSource:
        """Return what makes the source of the nodes."""
        raise NotImplementedError

    def lacks(self) -> str:
        """Return which Python packages the controller lacks; "" if it has them."""
        raise NotImplementedError

    def verify_file(self, path: str) -> bool:
        short = self.NAME.rpartition(".")[2]
        return bool(super().verify_file(path)) and path.endswith((f"{short}.yml", f"{short}.yaml"))

    def get_option(self, option: str, hostvars: Any = None) -> Any:
        value = super().get_option(option, hostvars)
        return self.templar.template(value) if value and option in self.TEMPLATED else value

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        if lacking := self.lacks():
            raise AnsibleParserError(f"{self.NAME} needs Python packages on the controller: {lacking}")
        self._read_config_data(path)
        try:
            FleetRun(self, path, self.ASKED, self.source()).fill(inventory, fresh=not cache)
        except PatchtideError as error:
            raise AnsibleParserError(f"{self.NAME}: {error}") from error
