# The guests' ring library, which knows nothing of the product.
unit_ring_alone := 1
unit_ring_cflags := -D_GNU_SOURCE -Iguestlib
unit_ring_with := guestlib/ring.c
