"""What the hosts are made from: apt's configuration of this machine, the estate file, and the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.hosts import estate, requirements, sources
from lab.hosts.__main__ import main
from lab.hosts.fleet import Fleet, Wish
from lab.hosts.running import HostsError

RELEASE = 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=bookworm\n'
DEB822 = """\
Types: deb
# a comment between fields
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib

Types: deb
URIs: http://other.example/packages
Suites: bookworm-security
Components: contrib

Enabled: no
Types: deb
URIs: http://off.example/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
URIs:
 http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
# deb http://off.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64] http://mirror.example/debian bookworm main # why
deb http://old.example/debian-security buster/updates main
deb http://mirror.example/debian-security bookworm-security main contrib
"""


def etc(folder: Path, name: str, text: str) -> Path:
    """An /etc with one sources file."""
    (folder / "apt/sources.list.d").mkdir(parents=True)
    (folder / "os-release").write_text(RELEASE)
    (folder / "apt" / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text"),
    [("sources.list.d/debian.sources", DEB822), ("sources.list", ONE_LINE)],
    ids=["deb822", "one line"],
)
def test_mirrors_come_from_apt(tmp_path: Path, name: str, text: str) -> None:
    found = sources.of_this_machine(etc=etc(tmp_path, name, text))
    assert (found.suite, found.main.uri) == ("bookworm", "http://mirror.example/debian")
    assert (found.security.suite, found.security.uri) == ("bookworm-security", "http://mirror.example/debian-security")


def test_another_suite_uses_the_same_mirrors(tmp_path: Path) -> None:
    found = sources.of_this_machine(suite="trixie", etc=etc(tmp_path, "sources.list", ONE_LINE))
    assert (found.main.uri, found.main.suite) == ("http://mirror.example/debian", "trixie")
    assert found.security.suite == "trixie-security"


def test_a_mirror_that_is_given_wins(tmp_path: Path) -> None:
    found = sources.of_this_machine(mirror="http://given.example/d", etc=etc(tmp_path, "sources.list", ONE_LINE))
    assert found.main.uri == "http://given.example/d"
    assert found.security.uri == "http://mirror.example/debian-security"


def test_a_missing_archive_names_the_option(tmp_path: Path) -> None:
    folder = etc(tmp_path, "sources.list", "deb http://mirror.example/debian bookworm main\n")
    with pytest.raises(HostsError, match="--security-mirror URL"):
        sources.of_this_machine(etc=folder)


def test_hosts_reach_a_proxy_on_our_loopback_at_the_gateway(tmp_path: Path) -> None:
    folder = etc(tmp_path, "sources.list", ONE_LINE)
    found = sources.of_this_machine(proxy="http://127.0.0.1:3142", etc=folder)
    assert 'Acquire::http::Proxy "http://127.0.0.1:3142";' in found.apt_conf()
    assert 'Acquire::http::Proxy "http://10.77.0.1:3142";' in found.apt_conf("10.77.0.1")


def test_more_hosts_than_the_estate_has_get_new_names() -> None:
    names = [host.name for host in estate.choose(estate.read_estate(), count=9, full_disk=[], wrong_repository=[])]
    assert len(set(names)) == 9
    assert names[4] == f"{names[0]}-2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "a list 'hosts'"),
        ("hosts: [{name: Web_1}]", r"hosts\[0\]: 'name'"),
        ("hosts: [{name: a}, {name: a}]", "a is there twice"),
        ("hosts: [{name: a, faults: [late]}]", r"hosts\[0\].faults: 'late'"),
    ],
)
def test_a_wrong_estate_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "estate.yml").write_text(text)
    with pytest.raises(HostsError, match=message):
        estate.read_estate(tmp_path / "estate.yml")


@pytest.mark.parametrize(("arguments", "status"), [([], 3), (["--require"], 1)])
def test_without_root_hosts_are_left_out_in_one_line(
    arguments: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(requirements.os, "geteuid", lambda: 1000)
    assert main(["up", "--name", "never", *arguments]) == status
    assert capsys.readouterr().err == "left out: real hosts need root (systemd-nspawn), and this is not root\n"


def test_an_unknown_host_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--name", "never", "--full-disk", "nobody"]) == 1
    assert "--full-disk nobody: no such host" in capsys.readouterr().err


def test_inventory_gives_hosts_the_variables_of_an_estate(fleet: Fleet, hosts: Callable[..., Wish]) -> None:
    fleet.up(hosts())
    command = ["ansible-inventory", "-i", str(fleet.inventory), "--host", "dc1-web-01"]
    variables = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert variables["patchtide_executor"] == variables["patchtide_platform"] == "linux"
    assert variables["patchtide_node_id"] == "dc1-web-01"
    assert variables["patchtide_os"] == "Debian GNU/Linux"
    assert variables["patchtide_tags"]["PatchGroup"] == variables["patchtide_patch_group"]
