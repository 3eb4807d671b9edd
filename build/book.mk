# By-the-book guests: tests/guest/book. Each is linked at the address where it has to lie, and shipped in a form of its own.

# $(call book_kernel,NAME,FORM,BASE,SOURCES,HEADER): HEADER is the arm64 Image header's text_offset, `old` for one of the
# time before image_size was filled in (0x80000 then), `none` for flat code.
BOOK_OUT := $(GUEST_OBJ)/tests/guest/book
BOOK_CFLAGS := $(filter-out -fpie -fvisibility=hidden -Itests/guest/lib% -Iguestlib,$(GUEST_CFLAGS)) $(guest_flags_arm64) -Itests/guest/book
BOOK_LDFLAGS := -z max-page-size=4096 --build-id=none --fatal-warnings -static
BOOK_LDS := tests/guest/book/book.lds
book_names :=

$(BOOK_OUT)/%_fp.o: tests/guest/book/%_fp.c build/book.mk
	@mkdir -p $(@D)
	$(call say,GUESTCC,$<)$(guest_cc_arm64) $(filter-out -mgeneral-regs-only,$(BOOK_CFLAGS)) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BOOK_OUT)/%.o: tests/guest/book/%.S build/book.mk
	@mkdir -p $(@D)
	$(call say,GUESTAS,$<)$(guest_cc_arm64) -g -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(BOOK_OUT)/%.o: tests/guest/book/%.c build/book.mk
	@mkdir -p $(@D)
	$(call say,GUESTCC,$<)$(guest_cc_arm64) $(BOOK_CFLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

book_header_none := --defsym=book_text_offset=0 --defsym=book_image_size=0 --defsym=book_image_flags=0 --defsym=book_image_magic=0
book_header_old := --defsym=book_text_offset=0 --defsym=book_image_size=0 --defsym=book_image_flags=0 \
    --defsym=book_image_magic=0x644d5241
book_header = $(or $(book_header_$(1)),--defsym=book_text_offset=$(1) --defsym=book_image_size=book_whole_size \
    --defsym=book_image_flags=2 --defsym=book_image_magic=0x644d5241)

define book_kernel
book_names += $(1)
$(BOOK_OUT)/$(1).elf: $(patsubst %,$(BOOK_OUT)/%.o,start book $(4)) $(BOOK_LDS) build/book.mk
	$$(call say,GUESTLD,$$@)ld.lld-19 $(BOOK_LDFLAGS) --defsym=book_base=$(3) $(call book_header,$(5)) -T $(BOOK_LDS) \
	    -o $$@ $$(filter %.o,$$^)
out/guests/book-$(1).bin: $(BOOK_OUT)/$(1).elf tests/guest/book/wrap.py
	$$(call say,WRAP,$$@)llvm-objcopy-19 -O binary $$< $(BOOK_OUT)/$(1).flat && \
	    $(PYTHON) tests/guest/book/wrap.py $(2) $(3) $(BOOK_OUT)/$(1).flat $$@
endef

$(eval $(call book_kernel,gic2,image,0x40000000,gic2,0))
$(eval $(call book_kernel,gic3,image,0x40200000,gic3,0x200000))
$(eval $(call book_kernel,uart,uimage,0x40000000,uart gic,none))
$(eval $(call book_kernel,smp,gzip,0x40080000,smp smp_start gic,old))
$(eval $(call book_kernel,fp,uimage-gzip,0x40200000,fp numbers_fp fp_fill gic,none))
$(eval $(call book_kernel,timer,image,0x40080000,timer gic,old))
$(eval $(call book_kernel,rtos,uimage-gzip,0x40100000,rtos rtos_asm gic,0x100000))

.PHONY: book-guests
book-guests: $(book_names:%=out/guests/book-%.bin)
guests: book-guests

-include $(wildcard $(BOOK_OUT)/*.d)
