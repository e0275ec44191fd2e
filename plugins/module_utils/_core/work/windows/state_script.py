# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PowerShell that shows the state of a Windows host and begins work on it under a token. Text only.

The document has what Windows Update and servicing say: sources of a pending reboot, installs that run, history. The
mode ``state`` also reads what an operator wants to know before a change, which takes up to a minute. ``claim``,
``close`` and ``reboot`` keep one key of the registry for a token, which administrators alone may write: a token is
taken once, by the work or by the look-up that makes "never begun" final. ``stop`` cancels installs of win_updates.

Its grammar is checked in the tests; it has not met a real Windows host yet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ...errors import BadInput
from ..repositories.expected import check_closed

MODES = ("state", "look", "claim", "close", "reboot", "stop")

#: Windows PowerShell 5.1. Sources: for reboots the registry keys that Microsoft documents or its tools set, gathered in
#: adamtheautomator.com, "How to Check for a Pending Reboot in the Registry"; Windows Update Agent API
#: (ISystemInformation, IUpdateInstaller.IsBusy; IUpdateHistoryEntry and IAutomaticUpdatesResults, whose dates are UTC);
#: ansible.windows, win_updates.ps1 (names of pipe and event) and _reboot.py (AutoLogonChecked, ServicingInProgress,
#: shutdown.exe); DISM /CheckHealth; Microsoft Learn, "Manage additional Windows Update settings" (policies) and
#: "Unexpected reboots using system event logs" (41, 6008: not shut down cleanly; 1074: asked for; 6005: the log began).
_SCRIPT = r"""# patchtide:windows:1
# Prints one JSON document.
$mode = '@MODE@'
$token = '@TOKEN@'
$owner = '@OWNER@'
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'

function Limit-Text([string] $Text, [int] $Length) {
    $clean = ($Text -replace '://[^/@]*@', '://') -replace '[\x00-\x1f]', ' '
    if ($clean.Length -gt $Length) { $clean.Substring(0, $Length) } else { $clean }
}
function Format-Utc($Moment) {
    if ($Moment) { ([DateTime]$Moment).ToString('yyyy-MM-ddTHH:mm:ssZ', [Globalization.CultureInfo]::InvariantCulture) }
}
function Format-Local($Moment) {
    if ($Moment) { Format-Utc ([DateTime]$Moment).ToUniversalTime() }
}
function Get-Setting([string] $Path, [string] $Name) {
    (Get-ItemProperty -LiteralPath $Path -Name $Name).$Name
}
function Test-Children([string] $Path) {
    @(Get-ChildItem -LiteralPath $Path).Count -gt 0
}

$current = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$cbs = "$current\Component Based Servicing"
$update = "$current\WindowsUpdate"
$control = 'HKLM:\SYSTEM\CurrentControlSet\Control'
$logon = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\AutoLogonChecked'
$boot = Format-Local (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime

$live = [ordered]@{ pipes = $null; workers = $null; installing = $null; servicing = $null }
try {
    $live['pipes'] = @([IO.Directory]::GetFiles('\\.\pipe\') |
        Where-Object { $_ -like '*Ansible.Windows.WinUpdates-*' } |
        ForEach-Object { $_.Substring($_.LastIndexOf('\') + 1) })
} catch { $live['pipes'] = $null }
$processes = @(Get-CimInstance -ClassName Win32_Process -Filter "Name='powershell.exe'")
if ($processes.Count) {
    $live['workers'] = @($processes | Where-Object { $_.CommandLine -like '*ANSIBLE_BOOTSTRAP_ERROR*' } |
        ForEach-Object { [long]$_.ProcessId })
}
try { $live['installing'] = (New-Object -ComObject Microsoft.Update.Installer -ErrorAction Stop).IsBusy }
catch { $live['installing'] = $null }
$live['servicing'] = (Get-Setting "$cbs\Interface" 'ServicingInProgress') -eq 2

$renames = @(Get-Setting "$control\Session Manager" 'PendingFileRenameOperations') +
    @(Get-Setting "$control\Session Manager" 'PendingFileRenameOperations2')
$names = "$control\ComputerName"
$netlogon = 'HKLM:\SYSTEM\CurrentControlSet\Services\Netlogon'
$reboot = [ordered]@{
    windows_update = (Test-Path -LiteralPath "$update\Auto Update\RebootRequired")
    cbs_pending = (Test-Path -LiteralPath "$cbs\RebootPending")
    cbs_in_progress = (Test-Path -LiteralPath "$cbs\RebootInProgress")
    cbs_packages = (Test-Path -LiteralPath "$cbs\PackagesPending")
    system_information = $null
    update_services = (Test-Children "$update\Services\Pending")
    file_renames = (@($renames | Where-Object { $_ }).Count -gt 0)
    update_exe = ([int](Get-Setting 'HKLM:\SOFTWARE\Microsoft\Updates' 'UpdateExeVolatile') -ne 0)
    server_manager = (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts')
    domain_join = [bool]((Get-Setting $netlogon 'JoinDomain') -or (Get-Setting $netlogon 'AvoidSpnSet'))
    computer_name = ((Get-Setting "$names\ActiveComputerName" 'ComputerName') -ne
        (Get-Setting "$names\ComputerName" 'ComputerName'))
    run_once = [bool](Get-Setting "$current\RunOnce" 'DVDRebootSignal')
    configuration_manager = $null
}
try {
    $reboot['system_information'] = (New-Object -ComObject Microsoft.Update.SystemInfo -ErrorAction Stop).RebootRequired
} catch { $reboot['system_information'] = $null }
$client = @{ Namespace = 'root\ccm\ClientSDK'; ClassName = 'CCM_ClientUtilities'; ErrorAction = 'Stop' }
try {
    $asked = Invoke-CimMethod @client -MethodName DetermineIfRebootPending
    $reboot['configuration_manager'] = [bool]($asked.RebootPending -or $asked.IsHardRebootPending)
} catch { $reboot['configuration_manager'] = $null }

$history = $null
try {
    $searcher = (New-Object -ComObject Microsoft.Update.Session -ErrorAction Stop).CreateUpdateSearcher()
    $total = $searcher.GetTotalHistoryCount()
    $history = @(if ($total) {
        $searcher.QueryHistory(0, [math]::Min($total, 300)) | ForEach-Object {
            [ordered]@{
                at = (Format-Utc $_.Date)
                title = (Limit-Text $_.Title 200)
                operation = [int]$_.Operation
                result = [int]$_.ResultCode
                hresult = [int]$_.HResult
                client = (Limit-Text $_.ClientApplicationID 60)
            }
        }
    })
} catch { $history = $null }

$work = $null
if ($mode -ne 'state') {
    $key = "HKLM:\SOFTWARE\patchtide-work\$token"
    $work = [ordered]@{ state = 'absent'; fresh = $false; since = $null; boot = $null; exit = $null; text = '' }
    $mutex = New-Object -TypeName Threading.Mutex -ArgumentList $false, 'Global\patchtide-work'
    try { $owned = $mutex.WaitOne(30000) } catch [Threading.AbandonedMutexException] { $owned = $true }
    if ($mode -eq 'claim') {
        $limit = Format-Utc ([DateTime]::UtcNow.AddDays(-30))
        Get-ChildItem -LiteralPath 'HKLM:\SOFTWARE\patchtide-work' | Where-Object {
            $since = Get-Setting $_.PSPath 'Since'
            $since -and $since -lt $limit
        } | Remove-Item -Recurse -Force
    }
    $found = Get-Setting $key 'State'
    $made = $false
    if ($owned -and -not $found -and $mode -in 'claim', 'close', 'reboot') {
        $null = New-Item -Path $key -Force
        $state = if ($mode -eq 'close') { 'closed' } else { 'claimed' }
        $values = [ordered]@{ Since = (Format-Utc ([DateTime]::UtcNow)); Boot = $boot; Owner = $owner; State = $state }
        foreach ($name in $values.Keys) {
            $null = New-ItemProperty -LiteralPath $key -Name $name -PropertyType String -Value $values[$name]
        }
        $found = Get-Setting $key 'State'
        $made = $found -eq $state
    }
    $work['fresh'] = [bool]($found -and (Get-Setting $key 'Owner') -eq $owner)
    if ($owned) { $mutex.ReleaseMutex() } else { $work['text'] = 'another look holds the lock' }
    $mutex.Dispose()
    if ($mode -eq 'reboot' -and $made) {
        Remove-Item -LiteralPath $logon -Force
        $said = & "$env:SystemRoot\System32\shutdown.exe" /r /t 2 /c 'patchtide: reboot after updates' 2>&1 | Out-String
        $exit = $LASTEXITCODE
        $null = New-ItemProperty -LiteralPath $key -Name 'Exit' -PropertyType String -Value "$exit"
        $null = New-ItemProperty -LiteralPath $key -Name 'Text' -PropertyType String -Value (Limit-Text $said 200)
    }
    if ($mode -eq 'stop') {
        foreach ($name in $live['pipes']) {
            try {
                $handle = [Threading.EventWaitHandle]::OpenExisting("Global\$name")
                $null = $handle.Set()
                $handle.Dispose()
            } catch { $work['text'] = 'an install could not be cancelled' }
        }
    }
    if ($found) {
        $work['state'] = $found
        $work['since'] = Get-Setting $key 'Since'
        $work['boot'] = Get-Setting $key 'Boot'
        $work['exit'] = Get-Setting $key 'Exit'
        $work['text'] = "$($work['text'])$(Get-Setting $key 'Text')"
    }
}

$events = $null
if ($mode -eq 'look') {
    $asked = @{
        LogName = 'System'
        ProviderName = 'User32', 'EventLog', 'Microsoft-Windows-Kernel-Power'
        Id = 41, 1074, 6005, 6008
        StartTime = (Get-Date).AddDays(-1)
    }
    try {
        $events = @(Get-WinEvent -FilterHashtable $asked -MaxEvents 40 -ErrorAction Stop | ForEach-Object {
            [ordered]@{ at = (Format-Local $_.TimeCreated); id = [int]$_.Id }
        })
    } catch {
        if ("$($_.FullyQualifiedErrorId)" -like 'NoMatchingEventsFound*') { $events = @() }
    }
}

$document = [ordered]@{
    windows = 1
    now = (Format-Utc ([DateTime]::UtcNow))
    boot = $boot
    ready = (Test-Path -LiteralPath $logon)
    live = $live
    reboot = $reboot
    history = $history
    events = $events
    work = $work
}
@DETAILS@
Write-Output (ConvertTo-Json -Compress -Depth 5 -InputObject $document)
"""

