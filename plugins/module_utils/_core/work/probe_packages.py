# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probes that remembers which packages are installed before the work, and says afterwards what changed.

The list stays on the node, for root alone, under the rollout's key: a second look before the work keeps the first one's
list. A change is a line of three words, ``name.arch old new``, with ``-`` for none and commas between versions of a
package that has several. The document has as many of them as fit, with their number and the SHA-256 of all; where some
are left out, a line of its own after the document has the others too, as far as Run Command keeps output.

On Windows it is the history of Windows Update since the first look: KB, and revision of the update.
"""

from __future__ import annotations

from .probe_parts import probe_part

#: dpkg-query(1): the second letter of db:Status-Abbrev is "i" for what is installed as a whole. rpm(8): EPOCHNUM is 0
#: where a package has no epoch; gpg-pubkey are keys. 40 changes and 1,800 characters at most in the document, 20,000 in
#: the line after it: Run Command lists 2,500 and keeps 24,000 characters.
_POSIX = r"""
# --- packages before the work, kept in a file of root's until the look after it
packages='@MODE@'; packages_key='@KEY@'
stock=$R/var/lib/patchtide/packages
installed() {
  # shellcheck disable=SC2016 # the format is dpkg-query's
  case $manager in
    apt) limit 60 dpkg-query -W -f '${db:Status-Abbrev}|${Package}.${Architecture}|${Version}\n' 2>/dev/null |
      sed -n 's/^.i[^|]*|//p' ;;
    dnf | yum | zypper) limit 120 rpm -qa --qf '%{NAME}.%{ARCH}|%{EPOCHNUM}:%{VERSION}-%{RELEASE}\n' 2>/dev/null |
      grep -v '^gpg-pubkey[.]' ;;
  esac | sort -u
}
stocked() { [ -r "$stock" ] && [ "$(head -n 1 "$stock")" = "$packages_key" ]; }
take_stock() {
  stocked && return
  installed >"$T/installed"
  [ -s "$T/installed" ] || return 1
  ( umask 077; mkdir -p "${stock%/*}" && { echo "$packages_key"; cat "$T/installed"; } >"$stock.new" &&
    mv "$stock.new" "$stock" ) 2>/dev/null
}
differences() { # OLD NEW: name, old and new versions
  awk -F '|' '
    FNR == NR { old[$0] = 1; next }
    $0 in old { delete old[$0]; next }
    { new[$1] = new[$1] (new[$1] == "" ? "" : ",") $2; names[$1] = 1 }
    END {
      for (line in old) { split(line, part, "|"); gone[part[1]] = gone[part[1]] (gone[part[1]] == "" ? "" : ",") part[2]
        names[part[1]] = 1 }
      for (name in names) print name, (name in gone ? gone[name] : "-"), (name in new ? new[name] : "-")
    }' "$1" "$2" | sort
}
changes=null
case $packages in
  remember) if take_stock; then changes=$(sed 1d "$stock" | wc -l | tr -d ' '); fi ;;
  compare)
    installed >"$T/installed"
    if stocked && [ -s "$T/installed" ]; then
      sed 1d "$stock" >"$T/stock"
      differences "$T/stock" "$T/installed" >"$T/changes"
      changes=$(count changes)
    fi ;;
esac
change_rows() { # ROWS CHARACTERS
  head -n "$1" "$T/changes" | while read -r row; do printf '"%s"\n' "$(esc "$row" 300)"; done |
    awk -v most="$2" '{ total += length + 1; if (total > most) exit; print }' | tr '\n' ',' | sed 's/,$//'
}
all_changes() {
  [ "$packages" = compare ] && [ "$changes" != null ] && [ "$changes" != 0 ] || return 0
  printf '{"probe_packages":1,"rows":[%s]}\n' "$(change_rows 1000 20000)"
}
package_items() { # ROWS
  [ "$packages" = compare ] || { printf '"packages_known":%s,' "$changes"; return; }
  [ "$changes" = null ] && { printf '"packages":null,'; return; }
  hash=$( { sha256sum <"$T/changes" || shasum -a 256 <"$T/changes"; } 2>/dev/null | cut -c 1-64)
  printf '"packages":{"rows":[%s],"total":%s,"sha256":"%s"},' "$(change_rows "$1" 1800)" "$changes" "$hash"
}
"""

#: ResultCode 2 and 3 succeeded, Operation 2 is an uninstall (Windows Update Agent API, IUpdateHistoryEntry).
_POWERSHELL = r"""
# What Windows Update installs between the look before the work and the one after it.
$packages = '@MODE@'; $packagesKey = '@KEY@'
$stock = 'HKLM:\SOFTWARE\patchtide-packages'
$stocked = (Get-Setting $stock 'Key') -eq $packagesKey
if ($packages -eq 'remember') {
    if (-not $stocked) {
        $null = New-Item -Path $stock -Force
        $now = [DateTime]::UtcNow.ToString('o')
        $null = New-ItemProperty -Path $stock -Name 'Since' -PropertyType String -Value $now
        $null = New-ItemProperty -Path $stock -Name 'Key' -PropertyType String -Value $packagesKey
        $stocked = (Get-Setting $stock 'Key') -eq $packagesKey
    }
    $extra['packages_known'] = if ($stocked) { 0 } else { $null }
} elseif ($stocked) {
    $since = [DateTime]::Parse((Get-Setting $stock 'Since'), $null, 'RoundtripKind')
    $history = $null
    try {
        $searcher = (New-Object -ComObject Microsoft.Update.Session -ErrorAction Stop).CreateUpdateSearcher()
        $total = $searcher.GetTotalHistoryCount()
        $history = @(if ($total) { $searcher.QueryHistory(0, [math]::Min($total, 1000)) })
    } catch { $history = $null }
    if ($null -eq $history) {
        $extra['packages'] = $null
    } else {
        $changes = @($history | Where-Object { $_.Date -ge $since -and $_.ResultCode -in 2, 3 } | ForEach-Object {
            $name = if ($_.Title -match '.*\((KB[0-9]{6,8})\)') { $Matches[1] }
                elseif ($_.Title -match 'KB[0-9]{6,8}') { $Matches[0] }
                else { $_.UpdateIdentity.UpdateID }
            $revision = "$($_.UpdateIdentity.RevisionNumber)"
            if ($_.Operation -eq 2) { "$name $revision -" } else { "$name - $revision" }
        } | Sort-Object -Unique)
        $shown = @($changes | Select-Object -First 30)
        $extra['packages'] = [ordered]@{ rows = $shown; total = $changes.Count; sha256 = '' }
        $all = [ordered]@{ probe_packages = 1; rows = @($changes | Select-Object -First 500) }
        $more = ConvertTo-Json -Compress -InputObject $all
    }
} else {
    $extra['packages'] = $null
}
"""
_PARTS = {"linux": _POSIX, "macos": "", "windows": _POWERSHELL}
_NOTHING = {
    "linux": "\npackages=''\npackage_items() { :; }\nall_changes() { :; }\n",
    "macos": "\npackages=''\npackage_items() { :; }\nall_changes() { :; }\n",
    "windows": "\n",
}


def package_part(platform: str, mode: str, key: str) -> str:
    """Return the part of a probe, see ``probe_part``."""
    return probe_part("packages", _PARTS, _NOTHING, platform, mode, key)


def packages_mode(stage: str) -> str:
    """Return what the probe of a rollout's stage does about packages."""
    return {"precheck": "remember", "verify": "compare"}.get(stage, "")
