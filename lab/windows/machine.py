# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated Windows host: its Windows Update Agent, servicing, boots, registry. Pure; the caller passes the time.

What decides an outcome follows ansible.windows 3.3.0 (``win_updates.ps1``, its ``plugin_utils/_reboot.py``), the
Windows Update Agent API of Microsoft Learn, or an issue of ansible.windows. Where they are silent, it is the stricter:
an update that waits for a reboot stays offered until the reboot.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .agent import Agent
from .offers import Offer, left_out
from .wsus import Wsus

#: OperationResultCode and error codes (Windows Update Agent API; wuerror.h).
SUCCEEDED, FAILED, ABORTED = 2, 4, 5
INSTALL_NOT_ALLOWED, CANCELLED, FAIL_REBOOT_REQUIRED = 0x80240016, 0x8024000B, 0x80070BC9
CLIENT = "ansible.windows.win_updates"
SERVER_NOT_SET, REDIRECTOR_CONNECT_POLICY = 0x80244011, 0x8024500C
#: Seconds of the lab's clock. shutdown.exe /t 2.
SHUTDOWN, OFF, CONFIGURING, AGAIN = 2.0, 60.0, 90.0, 20.0


def signed(hresult: int) -> int:
    """PowerShell has HRESULTs as signed numbers."""
    return hresult - 2**32 if hresult >= 2**31 else hresult


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the history of Windows Update."""

    at: datetime
    title: str
    result: int
    hresult: int
    client: str = CLIENT

    def to_row(self) -> dict[str, Any]:
        more = {"operation": 1, "result": self.result, "hresult": signed(self.hresult)}
        return {"at": to_text(self.at), "title": self.title, "client": self.client, **more}


def to_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Run:
    """A detached process of win_updates, which waits for a reader of its output until it is cancelled or the host
    reboots (win_updates.ps1). ``due`` and ``step``: what it does next."""

    name: str
    pid: int
    args: Mapping[str, Any]
    due: datetime
    step: Callable[[datetime], None] | None
    output: list[dict[str, Any]] = field(default_factory=list)
    installing: list[Offer] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        return any(item["task"] == "exit" for item in self.output)


@dataclass(slots=True)
class Faults:
    """What is wrong with the host.

    :param fail: HRESULTs of installs by KB, ``*`` for all. :param downloads: HRESULTs of downloads by KB.
    :param after_reboot: KBs whose install fails until a reboot, with ERROR_FAIL_REBOOT_REQUIRED (winerror.h).
    :param search: HRESULT of each search. :param rollback: KBs that the next reboot undoes. :param hang: installs never
        end. :param away: nobody answers. :param no_reboot: exit code of shutdown.exe, which does nothing then.
    :param lost_host: it does not come back after a reboot. :param twice: it reboots a second time, soon after
        it has shown its login screen.
    """

    fail: dict[str, int] = field(default_factory=dict)
    downloads: dict[str, int] = field(default_factory=dict)
    after_reboot: set[str] = field(default_factory=set)
    search: int = 0
    rollback: set[str] = field(default_factory=set)
    hang: bool = False
    away: bool = False
    no_reboot: int | None = None
    lost_host: bool = False
    twice: bool = False


@dataclass(slots=True)
class Machine:
    """The host. ``offers``: what is not installed; ``installed``: KBs that need nothing more.

    ``wsus``: the server that its policies name. ``policies``: of Windows Update, by the names of their values.
    """

    name: str
    boot: datetime
    offers: list[Offer] = field(default_factory=list)
    installed: list[str] = field(default_factory=list)
    history: list[Entry] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    registry: dict[str, dict[str, str]] = field(default_factory=dict)
    waiting: list[Offer] = field(default_factory=list)
    down_until: datetime | None = None
    ready_at: datetime | None = None
    reboot_at: datetime | None = None
    search_seconds: float = 5.0
    off_seconds: float = OFF
    configuring_seconds: float = CONFIGURING
    free_mb: int = 60_000
    counts: dict[str, int] = field(default_factory=dict)
    wsus: Wsus | None = None
    policies: dict[str, Any] = field(default_factory=dict)
    #: URLs of the internet that answer from it
    reaches: set[str] = field(default_factory=set)
    #: the SSM Agent, on a host that is to register with Systems Manager
    agent: Agent | None = None
    #: of the system log: times and IDs
    events: list[tuple[datetime, int]] = field(default_factory=list)

    # --- time

    @property
    def next_due(self) -> datetime | None:
        """When something happens by itself."""
        steps = [run.due for run in self._moving()]
        return min([*steps, *(moment for moment in (self.reboot_at, self.ready_at) if moment)], default=None)

    def _moving(self) -> list[Run]:
        return [run for run in self.runs if run.step and not (self.faults.hang and run.installing)]

    def catch_up(self, now: datetime) -> None:
        """Do whatever was due, in order."""
        while (due := self.next_due) is not None and due <= now:
            if self.reboot_at is not None and self.reboot_at <= due:
                self._go_down(self.reboot_at)
            elif self.ready_at is not None and self.ready_at <= due:
                self._complete(self.ready_at)
            else:
                run = min(self._moving(), key=lambda item: item.due)
                assert run.step is not None
                run.step(run.due)

    def answers(self, now: datetime) -> bool:
        """WinRM answers before "Working on updates" is over (ansible.windows issue 249)."""
        return not self.faults.away and (self.down_until is None or now >= self.down_until)

    # --- win_updates: start, poll, cancel

    def start(self, args: Mapping[str, Any], now: datetime) -> Run:
        name = f"Ansible.Windows.WinUpdates-{uuid.uuid4()}"
        run = Run(name, 4000 + len(self.runs), args, now + timedelta(seconds=self.search_seconds), None)
        run.step = lambda at: self._search(run, at)
        run.output.append({"task": "started", "result": {}})
        self.runs.append(run)
        self._count("starts")
        return run

    def poll(self, name: str) -> list[dict[str, Any]]:
        """Return new output. ``exit`` is sent again until the process is cancelled, as receipt (win_updates.ps1)."""
        run = next((item for item in self.runs if item.name == name), None)
        if run is None:
            raise LookupError(f"no pipe {name}")
        found, run.output = run.output, [item for item in run.output if item["task"] == "exit"]
        return found

    def cancel(self, name: str, now: datetime) -> None:
        """End a process. An install that runs is aborted; what it has installed stays."""
        for run in [item for item in self.runs if item.name == name]:
            run.cancelled = True
            if run.installing and not run.ended:
                self._note(run.installing[0], now, ABORTED, CANCELLED)
            self.runs.remove(run)
            self._count("cancels")

    def _search(self, run: Run, at: datetime) -> None:
        if self.faults.search:
            self._exit(run, message="Searching for updates: Exception from HRESULT", hresult=self.faults.search)
            return
        where = str(run.args.get("server_selection") or "default")
        if code := self._refused(where):
            self._exit(run, message="Searching for updates: Exception from HRESULT", hresult=code)
            return
        found = [offer for offer in self.offers if self._is_offered(offer, where)]
        selected = [offer for offer in found if not left_out(offer, run.args)]
        filtered = [{"id": offer.id, "reasons": why} for offer in found if (why := left_out(offer, run.args))]
        infos = [offer.to_info() for offer in found]
        run.output.append({"task": "search_result", "result": {"updates": infos, "filtered": filtered}})
        searched = run.args.get("state") == "searched" or bool(run.args.get("_ansible_check_mode"))
        if searched or not selected:
            self._exit(run, changed=bool(selected) and run.args.get("state") != "searched")
        elif self.asks_for_reboot:
            self._exit(run, message="A reboot is required before more updates can be installed")
        else:
            self._download(run, selected, at)

    def _refused(self, where: str) -> int:
        """Return the error of a search on a server that the policies do not name, or forbid (wuerror.h); 0 for none."""
        if where == "managed_server" and self.policies.get("UseWUServer") != 1:
            return SERVER_NOT_SET
        closed = self.policies.get("DoNotConnectToWindowsUpdateInternetLocations") == 1
        return REDIRECTOR_CONNECT_POLICY if where == "windows_update" and closed else 0

    def _is_offered(self, offer: Offer, where: str) -> bool:
        if self.wsus is None or self.policies.get("UseWUServer") != 1 or where == "windows_update":
            return True
        group = self.policies.get("TargetGroup") if self.policies.get("TargetGroupEnabled") == 1 else None
        return self.wsus.offers(str(group or ""), offer.kb)

    def _download(self, run: Run, selected: list[Offer], at: datetime) -> None:
        """One failed download: nothing is installed (win_updates.ps1)."""
        codes = {offer.id: self.faults.downloads.get(offer.kb, 0) for offer in selected}
        info = [_row(key, code) for key, code in codes.items()]
        run.output.append({"task": "download_result", "result": {"info": info}})
        if any(codes.values()):
            self._exit(run, message="Failed to download all updates - see updates for more information", changed=True)
        elif any(other.installing for other in self.runs if other is not run):
            self._exit(run, message="Installing updates: ", hresult=INSTALL_NOT_ALLOWED, changed=True)
        else:
            run.installing = list(selected)
            run.due, run.step = at + timedelta(seconds=selected[0].seconds), lambda when: self._install(run, when)
            self._count("installs")

    def _install(self, run: Run, at: datetime) -> None:
        """One failed install: the others stay (win_updates.ps1)."""
        offer = run.installing.pop(0)
        code = self.faults.fail.get(offer.kb, self.faults.fail.get("*", 0))
        if offer.kb in self.faults.after_reboot:
            code = FAIL_REBOOT_REQUIRED
        run.results.append({**_row(offer.id, code), "reboot_required": offer.reboot and not code})
        self._note(offer, at, FAILED if code else SUCCEEDED, code)
        if not code and offer.reboot:
            self.waiting.append(offer)
            self.pending |= {"windows_update", "system_information", "cbs_pending"}
        elif not code:
            self._have(offer)
        if run.installing:
            run.due = at + timedelta(seconds=run.installing[0].seconds)
            return
        run.output.append({"task": "install_result", "result": {"info": run.results}})
        failed = any(row["result_code"] != SUCCEEDED for row in run.results)
        message = "Failed to install all updates - see updates for more information" if failed else ""
        self._exit(run, message=message, changed=True)

    def _exit(self, run: Run, message: str = "", hresult: int = 0, *, changed: bool = False) -> None:
        result: dict[str, Any] = {"changed": changed, "failed": bool(message), "reboot_required": self.asks_for_reboot}
        if message:
            result["exception"] = {"message": message, "exception": message}
        if hresult:
            result["exception"]["hresult"] = signed(hresult)
        run.installing = []
        run.output.append({"task": "exit", "result": result})
        run.step = None

    @property
    def asks_for_reboot(self) -> bool:
        """Microsoft.Update.SystemInfo."""
        return "system_information" in self.pending

    def _note(self, offer: Offer, at: datetime, result: int, hresult: int) -> None:
        self.history.append(Entry(at=at, title=offer.title, result=result, hresult=hresult))

    def _have(self, offer: Offer) -> None:
        self.installed.append(offer.kb)
        self.offers = [item for item in self.offers if item.id != offer.id]

    # --- boots

    def shut_down(self, now: datetime) -> int:
        """shutdown.exe /r /t 2: 0, or 1115 and 1190 where a shutdown has begun (winerror.h)."""
        if self.faults.no_reboot is not None:
            return self.faults.no_reboot
        if self.reboot_at is not None:
            return 1190
        self.reboot_at = now + timedelta(seconds=SHUTDOWN)
        self.events.append((now, 1074))
        self._count("reboots")
        return 0

    def _go_down(self, at: datetime) -> None:
        """An install that runs ends without a trace; processes and their output are gone."""
        self.runs.clear()
        self.reboot_at = None
        back = timedelta(days=3650) if self.faults.lost_host else timedelta(seconds=self.off_seconds)
        self.down_until = self.boot = at + back
        self.ready_at = self.boot + timedelta(seconds=self.configuring_seconds)
        self.events.append((self.boot, 6005))
        if not self.faults.lost_host and self.faults.twice:
            self.faults.twice = False
            self.reboot_at = self.ready_at + timedelta(seconds=AGAIN)

    def _complete(self, at: datetime) -> None:
        """A rollback is seen by its update being offered again (win_updates, "An update loop was detected")."""
        self.ready_at = None
        self.pending.clear()
        self.faults.after_reboot.clear()
        for offer in self.waiting:
            if offer.kb not in self.faults.rollback:
                self._have(offer)
        self.waiting = []

    # --- what it shows

    def state(self, mode: str, token: str, owner: str, now: datetime, tried: Sequence[str] = ()) -> dict[str, Any]:
        """The document of ``_core/work/windows/state_script.py``, whose script does not run here.

        :param tried: URLs that the script tries.
        """
        ready = self.ready_at is None
        work = self._work(mode, token, owner, now) if mode != "state" else None
        pipes = [run.name for run in self.runs]
        installing = any(run.installing for run in self.runs)
        pids = [run.pid for run in self.runs]
        names = ("windows_update", "cbs_pending", "cbs_in_progress", "cbs_packages", "system_information")
        return {
            "windows": 1,
            "now": to_text(now),
            "boot": to_text(self.boot),
            "ready": ready and "AutoLogonChecked" not in self.registry,
            "live": {"pipes": pipes, "workers": pids, "installing": installing, "servicing": not ready},
            "reboot": {name: name in self.pending for name in (*names, "file_renames")},
            "history": [item.to_row() for item in reversed(self.history)],
            "events": [{"at": to_text(at), "id": number} for at, number in self.events] if mode == "look" else None,
            "work": work,
            **({**self._details(), "closed": self._answers(tried)} if mode == "state" else {}),
        }

    def _answers(self, urls: Sequence[str]) -> list[str]:
        return [f"{'yes' if url in self.reaches else 'no'} {url}" for url in urls]

    def _details(self) -> dict[str, Any]:
        policy = {
            "server": self.policies.get("WUServer"),
            "uses_server": self.policies.get("UseWUServer") == 1,
            "target_group": self.policies.get("TargetGroup"),
            "no_internet": self.policies.get("DoNotConnectToWindowsUpdateInternetLocations") == 1,
        }
        return {"component_store": "healthy", "sessions": 0, "policy": policy}

    def _work(self, mode: str, token: str, owner: str, now: datetime) -> dict[str, Any]:
        found = self.registry.get(token)
        if found is None and mode in ("claim", "close", "reboot"):
            state = "closed" if mode == "close" else "claimed"
            since, boot = to_text(now), to_text(self.boot)
            found = self.registry[token] = {"since": since, "boot": boot, "state": state, "owner": owner}
            if mode == "reboot":
                found["exit"] = str(self.shut_down(now))
        if mode == "stop":
            for run in list(self.runs):
                self.cancel(run.name, now)
        empty: dict[str, Any] = {"state": "absent", "since": None, "boot": None, "exit": None, "text": ""}
        return {**empty, **(found or {}), "fresh": found is not None and found.get("owner") == owner}

    def probe(self, packages: str, key: str, now: datetime) -> dict[str, Any]:
        """The document of ``_core/work/probe_windows.py``. :param packages: ``remember``, ``compare`` or nothing."""
        more: dict[str, Any] = {}
        if packages == "remember":
            self.registry.setdefault(f"packages {key}", {"since": to_text(now)})
            more = {"packages_known": 0}
        elif packages == "compare":
            since = self.registry.get(f"packages {key}", {}).get("since")
            rows = [item for item in self.history if since and to_text(item.at) >= since and item.result == SUCCEEDED]
            found = sorted({f"{_kb(item.title)} - 200" for item in rows})
            more = {"packages": {"rows": found, "total": len(found), "sha256": ""} if since else None}
        return {
            "probe": 1,
            "platform": "windows",
            "os": "Microsoft Windows Server 2022 Datacenter",
            "os_version": "10.0.20348",
            "kernel": "10.0.20348.4171",
            "kernel_newest": "",
            "boot_id": to_text(self.boot),
            "uptime_s": int((now - self.boot).total_seconds()),
            "manager": "wua",
            "disks": [{"mount": "C:", "free_mb": self.free_mb, "size_mb": 130_000}],
            "disks_total": 1,
            "pending_reboot": bool(self.pending & {"windows_update", "cbs_pending"}),
            "lock_held_by": "",
            "repos": [{"url": "windowsupdate", "ok": None, "text": "not checked: Windows Update itself"}],
            "repos_total": 1,
            "failed_units": [],
            "load1": 0.1,
            "cpus": 2,
            "agent": "absent",
            "time_synced": True,
            **more,
        }

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _kb(title: str) -> str:
    found = re.findall(r"\((KB[0-9]{6,8})\)", title) or re.findall(r"KB[0-9]{6,8}", title)[:1]
    return str(found[-1]) if found else title.replace(" ", "-")


def _row(update_id: str, hresult: int) -> dict[str, Any]:
    return {"id": update_id, "result_code": FAILED if hresult else SUCCEEDED, "hresult": signed(hresult)}
