#!/bin/sh
# Fetches CBMC with the libraries that it needs, which may be newer than the machine's, and keeps it in the cache, started by
# a script of its own. Nothing is installed. Signatures are checked, as in fetch.sh.
set -eu
cd "$(dirname "$0")/.."
. build/apt-private.sh

suite=trixie
cache=${BULKHEAD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bulkhead}
arch=$(dpkg --print-architecture)
dir=$(bh_scratch)
trap 'rm -rf "$dir" "$cache/cbmc.new"' EXIT
mirror=$(bh_mirror "$dir")
mkdir -p "$dir/archives/partial" "$dir/sources" "$dir/lists/partial" "$dir/debs"
: > "$dir/status"
printf 'deb %s%s %s main\n' "$(bh_signed_by)" "$mirror" "$suite" > "$dir/sources/$suite.list"

apt_private() {
    apt-get -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$dir" -o Dir::State::lists="$dir/lists" \
        -o Dir::State::status="$dir/status" -o Dir::Cache="$dir" -o Dir::Cache::archives="$dir/archives" \
        -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources" -o Dir::Etc::preferencesparts=/dev/null \
        -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

bh_say "fetching CBMC of Debian $suite (once; kept in $cache/cbmc)"
apt_private update > "$dir/log" 2>&1 || { cat "$dir/log" >&2; bh_die "apt could not read $suite's lists"; }
( cd "$dir/debs" && apt_private download cbmc minisat libc6 libstdc++6 libgcc-s1 ) > "$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; bh_die "apt could not fetch CBMC"; }
rm -rf "$cache/cbmc.new"
mkdir -p "$cache/cbmc.new"
for deb in "$dir"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$cache/cbmc.new" --wildcards --exclude './usr/share/*' './usr/*'
done
loader=$(cd "$cache/cbmc.new" && find usr/lib -name 'ld-linux*.so*' -type f | head -n 1)
[ -n "$loader" ] || bh_die "CBMC's packages have no loader"
cat > "$cache/cbmc.new/cbmc" <<END
#!/bin/sh
root=\$(dirname "\$0")
exec "\$root/$loader" --library-path "\$root/$(dirname "$loader"):\$root/usr/lib" "\$root/usr/bin/cbmc" "\$@"
END
chmod +x "$cache/cbmc.new/cbmc"
rm -rf "$cache/cbmc"
mv "$cache/cbmc.new" "$cache/cbmc"
