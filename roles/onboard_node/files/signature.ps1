# Fails unless Amazon has signed a file. Its certificate names Amazon as its organization.
param([Parameter(Mandatory = $true)][string]$Path)
$signature = Get-AuthenticodeSignature -LiteralPath $Path
$subject = [string]$signature.SignerCertificate.Subject
if ($signature.Status -ne "Valid" -or $subject -notmatch 'O="?Amazon(\.com Services LLC| Web Services, Inc\.|\.com, Inc\.|\.com Services, Inc\.)') {
    throw "$Path is not signed by Amazon: $($signature.Status), $subject"
}
$Ansible.Result = @{ subject = $subject }
$Ansible.Changed = $false
