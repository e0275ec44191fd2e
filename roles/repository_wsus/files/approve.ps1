# Approves updates by their KB number for one computer group, and says to which groups each is approved.
[CmdletBinding(SupportsShouldProcess = $true)]
param ([string[]]$Kbs, [string]$Group)

$server = Get-WsusServer
$names = @{}
foreach ($item in $server.GetComputerTargetGroups()) { $names[[string]$item.Id] = [string]$item.Name }
$target = $server.GetComputerTargetGroups() | Where-Object -FilterScript { $_.Name -eq $Group }
$install = [Microsoft.UpdateServices.Administration.UpdateApprovalAction]::Install
$Ansible.Changed = $false
$rows = New-Object -TypeName System.Collections.ArrayList
foreach ($kb in $Kbs) {
    $number = $kb -replace '^KB', ''
    # A search finds titles as well, so that the number itself is compared.
    foreach ($update in @($server.SearchUpdates($number) | Where-Object -FilterScript { $_.KnowledgebaseArticles -contains $number })) {
        $approved = @($update.GetUpdateApprovals() | Where-Object -FilterScript { $_.Action -eq $install } |
            ForEach-Object -Process { $names[[string]$_.ComputerTargetGroupId] })
        $row = @{
            kb = $kb
            id = [string]$update.Id.UpdateId
            title = [string]$update.Title
            state = [string]$update.State
            declined = [bool]$update.IsDeclined
            superseded = [bool]$update.IsSuperseded
            before = $approved
            approved = $false
        }
        if (-not $update.IsDeclined -and $approved -notcontains $Group) {
            $Ansible.Changed = $true
            $row.approved = $true
            if ($PSCmdlet.ShouldProcess($update.Title, "approve for $Group")) {
                if ($update.RequiresLicenseAgreementAcceptance) { $update.AcceptLicenseAgreement() }
                [void]$update.Approve($install, $target)
            }
        }
        [void]$rows.Add($row)
    }
}
$Ansible.Result = @{ updates = $rows.ToArray() }
