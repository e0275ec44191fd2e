# Says which computers of some groups need updates, by their KB numbers, approved for them or not. Changes nothing.
[CmdletBinding()]
param ([string[]]$Kbs, [string[]]$Groups)

$server = Get-WsusServer
$scope = New-Object -TypeName Microsoft.UpdateServices.Administration.ComputerTargetScope
foreach ($group in $server.GetComputerTargetGroups()) {
    if ($Groups -contains [string]$group.Name) { [void]$scope.ComputerTargetGroups.Add($group) }
}
$rows = New-Object -TypeName System.Collections.ArrayList
# A scope without groups has all computers.
$wanted = @($Kbs | Where-Object -FilterScript { $scope.ComputerTargetGroups.Count -gt 0 })
foreach ($kb in $wanted) {
    $number = $kb -replace '^KB', ''
    # A search finds titles as well, so that the number itself is compared.
    $found = @($server.SearchUpdates($number) | Where-Object -FilterScript { $_.KnowledgebaseArticles -contains $number })
    foreach ($update in @($found | Where-Object -FilterScript { -not $_.IsDeclined })) {
        $needs = @($update.GetUpdateInstallationInfoPerComputerTarget($scope) | Where-Object -FilterScript {
            [string]$_.UpdateInstallationState -in 'NotInstalled', 'Downloaded', 'Failed'
        })
        [void]$rows.Add(@{
            kb = $kb
            title = [string]$update.Title
            classification = [string]$update.UpdateClassificationTitle
            severity = [string]$update.MsrcSeverity
            computers = @($needs | ForEach-Object -Process { [string]$_.GetComputerTarget().FullDomainName })
        })
    }
}
$Ansible.Changed = $false
$Ansible.Result = @{ updates = $rows.ToArray() }
