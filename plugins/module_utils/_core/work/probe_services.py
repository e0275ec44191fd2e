# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probes that remembers which services run before the work, and says afterwards which do not.

The list stays on the node, for root alone: a probe's output is too short for it. It carries a key, the rollout's: a
second look before the work keeps the first one's list, another rollout's list is overwritten and never compared. The
comparison waits a while for services that are on their way up. It removes the list when all of them run; else the list
stays, so that looking again says the same.
"""

from __future__ import annotations

from .probe_parts import probe_part

#: Services that systemd starts by itself and keeps running: no one-shots, nothing that was started by hand, for a
#: session (user@, getty@) or on demand. 20 looks, 3 seconds apart.
_POSIX = r"""
# --- services that run before the work, kept in a file of root's until the look after it
services='@MODE@'; key='@KEY@'
keep=$R/var/lib/patchtide/services
running() {
  limit 20 systemctl show --property=Id,Type,SubState,UnitFileState '*.service' 2>/dev/null | awk '
    function flush() {
      if (v["SubState"] == "running" && v["Type"] != "oneshot" && v["Id"] !~ /getty@/ \
        && v["UnitFileState"] ~ /^(enabled|enabled-runtime|generated)$/) print v["Id"]
      split("", v)
    }
    /^$/ { flush(); next }
    { at = index($0, "="); v[substr($0, 1, at - 1)] = substr($0, at + 1) }
    END { flush() }' | sort -u
}
kept() { [ -r "$keep" ] && [ "$(head -n 1 "$keep")" = "$key" ]; }
remember() {
  has systemctl && [ -d "$R/run/systemd/system" ] || return 1
  kept && return
  ( umask 077; mkdir -p "${keep%/*}" && { echo "$key"; running; } >"$keep.new" && mv "$keep.new" "$keep" ) 2>/dev/null
}
compare() {
  kept && has systemctl || return 1
  sed 1d "$keep" >"$T/down"
  looks=20
  while :; do
    while read -r unit; do
      case $(limit 10 systemctl is-active "$unit" 2>/dev/null) in active | reloading | refreshing) continue ;; esac
      printf '%s\n' "$unit"
    done <"$T/down" >"$T/down.new"
    mv "$T/down.new" "$T/down"
    looks=$((looks - 1))
    if [ ! -s "$T/down" ] || [ $looks -eq 0 ]; then break; fi
    sleep 3
  done
  [ -s "$T/down" ] || rm -f "$keep"
}
known=null
case $services in
  remember) if remember; then known=$(sed 1d "$keep" | wc -l | tr -d ' '); fi ;;
  compare) if compare; then known=$(count down); fi ;;
esac
service_items() { # LENGTH OF LISTS
  [ "$services" = compare ] || { printf '"services":%s,' "$known"; return; }
  [ "$known" = null ] && { printf '"services_down":null,'; return; }
  while read -r unit; do printf '"%s"\n' "$(esc "${unit%.service}" 60)"; done <"$T/down" >"$T/services"
  printf '"services_down":[%s],"services_down_total":%s,' "$(items services $(($1 + 8)))" "$known"
}
"""

#: Services that start with Windows: not those that a trigger starts and that end by themselves, nor those of users.
#: The list is in the registry, where only administrators write. A delayed start comes two minutes after the boot.
_POWERSHELL = r"""
# Services that run before the work, kept in the registry until the look after it.
$services = '@MODE@'; $key = '@KEY@'
$keep = 'HKLM:\SOFTWARE\patchtide'
$known = (Get-Setting $keep 'Key') -eq $key
if ($services -eq 'remember') {
    if (-not $known) {
        $control = 'HKLM:\SYSTEM\CurrentControlSet\Services'
        $running = @(Get-CimInstance -ClassName Win32_Service -Filter "StartMode='Auto' AND State='Running'" |
            Where-Object { -not (Test-Path -LiteralPath "$control\$($_.Name)\TriggerInfo") } |
            Where-Object { $_.ServiceType -in 'Own Process', 'Share Process' } |
            ForEach-Object { $_.Name } | Sort-Object)
        $null = New-Item -Path $keep -Force
        $null = New-ItemProperty -Path $keep -Name 'Services' -PropertyType MultiString -Value ([string[]] $running)
        $null = New-ItemProperty -Path $keep -Name 'Key' -PropertyType String -Value $key
        $known = (Get-Setting $keep 'Key') -eq $key
    }
    $extra['services'] = if ($known) { @(Get-Setting $keep 'Services').Count } else { $null }
} elseif ($known) {
    $down = @(Get-Setting $keep 'Services')
    foreach ($look in 1..36) {
        $down = @($down | Where-Object { $_ -and (Get-Service -Name $_).Status -ne 'Running' })
        if ($down.Count -eq 0 -or $look -eq 36) { break }
        Start-Sleep -Seconds 5
    }
    if ($down.Count -eq 0) { Remove-Item -Path $keep -Recurse -Force }
    $extra['services_down'] = @($down | Select-Object -First 20 | ForEach-Object { Limit-Text $_ 60 })
    $extra['services_down_total'] = $down.Count
} else {
    $extra['services_down'] = $null
}
"""
_PARTS = {"linux": _POSIX, "macos": "", "windows": _POWERSHELL}
_NOTHING = {"linux": "\nservice_items() { :; }\n", "macos": "\nservice_items() { :; }\n", "windows": "\n"}


def service_part(platform: str, mode: str, key: str) -> str:
    """Return the part of a probe, see ``probe_part``."""
    return probe_part("services", _PARTS, _NOTHING, platform, mode, key)
