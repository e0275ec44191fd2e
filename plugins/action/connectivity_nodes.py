# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks nodes themselves for their ways; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.azure_ids import node_key
from ..module_utils._core.connectivity.from_nodes import (
    SITE,
    all_asked,
    checks_of,
    endpoints,
    endpoints_elsewhere,
    way_of_repositories,
)
from ..module_utils._core.connectivity.judge import summarize
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.executors import AZURE, LINUX, SSM, WINDOWS
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.work.azure.requests import probe_script
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.node_answer import words
from ..module_utils._core.work.precheck import PrecheckRules, evaluate_probe, ways_of
from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import PrecheckStage, probe_request
from ..plugin_utils.azure_login import by_subscription, env_tenants
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.executors.ssm_action import SsmAction
from ..plugin_utils.executors.ways import Printed, ask_azure, ask_windows

_SECONDS = 300
#: Variable of a host with the result of linux_probe.
PROBED = f"{PREFIX}way_probe"


class ActionModule(SsmAction):
    """Asks nodes of Systems Manager by a command, machines of Azure by Run Command, Windows hosts by their connection.

    Direct Linux hosts were asked by linux_probe before.
    """

    SPEC: ClassVar[dict[str, Any]] = {
        **SsmAction.SPEC,
        "endpoints": {"type": "list", "elements": "str", "default": []},
        "internet": {"type": "bool", "default": True},
    }

    def stage(self, options: Mapping[str, Any]) -> Stage:
        return PrecheckStage(PrecheckRules(), ways=True)

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        urls = endpoints(options["region_of_nodes"], options["endpoints"], internet=options["internet"])
        return probe_request(platform, _SECONDS, endpoints=urls)

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        done = super().act(options, task_vars)
        found = {str(row["node_id"]): row for row in done["results"]}
        hosts = {host: task_vars["hostvars"][host] for host in options["hosts"]}
        printed = {} if self.check_mode else {**self._azure(hosts, options), **self._windows(hosts, options, task_vars)}
        nodes = [_row(host, seen, found, printed.get(host), _urls(seen, options)) for host, seen in hosts.items()]
        checks = checks_of(nodes, internet=options["internet"])
        rows = [asdict(check) for check in checks]
        return {"changed": False, "checks": rows, **summarize(checks), "failed_places": done["failed_places"]}

    def _windows(
        self, hosts: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> dict[str, Printed]:
        names = _of(hosts, WINDOWS.name)
        if not names:
            return {}
        if why := why_unserved(WINDOWS.name):
            return dict.fromkeys(names, Printed(why=why))
        from ..plugin_utils.executors.windows_hosts import WindowsHosts  # its requirements are installed

        reached = WindowsHosts(self, task_vars)
        for name in names:
            reached.try_to_open(name)
        urls = endpoints_elsewhere(options["endpoints"], internet=options["internet"])
        return ask_windows(reached, names, to_probe("windows", endpoints=urls))

    def _azure(self, hosts: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> dict[str, Printed]:
        names = {node_key(str(hosts[host].get(f"{PREFIX}node_id") or "")): host for host in _of(hosts, AZURE.name)}
        if not names:
            return {}
        if why := why_unserved(AZURE.name):
            return dict.fromkeys(names.values(), Printed(why=why))
        from ..module_utils._azure.patching import Machines  # its requirements are installed

        urls = endpoints_elsewhere(options["endpoints"], internet=options["internet"])
        tenants = env_tenants()

        def ask(subscription: str, nodes: Sequence[dict[str, Any]]) -> list[tuple[str, Printed]]:
            try:
                port = Machines(tenants.of(subscription))
            except PatchtideError as why:
                return [(node["node_id"], Printed(why=words(str(why)))) for node in nodes]
            script = partial(probe_script, endpoints=urls)
            return list(ask_azure(port, nodes, script, find_clock(), float(options["poll_interval"])).items())

        rows = [
            {
                "node_id": node,
                "region": str(hosts[host].get(f"{PREFIX}region") or ""),
                "platform": str(hosts[host].get(f"{PREFIX}platform") or ""),
            }
            for node, host in names.items()
        ]
        return {names[node]: found for node, found in by_subscription(rows, lambda row: row["node_id"], ask)}


def _of(hosts: Mapping[str, Mapping[str, Any]], executor: str) -> list[str]:
    return [host for host, seen in hosts.items() if seen.get(f"{PREFIX}executor") == executor]


def _urls(seen: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """Return what a host was asked for."""
    if seen.get(f"{PREFIX}executor") == SSM.name:
        return endpoints(str(seen.get(f"{PREFIX}region")), options["endpoints"], internet=options["internet"])
    return endpoints_elsewhere(options["endpoints"], internet=options["internet"])


def _row(
    host: str,
    seen: Mapping[str, Any],
    found: Mapping[str, Mapping[str, Any]],
    printed: Printed | None,
    urls: Sequence[str],
) -> dict[str, Any]:
    """Return a node with what it says; ``why`` it says nothing. :param urls: what it was asked for."""
    executor = seen.get(f"{PREFIX}executor")
    tags = seen.get(f"{PREFIX}tags") or {}
    place = "/".join(str(seen[key]) for key in (f"{PREFIX}account", f"{PREFIX}region") if seen.get(key))
    row = {"name": seen.get(f"{PREFIX}name") or host, "site": tags.get(SITE) or place or "direct hosts"}
    answer: Mapping[str, Any] = {}
    why = f"hosts of the executor {executor} are not asked here" if executor else "no executor, so it is not asked"
    if executor == SSM.name:
        answer, why = found.get(str(seen.get(f"{PREFIX}node_id")), {}), "its agent does not answer"
    elif executor == LINUX.name:
        answer, why = seen.get(PROBED) or {}, "there is no connection to it"
    elif printed is not None:
        row_of = AZURE if executor == AZURE.name else WINDOWS
        if printed.output:
            answer = evaluate_probe(printed.output, PrecheckRules(), executor=row_of).to_dict()
            answer = {**answer, "ways": ways_of(printed.output)}
        why = printed.why or "its answer could not be read"
    said = [str(item["text"]) for item in answer.get("findings", []) if not item["ok"] and item["check"] == "agent"]
    ways = list(answer.get("ways", []))
    if answer.get("facts"):
        ways = [*all_asked(ways, urls), *way_of_repositories(answer["findings"])]
    return {**row, "ways": ways, "why": "; ".join(said) or why}
