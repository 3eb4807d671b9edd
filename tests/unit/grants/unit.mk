# Grants between four threads: as in tests/unit/races.
unit_grants_alone := 1
unit_grants_cflags := -D_GNU_SOURCE $(TEST_INCLUDES)
unit_grants_with := $(sort $(wildcard src/grant/*.c))
$(TESTS_OUT)/tests/unit/grants/% $(TESTS_OUT)/with/grants/%: TEST_CFLAGS := -std=c11 -g -O1 -fsanitize=thread -pthread \
    --param=tsan-distinguish-volatile=1 -DCONFIG_DEBUG=0 -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 -DCONFIG_CONTROL=1 -Dmemset=race_set \
    -Wall -Wextra -Wno-tsan
$(TESTS_OUT)/tests/unit/grants/%: TEST_LINK := -fsanitize=thread -pthread \
    $(foreach n,1 2 4 8,-Wl,--defsym=__tsan_volatile_read$(n)=race_point -Wl,--defsym=__tsan_volatile_write$(n)=race_point)
