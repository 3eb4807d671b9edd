"""Debian's U-Boot as the host's loader: the one-file image lies on a disk, and booti starts it. [test->req~u-boot~1]
The same binary also runs as a guest."""
import os
import shutil
import struct
import subprocess
import sys

import pytest

from helpers import type_text
from run import Machine, fetched_folder

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "guest", "book"))

from wrap import uimage  # noqa: E402  (the path is set above)

MKE2FS = shutil.which("mke2fs", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
# What U-Boot's standard boot looks for: no typing at all.
EXTLINUX = "timeout 1\ndefault bulkhead\nlabel bulkhead\n    kernel /bulkhead.img\n"


MIB = 1 << 20
DISK = 128  # MiB, all of it but the first one in one partition


def make_disk(content, path):
    """A disk with a bootable partition of Linux' type, an ext4 that holds a folder's files."""
    subprocess.run([MKE2FS, "-q", "-t", "ext4", "-E", "offset=%d" % MIB, "-d", content, path, "%dM" % (DISK - 1)], check=True)
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", MIB // 512, (DISK - 1) * MIB // 512)
    with open(path, "r+b") as stream:
        stream.seek(446)
        stream.write(entry + bytes(48) + b"\x55\xaa")


class FromDisk(Machine):
    """U-Boot in flash and a disk, instead of QEMU's own loader."""

    def __init__(self, *args, folder, files, **kwargs):
        super().__init__(*args, **kwargs)
        self.folder = folder
        self.files = files

    def arguments(self):
        command = super().arguments()
        at = command.index("-kernel")
        content = self.folder / "content"
        disk = str(self.folder / "disk.ext4")
        content.mkdir()
        shutil.copyfile(command[at + 1], content / "bulkhead.img")
        for name, text in self.files.items():
            (content / name).parent.mkdir(parents=True, exist_ok=True)
            (content / name).write_text(text)
        make_disk(str(content), disk)
        command[at:at + 2] = ["-bios", os.path.join(fetched_folder(), "u-boot.bin"),
                              "-drive", "if=none,id=disk,format=raw,readonly=on,file=" + disk,
                              "-device", "virtio-blk-device,drive=disk"]
        return command


def start(boot, *args, **kwargs):
    """As boot() does, for a machine of another class."""
    machine = FromDisk(*args, **kwargs)
    boot.machines.append(machine)
    return machine.start()


@pytest.mark.parametrize("gic", ["3", "2"])
def test_booti(boot, tmp_path, gic):
    """By hand: load, booti. U-Boot's own tree comes along in x0; the one in the image counts."""
    m = start(boot, os.path.join(HERE, "tick.dts"), folder=tmp_path, files={}, gic=gic, cpus=2, mem=512)
    m.expect(r"Hit any key to stop autoboot", 30)
    m.send("\n")
    m.expect(r"^=> ", 10)
    m.send("load virtio 0:1 ${kernel_addr_r} /bulkhead.img && booti ${kernel_addr_r} - ${fdtcontroladdr}\n")
    m.expect(r"^bulkhead: .* on Cortex-A57 .* 2 CPUs, 512 MiB RAM", 30)
    m.expect(r"^tick: RT tick ticks=\d+ missed=0", 30)
    m.send("q")
    assert m.wait_end(20) == 0


def test_extlinux(boot, tmp_path):
    """By itself, the demonstration: U-Boot finds the disk's extlinux.conf."""
    m = start(boot, "demo", folder=tmp_path, files={"extlinux/extlinux.conf": EXTLINUX})
    m.expect(r"^Retrieving file: /bulkhead.img", 60)
    m.expect(r"^domU2: RT domU2 ticks=\d+ missed=0", 60)
    m.expect(r"^domU1: .*Booting Linux on physical CPU", 60)


RAM = 0x40000000
UBOOT_AT = 0x200000  # from the beginning of RAM, where this U-Boot takes its tree from
GUEST = """/dts-v1/;

/ {
    chosen {
        uboot {
            compatible = "xen,domain";
            #address-cells = <2>;
            #size-cells = <2>;
            memory = <0 131072>;
            cpus = <1>;
            vpl011;
            trap-unmapped-accesses = <0>;   /* it looks for QEMU's flash */

            kernel {
                compatible = "multiboot,kernel", "multiboot,module";
                data = /incbin/("%s");
            };
        };
    };
};
"""


def test_guest(boot, tmp_path):
    """A PL011 driver, a timer and PSCI of other people: U-Boot says what it finds, takes commands, and resets itself.
    [test->req~by-the-book~1] [test->req~vpl011~1] [test->req~unmapped-access~1]"""
    tree = subprocess.run(["dtc", "-q", "-O", "dtb", os.path.join(HERE, "uboot-guest.dts")], capture_output=True, check=True)
    with open(os.path.join(fetched_folder(), "u-boot.bin"), "rb") as stream:
        data = tree.stdout.ljust(UBOOT_AT, b"\0") + stream.read()
    (tmp_path / "uboot.bin").write_bytes(uimage(data, RAM, 0, RAM + UBOOT_AT))
    (tmp_path / "system.dts").write_text(GUEST % (tmp_path / "uboot.bin"))
    m = boot(str(tmp_path / "system.dts"), cpus=1, mem=512)
    m.expect(r"uboot: DRAM: +128 MiB", 30)
    m.expect(r"Hit any key to stop autoboot", 30)
    m.send("x")
    m.expect(r"uboot: =>", 20)
    type_text(m, "md.l 40000000 1\n")
    m.expect(r"^uboot: 40000000: edfe0dd0", 20)
    type_text(m, "reset\n")
    m.expect(r"^bulkhead: .*uboot: restarts \(1\): SYSTEM_RESET", 20)
    m.expect(r"uboot: DRAM: +128 MiB", 30)
