#!/bin/sh
# Fetches what Bulkhead needs of Debian 13's arm64 archive: a kernel and busybox for the guests, libfdt, zlib and libmd to
# link, U-Boot as a loader, and Xen as the peer of the benchmark.
# A private apt configuration is used, made from the machine's own mirror and keys, and every signature is checked. What
# is wanted of the packages is kept in the cache, so that a later run needs no network; nothing is installed.
#   fetch.sh          fetch if the cache lacks anything
#   fetch.sh --again  fetch the current versions even so
set -eu
cd "$(dirname "$0")/.."
. build/apt-private.sh

suite=trixie
arch=arm64
layout=6                                    # raised when what is kept of the packages changes
cache=${BULKHEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead}
keep=$cache/$suite-$arch

if [ "${1:-}" != --again ] && [ "$(cat "$keep/layout" 2>/dev/null)" = "$layout" ]; then
    exit 0
fi

mkdir -p "$cache"
exec 9> "$cache/.lock"
if command -v flock > /dev/null; then
    flock 9
    if [ "${1:-}" != --again ] && [ "$(cat "$keep/layout" 2>/dev/null)" = "$layout" ]; then
        exit 0
    fi
fi

dir=$(bh_scratch)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/lists/partial" "$dir/archives/partial" "$dir/sources" "$dir/debs" "$dir/new"
mirror=$(bh_mirror "$dir")
printf 'deb %s%s %s main\n' "$(bh_signed_by)" "$mirror" "$suite" > "$dir/sources/$suite.list"
: > "$dir/status"

apt_private() {
    tool=$1
    shift
    "$tool" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$dir" \
        -o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir" \
        -o Dir::Cache::archives="$dir/archives" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources" \
        -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

bh_say "fetching the guests and libraries of Debian $suite for $arch (once; kept in $cache)"
apt_private apt-get update > "$dir/log" 2>&1 || { cat "$dir/log" >&2; bh_die "apt could not read $suite's lists"; }
# An unsigned or badly signed list is only a warning to apt-get update; packages named by one are refused at download.
kernel=$(apt_private apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
[ -n "$kernel" ] || { cat "$dir/log" >&2; bh_die "no arm64 kernel is named by $suite's lists"; }
wanted="$kernel busybox-static libfdt-dev zlib1g-dev libmd-dev libxen-dev u-boot-qemu xen-hypervisor-4.20-arm64"
# shellcheck disable=SC2086
( cd "$dir/debs" && apt_private apt-get download $wanted ) > "$dir/log" 2>&1 || {
    cat "$dir/log" >&2
    bh_die "apt could not fetch the packages"
}

# unpack PACKAGE PATTERN...: of a package only what is named goes to the scratch folder (a kernel's modules are large).
unpack() {
    deb=$(echo "$dir/debs/$1"_*.deb)
    shift
    mkdir -p "$dir/tree"
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/tree" --wildcards "$@"
}
unpack "$kernel" './boot/vmlinuz-*' './usr/lib/linux-image-*/xilinx/zynqmp-zcu102-rev1.0.dtb' \
    './usr/lib/linux-image-*/broadcom/bcm2711-rpi-4-b.dtb' './usr/lib/modules/*/sbsa_gwdt.ko*' './usr/lib/modules/*/e1000e.ko*' \
    './usr/lib/modules/*/xen-evtchn.ko*'
unpack busybox-static './usr/bin/busybox'
unpack libfdt-dev './usr/include/*.h' './usr/lib/*/libfdt.a'
unpack zlib1g-dev './usr/include/*.h' './usr/lib/*/libz.a'
unpack libmd-dev './usr/include/*.h' './usr/lib/*/libmd.a'
unpack u-boot-qemu './usr/lib/u-boot/qemu_arm64/u-boot.bin'
unpack xen-hypervisor-4.20-arm64 './boot/xen-*'
unpack libxen-dev './usr/include/xen/*'     # the guests' ABI as its authors state it, for the ABI tests

new=$dir/new
mkdir -p "$new/include" "$new/lib" "$new/dtb"
cp "$dir"/tree/boot/vmlinuz-* "$new/linux.Image"
gzip -9 -n -c "$new/linux.Image" > "$new/linux.Image.gz"
find "$dir/tree" -name '*.dtb' -exec cp {} "$new/dtb/" \;
cp "$dir/tree/usr/bin/busybox" "$new/busybox"
cp "$dir/tree/usr/lib/u-boot/qemu_arm64/u-boot.bin" "$new/u-boot.bin"
for name in sbsa_gwdt e1000e xen-evtchn; do
    module=$(find "$dir/tree/usr/lib/modules" -name "$name.ko*")
    case $module in
    *.xz) xz -d -c "$module" > "$new/$name.ko" ;;
    *) cp "$module" "$new/$name.ko" ;;
    esac
done
cp "$dir"/tree/boot/xen-4.20-arm64 "$new/xen.Image"
mv "$dir/tree/usr/include/xen" "$new/xen"
find "$dir/tree/usr/include" -name '*.h' -exec cp {} "$new/include/" \;
cp "$dir"/tree/usr/lib/*/libfdt.a "$dir"/tree/usr/lib/*/libz.a "$dir"/tree/usr/lib/*/libmd.a "$new/lib/"
for file in linux.Image busybox include/libfdt.h include/fdt.h include/zlib.h include/zconf.h include/sha2.h lib/libfdt.a \
    lib/libz.a lib/libmd.a u-boot.bin sbsa_gwdt.ko e1000e.ko xen-evtchn.ko xen/xen.h xen.Image; do
    [ -s "$new/$file" ] || bh_die "the packages of $suite hold no $file where it is looked for"
done
for deb in "$dir"/debs/*.deb; do
    printf '%s %s\n' "$(dpkg-deb --show --showformat '${Package} ${Version}' "$deb")" "$(sha256sum < "$deb" | cut -d ' ' -f 1)"
done > "$new/versions"
printf '%s\n' "$layout" > "$new/layout"

chmod -R u+rwX,go+rX "$new"
rm -rf "$keep.new"
cp -r "$new" "$keep.new"
rm -rf "$keep.old"
[ ! -e "$keep" ] || mv "$keep" "$keep.old"
mv "$keep.new" "$keep"
rm -rf "$keep.old"
bh_say "kept: $(cut -d ' ' -f 1,2 "$keep/versions" | paste -s -d ',' | sed 's/,/, /g')"
