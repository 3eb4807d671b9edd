"""Systems for the tests of schedulers, and their traces: time is counted in instructions, so a loaded host changes nothing."""
import collections
import os
import sys

from ports import PORTS
from run import OUT, ROOT

sys.path += [os.path.join(ROOT, "bench"), os.path.join(ROOT, "tools", "sched")]  # behind: bench has a ports.py, too

from machines import TRACER, Measured, write  # noqa: E402  (the path is set above)
from timeline import Trace  # noqa: E402

US, MS, S = 1000, 1000000, 1000000000
SETTLED = 100 * MS              # boot is over long before
MEMORY = 0x30000000             # of mps3-an536, where nothing is translated
MEMORY_STEP = 0x01000000

# does: the guest's bootargs. says: properties of the domain. on: the CPU of each vCPU, or none. own: properties of vCPU nodes
Domain = collections.namedtuple("Domain", "does says on vcpus own", defaults=("role=hog", "", (), 1, {}))


def domain_text(number, domain, board):
    lines = ["d%d {" % number, 'compatible = "xen,domain";', "memory = <0 4096>;", "cpus = <%d>;" % domain.vcpus, "vpl011;",
             domain.says]
    if board == "mps3-an536":
        lines.append("xen,static-mem = <0x0 0x%x 0x0 0x400000>;" % (MEMORY + number * MEMORY_STEP))
    for vcpu in range(domain.vcpus):
        affinity = 'hard-affinity = "%d";' % domain.on[vcpu] if domain.on else ""
        if affinity or vcpu in domain.own:
            own = domain.own.get(vcpu, "")
            lines.append('vcpu%d { compatible = "xen,vcpu"; id = <%d>; %s %s };' % (vcpu, vcpu, affinity, own))
    return "\n".join(lines + ['kernel { compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("sched.bin"); '
                              'bootargs = "%s"; };' % domain.does, "};"])


def traced(name, policy, domains, ns, cpus=1, chosen="", board="virt"):
    """The trace of so many nanoseconds of this system."""
    path = os.path.join(OUT, "sched", "tests", "%s-%s-%d.dts" % (name, board, cpus))
    texts = [domain_text(number, domain, board) for number, domain in enumerate(domains, 1)]
    write(path, '/dts-v1/;\n/ { chosen {\n#address-cells = <2>;\n#size-cells = <2>;\nbulkhead,scheduler = "%s";\n%s\n%s\n}; };\n'
          % (policy, chosen, "\n".join(texts)))
    out = os.path.splitext(path)[0] + ".tsv"
    settings = {"mem": 512} if board == "virt" else {"hypervisor": "out/%s-clang-release/bulkhead.bin" % PORTS[board]}
    with Measured(path, ["out=" + out, "end=%d" % ns], tool=TRACER, cpus=cpus, board=board, **settings) as machine:
        code = machine.wait_end(120)
    assert code == 0 and "%d domains running" % len(domains) in machine.text, machine.text
    return Trace(out)
