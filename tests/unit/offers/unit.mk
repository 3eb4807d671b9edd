# A device that is offered between four threads, under ThreadSanitizer, as in ../races.
unit_offers_alone := 1
unit_offers_cflags := -D_GNU_SOURCE $(TEST_INCLUDES)
unit_offers_with := src/build/partition/build_offer.c
$(TESTS_OUT)/tests/unit/offers/% $(TESTS_OUT)/with/offers/%: TEST_CFLAGS := -std=c11 -g -O1 -fsanitize=thread -pthread \
    --param=tsan-distinguish-volatile=1 -DCONFIG_DEBUG=0 -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 -DCONFIG_CONTROL=1 \
    -DCONFIG_IOMMU=1 -Wall -Wextra -Wno-tsan
$(TESTS_OUT)/tests/unit/offers/%: TEST_LINK := -fsanitize=thread -pthread \
    $(foreach n,1 2 4 8,-Wl,--defsym=__tsan_volatile_read$(n)=race_point -Wl,--defsym=__tsan_volatile_write$(n)=race_point)
