# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for ssh, sshpass, sudo and su: they run what they are given on this machine, or fail as the real ones do.

What they print and return was taken from OpenSSH 9.2, sudo 1.9.13 and util-linux 2.38.
"""

from __future__ import annotations

import os
from pathlib import Path

#: The password that the stand-ins of sudo and su accept.
PASSWORD = "right horse"

# The host's name says how the connection behaves. Its last two arguments are the host and the command.
_SSH = """#!/bin/sh
for word; do printf '<%s>' "$word"; done >>"$0.log"; echo >>"$0.log"
case " $* " in *" -O "*) echo 'Control socket connect: No such file or directory' >&2; exit 255;; esac
while [ $# -gt 2 ]; do shift; done
host=$1 command=$2
case $host in
dead*) echo "ssh: connect to host $host port 22: No route to host" >&2; exit 255;;
denied*) echo "root@$host: Permission denied (publickey,password)." >&2; exit 255;;
hung*) sleep 302 & wait;;
nologin*) echo 'This account is currently not available.'; exit 1;;
cut*) sh -c "$command" | head -n 1; exit 1;;
banner*) echo 'Authorized use only'; echo 'motd' >&2; exec sh -c "$command";;
*) exec sh -c "$command";;
esac
"""

_SSHPASS = """#!/bin/sh
shift
exec "$@"
"""

# sudo -H -S [-n] [-p prompt] -u user command…
_SUDO = """#!/bin/sh
prompt= mayask=yes user=
while :; do
    case $1 in
    -p) prompt=$2; shift 2;;
    -u) user=$2; shift 2;;
    -n) mayask=; shift;;
    -*) shift;;
    *) break;;
    esac
done
if [ "$user" != nopasswd ]; then
    [ -n "$mayask" ] || { echo 'sudo: a password is required' >&2; exit 1; }
    tries=0
    while printf '%s' "$prompt" >&2; IFS= read -r given; [ "$given" != '@PASSWORD@' ]; do
        echo 'Sorry, try again.' >&2
        tries=$((tries + 1))
        [ $tries -lt 3 ] || { echo 'sudo: 3 incorrect password attempts' >&2; exit 1; }
    done
fi
[ "$user" != stranger ] || { echo 'me is not in the sudoers file.' >&2; exit 1; }
AS=$user exec "$@"
"""

# su user -c command
_SU = """#!/bin/sh
user=$1
printf 'Password: ' >&2
IFS= read -r given
[ "$given" = '@PASSWORD@' ] || { echo 'su: Authentication failure' >&2; exit 1; }
AS=$user exec sh -c "$3"
"""


def write_programs(folder: Path) -> Path:
    """Write the stand-ins into a folder and return it. ``ssh`` logs its arguments to ``ssh.log`` beside it."""
    folder.mkdir(exist_ok=True)
    for name, text in {"ssh": _SSH, "sshpass": _SSHPASS, "sudo": _SUDO, "su": _SU}.items():
        program = folder / name
        program.write_text(text.replace("@PASSWORD@", PASSWORD))
        program.chmod(0o755)
    return folder


def search_path(folder: Path) -> str:
    """Return a PATH on which the stand-ins come first."""
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
