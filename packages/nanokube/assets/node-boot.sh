#!/bin/bash
# The first process of a node, run in fresh mount, network, pid and uts namespaces.
# It gives the node directories and a name of its own, then reaps orphans until it is told to end;
# when it ends, the kernel ends everything else on the node.
#
# Environment: NODE_NAME, NODE_DIR (a directory of the machine that holds the node's own ones).
set -eu

hostname "$NODE_NAME"

bind() { mkdir -p "$NODE_DIR/$1" "$2"; mount --bind "$NODE_DIR/$1" "$2"; }

# A fresh sysfs shows this network namespace's devices; the cgroup mounts are carried over.
mkdir -p "$NODE_DIR/sys-cgroup"
mount --rbind /sys/fs/cgroup "$NODE_DIR/sys-cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$NODE_DIR/sys-cgroup" /sys/fs/cgroup

bind kubelet /var/lib/kubelet
bind log-pods /var/log/pods
bind log-containers /var/log/containers
bind containerd /var/lib/containerd
bind run-containerd /run/containerd
bind run-netns /run/netns
bind cni /var/lib/cni
bind cni-conf /etc/cni/net.d
mount --bind "$NODE_DIR/resolv.conf" /etc/resolv.conf
mount --bind "$NODE_DIR/hosts" /etc/hosts
# iptables' lock file must not be shared with the machine, whose rules are not ours.
mount -t tmpfs tmpfs /run/lock 2>/dev/null || true
rm -f "$NODE_DIR/xtables.lock" && touch "$NODE_DIR/xtables.lock" /run/xtables.lock
mount --bind "$NODE_DIR/xtables.lock" /run/xtables.lock
mount --make-rshared /

ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
touch "$NODE_DIR/booted"

trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait $! || true
done
