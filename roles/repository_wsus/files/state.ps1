# What a WSUS server has, and which Windows build it runs on. Changes nothing.
[CmdletBinding()]
param ([string]$Group)

function Get-Parents {
    param ($Of)
    $up = $Of.GetParentTargetGroup()
    while ($null -ne $up) {
        [string]$up.Name
        $up = $up.GetParentTargetGroup()
    }
}

$server = Get-WsusServer
$subscription = $server.GetSubscription()
$last = $subscription.GetLastSynchronizationInfo()
$download = $server.GetContentDownloadProgress()
$build = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$rules = @($server.GetInstallApprovalRules() | Where-Object -FilterScript { $_.Enabled })
$groups = @($server.GetComputerTargetGroups())
$members = @($groups | Where-Object -FilterScript { $_.Name -eq $Group } | ForEach-Object -Process { $_.GetComputerTargets() })

$Ansible.Changed = $false
$Ansible.Result = @{
    build = [string]$build.CurrentBuildNumber
    revision = [int]$build.UBR
    replica = [bool]$server.GetConfiguration().IsReplicaServer
    client_targeting = [string]$server.GetConfiguration().TargetingMode
    groups = @($groups | ForEach-Object -Process { @{ name = [string]$_.Name; parents = @(Get-Parents -Of $_) } })
    rules = @($rules | ForEach-Object -Process { [string]$_.Name })
    synchronizing = [string]$subscription.GetSynchronizationStatus()
    last_result = [string]$last.Result
    last_end = $last.EndTime.ToString('o')
    to_download = [long]($download.TotalBytesToDownload - $download.DownloadedBytes)
    computers = @($members | ForEach-Object -Process {
        @{ name = [string]$_.FullDomainName; last_sync = $_.LastSyncTime.ToString('o'); last_report = $_.LastReportedStatusTime.ToString('o') }
    })
}
