# shellcheck shell=sh
# Prints what a host has of the SSM Agent, a line each, as name=value.
# The ID is empty where the key that belongs to it is gone: a registration that fails leaves its file behind.
data=/var/lib/amazon/ssm
kind=none binary=/usr/bin/amazon-ssm-agent service=amazon-ssm-agent
if [ -x /snap/amazon-ssm-agent/current/amazon-ssm-agent ]; then
    kind=snap
    binary=/snap/amazon-ssm-agent/current/amazon-ssm-agent
    service=snap.amazon-ssm-agent.amazon-ssm-agent
elif [ -x "$binary" ]; then
    kind=package
fi
value() { sed -n "s/.*\"$2\" *: *\"\([^\"]*\)\".*/\1/p" "$1" 2>/dev/null | head -n 1; }
node=$(value $data/registration ManagedInstanceID)
broken=false
if [ -n "$node" ] && [ -f $data/Vault/Store/RegistrationKey ]; then
    [ "$(value $data/Vault/Store/RegistrationKey instanceID)" = "$node" ] || broken=true
fi
ec2=false
for file in /sys/class/dmi/id/sys_vendor /sys/class/dmi/id/bios_vendor /sys/hypervisor/uuid; do
    case $(head -c 64 $file 2>/dev/null) in "Amazon EC2"* | ec2*) ec2=true ;; esac
done
printf '%s\n' "kind=$kind" "binary=$binary" "service=$service" "node_id=$node" \
    "region=$(value $data/registration Region)" "broken=$broken" "ec2=$ec2"
