"""The machines that are measured: our hypervisor and its peer, with the same guests, counting instructions.

A system is a list of Domain; it is written as a device tree for either hypervisor. Machine (tools/run/run.py) does the
rest: our tree is packed into an image, the peer's modules are loaded to addresses of their own.
"""
import collections
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tools", "run"))

from run import GUESTS, OUT, Machine, MachineError, fetched_folder  # noqa: E402  (the path is set above)

BENCH = os.path.join(OUT, "bench")
IMAGES = os.path.join(BENCH, "guest")
PLUGIN = os.path.join(BENCH, "elmeter.so")
TRACER = os.path.join(BENCH, "schedtrace.so")
COUNTING = ["-seed", "1", "-rtc", "base=2026-01-01,clock=vm", "-icount", "shift=0,sleep=off"]
OWN_TREE = ["-machine", "dtb-randomness=off"]   # of machines that write one
PEER_FIRST = 0x50000000         # where the peer's modules begin; QEMU puts the tree and the hypervisor below
PEER_STEP = 0x200000

# kernel: a file of out/bench/guest or out/guests. cpu: the host CPUs that its vCPUs are bound to, or none. ours: properties
# that only our side knows; args: for our side's guest. control: it makes others; the peer's domain 0.
Domain = collections.namedtuple("Domain", "kernel mib cpus cpu ours args control", defaults=(16, 1, (), "", "", False))
CONTROLS = 'capabilities = <1>; xen,enhanced = "no-xenstore";'


class Measured(Machine):
    """A Machine that counts instructions; `plugin` are the options of elmeter, or of the plugin that `tool` names."""

    def __init__(self, system, plugin, tool=PLUGIN, **settings):
        super().__init__(system, **settings)
        self.plugin = [tool] + plugin

    def arguments(self):
        counted = [word.replace("thread=multi", "thread=single") for word in super().arguments()]
        return counted + ([] if self.board.tree else OWN_TREE) + COUNTING + ["-plugin", ",".join(self.plugin)]


def kernel_path(name):
    path = os.path.join(IMAGES, name)
    return path if os.path.exists(path) else os.path.join(GUESTS, name)


def domain_node(number, domain, kernel, more=""):
    lines = ["dom%d {" % number, 'compatible = "xen,domain";', "#address-cells = <2>;", "#size-cells = <2>;",
             "memory = <0 %d>;" % (domain.mib * 1024), "cpus = <%d>;" % domain.cpus, "vpl011;"]
    lines += [more] if more else []
    lines += ['vcpu%d { compatible = "xen,vcpu"; id = <%d>; hard-affinity = "%d"; };' % (vcpu, vcpu, cpu)
              for vcpu, cpu in enumerate(domain.cpu)]
    return "\n".join(lines + [kernel, "};"])


def write(path, text):
    """Leaves a file alone that is so already: what is made of it stays as well."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path) or open(path, encoding="ascii").read() != text:
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)


def tree_text(nodes, bootargs, more=""):
    return ('/dts-v1/;\n/ {\nchosen {\n%s#address-cells = <2>;\n#size-cells = <2>;\n%s\n};\n%s};\n'
            % ('xen,xen-bootargs = "%s";\n' % bootargs if bootargs else "", "\n".join(nodes), more))


def our_system(name, domains, chosen=""):
    nodes = [chosen] if chosen else []
    for number, domain in enumerate(domains, 1):
        kernel = ('kernel { compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("%s"); '
                  'bootargs = "%s"; };' % (domain.kernel, domain.args or "console=ttyAMA0"))
        nodes.append(domain_node(number, domain, kernel, domain.ours + (CONTROLS if domain.control else "")))
    path = os.path.join(BENCH, "ours", name + ".dts")
    write(path, tree_text(nodes, ""))
    return path


def peer_system(name, domains, bootargs):
    nodes, modules, at = [], [], PEER_FIRST
    for number, domain in enumerate(domains, 1):
        source = kernel_path(domain.kernel)
        size = os.stat(source).st_size
        module = ('module@%x { compatible = "multiboot,kernel", "multiboot,module"; reg = <0 0x%x 0 0x%x>; '
                  'bootargs = "console=ttyAMA0"; };' % (at, at, size))
        nodes.append(module if domain.control else domain_node(number, domain, module))
        bootargs += " dom0_mem=%dM dom0_max_vcpus=%d" % (domain.mib, domain.cpus) if domain.control else ""
        modules.append("0x%x %s\n" % (at, source))
        at = (at + size + 2 * PEER_STEP - 1) // PEER_STEP * PEER_STEP
    path = os.path.join(BENCH, "peer", name + ".dts")
    # The GPIO controller's interrupt is one that the peer refuses to share with a guest.
    write(path, tree_text(nodes, ("console=dtuart " + bootargs).strip(), 'pl061@9030000 { status = "disabled"; };\n'))
    write(os.path.splitext(path)[0] + ".modules", "".join(modules))
    return path


def versions():
    """What the counts depend on beside the sources."""
    def first_line(command):
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]
    return {"compiler": first_line(["clang-19", "--version"]), "qemu": first_line(["qemu-system-aarch64", "--version"])}


def peer_image():
    path = os.path.join(fetched_folder(), "xen.Image")
    if not os.path.exists(path):
        raise MachineError("the peer is not there: sh build/fetch.sh --again")
    return path


def fetched_version(package):
    with open(os.path.join(fetched_folder(), "versions"), encoding="ascii") as stream:
        return next(line.split()[1] for line in stream if line.startswith(package))


def run(name, side, system, hypervisor, out, plugin=(), cpus=1, mem=512, timeout=240):
    """Boots once and returns when the guest's report is there."""
    if os.path.exists(out):
        os.remove(out)
    machine = Measured(system, ["out=" + out, "end=on"] + list(plugin), cpus=cpus, mem=mem, hypervisor=hypervisor,
                       include=[IMAGES])
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with machine:
        try:
            code = machine.wait_end(timeout)
        except MachineError as error:
            raise MachineError("%s (%s): %s" % (name, side, error)) from error
        finally:
            with open(os.path.splitext(out)[0] + ".console", "w", encoding="utf-8") as stream:
                stream.write(machine.text)
    if code != 0 or not os.path.exists(out):
        raise MachineError("%s (%s): no report, QEMU ended with %d:\n%s" % (name, side, code, machine.text[-2000:]))
    return out
