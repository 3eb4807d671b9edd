"""The machines that the runner knows: how QEMU is told about each, and where its device tree comes from."""

BITS_64 = "qemu-system-aarch64"
BITS_32 = "qemu-system-arm"


class Board:
    """One machine model. `arguments` choose it; QEMU itself writes its device tree, or else `tree` names a file: a blob among
    what build/fetch.sh keeps, or a source of systems/boards. It tells of `tree_mem` MiB of memory (None: the firmware would
    tell), which begins at `ram`. port: whose hypervisor runs there, link_address: where it is linked, for one that must be loaded
    there (the machine has no loader: all cores start at the image's first byte). console: its place among QEMU's serial lines."""

    def __init__(self, name, cpu, cpus, mem, gic, tree=None, tree_mem=None, port="arm64", link_address=None, ram=None,
                 console=0):
        self.name = name
        self.cpu = cpu
        self.cpus = cpus
        self.mem = mem
        self.gic = gic
        self.tree = tree
        self.tree_mem = tree_mem
        self.port = port
        self.qemu = BITS_64 if port == "arm64" else BITS_32
        self.link_address = link_address
        self.ram = ram
        self.console = console

    def arguments(self, cpu, cpus, mem, gic, options="", threads="multi"):
        """QEMU's arguments for the machine proper. `options` is appended to -machine."""
        if self.name.startswith("virt"):
            machine = ["-machine", "virt,virtualization=on,gic-version=%s%s" % (gic, options), "-cpu", cpu]
        elif self.name == "xlnx-zcu102":
            machine = ["-machine", "xlnx-zcu102,virtualization=on" + options]
        else:
            machine = ["-machine", self.name + options]
        memory = [] if self.ram else ["-m", str(mem)]
        return machine + ["-smp", str(cpus)] + memory + [
            "-accel", "tcg,thread=" + threads, "-display", "none", "-monitor", "none", "-nic", "none", "-audio", "none",
            "-no-reboot"]


BOARDS = {
    "virt": Board("virt", "cortex-a57", 4, 2048, "3"),
    "virt-a15": Board("virt-a15", "cortex-a15", 4, 2048, "2", port="armv7a"),
    "xlnx-zcu102": Board("xlnx-zcu102", None, 4, 2048, None, "zynqmp-zcu102-rev1.0.dtb", 4096),
    "raspi4b": Board("raspi4b", None, 4, 2048, None, "bcm2711-rpi-4-b.dtb"),
    "mps3-an536": Board("mps3-an536", None, 2, 512, None, "mps3-an536.dts", 512, port="armv8r", link_address=0x20000000,
                        ram=0x20000000, console=2),
}
