# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that reads how a host's repositories are configured, and changes these files. POSIX sh."""

from __future__ import annotations

import base64
import re
import textwrap
from collections.abc import Mapping, Sequence

from ...errors import BadInput
from ..packages.listing import PackageRules
from ..packages.scripts import with_managers
from .repair import CLOUD, CLOUD_KEEP, RHSM, RPM_KEYS

#: Files are printed as ``F path`` and their content in base64. No key of another repository than those that the files
#: name is needed, and those that all repositories trust.
_READ = r"""
shown() { # FILE…
  for file; do
    [ ! -f "$R$file" ] || { echo "F $file"; base64 <"$R$file"; }
  done
}
repository_files() {
  case $kind in
    apt) shown /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources ;;
    dnf) shown /etc/yum.repos.d/*.repo ;;
    zypper) shown /etc/zypp/repos.d/*.repo ;;
  esac
  shown @KEPT@
}
repository_keys() {
  case $kind in
    apt)
      # shellcheck disable=SC2046 # one word for each file
      shown $(cat "$R"/etc/apt/sources.list "$R"/etc/apt/sources.list.d/*.list "$R"/etc/apt/sources.list.d/*.sources \
        2>/dev/null | sed -n 's/^#.*//; s/.*[Ss]igned-[Bb]y[:=] *\([^] ]*\).*/\1/p' | tr ',' '\n' | grep '^/' | sort -u)
      shown /etc/apt/trusted.gpg /etc/apt/trusted.gpg.d/*.gpg /etc/apt/trusted.gpg.d/*.asc ;;
    *)
      echo 'F rpm'; rpm -q gpg-pubkey --qf '%{description}\n' 2>/dev/null | base64
      # shellcheck disable=SC2046 # one word for each file
      shown $(cat "$R"/etc/yum.repos.d/*.repo "$R"/etc/zypp/repos.d/*.repo 2>/dev/null |
        sed -n 's/^gpgkey *= *//p' | tr ' ,' '\n\n' | sed -n 's|^file://||p' | sort -u) ;;
  esac
}
release() { echo "$(os_value ID) $(os_value VERSION_ID)"; }
answers() { # URL: yes, no or unknown. Any answer counts, whatever its status; one that may be a proxy's is unknown.
  if [ "$kind" = apt ] && [ -x "$R/usr/lib/apt/apt-helper" ]; then # uses the proxy that apt would use
    said=$(limit 20 "$R/usr/lib/apt/apt-helper" -o Acquire::Retries=0 -o Acquire::http::Timeout=8 \
      -o Acquire::https::Timeout=8 download-file "$1" "$T/closed" 2>&1) && { echo yes; return; }
    case $said in
      *' 403 '* | *' 407 '* | *' 502 '* | *' 503 '* | *' 504 '*) echo unknown ;;
      *'ould not connect'* | *'ould not resolve'* | *'failure resolving'* | *'imed out'* | *'nable to connect'* | \
        *refused* | *unreachable* | *'No route'*) echo no ;;
      *) echo yes ;;
    esac
  elif has curl; then
    code=$(limit 12 curl -g -s -o /dev/null -m 8 -w '%{http_code}' "$1" 2>/dev/null); end=$?
    case $end:$code in
      *:403 | *:407 | *:502 | *:503 | *:504) echo unknown ;;
      5:* | 6:* | 7:* | 28:* | 124:*) echo no ;; # not resolved, not connected, no answer in time
      *) echo yes ;;
    esac
  elif has bash && has timeout; then
    host=${1#*://}; host=${host%%/*}; port=80
    case $1 in https:*) port=443 ;; esac
    case $host in *:*) port=${host##*:}; host=${host%:*} ;; esac
    # shellcheck disable=SC2016 # expanded by bash
    if timeout 8 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null; then echo yes; else echo no; fi
  else
    echo unknown
  fi
}
closed() { # URL…
  for url; do echo "$(answers "$url") $url"; done
}
able
@WRITE@
part files 20000 repository_files
part keys 20000 repository_keys
part release 1 release
part clock 1 date -u +%s
part closed 10 closed @CLOSED@
document
"""
#: Each file is kept in a directory of this repair before it is replaced. The package lists are refreshed afterwards.
_WRITE = r"""
put() { # PATH: standard input in base64 becomes the file
  mkdir -p "${1%/*}"
  target=$1
  if [ -e "$1" ]; then
    target=$(readlink -f "$1")
    mkdir -p "@KEEP@${1%/*}" && cp -p "$target" "@KEEP@$1" && cp -p "$target" "$target.patchtide" || return 1
  else
    (umask 022; : >"$target.patchtide")
  fi
  base64 -d >"$target.patchtide" && mv -f "$target.patchtide" "$target"
}
write_all() { :
@PUTS@
  case $kind in dnf | zypper) # zypper asks whether a key is to be trusted, and gets no answer
    for key in @KEYS@; do rpm --import "$key" || return 1; done ;;
  esac
}
if ! free_or_say "$lock"; then document; exit 1; fi
part write 20 write_all
part refresh 60 "${kind}_refresh"
"""
_PATH = re.compile(r"/etc/[A-Za-z0-9@%+=:,./_-]+")
KEPT = "/var/lib/patchtide/repositories"


def read_script(rules: PackageRules, closed: Sequence[str] = ()) -> str:
    """Return the script that reads a host's repositories and changes nothing.

    :param closed: URLs that must not answer, which it tries.
    """
    return with_managers(_filled("", closed), rules)


def write_script(files: Mapping[str, str], stamp: str, rules: PackageRules, closed: Sequence[str] = ()) -> str:
    """Return the script that writes files, refreshes the package lists and reads everything again.

    :param files: new text by path. :param stamp: names the directory in which the replaced files are kept. :param
        closed: URLs that must not answer, which it tries.
    """
    puts = []
    for path, text in files.items():
        if not _PATH.fullmatch(path) or ".." in path:
            raise BadInput("repositories", path, "a file below /etc")
        data = base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
        body = "\n".join(textwrap.wrap(data, 76))
        puts.append(f"put '{path}' <<'PATCHTIDE' || return 1\n{body}\nPATCHTIDE")
    write = _WRITE.replace("@KEEP@", f"{KEPT}/{stamp}").replace("@PUTS@", "\n".join(puts))
    write = write.replace("@KEYS@", " ".join(path for path in files if path.startswith(RPM_KEYS)))
    return with_managers(_filled(write, closed), rules)


def _filled(write: str, closed: Sequence[str]) -> str:
    """:param closed: checked by ``check_closed``, so that none ends its quotes."""
    urls = " ".join(f"'{url}'" for url in closed)
    return _READ.replace("@KEPT@", f"{CLOUD} {CLOUD_KEEP} {RHSM}").replace("@CLOSED@", urls).replace("@WRITE@", write)
