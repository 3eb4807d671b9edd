# Linux guests: Debian's kernel as it is, plain and compressed, and an initramfs of ours around Debian's busybox,
# with the drivers of the watchdog and of a network card.

GUEST_FILES := out/guests/linux.Image out/guests/linux.Image.gz out/guests/initrd.gz

.PHONY: guests
guests: $(GUEST_FILES)
# The real-time guest has rules of its own.
ifneq ($(wildcard build/guests.mk),)
guests: out/guests/rt.bin
endif

out/guests/linux.Image out/guests/linux.Image.gz: out/guests/%: $(FETCHED)/%
	@mkdir -p $(@D)
	@ln -sf $< $@

out/guests/initrd.gz: $(FETCHED)/busybox $(FETCHED)/sbsa_gwdt.ko $(FETCHED)/e1000e.ko tools/guest/initramfs.py tools/guest/init \
    tools/guest/shrc build/linux.mk
	@mkdir -p $(@D)
	$(call say,INITRD,$@)$(PYTHON) tools/guest/initramfs.py --busybox $< --add $(FETCHED)/sbsa_gwdt.ko:lib/sbsa_gwdt.ko \
	    --add $(FETCHED)/e1000e.ko:lib/e1000e.ko --output $@
