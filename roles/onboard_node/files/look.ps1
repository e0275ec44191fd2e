# Returns what a host has of the SSM Agent. The ID is of no use where the key that belongs to it is gone.
$registration = Join-Path $Env:ProgramData "Amazon\SSM\InstanceData\registration"
$vault = Join-Path $Env:ProgramData "Amazon\SSM\Vault\Store\RegistrationKey"
$binary = Join-Path $Env:ProgramFiles "Amazon\SSM\amazon-ssm-agent.exe"
$found = @{ ManagedInstanceID = ""; Region = "" }
if (Test-Path -LiteralPath $registration) {
    $found = Get-Content -LiteralPath $registration -Raw | ConvertFrom-Json
}
$broken = $false
if ($found.ManagedInstanceID -and (Test-Path -LiteralPath $vault)) {
    $key = Get-Content -LiteralPath $vault -Raw | ConvertFrom-Json
    $broken = $key.instanceID -ne $found.ManagedInstanceID
}
$system = Get-CimInstance -ClassName Win32_ComputerSystem
$kind = "none"
if (Test-Path -LiteralPath $binary) { $kind = "package" }
$Ansible.Result = @{
    kind = $kind
    binary = $binary
    service = "AmazonSSMAgent"
    node_id = [string]$found.ManagedInstanceID
    region = [string]$found.Region
    broken = $broken
    ec2 = $system.Manufacturer -eq "Amazon EC2"
}
$Ansible.Changed = $false
