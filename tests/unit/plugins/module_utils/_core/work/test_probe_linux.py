# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sh probe, run for real on this machine and on make-believe hosts of each distribution (covers TM-11 to 14)."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.host_probe import to_probe
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules, evaluate_probe

from .probe_host import DF_HEAD, KERNEL, ProbeHost

SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]


@pytest.fixture
def host(tmp_path: Path) -> ProbeHost:
    return ProbeHost(tmp_path)


def debian(host: ProbeHost) -> ProbeHost:
    host.command("apt-get", ":")
    host.file("etc/os-release", 'NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n')
    return host


def redhat(host: ProbeHost) -> ProbeHost:
    host.command("dnf", "echo 'No such command: needs-restarting' >&2; exit 1")
    host.file("etc/os-release", 'NAME="Red Hat Enterprise Linux"\nVERSION_ID="9.4"\nID="rhel"\n')
    return host


def test_marker_is_the_first_line_after_the_shebang() -> None:
    assert to_probe("linux").splitlines()[:2] == ["#!/bin/sh", "# patchtide:probe:1"]


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "probe.sh"
    script.write_text(to_probe("linux"))
    done = subprocess.run(["shellcheck", "-s", "sh", str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.skipif(platform.system() != "Linux", reason="the probe describes a Linux host")
@pytest.mark.parametrize("shell", SHELLS)
def test_real_run_describes_this_machine(shell: str) -> None:
    done = subprocess.run(
        [shell, "-s"], input=to_probe("linux"), capture_output=True, text=True, timeout=90, check=True
    )
    found = json.loads(done.stdout)
    assert (found["probe"], found["platform"], found["kernel"]) == (1, "linux", platform.release())
    assert found["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert next(disk for disk in found["disks"] if disk["mount"] == "/")["size_mb"] > 0
    rules = PrecheckRules(agent="ignore", repositories="ignore", lock="ignore", disk={"/": 1})
    assert evaluate_probe(done.stdout, rules).outcome == "pass"


@pytest.mark.parametrize("shell", SHELLS)
def test_debian_repositories_in_both_formats(tmp_path: Path, shell: str) -> None:
    host = debian(ProbeHost(tmp_path, shell))
    host.file(
        "etc/apt/sources.list",
        "deb http://one.test/debian bookworm main # comment\n# deb http://off.test x y\n"
        "deb-src http://src.test/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://flat.test/repo ./\n",
    )
    host.file(
        "etc/apt/sources.list.d/two.sources",
        "Types: deb deb-src\nURIs: http://two.test/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP\n .\n URIs: http://trap.test\n\n"
        "# comment\nEnabled: no\nTypes: deb\nURIs: http://disabled.test\nSuites: x\nComponents: main\n",
    )
    host.file("etc/apt/mirrors/list", "# comment\nhttp://mirror.test/debian\tpriority:1\n")
    host.file("etc/apt/sources.list.d/m.list", "deb mirror+file:/etc/apt/mirrors/list sid main")
    host.curl()
    found = host.probe()
    assert host.fetched() == [
        "http://flat.test/repo/InRelease",
        "http://mirror.test/debian/dists/sid/InRelease",
        "http://one.test/debian/dists/bookworm/InRelease",
        "http://two.test/debian/dists/bookworm-updates/InRelease",
        "http://two.test/debian/dists/bookworm/InRelease",
    ]
    assert found["repos_total"] == 5
    assert {row["ok"] for row in found["repos"]} == {True}
    assert (found["os"], found["os_version"], found["manager"]) == ("Debian GNU/Linux", "12", "apt")


def test_debian_old_release_file_and_a_missing_suite(host: ProbeHost) -> None:
    debian(host).file("etc/apt/sources.list", "deb http://old.test/d squeeze main\ndeb http://bad.test/d nosuch main\n")
    host.curl(**{"old.test/d/dists/squeeze/InRelease": "404", "bad.test": "404"})
    found = host.probe()
    assert found["repos"] == [
        {"url": "http://bad.test/d/dists/nosuch", "ok": False, "text": "HTTP 404"},
        {"url": "http://old.test/d/dists/squeeze", "ok": True, "text": ""},
    ]


def test_unreachable_and_credentials_are_not_shown(host: ProbeHost) -> None:
    debian(host).file("etc/apt/sources.list", "deb http://user:secret@gone.test/d stable main\n")
    host.curl(gone="curl: (6) Could not resolve host: gone.test")
    found = host.probe()
    url, text = "http://gone.test/d/dists/stable", "Could not resolve host: gone.test"
    assert found["repos"] == [{"url": url, "ok": False, "text": text}]
    assert "secret" not in json.dumps(found)


def test_apt_proxy_and_its_exception_for_a_host(host: ProbeHost) -> None:
    debian(host).file("etc/apt/sources.list", "deb http://far.test/d s main\ndeb http://near.test/d s main\n")
    dump = 'Acquire::http::Proxy "http://proxy.test:3128";\nAcquire::http::Proxy::near.test "DIRECT";'
    host.command("apt-config", f"echo '{dump}'")
    host.curl()
    host.probe()
    log = (host.root / "curl.log").read_text()
    assert "far.test/d/dists/s/InRelease proxy=http://proxy.test:3128\n" in log
    assert "near.test/d/dists/s/InRelease proxy=\n" in log


def test_redhat_variables_disabled_sections_and_entitlement(host: ProbeHost) -> None:
    redhat(host).file("etc/dnf/vars/mirror", "http://base.test\n")
    host.file(
        "etc/yum.repos.d/all.repo",
        "[main]\nbaseurl=http://main.test\n"
        "[base]\nname=Base\nbaseurl=$mirror/$releasever/os/${basearch}/\n    http://second.test\n"
        "[off]\nbaseurl=http://off.test\nenabled=0\n"
        "[list]\nenabled = 1\nmetalink=https://meta.test/list?repo=x&arch=$basearch\n"
        "[paid]\nbaseurl=https://paid.test/r\nsslclientcert=/c.pem\nsslclientkey=/k.pem\n"
        "[wrong]\nbaseurl=http://wrong.test/\n"
        "[rhui]\nmirrorlist=https://rhui.REGION.aws.test/x\n[plug]\nbaseurl=plugin:/cloud\n",
    )
    host.curl(paid="403", wrong="403")
    found = host.probe()
    assert [row["url"] for row in found["repos"] if row["ok"] is True] == [
        "http://base.test/9/os/x86_64/",
        "https://meta.test/list",
        "https://paid.test/r",
    ]
    assert next(row for row in found["repos"] if row["ok"] is False) == {
        "url": "http://wrong.test/",
        "ok": False,
        "text": "HTTP 403",
    }
    assert [row["text"] for row in found["repos"] if row["ok"] is None] == [
        "not checked: variable in the URL",
        "not checked: plugin",
    ]
    assert "http://base.test/9/os/x86_64/repodata/repomd.xml" in host.fetched()
    assert "https://meta.test/list?repo=x&arch=x86_64" in host.fetched()
    assert "--cert /c.pem --key /k.pem" in (host.root / "curl.log").read_text()


@pytest.mark.parametrize(
    ("said", "status", "pending"),
    [
        ("Core libraries have been updated.\nReboot is required to fully utilize these updates.", 1, True),
        ("No core libraries or services have been updated.", 0, False),
        ("Error: could not read the rpm database", 1, None),
    ],
)
def test_needs_restarting(host: ProbeHost, said: str, status: int, pending: bool | None) -> None:
    redhat(host).command("needs-restarting", f"[ $1 = -r ] && echo '{said}'; exit {status}")
    assert host.probe()["pending_reboot"] is pending


@pytest.mark.parametrize(("status", "pending"), [(102, True), (0, False), (1, None)])
def test_zypper_needs_rebooting(host: ProbeHost, status: int, pending: bool | None) -> None:
    host.command("zypper", f"exit {status}")
    host.file("etc/os-release", 'NAME="SLES"\nVERSION_ID="15.5"\nID="sles"\n')
    host.file("etc/zypp/repos.d/a.repo", "[a]\nenabled=1\nbaseurl=http://suse.test/$releasever?token=secret\n")
    host.file("etc/sysconfig/proxy", 'PROXY_ENABLED="yes"\nHTTP_PROXY="http://p.test:1"\n')
    host.curl()
    found = host.probe()
    assert (found["pending_reboot"], found["manager"]) == (pending, "zypper")
    assert found["repos"] == [{"url": "http://suse.test/15.5", "ok": True, "text": ""}]
    assert "/15.5/repodata/repomd.xml?token=secret proxy=http://p.test:1" in (host.root / "curl.log").read_text()


def test_reboot_required_file(host: ProbeHost) -> None:
    debian(host).file("run/reboot-required")
    assert host.probe()["pending_reboot"] is True


@pytest.mark.parametrize(
    ("running", "installed", "newest"),
    [
        (
            "6.1.0-9-cloud-amd64",
            ["6.1.0-9-cloud-amd64", "6.1.0-13-cloud-amd64", "6.1.0-50-amd64"],
            "6.1.0-13-cloud-amd64",
        ),
        (KERNEL, [KERNEL, "5.14.0-503.1.el9_5.x86_64", "0-rescue-abc"], "5.14.0-503.1.el9_5.x86_64"),
        ("5.15.0-200.el9uek.x86_64", ["5.15.0-200.el9uek.x86_64", KERNEL], "5.15.0-200.el9uek.x86_64"),
        ("6.1.0-9-amd64", [], ""),
    ],
)
def test_newest_kernel_of_the_same_flavour(host: ProbeHost, running: str, installed: list[str], newest: str) -> None:
    debian(host).command("uname", f"echo {running}")
    for kernel in installed:
        host.file(f"boot/vmlinuz-{kernel}")
    found = host.probe()
    assert (found["kernel"], found["kernel_newest"]) == (running, newest)
    assert found["pending_reboot"] is (newest not in ("", running))


@pytest.mark.parametrize(
    ("comm", "opened", "holder"),
    [
        ("unattended-upgr", "/var/lib/dpkg/lock-frontend", "unattended-upgr (pid 77)"),
        ("apt-get", "/var/lib/apt/lists/lock", "apt-get (pid 77)"),
        ("dnf", "/usr/lib/sysimage/rpm/.rpm.lock", "dnf (pid 77)"),
        ("vim", "/var/lib/dpkg/lock-frontend", ""),
        ("apt-get", "/var/log/apt/term.log", ""),
    ],
)
def test_lock_holder(host: ProbeHost, comm: str, opened: str, holder: str) -> None:
    debian(host).process(77, comm, "/dev/null", opened)
    assert host.probe()["lock_held_by"] == holder


def test_lock_by_pid_file_counts_only_while_the_process_lives(host: ProbeHost) -> None:
    host.command("zypper", "exit 0")
    host.file("run/zypp.pid", "88")
    assert host.probe()["lock_held_by"] == ""
    host.process(88, "zypper", "/dev/null")
    assert host.probe()["lock_held_by"] == "zypper (pid 88)"


def test_disks_leave_out_what_is_no_local_file_system(host: ProbeHost) -> None:
    rows = [
        "/dev/vda1 10240 1024 9216 10% /",
        "/dev/vdb1 2048 1024 1024 50% /with space",
        "tmpfs 1024 0 1024 0% /run",
        "tmpfs 4096 0 4096 0% /tmp",
        "/dev/loop1 1024 1024 0 100% /snap/core/1",
        "pool/data 4096 0 4096 0% /data",
        "/dev/vdc1 2048 2048 0 100% /var",
        "/dev/vda1 10240 1024 9216 10% /etc/hosts",
    ]
    listing = "\n".join([DF_HEAD, *rows])
    host.command("df", f"cat <<'END'\n{listing}\nEND")
    found = [(disk["mount"], disk["free_mb"], disk["size_mb"]) for disk in host.probe()["disks"]]
    assert found == [("/", 9, 10), ("/var", 0, 2), ("/tmp", 4, 4), ("/data", 4, 4), ("/with space", 1, 2)]


def test_container_root_without_a_device(host: ProbeHost) -> None:
    host.command("df", f"printf '%s\\n' '{DF_HEAD}' 'overlay 10240 1024 9216 10% /'")
    assert host.probe()["disks"] == [{"mount": "/", "free_mb": 9, "size_mb": 10}]


def test_everything_too_long_still_fits_and_failures_come_first(host: ProbeHost) -> None:
    long = 'quote"back\\slash' + "x" * 300
    disks = [f"/dev/v{number} 10240 1024 9216 10% /mnt/{number}/{long}" for number in range(40)]
    listing = "\n".join([DF_HEAD, "/dev/vda 10240 1024 9216 10% /", *disks])
    host.command("df", f"cat <<'END'\n{listing}\nEND")
    debian(host).file("etc/apt/sources.list", "".join(f"deb http://h{n}.test/{'y' * 200} s main\n" for n in range(30)))
    host.file("etc/os-release", f"NAME={long}\nVERSION_ID={long}\n")
    host.curl(h7="curl: (28) " + "Timed out " * 30)
    found = host.probe()
    assert (found["disks"][0]["mount"], found["disks_total"]) == ("/", 41)
    assert (found["repos"][0]["ok"], found["repos"][0]["url"][:12], found["repos_total"]) == (False, "http://h7.te", 12)


def test_wget_and_nothing_to_fetch_with(host: ProbeHost) -> None:
    debian(host).file("etc/apt/sources.list", "deb http://a.test s main\ndeb file:///srv/repo s main\n")
    host.file("srv/repo/dists/s/InRelease")
    assert [(row["ok"], row["text"]) for row in host.probe()["repos"]] == [
        (None, "not checked: no tool to fetch with"),
        (True, ""),
    ]
    host.command("wget", "echo 'http://a.test/: 2026 ERROR 503: Service Unavailable.' >&2; exit 8")
    assert host.probe()["repos"][0]["text"] == "HTTP 503"


def test_services_agent_and_clock(host: ProbeHost) -> None:
    (host.root / "run/systemd/system").mkdir(parents=True)
    failed = "nginx.service loaded failed failed web\nexim4.service loaded failed failed mail"
    active = "case $2 in snap.*) echo active ;; *) echo inactive; exit 3 ;; esac"
    host.command("systemctl", f"case $1 in --failed) echo '{failed}' ;; is-active) {active} ;; esac")
    host.command("timedatectl", "echo no")
    found = host.probe()
    assert found["failed_units"] == ["nginx.service", "exim4.service"]
    assert (found["agent"], found["time_synced"]) == ("active", False)
    assert (found["load1"], found["uptime_s"]) == (0.25, 4321)


@pytest.mark.parametrize(
    ("installed", "running", "agent"), [(False, False, "absent"), (True, False, "inactive"), (True, True, "active")]
)
def test_agent_without_systemd(host: ProbeHost, installed: bool, running: bool, agent: str) -> None:
    if installed:
        host.file("usr/bin/amazon-ssm-agent").chmod(0o755)
    if running:
        host.process(5, "amazon-ssm-agen")
    assert host.probe()["agent"] == agent


def test_a_bare_host_gives_a_document_too(host: ProbeHost) -> None:
    for name in ("proc/uptime", "proc/loadavg", "proc/sys/kernel/random/boot_id"):
        (host.root / name).unlink()
    host.command("df", "exit 1")
    found = host.probe()
    assert (found["manager"], found["disks"], found["repos"], found["boot_id"]) == ("", [], [], "")
    assert (found["uptime_s"], found["load1"], found["pending_reboot"], found["time_synced"]) == (None,) * 4
    assert evaluate_probe(found).outcome == "skip"


def test_few_inodes_are_told_though_megabytes_are_free(host: ProbeHost) -> None:
    """A disk may be full of small files; df shows megabytes free all the same."""
    df = f"{DF_HEAD}\\n/dev/vda 10485760 1 10485759 1% /\\n"
    inodes = "Filesystem Inodes IUsed IFree IUse% Mounted on\\n/dev/vda 65536 65516 20 99%% /\\n/dev/vdb 0 0 0 - /d\\n"
    df, inodes = df.replace("1%", "1%%"), inodes.replace("IUse%", "IUse")
    host.command("df", f"case $1 in *i*) printf '{inodes}' ;; *) printf '{df}' ;; esac")
    found = debian(host).probe()
    assert found["inodes"] == [{"mount": "/", "free": 20}]
    texts = [item.text for item in evaluate_probe(found).findings if item.check == "inodes" and not item.ok]
    assert texts == ["/ has 20 inodes free, the policy asks for 5000"]
    assert not [
        item for item in evaluate_probe(found, PrecheckRules(free_inodes=10)).findings if item.check == "inodes"
    ]


@pytest.mark.parametrize(
    ("states", "database"),
    [
        ("ii  libc6\\nhi  held\\nrc  gone\\n", ""),
        ("ii  libc6\\niF  linux-image-6.1\\niU  other\\n", "not completely installed: linux-image-6.1 other "),
    ],
)
def test_what_is_not_completely_installed_is_told(host: ProbeHost, states: str, database: str) -> None:
    debian(host).command("dpkg-query", f"printf '{states}'")
    found = host.probe()
    assert found["database"] == database
    (finding,) = [item for item in evaluate_probe(found).findings if item.check == "database"]
    assert finding.ok is (not database)
    (allowed,) = [
        item for item in evaluate_probe(found, PrecheckRules(database="allow")).findings if item.check == "database"
    ]
    assert allowed.ok


def test_an_interrupted_dpkg_is_told(host: ProbeHost) -> None:
    debian(host).command("dpkg-query", "echo 'ii  libc6'")
    host.file("var/lib/dpkg/updates/0001")
    assert host.probe()["database"].startswith("dpkg was interrupted")


def test_a_broken_rpm_database_is_told(host: ProbeHost) -> None:
    redhat(host).command("rpm", "echo 'error: rpmdb: damaged header' >&2; exit 1")
    assert host.probe()["database"] == "error: rpmdb: damaged header"
    host.command("rpm", "echo bash")
    host.file("var/lib/yum/transaction-all.2026")
    assert host.probe()["database"] == "an unfinished yum transaction"
