#!/usr/bin/env bash
# Installs godwit for programs that are not built with Bazel:
#
#   bazel run -c opt //packaging:install -- PREFIX
#
# PREFIX/include/godwit, PREFIX/lib/libgodwit.a and libgodwit.so.0, and what pkg-config
# (godwit, godwit-static) and CMake (find_package(godwit)) need to find them. With DESTDIR in
# the environment, files go below DESTDIR, and speak of PREFIX.
set -euo pipefail

version=0.1.0

fail() {
  echo "install: $*" >&2
  exit 1
}

if (($# != 1)) || [[ $1 == -* || -z $1 ]]; then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
prefix=$1
# `bazel run` starts programs elsewhere, and says where it was called.
[[ $prefix == /* ]] || prefix=${BUILD_WORKING_DIRECTORY:-$PWD}/$prefix
prefix=$(realpath --canonicalize-missing --no-symlinks "$prefix")
[[ $prefix != *[[:space:]\|\&\\]* ]] ||
  fail "'$prefix' has spaces or one of | & \\, which pkg-config cannot say; choose another PREFIX"

runfiles=${RUNFILES_DIR:-$0.runfiles}
for root in "$runfiles"/*; do
  [[ -e $root/packaging/libgodwit.a ]] && break
done
[[ -e $root/packaging/libgodwit.a ]] || fail "run me by: bazel run -c opt //packaging:install -- PREFIX"
from=$root/packaging
[[ $(< "$from/compilation_mode.txt") == opt ]] ||
  echo "install: note: this build is not optimised; bazel run -c opt makes one that is" >&2
boringssl_libdir=$(head -n 1 "$from/rpaths")
[[ -n $boringssl_libdir ]] || fail "@boringssl does not say where its libraries lie (no -Wl,-rpath)"

to=${DESTDIR:-}$prefix
install -d "$to/include/godwit" "$to/lib/pkgconfig" "$to/lib/cmake/godwit" 2> /dev/null ||
  fail "cannot make folders in $to; choose a PREFIX that you may write to, or run me as its owner"
install -m 644 "$root"/include/godwit/*.h "$to/include/godwit/"
install -m 644 "$from/libgodwit.a" "$to/lib/"
install -m 755 "$from/libgodwit.so.0" "$to/lib/"
ln -sfn libgodwit.so.0 "$to/lib/libgodwit.so"

# TEMPLATE FILE
fill() {
  sed -e "s|@PREFIX@|$prefix|g" -e "s|@VERSION@|$version|g" \
    -e "s|@BORINGSSL_LIBDIR@|$boringssl_libdir|g" "$from/$1" > "$to/$2"
  chmod 644 "$to/$2"
}
fill godwit.pc.in lib/pkgconfig/godwit.pc
fill godwit-static.pc.in lib/pkgconfig/godwit-static.pc
fill godwit-config.cmake.in lib/cmake/godwit/godwit-config.cmake
fill godwit-config-version.cmake.in lib/cmake/godwit/godwit-config-version.cmake
echo "installed godwit $version in $to"
