# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell probe of the pre-check. Text only: it travels by Run Command or WinRM.

Its grammar is checked in the tests; it has not met a real Windows host yet.
"""

from __future__ import annotations

#: Reads and changes nothing, but for what ``probe_services`` and ``probe_packages`` put in. Windows PowerShell 3.0 and
#: newer.
POWERSHELL_PROBE = r"""# patchtide:probe:1
# Prints one JSON document of less than 2,400 characters (Run Command lists keep 2,500).
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'

function Limit-Text([string] $Text, [int] $Length) {
    $clean = ($Text -replace '://[^/@]*@', '://') -replace '[^\x20-\x7e]', '?'
    if ($clean.Length -gt $Length) { $clean.Substring(0, $Length) } else { $clean }
}
function Get-Setting([string] $Path, [string] $Name) {
    (Get-ItemProperty -Path $Path -Name $Name -ErrorAction SilentlyContinue).$Name
}

$os = Get-CimInstance -ClassName Win32_OperatingSystem
$version = [Environment]::OSVersion.Version
$revision = Get-Setting 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' 'UBR'
$boot = $os.LastBootUpTime.ToUniversalTime()

$megabyte = 1048576
$disks = @(Get-CimInstance -ClassName Win32_LogicalDisk -Filter 'DriveType=3' | Sort-Object DeviceID | ForEach-Object {
    $free = [long][math]::Floor($_.FreeSpace / $megabyte)
    [ordered]@{ mount = $_.DeviceID; free_mb = $free; size_mb = [long][math]::Floor($_.Size / $megabyte) }
})

# What servicing and Windows Update say. PendingFileRenameOperations is not asked: any program sets it.
$pending = (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending') -or
    (Test-Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired')
$names = 'HKLM:\SYSTEM\CurrentControlSet\Control\ComputerName'
$pending = $pending -or
    ((Get-Setting "$names\ActiveComputerName" 'ComputerName') -ne (Get-Setting "$names\ComputerName" 'ComputerName'))

# Windows Installer holds this mutex while it installs.
$lock = ''
$mutex = $null
try { $mutex = [Threading.Mutex]::OpenExisting('Global\_MSIExecute'); $lock = 'msiexec' } catch { $lock = '' }
if ($mutex) { $mutex.Dispose() }
if (-not $lock -and (Get-Process -Name TiWorker)) {
    $session = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\SessionsPending'
    if ((Get-Setting $session 'Exclusive') -gt 0) { $lock = 'TiWorker' }
}

$policy = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
$repos = @()
$wsus = Get-Setting $policy 'WUServer'
if ($wsus -and (Get-Setting "$policy\AU" 'UseWUServer') -eq 1) {
    $ok = $false
    $text = ''
    try {
        $protocols = [Net.ServicePointManager]::SecurityProtocol
        [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
        $address = $wsus.TrimEnd('/') + '/ClientWebService/client.asmx'
        $request = @{ Uri = $address; UseBasicParsing = $true; UseDefaultCredentials = $true; TimeoutSec = 8 }
        $answer = Invoke-WebRequest @request -ErrorAction Stop
        $ok = $answer.StatusCode -eq 200
    } catch { $text = $_.Exception.Message }
    $repos = @([ordered]@{ url = (Limit-Text $wsus 100); ok = $ok; text = (Limit-Text $text 60) })
} else {
    $repos = @([ordered]@{ url = 'windowsupdate'; ok = $null; text = 'not checked: Windows Update itself' })
}

# 1077: never started since the last boot. Only services that ended with an error count.
$units = @(Get-CimInstance -ClassName Win32_Service -Filter "StartMode='Auto' AND State='Stopped'" |
    Where-Object { $_.ExitCode -ne 0 -and $_.ExitCode -ne 1077 } | ForEach-Object { Limit-Text $_.Name 40 })

$processors = @(Get-CimInstance -ClassName Win32_Processor)
$cpus = [int]($processors | Measure-Object -Property NumberOfLogicalProcessors -Sum).Sum
$load = ($processors | Measure-Object -Property LoadPercentage -Average).Average

$agent = 'absent'
$service = Get-Service -Name AmazonSSMAgent
if ($service) { if ($service.Status -eq 'Running') { $agent = 'active' } else { $agent = 'inactive' } }

$synced = $null
if ((Get-Service -Name W32Time).Status -eq 'Running') {
    $source = (& w32tm.exe /query /source 2>$null | Out-String).Trim()
    if ($LASTEXITCODE -eq 0) { $synced = $source -notmatch 'Local CMOS Clock|Free-running System Clock' }
}

$extra = [ordered]@{}
$more = $null
@PARTS@
foreach ($cap in 12, 8, 5, 3, 1) {
    $found = [ordered]@{
        probe = 1
        platform = 'windows'
        os = (Limit-Text $os.Caption 60)
        os_version = $version.ToString(3)
        kernel = "$($version.ToString(3)).$revision"
        kernel_newest = ''
        boot_id = $boot.ToString('yyyy-MM-ddTHH:mm:ssZ')
        uptime_s = [long]([DateTime]::UtcNow - $boot).TotalSeconds
        manager = 'wua'
        disks = @($disks | Select-Object -First $cap)
        disks_total = $disks.Count
        pending_reboot = [bool]$pending
        lock_held_by = $lock
        repos = @($repos)
        repos_total = $repos.Count
        failed_units = @($units | Select-Object -First $cap)
        load1 = [math]::Round($load / 100 * $cpus, 2)
        cpus = $cpus
        agent = $agent
        time_synced = $synced
    }
    foreach ($name in $extra.Keys) { $found[$name] = $extra[$name] }
    $document = ConvertTo-Json -Compress -Depth 4 -InputObject $found
    if ($document.Length -lt 2400) { break }
}
Write-Output $document
if ($more) { Write-Output $more }
"""
