# Linux guests: Debian's kernel as it is, plain and compressed, and an initramfs of ours around Debian's busybox,
# with the drivers of the watchdog, of a network card and of event channels. For AArch32 its zImage and busybox alone.

GUEST_FILES := $(addprefix out/guests/,linux.Image linux.Image.gz initrd.gz dom0.gz xl.gz xl.ext4 backend.gz driver.gz linux.zImage \
    initrd32.gz armv7a/linux.Image armv7a/initrd.gz)

.PHONY: guests
guests: $(GUEST_FILES)
# The real-time guest has rules of its own.
ifneq ($(wildcard build/guests.mk),)
guests: out/guests/rt.bin
endif

out/guests/linux.Image out/guests/linux.Image.gz: out/guests/%: $(FETCHED)/%
	@mkdir -p $(@D)
	@ln -sf $< $@

out/guests/linux.zImage: $(FETCHED_ARMHF)/linux.zImage
	@mkdir -p $(@D)
	@ln -sf $< $@

# Where only AArch32 guests run, the systems' usual names are theirs.
out/guests/armv7a/linux.Image: out/guests/linux.zImage
out/guests/armv7a/initrd.gz: out/guests/initrd32.gz
out/guests/armv7a/linux.Image out/guests/armv7a/initrd.gz:
	@mkdir -p $(@D)
	@ln -sf ../$(<F) $@

out/guests/initrd32.gz: $(FETCHED_ARMHF)/busybox tools/guest/initramfs.py tools/guest/init tools/guest/shrc
	@mkdir -p $(@D)
	$(call say,INITRD,$@)$(PYTHON) tools/guest/initramfs.py --busybox $< --output $@

# An end of a link, static and without a C library
LINK_CFLAGS := -std=gnu11 -O2 -march=armv8-a -mstrict-align -ffreestanding -fno-builtin -nostdlib -static -fuse-ld=lld-19 -Wall \
    -Wextra -Werror -Iguestlib -Itests/guest/link
out/guests/link.linux: tools/guest/link/link.c tests/guest/link/traffic.c guestlib/ring.c guestlib/ring.h \
    tests/guest/link/traffic.h build/linux.mk
	@mkdir -p $(@D)
	$(call say,GUESTCC,$@)clang-19 --target=aarch64-linux-gnu $(LINK_CFLAGS) -o $@ $(filter %.c,$^)

linux_modules := sbsa_gwdt e1000e xen-evtchn xen-blkfront xen-netfront
out/guests/initrd.gz: $(FETCHED)/busybox $(linux_modules:%=$(FETCHED)/%.ko) out/guests/link.linux tools/guest/initramfs.py \
    tools/guest/init tools/guest/shrc tools/guest/pv/pv-front build/linux.mk
	@mkdir -p $(@D)
	$(call say,INITRD,$@)$(PYTHON) tools/guest/initramfs.py --busybox $< $(foreach m,$(linux_modules),--add $(FETCHED)/$(m).ko:lib/$(m).ko) \
	    --add out/guests/link.linux:bin/link-end --add tools/guest/pv/pv-front:bin/pv-front --output $@

# dom0's: what serves other domains, and Xen's tools as Debian lays them out. xl's mounts a disk with more first, what is there to be
# created, and what tools remember.
dom0_modules := failover net_failover virtio_mmio virtio_net virtio_blk loop llc stp bridge xen-evtchn xen-gntdev xen-gntalloc \
    xen-privcmd xenfs xen-blkback xen-netback
xl_modules := $(dom0_modules) crc32c_generic crc16 mbcache jbd2 ext4
dom0_scripts := tools/guest/pv/dom0
xl_scripts := tools/guest/pv/disk tools/guest/pv/dom0 tools/guest/pv/libvirt
out/guests/dom0.gz out/guests/xl.gz: out/guests/%.gz: $(FETCHED)/busybox $(FETCHED)/versions tools/guest/initramfs.py \
    tools/guest/init tools/guest/shrc $(xl_scripts) tools/guest/pv/pv-back tools/guest/pv/domains build/linux.mk
	@mkdir -p $(@D)
	$(call say,INITRD,$@)$(PYTHON) tools/guest/initramfs.py --busybox $< \
	    $(foreach m,$($*_modules),--add $(FETCHED)/$(m).ko:lib/$(m).ko) \
	    --tree $(FETCHED)/tools --link bin/bash:../usr/bin/bash --link lib/ld-linux-aarch64.so.1:../usr/lib/ld-linux-aarch64.so.1 \
	    --add tools/guest/pv/pv-back:bin/pv-back --add tools/guest/pv/domains:bin/domains \
	    $(foreach s,$($*_scripts),--boot-script $(s)) --output $@

xl_guests := $(addprefix out/guests/,linux.Image initrd.gz made.bin rtc.dtb pcie.dtb)
xl_files := $(shell find tools/guest/xl -type f)
out/guests/xl.ext4: $(FETCHED)/versions $(xl_files) $(xl_guests) build/linux.mk
	@rm -rf $@.tree && mkdir -p $@.tree/guest
	@cp -a $(FETCHED)/libvirt/usr $@.tree/ && cp -r tools/guest/xl/. $@.tree/
	@cp -L $(xl_guests) $@.tree/guest/
	@rm -f $@.new
	$(call say,MKE2FS,$@)/sbin/mke2fs -q -F -t ext4 -O ^resize_inode -J size=1 -m 0 -d $@.tree $@.new 128M > /dev/null && mv $@.new $@
	@rm -rf $@.tree

# Backends' in systems without dom0, without tools: one with a disk in memory, one with devices of its own
backend_modules := loop xen-blkback xen-netback
driver_modules := llc stp bridge e1000e virtio_blk xen-blkback xen-netback
out/guests/backend.gz out/guests/driver.gz: out/guests/%.gz: $(FETCHED)/busybox tools/guest/pv/% tools/guest/initramfs.py \
    tools/guest/init tools/guest/shrc tools/guest/pv/pv-back build/linux.mk $(FETCHED)/versions
	@mkdir -p $(@D)
	$(call say,INITRD,$@)$(PYTHON) tools/guest/initramfs.py --busybox $< \
	    $(foreach m,$($*_modules),--add $(FETCHED)/$(m).ko:lib/$(m).ko) --add tools/guest/pv/pv-back:bin/pv-back \
	    --boot-script tools/guest/pv/$* --output $@
