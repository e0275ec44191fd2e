#!/bin/sh
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs one host of the lab in the foreground until it is powered off or killed.
# The outer half (no argument) joins the host's cgroups and starts the inner half in mount, network and process
# namespaces of its own. The kernel takes down everything in there with the inner half's shell, so that killing that one
# process leaves no mount, no interface and no orphan behind, however the end came.
#
# From the environment: MACHINE (name), HOST_DIR (its folder), BASE (lower layers, joined by ":"), CGROUPS (folders),
# VETH, BRIDGE, MAC, ADDRESS (with prefix length), GATEWAY, DISK_MIB and DISK_FREE_MIB (a small root disk, or empty).
set -eu

outer() {
    for cgroup in $CGROUPS; do
        echo $$ > "$cgroup/cgroup.procs"
    done
    exec 3< /proc/self/ns/net
    exec unshare --mount --propagation unchanged --net --pid --fork --kill-child "$0" inner
}

# Mount changes must stay in here. In a chroot "/" is no mount point and can be neither made private nor be replaced
# by systemd-nspawn, so there a copy of the tree, hung up below a mount that is private already, becomes the root.
own_mounts() {
    if ! mount --make-rprivate / 2> /dev/null; then
        mount --make-private /proc
        mount --rbind / /proc
        cd /proc
        mount --make-rprivate .
        exec chroot . "$0" inner-root
    fi
}

mount_root() {
    layers=$HOST_DIR
    if [ -n "$DISK_MIB" ]; then
        layers=$HOST_DIR/disk
        mkdir -p "$layers"
        mount -t tmpfs -o "size=${DISK_MIB}m" disk "$layers"
        cp -a "$HOST_DIR/upper" "$layers/"
    fi
    mkdir -p "$layers/upper" "$layers/work" "$HOST_DIR/root"
    mount -t overlay overlay -o "lowerdir=$BASE,upperdir=$layers/upper,workdir=$layers/work" "$HOST_DIR/root"
    if [ -n "$DISK_MIB" ]; then
        free=$(df --output=avail -k "$layers" | tail -n 1)
        fallocate -l "$((free - DISK_FREE_MIB * 1024))K" "$HOST_DIR/root/var/log/forgotten.dump"
    fi
}

connect() {
    ip link add eth0 address "$MAC" type veth peer name "$VETH" netns /proc/self/fd/3
    nsenter --net=/proc/self/fd/3 ip link set "$VETH" master "$BRIDGE" up
    exec 3<&-
    ip link set lo up
    ip addr add "$ADDRESS" dev eth0
    ip link set eth0 up
    ip route add default via "$GATEWAY"
}

# A guest that asks for a reboot ends systemd-nspawn with 133, because nothing above it could restart it.
boot() {
    while :; do
        status=0
        systemd-nspawn --quiet --directory="$HOST_DIR/root" --boot --machine="$MACHINE" --hostname="$MACHINE" \
            --register=no --keep-unit --network-namespace-path=/proc/self/ns/net --resolv-conf=off --timezone=off \
            --link-journal=no --console=pipe < /dev/null || status=$?
        [ "$status" = 133 ] || exit "$status"
    done
}

case "${1:-outer}" in
    outer) outer ;;
    inner) own_mounts ;;
    inner-root) ;;
esac
mkdir -p /run/systemd/nspawn
mount -t tmpfs -o mode=755 tmpfs /run/systemd/nspawn
mount -t proc proc /proc
mount_root
connect
boot
