# Synchronizes with the upstream server and waits. One that runs already is waited for.
[CmdletBinding(SupportsShouldProcess = $true)]
param ([int]$Seconds)

$subscription = (Get-WsusServer).GetSubscription()
$before = $subscription.GetLastSynchronizationInfo()
$Ansible.Changed = $true
$Ansible.Result = @{ result = 'NotStarted'; error = ''; new_updates = 0 }
if ($PSCmdlet.ShouldProcess('WSUS', 'synchronize')) {
    if ([string]$subscription.GetSynchronizationStatus() -eq 'NotProcessing') {
        $subscription.StartSynchronization()
    }
    $deadline = (Get-Date).AddSeconds($Seconds)
    do {
        Start-Sleep -Seconds 5
        $last = $subscription.GetLastSynchronizationInfo()
        $ended = [string]$subscription.GetSynchronizationStatus() -eq 'NotProcessing' -and $last.StartTime -gt $before.StartTime
    } until ($ended -or (Get-Date) -gt $deadline)
    $Ansible.Result = @{ result = 'Unknown'; error = "it has not ended within $Seconds seconds"; new_updates = 0 }
    if ($ended) {
        $Ansible.Changed = [int]$last.UpdateCounts.NewUpdates -gt 0
        $Ansible.Result = @{ result = [string]$last.Result; error = [string]$last.ErrorText; new_updates = [int]$last.UpdateCounts.NewUpdates }
    }
}
