#!/bin/sh
# Boots systemd as the first process of namespaces of its own, on the root $1, in the group of processes $2 (a folder of cgroup2).
# The process that this becomes is outside of them. Where it or its parent is killed, all that runs inside is.
set -eu

if [ "${3:-}" = "" ]; then
  echo $$ > "$2/cgroup.procs"
  exec setpriv --pdeathsig KILL unshare --mount --uts --ipc --net --pid --cgroup --fork --kill-child "$0" "$1" "$2" inside
fi

# From here on nothing is seen outside, and goes with the last process.
cd "$1"
mount --bind . .
cd "$1"
mount -t proc proc proc
# The kernel's settings are everybody's.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do
  touch "dev/$name"
  mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/outside
pivot_root . run/outside
exec chroot . /bin/sh -c 'umount -l /run/outside && rmdir /run/outside && mount --make-rshared / && : > /etc/inside && exec env -i container=other /lib/systemd/systemd --log-target=console'
