# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The override lists of a wave: written where nodes read them, read back, and checked again before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ansible.module_utils.urls import open_url

from ...module_utils._aws.list_bucket import MOST_BYTES, ListBucket
from ...module_utils._aws.session import Sessions
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.lists.address import to_address
from ...module_utils._core.lists.override_list import text_of
from ...module_utils._core.lists.planned import ListTrouble
from ...module_utils._core.model import Place
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.rollout.state import DONE
from ..aws_options import accounts_of, node_places
from ..files import write_text
from ..rollout.folder import LISTS, RolloutDir
from ..rollout.guards import is_fresh

Listed = Mapping[str, Any]


class ListStore(Protocol):
    """Where lists are kept for nodes."""

    def write(self, name: str, text: str) -> bool:
        """Write a list unless it is there; return whether it was written."""

    def read(self, name: str) -> bytes:
        """Return what is there. :raises PatchtideError: nothing, or it can't be read."""


@dataclass(frozen=True, slots=True)
class WebLists:
    """A web server on which somebody else publishes the lists of a directory.

    :param folder: ``lists`` of the rollout. A promoted wave has lists that the plan does not have.
    """

    url: str
    folder: Path

    def write(self, name: str, text: str) -> bool:
        path = self.folder / name
        if path.is_file() and path.read_bytes() == text.encode():
            return False
        write_text(path, text)
        return True

    def read(self, name: str) -> bytes:
        """Nodes have no credentials there, so none are sent."""
        try:
            address = f"{self.url.rstrip('/')}/{name}"
            with open_url(address, timeout=30, follow_redirects="none", use_netrc=False) as reply:
                return bytes(reply.read(MOST_BYTES))
        except Exception as error:  # pylint: disable=broad-except  # urllib, ssl and sockets have no common error
            problem = f"{self.url} does not serve the list {name} ({error})"
            raise PatchtideError(f"{problem}; publish the directory {self.folder} there") from error


@dataclass(slots=True)
class Pins:
    """The lists of one wave. Everything here blocks, so call it in a thread.

    :param store: gives the store of a list.
    """

    rollout: RolloutDir
    wave: str
    store: Callable[[Listed], ListStore]
    _checked: dict[str, tuple[datetime, bool]] = field(default_factory=dict)

    def publish(self) -> None:
        """Write the lists of the wave's nodes that are still to be patched, and read them back.

        :raises ListTrouble: one can't be written or read, or has other content. Nothing was sent then.
        """
        state = self.rollout.state
        nodes = [node for node in state.waves[self.wave].nodes if state.nodes[node].stage != DONE]
        for listed in self._lists(nodes):
            self._publish(listed)

    def check(self, nodes: Sequence[str]) -> None:
        """Read the lists of nodes again unless they were read recently.

        :raises ListTrouble: one is missing or has other content.
        """
        now = self.rollout.clock.now()
        for listed in self._lists(nodes):
            if not is_fresh(self._checked.get(listed["name"]), now):
                self._read_back(listed)

    def _lists(self, nodes: Sequence[str]) -> Sequence[Listed]:
        """Return the distinct lists that nodes install from."""
        promotion = self.rollout.promotion(self.wave)
        found = (promotion.list_of(node) for node in nodes)
        return list({str(listed["name"]): listed for listed in found if listed is not None}.values())

    def _publish(self, listed: Listed) -> None:
        try:
            self.store(listed).write(listed["name"], text_of(listed))
        except PatchtideError as why:
            raise self._trouble(listed, str(why)) from why
        self._read_back(listed)

    def _read_back(self, listed: Listed) -> None:
        try:
            found = self.store(listed).read(listed["name"])
        except PatchtideError as why:
            raise self._trouble(listed, str(why)) from why
        if found != text_of(listed).encode():
            raise self._trouble(listed, "its content is not what its name and the plan say; somebody changed it")
        self._checked[listed["name"]] = (self.rollout.clock.now(), True)

    def _trouble(self, listed: Listed, why: str) -> ListTrouble:
        return ListTrouble(
            f"The override list {listed['address']} of wave {self.wave} can't be used: {why}. "
            "Nothing was sent to its nodes. Repair it and run the rollout again."
        )


def to_store(
    policy: Policy, options: Mapping[str, Any], sessions: Sessions, folder: Path
) -> Callable[[Listed], ListStore]:
    """Return a function that gives the store of a list, according to the policy.

    :param options: with ``accounts``. :param folder: of the rollout.
    """

    def store(listed: Listed) -> ListStore:
        patching, region = policy.patching, str(listed["region"])
        bucket = patching.buckets.get(region)
        if to_address(bucket, patching.list_url, listed["name"]) != listed["address"]:
            raise ListTrouble(
                f"The policy keeps the lists of {region} elsewhere than {listed['address']}, which the plan names."
            )
        if bucket is None:
            return WebLists(patching.list_url, folder / LISTS)
        account = bucket.account
        place = node_places([(account, region)], accounts_of(options))[0] if account else Place(region=region)
        return ListBucket(sessions.client("s3", place), bucket)

    return store
