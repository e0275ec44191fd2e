"""Runs the README's first commands in a fresh minimal Debian, as root and as an ordinary user.

``bare_debian.py SUITE [--target demo]`` builds a root with mmdebstrap in build/bare/SUITE, installs what the README
says and nothing else, copies the tree into it, and runs ``make demo`` (or another target) there. It needs root.
Mirrors, proxies and pip's configuration are those of this machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lab.hosts.sources import of_this_machine  # noqa: E402

#: What lets a machine behind a proxy reach its mirrors; none of it is part of what is tried.
CARRIED = (
    "/etc/pip.conf",
    "/etc/xdg/pip",
    "/root/.config/pip",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/ssl/certs",
    "/usr/local/share/ca-certificates",
)
HOMES = {"root": "/root/hybrid", "ops": "/home/ops/hybrid"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=("bookworm", "trixie"))
    parser.add_argument("--target", default="demo", help="make target (default: %(default)s)")
    parser.add_argument("--user", choices=sorted(HOMES), action="append", help="default: both")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("bare_debian.py: needs root (mmdebstrap, chroot)", file=sys.stderr)
        return 2
    place = ROOT / "build" / "bare" / options.suite
    build(place, options.suite)
    status = 0
    for user in options.user or HOMES:
        home = HOMES[user]
        copy(place, home, user)
        command = f"cd {home} && make {options.target}"
        began = time.monotonic()
        found = enter(place, ["su", "--login", user, "--command", command])
        size = run(["du", "-sm", f"{place}{home}/.venv"]).split()[0]
        print(
            f"bare_debian: {options.suite}, {user}: make {options.target} ended with {found} after "
            f"{time.monotonic() - began:.0f} s; .venv has {size} MB",
            flush=True,
        )
        status = status or found
    return status


def build(place: Path, suite: str) -> None:
    """Make a minimal root, and install there what the README lists."""
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    sources = of_this_machine(suite)
    options = [f"--aptopt={line}" for line in sources.apt_conf().splitlines()]
    text = sources.stanzas()
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", *options, suite, str(place), "-"],
        input=text,
        text=True,
        check=True,
    )
    carry(place)
    (place / "etc/apt/apt.conf.d/90carried").write_text(sources.apt_conf())
    (line,) = re.findall(r"^\$ sudo (apt-get install .*)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    packages = line.removeprefix("apt-get install ")
    print(f"bare_debian: {suite}: apt-get install {packages}", flush=True)
    quiet = "DEBIAN_FRONTEND=noninteractive apt-get -qq"
    install = f"{quiet} install -y --no-install-recommends {packages} >/dev/null"
    command = f"{quiet} update && {install} && useradd -m -s /bin/bash ops"
    if status := enter(place, ["sh", "-c", command]):
        raise SystemExit(status)
    carry(place)  # packages have written their own certificates


def carry(place: Path) -> None:
    """Copy what this machine needs to reach its mirrors."""
    for name in CARRIED:
        if Path(name).exists():
            target = place / name.removeprefix("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            if Path(name).is_dir():
                shutil.copytree(name, target, dirs_exist_ok=True)
            else:
                target.unlink(missing_ok=True)
                shutil.copy(name, target)


def copy(place: Path, home: str, user: str) -> None:
    """Copy the tracked files, as a clone has them, and pip's configuration of this machine."""
    target = place / home.removeprefix("/")
    target.mkdir(parents=True)
    names = run(["git", "-C", str(ROOT), "ls-files", "-z"]).strip("\0").split("\0")
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    config = place / "root/.config/pip"
    if user != "root" and config.exists():
        shutil.copytree(config, target.parent / ".config/pip", dirs_exist_ok=True)
    enter(place, ["chown", "-R", f"{user}:{user}", str(Path(home).parent)])


def enter(place: Path, command: Sequence[str]) -> int:
    """Run a command in the root, in mount and process namespaces of its own, so that nothing stays mounted."""
    binds = [("/dev", "dev"), ("/sys", "sys"), *([("/opt", "opt")] if Path("/opt").exists() else [])]
    mounts = [f"mount --rbind {source} {place}/{target}" for source, target in binds]
    pip = " ".join(f"{name}={shlex.quote(value)}" for name, value in os.environ.items() if name.startswith("PIP_"))
    inside = f"env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb {pip} {shlex.join(command)}"
    script = " && ".join(
        [f"mkdir -p {place}/opt", *mounts, f"mount -t proc proc {place}/proc", f"exec chroot {place} {inside}"]
    )
    unshare = ["unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    return subprocess.run(unshare, stdin=subprocess.DEVNULL, check=False).returncode


def run(command: Sequence[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
