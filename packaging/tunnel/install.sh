#!/usr/bin/env bash
# Installs godwit-tunnel, its man page, its completion for bash and its systemd units:
#
#   bazel run -c opt //packaging/tunnel:install -- PREFIX
#
# With DESTDIR in the environment, files go below DESTDIR, and speak of PREFIX.
set -euo pipefail

fail() {
  echo "install: $*" >&2
  exit 1
}

if (($# != 1)) || [[ $1 == -* || -z $1 ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
prefix=$1
# `bazel run` starts programs elsewhere, and says where it was called.
[[ $prefix == /* ]] || prefix=${BUILD_WORKING_DIRECTORY:-$PWD}/$prefix
prefix=$(realpath --canonicalize-missing --no-symlinks "$prefix")
[[ $prefix != *[[:space:]\|\&\\%\$]* ]] ||
  fail "'$prefix' has a character that a systemd unit cannot have; choose another PREFIX"

runfiles=${RUNFILES_DIR:-$0.runfiles}
for root in "$runfiles"/*; do
  [[ -e $root/tunnel/godwit-tunnel ]] && break
done
[[ -e $root/tunnel/godwit-tunnel ]] ||
  fail "run me by: bazel run -c opt //packaging/tunnel:install -- PREFIX"
from=$root/packaging/tunnel

to=${DESTDIR:-}$prefix
units=$to/lib/systemd/system
completions=$to/share/bash-completion/completions
install -d "$to/bin" "$to/share/man/man1" "$completions" "$units" 2> /dev/null ||
  fail "cannot make folders in $to; choose a PREFIX that you may write to, or run me as its owner"
install -m 755 "$root/tunnel/godwit-tunnel" "$to/bin/"
install -m 644 "$from/godwit-tunnel.1" "$to/share/man/man1/"
install -m 644 "$from/godwit-tunnel.bash" "$completions/godwit-tunnel"
for unit in godwit-tunnel-server.service godwit-tunnel-client@.service; do
  sed "s|@PREFIX@|$prefix|" "$from/$unit" > "$units/$unit"
  chmod 644 "$units/$unit"
done
echo "installed godwit-tunnel in $to"