#: Sources: Microsoft Learn, "vssadmin list writers" and VSS_WRITER_STATE, whose number stands in brackets and is not
#: localised; about_WSMan_Provider (listeners); "Get-ClusterResource"; .NET, WebExceptionStatus. Get-HotFix misses
#: updates of .NET and installers; the history has them. Win32_Product would repair what it lists, so it is never asked.
_DETAILS = r"""
$identity = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
$service = Get-CimInstance -ClassName Win32_Service -Filter "Name='wuauserv'"
$document['administrator'] = $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
$document['language_mode'] = "$($ExecutionContext.SessionState.LanguageMode)"
$document['update_service'] = if ($service) { "$($service.StartMode)" } else { 'absent' }
$policy = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate'
$document['policy'] = [ordered]@{
    server = (Limit-Text (Get-Setting $policy 'WUServer') 200)
    uses_server = (Get-Setting "$policy\AU" 'UseWUServer') -eq 1
    target_group = (Limit-Text (Get-Setting $policy 'TargetGroup') 100)
    no_internet = (Get-Setting $policy 'DoNotConnectToWindowsUpdateInternetLocations') -eq 1
    no_access = (Get-Setting $policy 'DisableWindowsUpdateAccess') -eq 1
    defers_quality = (Get-Setting $policy 'DeferQualityUpdates') -eq 1
    defers_feature = (Get-Setting $policy 'DeferFeatureUpdates') -eq 1
    no_dual_scan = (Get-Setting $policy 'DisableDualScan') -eq 1
    installs_alone = (Get-Setting "$policy\AU" 'AUOptions') -eq 4
}
$automatic = (New-Object -ComObject Microsoft.Update.AutoUpdate).Results
$document['last_search'] = Format-Utc $automatic.LastSearchSuccessDate
$dism = & "$env:SystemRoot\System32\dism.exe" /English /Online /Cleanup-Image /CheckHealth 2>&1 | Out-String
$document['component_store'] = if ($dism -match 'No component store corruption') { 'healthy' }
    elseif ($dism -match 'is repairable') { 'repairable' }
    elseif ($dism -match 'not be repaired|not repairable') { 'damaged' }
    else { 'unknown' }
$name = ''
$document['vss_writers'] = @(& "$env:SystemRoot\System32\vssadmin.exe" list writers 2>&1 | ForEach-Object {
    if ("$_" -match "^\S.*'(.+)'") { $name = $Matches[1] }
    elseif ($name -and "$_" -match '\[(\d+)\]') { "$($Matches[1]) $(Limit-Text $name 80)"; $name = '' }
})
$document['listener_certificates'] = @(Get-ChildItem -Path 'WSMan:\localhost\Listener' | ForEach-Object {
    $print = "$((Get-Item -LiteralPath "$($_.PSPath)\CertificateThumbprint").Value)" -replace '\s', ''
    if ($print) { Format-Local (Get-Item -LiteralPath "Cert:\LocalMachine\My\$print").NotAfter }
})
$cluster = Get-Service -Name ClusSvc
$groups = @()
$replicas = @()
if ($cluster -and "$($cluster.Status)" -eq 'Running' -and (Get-Command -Name Get-ClusterGroup)) {
    $groups = @(Get-ClusterGroup | Where-Object { "$($_.OwnerNode)" -eq $env:COMPUTERNAME } |
        ForEach-Object { Limit-Text "$($_.Name)" 80 } | Select-Object -First 20)
    $replicas = @(Get-ClusterResource | Where-Object {
        "$($_.ResourceType)" -eq 'SQL Server Availability Group' -and "$($_.OwnerNode)" -eq $env:COMPUTERNAME
    } | ForEach-Object { Limit-Text "$($_.OwnerGroup)" 80 } | Select-Object -First 20)
}
$role = (Get-CimInstance -ClassName Win32_ComputerSystem).DomainRole
$document['roles'] = [ordered]@{
    cluster_groups = $groups
    availability_groups = $replicas
    domain_controller = $role -ge 4
}
$document['sessions'] = @(Get-Process -Name explorer).Count
# yes: something answers, whatever its status; unknown: it may have been a proxy.
$document['closed'] = @(foreach ($url in @(@CLOSED@)) {
    $answer = 'unknown'
    try {
        $protocols = [Net.ServicePointManager]::SecurityProtocol
        [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
        $null = Invoke-WebRequest -Uri $url -Method Head -UseBasicParsing -TimeoutSec 8 -ErrorAction Stop
        $answer = 'yes'
    } catch {
        $status = "$($_.Exception.Status)"
        $code = [int]$_.Exception.Response.StatusCode
        if ($status -in 'NameResolutionFailure', 'ConnectFailure', 'Timeout') { $answer = 'no' }
        elseif ($status -in 'TrustFailure', 'SecureChannelFailure') { $answer = 'yes' }
        elseif ($code -and $code -notin 403, 407, 502, 503, 504) { $answer = 'yes' }
    }
    "$answer $url"
})
"""


