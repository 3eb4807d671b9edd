#!/bin/sh
# The newcomer's two commands in a clean Debian 12 and a clean Debian 13: nothing that is on this machine by chance may be
# needed. Each is debootstrapped, gets the committed tree (git archive of HEAD) and runs `make run` and `make test`.
#   fresh.sh [SUITE...]      bookworm and trixie by default
# FRESH_DIR: where the trees are put (a temporary folder); FRESH_RUN=1: only `make run`. Needs root.
set -eu
cd "$(dirname "$0")/.."
. build/apt-private.sh

if [ "${1:-}" != --inside ]; then
    [ "$(id -u)" = 0 ] || bh_die "clean trees can only be made as root (debootstrap, chroot, mounts)"
    # Mounts are made in a namespace of our own, and processes in another: both are gone when this ends, however it ends.
    if ! command -v debootstrap > /dev/null; then
        bh_say "installing debootstrap"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends debootstrap; } > /dev/null 2>&1 ||
            bh_die "debootstrap could not be installed"
    fi
    work=$(mktemp -d "${FRESH_DIR:-${TMPDIR:-/tmp}}/bulkhead-fresh.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    mkdir -p out/results
    passed=0
    failed=0
    for suite in ${*:-bookworm trixie}; do
        if unshare --mount --pid --fork --kill-child sh build/fresh.sh --inside "$work" "$suite"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
        fi
        rm -rf "${work:?}/$suite"
    done
    printf '%s passed, %s failed\n' "$passed" "$failed" | tee out/results/fresh.txt
    [ "$failed" = 0 ]
    exit
fi

work=$2
suite=$3
root=$work/$suite
mount --make-rprivate /
mkdir -p "$work/$suite.apt"
mirror=$(bh_mirror "$work/$suite.apt")

bh_say "fresh $suite: debootstrap"
ring=
for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
    [ -n "$ring" ] || [ ! -r "$file" ] || ring=$file
done
debootstrap --variant=minbase --include=make,git,ca-certificates ${ring:+--keyring="$ring"} "$suite" "$root" "$mirror" \
    > "$work/$suite.log" 2>&1 || { tail -n 20 "$work/$suite.log"; bh_die "debootstrap of $suite failed"; }

# How this machine reaches its mirror is no part of a clean Debian: names, certificates and proxies come along.
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -L /etc/hosts "$root/etc/hosts" 2>/dev/null || true
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt" 2>/dev/null || true
apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https)::' > "$root/etc/apt/apt.conf.d/90host" || true
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp" -o mode=1777

mkdir -p "$root/root/bulkhead"
git archive HEAD | tar -x -C "$root/root/bulkhead"
inside() {
    # A clean environment too, but for a proxy.
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
        chroot "$root" sh -c "cd /root/bulkhead && $1" < /dev/null
}
bh_say "fresh $suite: make run"
inside "make run SYSTEM=demo UNTIL='GUEST-UP domU1' TIMEOUT=300" ||
    { bh_say "fresh $suite: make run failed"; exit 1; }
[ "${FRESH_RUN:-0}" = 0 ] || exit 0
bh_say "fresh $suite: make test"
inside "make test" || { bh_say "fresh $suite: make test failed"; exit 1; }
bh_say "fresh $suite: both commands passed"
