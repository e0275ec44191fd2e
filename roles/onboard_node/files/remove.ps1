# Uninstalls the agent, if it is there.
[CmdletBinding(SupportsShouldProcess = $true)]
param()
$found = @(Get-Package -Name "Amazon SSM Agent" -ErrorAction SilentlyContinue)
$Ansible.Changed = $found.Count -gt 0
if ($Ansible.Changed -and $PSCmdlet.ShouldProcess("Amazon SSM Agent", "Uninstall")) {
    $found | Uninstall-Package -Force | Out-Null
}
