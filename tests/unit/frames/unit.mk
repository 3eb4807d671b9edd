# Domains' memory between four threads, under ThreadSanitizer, as in ../races.
unit_frames_alone := 1
unit_frames_cflags := -D_GNU_SOURCE $(TEST_INCLUDES)
unit_frames_with := src/domain/p2m.c src/domain/p2m_ref.c src/mem/pool.c src/mem/blocks.c src/mem/ram.c
$(TESTS_OUT)/tests/unit/frames/% $(TESTS_OUT)/with/frames/%: TEST_CFLAGS := -std=c11 -g -O1 -fsanitize=thread -pthread \
    --param=tsan-distinguish-volatile=1 -DCONFIG_DEBUG=0 -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 -DCONFIG_CONTROL=1 -Wall -Wextra -Wno-tsan
$(TESTS_OUT)/tests/unit/frames/%: TEST_LINK := -fsanitize=thread -pthread \
    $(foreach n,1 2 4 8,-Wl,--defsym=__tsan_volatile_read$(n)=race_point -Wl,--defsym=__tsan_volatile_write$(n)=race_point)
