# The same library between two threads, under ThreadSanitizer, which takes the place of the others.
unit_threads_alone := 1
unit_threads_cflags := -Iguestlib
unit_threads_with := guestlib/ring.c
$(TESTS_OUT)/tests/unit/threads/% $(TESTS_OUT)/with/threads/%: TEST_CFLAGS := -std=c11 -g -O2 -fsanitize=thread -pthread \
    -Wall -Wextra -Wno-tsan
$(TESTS_OUT)/tests/unit/threads/%: TEST_LINK := -fsanitize=thread -pthread
