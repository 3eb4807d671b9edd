#!/bin/sh
# `make help`.
set -eu
cd "$(dirname "$0")/.."
cat <<'END'
What make does here (everything that is missing is set up first):
  make run       build, boot a system in QEMU and leave you on its consoles
  make test      build with both compilers and run every check and test; the gate
  make quick     the part of it that takes under two minutes
  make nightly   make test, the long tests and make fresh
  make fresh     make run and make test inside clean Debian 12 and 13 trees (root; FRESH='bookworm' or 'trixie' for one)
  make build     hypervisor, host tool and guests (the default)
  make build-all the same with both compilers, for release and for debugging
  make check     the checkers; test-unit test-abi test-neg test-fuzz test-hal test-guest test-system bench-check: one level
  make fuzz      fuzz targets, FUZZ_SECONDS=<n> each (60); T=<target> for one
  make proof     what CBMC proves of queues and policies, T=<word> for some; part of make nightly (minutes)
  make bench     EL2 instructions of each event, ours and Xen's, in QEMU; also out/bench/bench.json and .svg (minutes)
  make bench-check    ours alone against bench/baseline.json and bench/ports.json; part of make test
  make bench-decisions    what a scheduler's decision costs with 1 to 256 vCPUs on a CPU, ours and Xen's
  make sched-trace SYSTEM=<name> FROM=<ms> TO=<ms>   pictures of who had which CPU when, out/sched; docs/scheduling.md
  make bench-ports    the table of the 32-bit ports
  make bench-baseline REASON='<text>'      make bench, then writes that file and the table in docs/performance.md
  make bench-profile EVENT='<part of a name>'  where an event's instructions go, function by function
  make sizes     lines of code, image, memory; also in out/sizes.json
  make format    clang-format over the sources
  make setup     install the packages needed; make fetch: also fetch the guests (both happen by themselves)
  make clean     remove out/ (what was fetched stays in ${BULKHEAD_CACHE:-~/.cache/bulkhead})

Build variables
  PORT=<name>           arm64, armv7a or armv8r; a BOARD= implies it (arm64)
  LOAD_ADDR=<address>   armv8r: where the image runs, as it is linked (0x20000000)
  TOOLCHAIN=clang|gcc   the compiler (clang)
  STATIC=1              only what a static system uses, its plan made by bulkhead-image; GIC=2|3: one GIC only (0)
  PARTS='<names>'       of it only these: links grants devices iommu pci watchdog report, or none (all)
  DEBUG=1               assertions, lock ranks and stack protector; slower (0)
  V=1                   show the commands

Run variables
  SYSTEM=<name>         a system of those below (demo)
  UNTIL='<regex>'       no terminal: copy the console out, succeed when the pattern (Python's re) has appeared
  COUNT=<n>               this many times, counted line by line (1)
  TIMEOUT=<seconds>       or fail after this time (300)
  INPUT='<text>'          typed into the console at the start of such a run; \n \r \xNN as in C (none)
  BOARD=<name>          the machine: virt, xlnx-zcu102, virt-a15 or mps3-an536 (virt)
  CPU=<model>           its processor (cortex-a57); CPUS=<n> how many (4); MEM=<MiB> memory (2048); GIC=2|3 (3)
  QEMU_EXTRA='<args>'   further arguments for QEMU
  BULKHEAD_PATIENCE=<n> in the environment: multiplies all times waited, for a slow machine (1)

Systems (systems/*.dts)
END
for file in systems/*.dts; do
    [ -e "$file" ] || continue
    printf '  %-12s %s\n' "$(basename "$file" .dts)" "$(sed -n 's|^/\* *\(.*[^ ]\) *\*/$|\1|p' "$file" | head -n 1)"
done
