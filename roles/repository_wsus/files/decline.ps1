# Declines updates that were superseded by an approved one, are not approved themselves, and are needed by no computer.
[CmdletBinding(SupportsShouldProcess = $true)]
param ()

$server = Get-WsusServer
$before = $server.GetStatus().DeclinedUpdateCount
$after = $before
if ($PSCmdlet.ShouldProcess('WSUS', 'decline superseded updates')) {
    Invoke-WsusServerCleanup -DeclineSupersededUpdates | Out-Null
    $after = $server.GetStatus().DeclinedUpdateCount
}
$Ansible.Changed = $after -gt $before
$Ansible.Result = @{ declined = [int]($after - $before) }
