/**
 * The shell text that makes a container's view of the machine's files inside new namespaces.
 *
 * A constant: what pods say comes in as arguments and is never read as shell.
 * Output     one byte on descriptor 3 when all is mounted and the program is about to run
 * Arguments  root, layer, then (source, target, "ro" or "rw") for each mount, "--", directory, argv
 *
 *   overlay  the machine's files under a copy-on-write layer in memory (needs root)
 *   links    a root in memory with links into /.host, the machine's own tree; a directory that must
 *            hold a mount becomes a directory of links. A user's own namespace may do that much.
 */
const OVERLAY = `
set -e
root=$1 layer=$2; shift 2
mount -t tmpfs tmpfs "$layer"
mkdir "$layer/upper" "$layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$root"
while read -r _ at _; do
  case $at in
  /|/proc|/proc/*|/sys|/sys/*|/dev|/dev/*|/run|/run/*|/tmp|/tmp/*|"$root"*|"$layer"*) ;;
  *) [ ! -d "$at" ] || mount --bind "$at" "$root$at" 2>/dev/null || true ;;
  esac
done < /proc/self/mounts
mount --rbind /sys "$root/sys"
for top in dev run tmp; do mount -t tmpfs tmpfs "$root/$top"; done
chmod 1777 "$root/tmp"
# Links, not the machine's own /dev: pods have files there too (/dev/termination-log).
mkdir "$root/.dev"; mount --rbind /dev "$root/.dev"
for entry in /dev/*; do ln -s "/.dev/\${entry##*/}" "$root$entry"; done
place() {
  if [ -n "$3" ]; then directory=\${2%/*} name=/\${2##*/}; else directory=$2 name=; fi
  at=$root$(chroot "$root" /bin/sh -c 'mkdir -p "$1/" && cd "$1/" && pwd -P' sh "$directory")$name
  [ -e "$at" ] || : > "$at"
}
`;

const LINKS = `
set -e
root=$1 layer=$2; shift 2
mount -t tmpfs tmpfs "$root"
mkdir "$root/.host" "$root/run" "$root/tmp"
chmod 1777 "$root/tmp"
mount --rbind / "$root/.host"
mkdir "$root/sys" "$root/proc"; mount --rbind /sys "$root/sys"
for entry in /* /.[!.]*; do
  [ ! -e "$entry" ] || [ -e "$root$entry" ] || ln -s "/.host$entry" "$root$entry"
done
open_directory() {
  if [ -L "$root$1" ]; then
    rm "$root$1"; mkdir "$root$1"
    for entry in "$1"/* "$1"/.[!.]*; do
      [ ! -e "$entry" ] && [ ! -L "$entry" ] || ln -s "/.host$entry" "$root$entry"
    done
  fi
  [ -d "$root$1" ] || mkdir "$root$1"
}
place() {
  real=$(chroot "$root" /.host/usr/bin/readlink -m "$2")
  case $real in /.host/*) real=\${real#/.host} ;; esac
  rest=\${real#/} at=
  while [ "\${rest#*/}" != "$rest" ]; do
    at=$at/\${rest%%/*} rest=\${rest#*/}
    open_directory "$at"
  done
  at=$root$real
  if [ -L "$at" ]; then rm "$at"; fi
  if [ -n "$3" ]; then : > "$at"; else mkdir -p "$at"; fi
}
`;

const MOUNT_AND_RUN = `
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
while [ "$1" != "--" ]; do
  source=$1 target=$2 mode=$3; shift 3
  if [ -d "$source" ]; then place "$source" "$target" ""; else place "$source" "$target" file; fi
  mount --rbind "$source" "$at"
  if [ "$mode" = ro ]; then mount -o remount,bind,ro "$at" 2>/dev/null || true; fi
done
shift
exec chroot "$root" /bin/sh -c 'mkdir -p "$1" 2>/dev/null; cd "$1" 2>/dev/null || cd /; shift
  echo >&3; exec 3>&-; exec "$@"' sh "$@"
`;

export const setUpScript = (layer: "overlay" | "links"): string =>
  (layer === "overlay" ? OVERLAY : LINKS) + MOUNT_AND_RUN;
