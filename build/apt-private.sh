# Sourced by setup.sh, fetch.sh and fresh.sh: what they know about apt. POSIX shell, nothing installed is assumed but apt.
# The mirror and its keys are the machine's own; no host is named here. Nothing under /etc or /var/lib/apt is changed.

bh_say() { printf '%s\n' "bulkhead: $*"; }
bh_die() { printf '%s\n' "bulkhead: $*" >&2; exit 1; }

# The Debian release of this machine, as a code name; empty on anything else.
bh_codename() {
    ( . /etc/os-release 2>/dev/null && [ "${ID:-}" = debian ] && printf '%s' "${VERSION_CODENAME:-}" ) || true
}

# bh_release_uris DIR: one "URI SUITE" a line for every source that apt is configured with. `apt-get update --print-uris`
# is asked rather than the files read, because it knows every form of them (one-line, deb822, mirror lists, includes).
bh_release_uris() {
    mkdir -p "$1/probe/partial"
    apt-get -o Dir::State::lists="$1/probe" update --print-uris 2>/dev/null |
        sed -n "s|^'\(.*\)/dists/\(.*\)/InRelease'.*|\1 \2|p"
}

# bh_mirror DIR: the URI of the machine's Debian mirror, the one that serves the release itself.
bh_mirror() {
    codename=$(bh_codename)
    bh_release_uris "$1" > "$1/uris"
    mirror=$(awk -v want="$codename" '$2 == want { print $1; exit }' "$1/uris")
    if [ -z "$mirror" ]; then
        mirror=$(awk '$2 !~ /[-\/](security|updates|backports|proposed)/ { print $1; exit }' "$1/uris")
    fi
    [ -n "$mirror" ] || bh_die "apt has no Debian source configured, so there is no mirror to fetch from"
    printf '%s' "$mirror"
}

# The option that names the archive's keys; without the keyring file apt's own trusted parts are used, never no key.
bh_signed_by() {
    for ring in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
        if [ -r "$ring" ]; then
            printf '[signed-by=%s] ' "$ring"
            return 0
        fi
    done
}

# A scratch folder that apt's unprivileged download user may enter.
bh_scratch() {
    scratch=$(mktemp -d) || bh_die "cannot make a temporary folder"
    chmod 755 "$scratch"
    printf '%s' "$scratch"
}
