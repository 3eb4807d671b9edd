#!/bin/sh
# Makes sure that the packages the build, the tests and the emulator need are installed; quick when they are.
# As root, or with sudo, missing ones are installed; otherwise the command to type is printed and this fails.
set -eu
cd "$(dirname "$0")/.."
. build/apt-private.sh

packages="clang-19 lld-19 llvm-19 libclang-rt-19-dev clang-format-19 gcc libc6-dev gcc-aarch64-linux-gnu
 gcc-arm-linux-gnueabihf make git device-tree-compiler e2fsprogs libfdt-dev zlib1g-dev libmd-dev xz-utils libcmocka-dev
 python3 python3-pytest python3-pexpect cppcheck qemu-system-arm"
qemu_least=9
stamp=out/.setup

command -v dpkg-query > /dev/null && command -v apt-get > /dev/null ||
    bh_die "this set-up needs Debian's apt; install by hand: $packages (QEMU $qemu_least or later)"

# Nothing was installed or removed since the last look, nor was this script changed: done.
if [ -e "$stamp" ] && [ "$stamp" -nt /var/lib/dpkg/status ] && [ "$stamp" -nt build/setup.sh ]; then
    exit 0
fi

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
qemu_fits() {
    version=$(dpkg-query -W -f '${Version}' qemu-system-arm 2>/dev/null) && dpkg --compare-versions "$version" ge "1:$qemu_least"
}

missing=
for package in $packages; do
    if ! installed "$package"; then
        missing="$missing $package"
    elif [ "$package" = qemu-system-arm ] && ! qemu_fits; then
        missing="$missing $package"
    fi
done

if [ -n "$missing" ]; then
    codename=$(bh_codename)
    target=
    case "$codename:$missing" in
    bookworm:*qemu-system-arm*) target=bookworm-backports ;;
    esac

    # QEMU's companions must come from the same place as itself; apt does not draw them along.
    wanted=
    for package in $missing; do
        case "$package" in
        qemu-system-arm)
            for part in qemu-system-arm qemu-system-common qemu-system-data; do
                wanted="$wanted $part${target:+/$target}"
            done ;;
        *) wanted="$wanted $package" ;;
        esac
    done

    # Backports are named as a source unless the user has them already.
    dir=$(bh_scratch)
    trap 'rm -rf "$dir"' EXIT
    mirror=$(bh_mirror "$dir")
    backports=
    if [ -n "$target" ] && ! grep -q " $target\$" "$dir/uris"; then
        backports="deb $(bh_signed_by)$mirror $target main"
    fi

    bh_say "these packages are missing:$missing"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        if ! command -v sudo > /dev/null || ! sudo true; then
            bh_say "only root can install them. As root, type:" >&2
            [ -z "$backports" ] || printf "  echo '%s' > /etc/apt/sources.list.d/%s.list\n" "$backports" "$target" >&2
            printf '  apt-get update && apt-get install --no-install-recommends%s\n' "$wanted" >&2
            exit 1
        fi
    fi

    # apt sees the machine's own sources, plus backports where they are needed, through lists of its own: what the user
    # configured stays as it is. The state of installed packages is the machine's, as it must be.
    trap '$as_root rm -rf "$dir"' EXIT
    mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/sources"
    for file in /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ ! -e "$file" ] || $as_root cp "$file" "$dir/sources/"
    done
    [ -z "$backports" ] || printf '%s\n' "$backports" > "$dir/sources/bulkhead-backports.list"
    bh_say "installing them"
    apt_do() {
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dir::Etc::sourceparts="$dir/sources" \
            -o Dir::State::lists="$dir/lists" -o Dir::Cache::archives="$dir/archives" -o Acquire::Retries=3 \
            -o Dpkg::Use-Pty=0 "$@"
    }
    apt_do update > "$dir/log" 2>&1 || { cat "$dir/log" >&2; bh_die "apt could not read its sources"; }
    # shellcheck disable=SC2086
    apt_do install --no-install-recommends $wanted > "$dir/log" 2>&1 || {
        tail -n 40 "$dir/log" >&2
        bh_die "apt could not install them; its last words are above"
    }
fi

qemu_fits || bh_die "QEMU $qemu_least or later is needed; qemu-system-arm $(dpkg-query -W -f '${Version}' qemu-system-arm) is installed"
mkdir -p out
touch "$stamp"
