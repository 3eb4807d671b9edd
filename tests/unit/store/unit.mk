# The store's core, which knows nothing of the product.
unit_store_alone := 1
unit_store_cflags := -D_GNU_SOURCE -Istore
unit_store_with := $(sort $(wildcard store/core/*.c)) tests/unit/store/client.c