def to_state_script(mode: str, token: str = "", owner: str = "", closed: Sequence[str] = ()) -> str:
    """Return the script.

    :param mode: one of ``MODES``. :param token: names the work for every mode but ``state``; any text.
    :param owner: whoever takes the token, so that a repeated call knows its own claim; letters and digits.
    :param closed: URLs that must not answer from the host, which the mode ``state`` tries; see ``check_closed``.
    :raises BadInput: another mode or owner, no token where one is needed, or a URL that ends its quotes.
    """
    if mode not in MODES:
        raise BadInput("mode", mode, f"one of {', '.join(MODES)}")
    if mode != "state" and not token:
        raise BadInput("token", token, "the name of the work")
    if not re.fullmatch(r"[A-Za-z0-9]{0,40}", owner):
        raise BadInput("owner", owner, "letters and digits")
    for mistake in check_closed(closed, "closed"):
        raise mistake
    name = hashlib.sha256(token.encode()).hexdigest()[:24]
    details = _DETAILS.strip("\n") if mode == "state" else ""
    urls = ", ".join(f"'{url}'" for url in closed)
    script = _SCRIPT.replace("@DETAILS@", details.replace("@CLOSED@", urls))
    return script.replace("@MODE@", mode).replace("@TOKEN@", name).replace("@OWNER@", owner)
