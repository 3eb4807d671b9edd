#!/bin/sh
# Fetches what Bulkhead needs of Debian 13's archive. Of arm64: a kernel and busybox for the guests, libfdt, zlib and libmd to
# link, U-Boot as a loader, Xen as the peer of the benchmark, and Xen's tools and libvirt, which run in dom0. Of armhf: kernel,
# busybox and the libraries.
# A private apt configuration is used, made from the machine's own mirror and keys, and every signature is checked. What
# is wanted of the packages is kept in the cache, so that a later run needs no network; nothing is installed.
#   fetch.sh          fetch what the cache lacks
#   fetch.sh --again  fetch the current versions even so
set -eu
cd "$(dirname "$0")/.."
. build/apt-private.sh

suite=trixie
layouts='arm64:9 armhf:1'                   # raised when what is kept of an architecture's packages changes
again=${1:-}
cache=${BULKHEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead}

# The architectures that the cache lacks, as ARCHITECTURE:LAYOUT
lacking() {
    for want in $layouts; do
        if [ "$again" = --again ] || [ "$(cat "$cache/$suite-${want%:*}/layout" 2>/dev/null)" != "${want#*:}" ]; then
            echo "$want"
        fi
    done
}

[ -n "$(lacking)" ] || exit 0
mkdir -p "$cache"
exec 9> "$cache/.lock"
if command -v flock > /dev/null; then
    flock 9
fi

dir=$(bh_scratch)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/archives/partial" "$dir/sources"
mirror=$(bh_mirror "$dir")
: > "$dir/status"

