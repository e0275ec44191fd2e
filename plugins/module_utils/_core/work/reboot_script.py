# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reboot by Run Command: the script asks the agent for it and proves afterwards that it happened.

Exit status 194 (Linux, macOS) or 3010 (Windows) makes the agent reboot the node and run the script again
(SSM user guide, "Handling reboots when running commands"). The script keeps the boot id in a file named after a token,
so that the second run tells a reboot from a mere restart of the agent. It must stay one script per token.
"""

from __future__ import annotations

#: PATCHTIDE_ROOT lets the tests look at another root directory.
POSIX_REBOOT = r"""#!/bin/sh
# patchtide:reboot:1
set -u
R=${PATCHTIDE_ROOT:-}
state=$R/var/lib/patchtide/reboot-@TOKEN@
fail() { echo "$1" >&2; exit 1; }
now=$(cat "$R/proc/sys/kernel/random/boot_id" 2>/dev/null || sysctl -n kern.boottime 2>/dev/null)
[ -n "$now" ] || fail 'no reboot: the boot id can not be read'
if [ ! -e "$state" ]; then
  umask 077
  { mkdir -p "${state%/*}" && echo "$now" >"$state.new" && mv "$state.new" "$state"; } ||
    fail "no reboot: can not write $state"
  sync
  exit 194
fi
read -r before <"$state" || fail "no reboot: can not read $state"
rm -f "$state"
[ "$before" != "$now" ] || fail "not rebooted: the boot id is still $now"
printf '{"boot_id_before":"%s","boot_id_after":"%s"}\n' "$before" "$now"
"""

#: The boot time is computed from the clock, which may be set: less than a minute apart is the same boot.
POWERSHELL_REBOOT = r"""# patchtide:reboot:1
$ErrorActionPreference = 'Stop'
$directory = Join-Path $env:ProgramData 'patchtide'
$state = Join-Path $directory 'reboot-@TOKEN@'
$format = 'yyyy-MM-ddTHH:mm:ssZ'
$boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime()
$now = $boot.ToString($format)
if (-not (Test-Path -LiteralPath $state)) {
    $null = New-Item -ItemType Directory -Force -Path $directory
    Set-Content -LiteralPath $state -Value $now -Encoding Ascii
    exit 3010
}
$before = (Get-Content -LiteralPath $state -TotalCount 1).Trim()
Remove-Item -LiteralPath $state -Force
$culture = [Globalization.CultureInfo]::InvariantCulture
$style = [Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
$last = [DateTime]::ParseExact($before, $format, $culture, $style)
if (($boot - $last).TotalSeconds -lt 60) {
    [Console]::Error.WriteLine("not rebooted: the last boot is still $now")
    exit 1
}
Write-Output (ConvertTo-Json -Compress -InputObject ([ordered]@{ boot_id_before = $before; boot_id_after = $now }))
"""
