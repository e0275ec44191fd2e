# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our Run Command actions share: connection, nodes, and one stage run, alone or as part of a rollout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...module_utils._ansible.clock import find_clock
from ...module_utils._ansible.spec import PLACES
from ...module_utils._aws.run_command import SsmFleet
from ...module_utils._core.errors import BadInput
from ...module_utils._core.model import Status
from ...module_utils._core.rollout.state import Intent, due_nodes
from ...module_utils._core.text import plain
from ...module_utils._core.work.final_record import error
from ...module_utils._core.work.ssm.commands import Chunk, deadline, split, started
from ...module_utils._core.work.ssm.ports import CommandRequest, FleetPort
from ...module_utils._core.work.ssm.stagerun import NoRecorder, Stage, StageRun
from ..aws_options import aws_spec, node_places, to_sessions
from ..controller_action import ControllerAction
from ..progress import Throttle
from ..rollout.folder import RETRY_SECONDS, RolloutDir
from ..workers import gather

LISTED = 8
_NODE = ("node_id", "account", "region", "platform")


class SsmAction(ControllerAction):
    """A stage of Run Command: with ``dir`` and ``wave`` on the wave's due nodes, journalled; else on ``nodes``."""

    SPEC: ClassVar[dict[str, Any]] = {
        "accounts": PLACES["accounts"],
        "dir": {"type": "path"},
        "wave": {"type": "str"},
        "nodes": {"type": "list", "elements": "dict"},
        "hosts": {"type": "list", "elements": "str"},
        "wait": {"type": "bool", "default": True},
        "poll_interval": {"type": "int", "default": 15},
        "delivery_timeout": {"type": "int", "default": 600},
        "execution_timeout": {"type": "int", "default": 7200},
        "max_concurrency": {"type": "str", "default": "100%"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_together": [("dir", "wave")],
        "required_one_of": [("dir", "nodes", "hosts")],
        "mutually_exclusive": [("dir", "nodes", "hosts")],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def stage(self, options: Mapping[str, Any], rollout: RolloutDir | None) -> Stage:
        """Return the stage; the hook of each action."""
        raise NotImplementedError

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        """Return (document, parameters) for nodes of a platform; the hook of each action."""
        raise NotImplementedError

    def settle(self, rollout: RolloutDir, wave: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return results of due nodes for which no command is needed."""
        return []

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if not 30 <= options["delivery_timeout"] <= 2592000:  # SendCommand, TimeoutSeconds
            raise BadInput("delivery_timeout", options["delivery_timeout"], "30 to 2592000 seconds")
        if options["dir"]:
            return self._act_in_rollout(options)
        nodes = _from_inventory(options["hosts"], task_vars) if options["hosts"] is not None else options["nodes"]
        for index, node in enumerate(nodes):
            if missing := [name for name in _NODE if not node.get(name)]:
                raise BadInput(f"nodes[{index}].{missing[0]}", node.get(missing[0]), "a text that is not empty")
        if self.check_mode:
            nothing: dict[str, Any] = {**_summary([]), "results": [], "failed_places": [], "open_nodes": []}
            return {"changed": self.writes(options), **nothing, "skipped_nodes": len(nodes)}
        run = self._run(options, nodes, None)
        chunks = self._chunks(options, nodes, run, start=1, prefix=f"{self._stamp(run)}/adhoc")
        results = run.begin(chunks) + run.wait(chunks)
        refused = {item.place: item.error.to_dict() for item in chunks if item.error and not item.command_id}
        unsettled = [item["node_id"] for item in results if item.get("missing_after") or item.get("pending_reboot")]
        return {
            "changed": self.writes(options),
            **_summary(results),
            "results": results,
            "failed_places": [_failed_place(place, why) for place, why in sorted(refused.items())],
            "open_nodes": sorted(unsettled),
        }

    def minutes(self, node: Mapping[str, Any]) -> float | None:
        """Return what the step takes on a node, if it must fit into the wave's window, else ``None``."""
        return None

    def late(self, node_id: str, text: str) -> dict[str, Any]:
        """Return the result of a node for which the window leaves no time."""
        return {"node_id": node_id, "status": Status.SKIPPED.value, "error": error("missed_out_of_time", text)}

    def writes(self, options: Mapping[str, Any]) -> bool:
        """Tell whether this stage changes nodes."""
        return False

    def _act_in_rollout(self, options: Mapping[str, Any]) -> dict[str, Any]:
        rollout, wave = RolloutDir(options["dir"], find_clock()), options["wave"]
        name = self.stage(options, rollout).name
        mine = {key: node for key, node in rollout.nodes.items() if node["executor"] == "ssm"}
        due = [mine[node] for node in due_nodes(rollout.state, wave, name) if node in mine]
        if self.check_mode:
            if name == "patch":  # the pre-checks that come before it let their nodes pass, as far as anybody knows
                due += [mine[node] for node in due_nodes(rollout.state, wave, "precheck") if node in mine]
            return {
                "changed": bool(due) and self.writes(options),
                **_summary([]),
                "due": [node["node_id"] for node in due],
            }
        results = self._round(rollout, wave, name, options)
        while options["wait"] and (again := _tried(rollout, wave, name, mine)):
            self.say(f"{wave} {name}: {len(again)} to be tried again in {RETRY_SECONDS} seconds")
            rollout.clock.sleep(RETRY_SECONDS)
            results += self._round(rollout, wave, name, options)
        last = list({item["node_id"]: item for item in results}.values())
        self.tell(rollout, last)
        return {"changed": self.writes(options) and rollout.events > 0, **_summary(last)}

    def _round(self, rollout: RolloutDir, wave: str, name: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take up what is under way, begin what is due, and await both if asked to; after an abort nothing begins."""
        mine = {key: node for key, node in rollout.nodes.items() if node["executor"] == "ssm"}
        aborted = rollout.state.status == "aborted"
        results = [] if aborted else self._settle(rollout, wave, name, options)
        due = [] if aborted else [mine[node] for node in due_nodes(rollout.state, wave, name) if node in mine]
        unfinished = [
            item
            for item in rollout.state.intents.values()
            if item.wave == wave and item.stage == name and any(node in mine for node in item.nodes)
        ]
        run = self._run(options, [*due, *(mine[node] for item in unfinished for node in item.nodes)], rollout)
        chunks = [self._resume(item, options, mine, rollout) for item in unfinished]
        results += run.reattach(chunks, send_missing=not aborted)
        for attempt, nodes in _by_attempt(rollout, name, due):
            number = rollout.state.announced.get(f"{wave}/{name}", 0) + 1
            prefix = f"{rollout.plan['rollout']} {wave}/{name}/{attempt}"
            new = self._chunks(options, nodes, run, start=number, prefix=prefix)
            results += run.begin(new, attempt)
            chunks += new
        return results + (run.wait(chunks) if options["wait"] else [])

    def tell(self, rollout: RolloutDir, results: Sequence[Mapping[str, Any]]) -> None:
        """Name the nodes that did not get through the stage, and why."""
        bad = [item for item in results if item.get("outcome") == "skip" or item.get("error")]
        for item in bad[:LISTED]:
            reasons = [row["text"] for row in item.get("findings", []) if not row["ok"]]
            why = "; ".join(reasons) or (item.get("error") or {}).get("text", "")
            word = "skipped" if item.get("outcome") == "skip" else str(item.get("status"))
            name = rollout.nodes[item["node_id"]]["name"] or item["node_id"]
            self.say(f"  {plain(name)}: {word}: {plain(why)}")
        if len(bad) > LISTED:
            self.say(f"  and {len(bad) - LISTED} more; all are in the journal and in the report")

    def _settle(self, rollout: RolloutDir, wave: str, stage: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        results = self.settle(rollout, wave, options)
        settled = {item["node_id"] for item in results}
        for node_id in due_nodes(rollout.state, wave, stage):
            minutes = self.minutes(rollout.nodes[node_id])
            if minutes is None or node_id in settled or rollout.nodes[node_id]["executor"] != "ssm":
                continue
            if not (guard := rollout.may_start(wave, minutes)).ok:
                tried = rollout.state.nodes[node_id].results.get(stage)
                results.append({**tried, "no_retry": guard.text} if tried else self.late(node_id, guard.text))
        if results:
            rollout.record("outcome", {"wave": wave, "stage": stage, "results": results})
        return results

    def _run(
        self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], rollout: RolloutDir | None
    ) -> StageRun:
        clock = rollout.clock if rollout else find_clock()
        return StageRun(
            stage=self.stage(options, rollout),
            wave=options["wave"] or "",
            ports=self._ports(options, nodes, rollout.plan["rollout"] if rollout else ""),
            clock=clock,
            gather=gather,
            recorder=rollout or NoRecorder(),
            progress=Throttle(self.say),
            poll_seconds=options["poll_interval"],
        )

    def _ports(
        self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], rollout: str
    ) -> dict[str, FleetPort]:
        sessions = to_sessions(options, rollout)
        places = node_places([(node["account"], node["region"]) for node in nodes], options["accounts"] or [])
        return {place.label: SsmFleet(place, sessions) for place in places}

    def _chunks(
        self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], run: StageRun, *, start: int, prefix: str
    ) -> list[Chunk]:
        now = run.clock.now()
        chunks = []
        for number, (place, platform, ids) in enumerate(split(nodes), start):
            token = f"{prefix}.{number}"
            chunks.append(
                Chunk(
                    token=token,
                    place=place,
                    request=self._request(options, platform, token, ids),
                    intended_at=now,
                    deadline=deadline(now, options["delivery_timeout"], options["execution_timeout"]),
                )
            )
        return chunks

    def _resume(
        self, intent: Intent, options: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]], rollout: RolloutDir
    ) -> Chunk:
        first = nodes[intent.nodes[0]]
        at = started(intent.at)
        return Chunk(
            token=intent.token,
            place=f"{first['account']}/{first['region']}",
            request=self._request(options, first["platform"], intent.token, list(intent.nodes)),
            intended_at=at,
            deadline=deadline(at, options["delivery_timeout"], options["execution_timeout"]),
            command_id=intent.sent[1] if intent.sent else None,
        )

    def _request(self, options: Mapping[str, Any], platform: str, token: str, ids: Sequence[str]) -> CommandRequest:
        document, parameters = self.request(options, platform, hashlib.sha256(token.encode()).hexdigest()[:24])
        return CommandRequest(
            document=document,
            parameters=parameters,
            node_ids=tuple(ids),
            comment=f"patchtide {token}",
            delivery_timeout=options["delivery_timeout"],
            max_concurrency=options["max_concurrency"],
        )

    def _stamp(self, run: StageRun) -> str:
        return run.clock.now().strftime("%Y%m%dT%H%M%S")


def _from_inventory(hosts: Sequence[str], task_vars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the hosts that Run Command can reach now: managed, running, and with an agent that answers."""
    found = []
    for host in hosts:
        seen = task_vars["hostvars"][host]
        if seen.get("patchtide_executor") == "ssm" and seen.get("patchtide_ping_status") == "Online":
            found.append({name: str(seen.get(f"patchtide_{name}") or "") for name in _NODE})
    return found


def _tried(rollout: RolloutDir, wave: str, stage: str, nodes: Mapping[str, Any]) -> list[str]:
    """Return the nodes that are due for a further attempt."""
    if rollout.state.status != "running":
        return []
    states = rollout.state.nodes
    return [node for node in due_nodes(rollout.state, wave, stage) if node in nodes and stage in states[node].results]


def _by_attempt(
    rollout: RolloutDir, stage: str, nodes: Sequence[Mapping[str, Any]]
) -> list[tuple[int, list[Mapping[str, Any]]]]:
    """Return the nodes by the number of the attempt that comes next."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for node in nodes:
        found.setdefault(rollout.state.nodes[node["node_id"]].attempts.get(stage, 0) + 1, []).append(node)
    return sorted(found.items())


def _failed_place(label: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of an account-Region that failed, as the modules return it."""
    account, _slash, region = label.rpartition("/")
    return {"place": label, "account": account, "region": region, "error": dict(error)}


def _summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for item in results:
        key = str(item.get("status") or item.get("outcome"))
        counts[key] = counts.get(key, 0) + 1
    return {"counts": counts}
