"""The machines that the runner knows: how QEMU is told about each, and where its device tree comes from."""

QEMU = "qemu-system-aarch64"


class Board:
    """One machine model. `arguments` choose it; QEMU itself writes its device tree, or else `tree` names a file among what
    build/fetch.sh keeps, which tells of `tree_mem` MiB of memory (None: the firmware would tell)."""

    def __init__(self, name, cpu, cpus, mem, gic, tree=None, tree_mem=None):
        self.name = name
        self.cpu = cpu
        self.cpus = cpus
        self.mem = mem
        self.gic = gic
        self.tree = tree
        self.tree_mem = tree_mem

    def arguments(self, cpu, cpus, mem, gic, options="", threads="multi"):
        """QEMU's arguments for the machine proper. `options` is appended to -machine."""
        if self.name == "virt":
            machine = ["-machine", "virt,virtualization=on,gic-version=%s%s" % (gic, options), "-cpu", cpu]
        elif self.name == "xlnx-zcu102":
            machine = ["-machine", "xlnx-zcu102,virtualization=on" + options]
        else:
            machine = ["-machine", self.name + options]
        return machine + ["-smp", str(cpus), "-m", str(mem), "-accel", "tcg,thread=" + threads, "-display", "none",
                          "-monitor", "none", "-nic", "none", "-audio", "none", "-no-reboot"]


BOARDS = {
    "virt": Board("virt", "cortex-a57", 4, 2048, "3"),
    "xlnx-zcu102": Board("xlnx-zcu102", None, 4, 2048, None, "zynqmp-zcu102-rev1.0.dtb", 4096),
    "raspi4b": Board("raspi4b", None, 4, 2048, None, "bcm2711-rpi-4-b.dtb"),
}
