#!/bin/sh
# Runs levels of tests one after the other and sums up what they report.
#   levels.sh run MAKE TARGET...   each target leaves out/results/<level>.txt whose last line is "N passed, N failed"
#   levels.sh kinds MAKE KIND...   builds image and tool in each kind <port>-<toolchain>-<debug>-<static>, reports as a level does
# A level that reports nothing, or no test at all, has failed. The last line printed is the sum.
set -u
cd "$(dirname "$0")/.." || exit 1
mode=$1
make=$2
shift 2
results=out/results
mkdir -p "$results"

if [ "$mode" = kinds ]; then
    passed=0
    failed=0
    for kind in "$@"; do
        if $make image tools $(echo "$kind" | sed 's/\(.*\)-\(.*\)-\(.*\)-\(.*\)/PORT=\1 TOOLCHAIN=\2 DEBUG=\3 STATIC=\4/'); then
            passed=$((passed + 1))
        else
            printf 'build of %s failed\n' "$kind"
            failed=$((failed + 1))
        fi
    done
    printf '%s passed, %s failed\n' "$passed" "$failed" > "$results/build-all.txt"
    [ "$failed" = 0 ]
    exit
fi

started_all=$(date +%s)
all_passed=0
all_failed=0
table=
for target in "$@"; do
    level=${target#test-}
    rm -f "$results/$level.txt"
    printf '== %s\n' "$target"
    started=$(date +%s)
    { $make "$target" < /dev/null; echo $? > "$results/.code"; } 2>&1 | tee "$results/$level.log"
    code=$(cat "$results/.code")
    took=$(($(date +%s) - started))
    if [ "$target" = build ]; then
        # Compiling is one test: it passes or it does not.
        if [ "$code" = 0 ]; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; fi > "$results/$level.txt"
    fi
    counts=$(tail -n 1 "$results/$level.txt" 2>/dev/null | sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed.*$/\1 \2/p')
    note=
    if [ -z "$counts" ]; then
        counts='0 1'
        note='reported nothing'
    fi
    passed=${counts% *}
    failed=${counts#* }
    if [ $((passed + failed)) = 0 ]; then
        failed=1
        note='ran no test'
    elif [ "$code" != 0 ] && [ "$failed" = 0 ]; then
        failed=1
        note="ended with code $code"
    fi
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
    table="$table$(printf '%-14s %6s passed %4s failed %5ss  %s' "$target" "$passed" "$failed" "$took" "$note")
"
done
rm -f "$results/.code"
printf '\n%s%-14s %26s %5ss\n' "$table" total '' "$(($(date +%s) - started_all))"
printf '%s passed, %s failed\n' "$all_passed" "$all_failed"
[ "$all_failed" = 0 ]
