"""The machines that the runner knows: how QEMU is told about each, and where its device tree comes from."""

QEMU = "qemu-system-aarch64"


class Board:
    """One machine model. `arguments` choose it; `dumps_tree` says whether QEMU itself writes its device tree, otherwise
    `tree` names a file among what build/fetch.sh keeps."""

    def __init__(self, name, cpu, cpus, mem, gic, dumps_tree, tree=None):
        self.name = name
        self.cpu = cpu
        self.cpus = cpus
        self.mem = mem
        self.gic = gic
        self.dumps_tree = dumps_tree
        self.tree = tree

    def arguments(self, cpu, cpus, mem, gic, options="", threads="multi"):
        """QEMU's arguments for the machine proper. `options` is appended to -machine."""
        if self.name == "virt":
            machine = ["-machine", "virt,virtualization=on,gic-version=%s%s" % (gic, options), "-cpu", cpu]
        elif self.name == "zcu102":
            machine = ["-machine", "xlnx-zcu102,virtualization=on" + options]
        else:
            machine = ["-machine", self.name + options]
        return machine + ["-smp", str(cpus), "-m", str(mem), "-accel", "tcg,thread=" + threads, "-display", "none",
                          "-monitor", "none", "-nic", "none", "-audio", "none", "-no-reboot"]


BOARDS = {
    "virt": Board("virt", "cortex-a57", 4, 2048, "3", True),
    "zcu102": Board("zcu102", None, 4, 2048, None, False, "zynqmp-zcu102-rev1.0.dtb"),
    "raspi4b": Board("raspi4b", None, 4, 2048, None, False, "bcm2711-rpi-4-b.dtb"),
}
