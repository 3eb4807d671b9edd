# Event channels between four threads, under ThreadSanitizer, which takes the place of the others. It is told that
# volatile accesses are meant to meet: the test makes each of them a place where others may come between.
unit_races_alone := 1
unit_races_cflags := -D_GNU_SOURCE $(TEST_INCLUDES)
unit_races_with := $(sort $(wildcard src/evtchn/*.c)) src/domain/role.c
$(TESTS_OUT)/tests/unit/races/% $(TESTS_OUT)/with/races/%: TEST_CFLAGS := -std=c11 -g -O1 -fsanitize=thread -pthread \
    --param=tsan-distinguish-volatile=1 -DCONFIG_DEBUG=0 -DCONFIG_STATIC=0 -DCONFIG_CONTROL=1 -DCONFIG_GIC_ONLY=0 \
    -Dmemset=race_set -Wall -Wextra -Wno-tsan
$(TESTS_OUT)/tests/unit/races/%: TEST_LINK := -fsanitize=thread -pthread \
    $(foreach n,1 2 4 8,-Wl,--defsym=__tsan_volatile_read$(n)=race_point -Wl,--defsym=__tsan_volatile_write$(n)=race_point)
