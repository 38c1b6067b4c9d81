# SPDX-License-Identifier: BSD-2-Clause
# scripts/deps.sh - sourced by demo, check and bench: install what is missing (Debian), configure, build. Never asks.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export BUILD_DIR=${BUILD_DIR:-$root/build}

say() { printf '== %s\n' "$*" >&2; }

# need PACKAGE... - install those that are not there yet
need() {
    local missing=() p
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        return 0
    fi
    local sudo=
    if [ "$(id -u)" -ne 0 ]; then
        sudo="sudo -n"
    fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt_update
    if ! $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >"$log_dir/apt.log" 2>&1; then
        tail -n 20 "$log_dir/apt.log" >&2
        say "cannot install ${missing[*]}; install them by hand and start again"
        return 1
    fi
}

# apt_update - refresh the package lists once (also needed before the test kernels can be downloaded)
apt_update() {
    if [ -n "${apt_updated:-}" ]; then
        return 0
    fi
    local sudo=
    [ "$(id -u)" -eq 0 ] || sudo="sudo -n"
    $sudo apt-get update -q >"$log_dir/apt-update.log" 2>&1 || { tail -n 5 "$log_dir/apt-update.log" >&2; return 1; }
    apt_updated=1
}

# need_32bit - what gcc -m32 -static takes (not gcc-multilib: it cannot be installed beside a cross compiler)
need_32bit() {
    need libc6-dev-i386 "lib32gcc-$(gcc -dumpversion)-dev"
}

log_dir=$(mktemp -d)
trap 'rm -rf "$log_dir"' EXIT

build_packages="gcc libc6-dev meson ninja-build pkg-config python3 libglib2.0-dev libslirp-dev libpixman-1-dev zlib1g-dev liblzma-dev libzstd-dev libvdeplug-dev"

# build_tree [configure argument...] - configure (first time) and build; output only when it fails
build_tree() {
    # shellcheck disable=SC2086
    need $build_packages || return 1
    if [ ! -f "$BUILD_DIR/build.ninja" ]; then
        say "configuring $BUILD_DIR"
        "$root/configure" "$@" >"$log_dir/configure.log" 2>&1 || { cat "$log_dir/configure.log" >&2; return 1; }
    fi
    say "building"
    ninja -C "$BUILD_DIR" >"$log_dir/build.log" 2>&1 || { tail -n 60 "$log_dir/build.log" >&2; return 1; }
}