apt_private() {
    tool=$1
    shift
    "$tool" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$dir" \
        -o Dir::State::lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir" \
        -o Dir::Cache::archives="$dir/archives" -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources" \
        -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

# sources NAME: where apt looks, which is the suite's code name or another name of it
sources() {
    printf 'deb %s%s %s main\n' "$(bh_signed_by)" "$mirror" "$1" > "$dir/sources/$suite.list"
    rm -rf "$dir/lists"
    mkdir -p "$dir/lists/partial"
}

# lists NAME: under that name the mirror has the suite, whole
lists() {
    sources "$1"
    apt_private apt-get update >> "$dir/log" 2>&1 && grep -q "^Codename: $suite\$" "$dir"/lists/*Release
}

# apt_lists: what the suite has. A mirror whose lists do not belong together under its code name, as for days after a point
# release, may still have the release before whole under `stable`.
apt_lists() {
    bh_say "fetching the guests and libraries of Debian $suite for $arch (once; kept in $keep)"
    mkdir -p "$dir/$arch/debs" "$new/include" "$new/lib"
    : > "$dir/log"
    lists "$suite" || lists stable || { cat "$dir/log" >&2; bh_die "apt could not read $suite's lists"; }
}

# download KERNEL PACKAGE...: the current kernel, whose name is left in $kernel, and packages
download() {
    # An unsigned or badly signed list is only a warning to apt-get update; packages named by one are refused at download.
    kernel=$(apt_private apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\)$/\1/p' | head -n 1)
    [ -n "$kernel" ] || { cat "$dir/log" >&2; bh_die "no kernel for $arch is named by $suite's lists"; }
    shift
    ( cd "$dir/$arch/debs" && apt_private apt-get download "$kernel" "$@" ) > "$dir/log" 2>&1 || {
        cat "$dir/log" >&2
        bh_die "apt could not fetch the packages"
    }
}

# unpack PACKAGE PATTERN...: of a package only what is named goes to the scratch folder (a kernel's modules are large).
unpack() {
    deb=$(echo "$dir/$arch/debs/$1"_*.deb)
    shift
    mkdir -p "$dir/$arch/tree"
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/$arch/tree" --wildcards "$@"
}

# What both need to be linked
take_libraries() {
    unpack busybox-static './usr/bin/busybox'
    unpack libfdt-dev './usr/include/*.h' './usr/lib/*/libfdt.a'
    unpack zlib1g-dev './usr/include/*.h' './usr/lib/*/libz.a'
    unpack libmd-dev './usr/include/*.h' './usr/lib/*/libmd.a'
    cp "$dir/$arch/tree/usr/bin/busybox" "$new/busybox"
    find "$dir/$arch/tree/usr/include" -name '*.h' -exec cp {} "$new/include/" \;
    cp "$dir/$arch"/tree/usr/lib/*/libfdt.a "$dir/$arch"/tree/usr/lib/*/libz.a "$dir/$arch"/tree/usr/lib/*/libmd.a "$new/lib/"
}
libraries='busybox include/libfdt.h include/fdt.h include/zlib.h include/zconf.h include/sha2.h lib/libfdt.a lib/libz.a lib/libmd.a'

# What loads and what it needs comes later: the drivers of guests, of dom0's devices, and both ends of the PV protocols
modules='sbsa_gwdt e1000e xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkfront xen-netfront xen-blkback
    xen-netback llc stp bridge loop failover net_failover virtio_net virtio_blk virtio_mmio
    crc32c_generic crc16 mbcache jbd2 ext4'

# dom0's programs as Debian lays them out: Xen's tools with what their scripts start, and libvirt with what it looks at. What
# they are linked with is found out.
tool_packages='xen-utils-4.20 xen-utils-common xenstore-utils bash util-linux ncurses-base libvirt-daemon libvirt-daemon-driver-xen
    libvirt-clients'
so=usr/lib/aarch64-linux-gnu
of_xen=usr/lib/xen-4.20/bin
xen_files="usr/lib/ld-linux-aarch64.so.1 usr/bin/bash usr/bin/flock usr/bin/xenstore* usr/sbin/xl usr/sbin/xenstored
    usr/sbin/xenconsoled usr/sbin/xentop usr/share/terminfo/v/vt100 usr/lib/xen-common/bin etc/xen/scripts etc/xen/xl.conf
    $of_xen/xl $of_xen/xenstored $of_xen/xen-init-dom0 $of_xen/init-dom0less $of_xen/xenstore-control $of_xen/xenconsoled
    $of_xen/xenconsole $of_xen/xentop $of_xen/xenctx $so/libgcc_s.so.1"
libvirt_files="usr/bin/virsh usr/sbin/libvirtd usr/lib/libvirt/libvirt_iohelper $so/libvirt/connection-driver/libvirt_driver_libxl.so
    usr/share/libvirt/cpu_map/index.xml usr/share/libvirt/cpu_map/arm_*.xml"

# library_packages PACKAGE...: these and the packages of libraries that they depend on, and those in turn
library_packages() {
    wanted=
    more=$(printf '%s\n' "$@" | sort)
    while [ "$wanted" != "$more" ]; do
        wanted=$more
        # shellcheck disable=SC2086 # a list of words
        more=$({ echo "$wanted"; apt_private apt-cache depends --important $wanted |
            sed -n 's/^ *|\{0,1\}\(Pre\)\{0,1\}Depends: \(z\{0,1\}lib[^ ]*\)$/\2/p'; } | sort -u)
    done
    echo "$wanted"
}

# linked FILE...: these and the libraries that they need, under all names
linked() {
    found=
    more=$(printf '%s\n' "$@" | sort -u)
    while [ "$found" != "$more" ]; do
        found=$more
        # shellcheck disable=SC2086 # a list of words
        more=$({
            echo "$found"
            { readelf -d $found 2> /dev/null || true; } | sed -n "s|.*(NEEDED).*\[\(.*\)\]|$so/\1|p"
            for file in $found; do
                [ ! -L "$so/${file#"$so/"}" ] || echo "$so/$(readlink "$file")"
            done
        } | sort -u)
    done
    echo "$found"
}

take_tools() {
    mkdir -p "$dir/$arch/tools" "$new/tools" "$new/libvirt"
    for package in $tools; do
        dpkg-deb --fsys-tarfile "$dir/$arch/debs/${package}"_*.deb | tar -x -C "$dir/$arch/tools"
    done
    (
        cd "$dir/$arch/tools"
        # shellcheck disable=SC2086 # patterns
        linked $xen_files > "$dir/tools.list"
        # shellcheck disable=SC2086
        linked $libvirt_files | grep -vxF -f "$dir/tools.list" > "$dir/libvirt.list"
        tar -c -T "$dir/tools.list" > "$dir/tools.tar" && tar -c -T "$dir/libvirt.list" > "$dir/libvirt.tar"
    ) || bh_die "the packages of $suite lack something that dom0's programs need"
    tar -x -C "$new/tools" -f "$dir/tools.tar"
    tar -x -C "$new/libvirt" -f "$dir/libvirt.tar"
}

take_arm64() {
    apt_lists
    # shellcheck disable=SC2086 # lists of words
    tools=$(library_packages $tool_packages)
    # shellcheck disable=SC2086
    download linux-image-arm64 busybox-static libfdt-dev zlib1g-dev libmd-dev libxen-dev u-boot-qemu xen-hypervisor-4.20-arm64 $tools
    take_libraries
    unpack "$kernel" './boot/vmlinuz-*' './usr/lib/linux-image-*/xilinx/zynqmp-zcu102-rev1.0.dtb' \
        './usr/lib/linux-image-*/broadcom/bcm2711-rpi-4-b.dtb' \
        $(printf './usr/lib/modules/*/%s.ko* ' $modules)
    unpack u-boot-qemu './usr/lib/u-boot/qemu_arm64/u-boot.bin'
    unpack xen-hypervisor-4.20-arm64 './boot/xen-*'
    unpack libxen-dev './usr/include/xen/*' # the guests' ABI as its authors state it, for the ABI tests
    mkdir -p "$new/dtb"
    tree=$dir/$arch/tree
    cp "$tree"/boot/vmlinuz-* "$new/linux.Image"
    gzip -9 -n -c "$new/linux.Image" > "$new/linux.Image.gz"
    find "$tree" -name '*.dtb' -exec cp {} "$new/dtb/" \;
    cp "$tree/usr/lib/u-boot/qemu_arm64/u-boot.bin" "$new/u-boot.bin"
    for name in $modules; do
        module=$(find "$tree/usr/lib/modules" -name "$name.ko*")
        case $module in
        *.xz) xz -d -c "$module" > "$new/$name.ko" ;;
        *) cp "$module" "$new/$name.ko" ;;
        esac
    done
    cp "$tree"/boot/xen-4.20-arm64 "$new/xen.Image"
    mv "$tree/usr/include/xen" "$new/xen"
    take_tools
    expected="$libraries linux.Image u-boot.bin $(printf '%s.ko ' $modules) xen/xen.h xen.Image
        tools/$of_xen/xenstored libvirt/usr/sbin/libvirtd"
}

take_armhf() {
    apt_lists
    download linux-image-armmp-lpae busybox-static libfdt-dev zlib1g-dev libmd-dev
    take_libraries
    unpack "$kernel" './boot/vmlinuz-*'
    cp "$dir/$arch"/tree/boot/vmlinuz-* "$new/linux.zImage"
    expected="$libraries linux.zImage"
}

# keep LAYOUT: what was taken replaces what the cache had
keep() {
    for file in $expected; do
        [ -s "$new/$file" ] || bh_die "the packages of $suite hold no $file where it is looked for"
    done
    for deb in "$dir/$arch"/debs/*.deb; do
        printf '%s %s\n' "$(dpkg-deb --show --showformat '${Package} ${Version}' "$deb")" "$(sha256sum < "$deb" | cut -d ' ' -f 1)"
    done > "$new/versions"
    printf '%s\n' "$1" > "$new/layout"

    chmod -R u+rwX,go+rX "$new"
    rm -rf "$keep.new"
    cp -r "$new" "$keep.new"
    rm -rf "$keep.old"
    [ ! -e "$keep" ] || mv "$keep" "$keep.old"
    mv "$keep.new" "$keep"
    rm -rf "$keep.old"
    bh_say "kept: $(cut -d ' ' -f 1,2 "$keep/versions" | grep -v "^lib" | paste -s -d ',' | sed 's/,/, /g')"
}

for want in $(lacking); do
    arch=${want%:*}
    keep=$cache/$suite-$arch
    new=$dir/$arch/new
    take_$arch
    keep "${want#*:}"
done
