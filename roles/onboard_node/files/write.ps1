# Writes a text to a file, in UTF-8 without a byte order mark, which the agent could not read.
[CmdletBinding(SupportsShouldProcess = $true)]
param([Parameter(Mandatory = $true)][string]$Path, [Parameter(Mandatory = $true)][string]$Text)
$before = ""
if (Test-Path -LiteralPath $Path) { $before = [IO.File]::ReadAllText($Path) }
$Ansible.Changed = $before -ne $Text
if ($Ansible.Changed -and $PSCmdlet.ShouldProcess($Path, "Write")) { [IO.File]::WriteAllText($Path, $Text) }
