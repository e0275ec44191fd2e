# Returns the text of a file, {} if there is none.
param([Parameter(Mandatory = $true)][string]$Path)
$Ansible.Result = "{}"
if (Test-Path -LiteralPath $Path) { $Ansible.Result = [string](Get-Content -LiteralPath $Path -Raw) }
$Ansible.Changed = $false
