#!/bin/sh
# A machine of its own, with this one's programs, a real systemd as its first process, and no network but loopback. What
# it writes goes to memory and is gone with it. To be run by `unshare --mount`.
#
#   machine.sh DIR FILES    DIR: an empty folder to mount it on; the folder FILES is /files in there
set -eu

if [ "${3:-}" = inside ]; then
  root=$1/root
  mount -t proc proc "$root/proc"
  # The kernel's settings are everybody's.
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root/dev/shm" "$root/dev/mqueue" "$root/dev/hugepages" "$root/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  cp -r "$2" "$root/files"
  # No service of this machine starts there, and packages may start theirs.
  rm -rf "$root/etc/systemd/system" "$root/usr/sbin/policy-rc.d"
  mkdir "$root/etc/systemd/system"
  ip link set lo up
  mkdir -p "$root/mnt/outside"
  cd "$root"
  pivot_root . mnt/outside
  umount -l /mnt/outside
  mount --make-rshared /
  exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no
fi

mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root" "$1/cgroup"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t cgroup2 cgroup2 "$1/cgroup"
cgroup=$1/cgroup/reachd-test-$$
mkdir "$cgroup"
# shellcheck disable=SC2016 # the shell inside fills them
sh -c 'echo $$ >"$0/cgroup.procs" && exec setpriv --pdeathsig KILL \
  unshare --mount --pid --fork --kill-child --net --uts --ipc --cgroup "$@"' \
  "$cgroup" sh "$0" "$1" "$2" inside || true
find "$cgroup" -depth -type d -exec rmdir {} +
