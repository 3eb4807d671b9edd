"""What a system's device tree says of its cpupools and domains, for pictures of them."""
import collections
import os
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "run"))

from run import MachineError  # noqa: E402  (the path is set above)

BEGIN, END, PROPERTY, NOP = 1, 2, 3, 4
DEFAULT = "credit2"

Node = collections.namedtuple("Node", "name props children")
Vcpu = collections.namedtuple("Vcpu", "key name says")          # key: as the trace calls it
Window = collections.namedtuple("Window", "key at_us us cpu")
Pool = collections.namedtuple("Pool", "policy cpus frame_us vcpus windows")


def parse(blob):
    """The root of a flattened tree."""
    structure, strings = struct.unpack_from(">II", blob, 8)
    at, stack = structure, [Node("", {}, [])]
    while True:
        token = struct.unpack_from(">I", blob, at)[0]
        at += 4
        if token == BEGIN:
            end = blob.index(b"\0", at)
            node = Node(blob[at:end].decode(), {}, [])
            stack[-1].children.append(node)
            stack.append(node)
            at = end // 4 * 4 + 4
        elif token == END:
            stack.pop()
        elif token == PROPERTY:
            size, name = struct.unpack_from(">II", blob, at)
            end = blob.index(b"\0", strings + name)
            stack[-1].props[blob[strings + name:end].decode()] = blob[at + 8:at + 8 + size]
            at += 8 + (size + 3) // 4 * 4
        elif token != NOP:
            return stack[0].children[0]


def text(node, name, otherwise=""):
    return node.props.get(name, otherwise.encode()).split(b"\0")[0].decode()


def cells(node, name):
    value = node.props.get(name, b"")
    return list(struct.unpack(">%dI" % (len(value) // 4), value[:len(value) // 4 * 4]))


def child(node, name):
    return next((c for c in node.children if c.name.split("@")[0] == name), Node(name, {}, []))


def is_kind(node, kind):
    return kind.encode() in node.props.get("compatible", b"").split(b"\0")


def read(machine, path):
    """The system's tree; what it knows of the board's CPUs are the nodes that it names."""
    command = ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, machine.system]
    for folder in machine.guests + machine.include:
        command += ["-i", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(done.stdout)
    with open(path, "rb") as stream:
        return parse(stream.read())


def says(nodes):
    """The scheduling properties of a domain, as a person reads them; a vCPU's own go before its domain's."""
    found = {}
    for node in nodes:
        for name, form in (("weight", "weight %d"), ("cap", "cap %d %%"), ("budget-us", "%d us"), ("period-us", "of %d us")):
            if cells(node, "bulkhead," + name):
                found[name] = form % cells(node, "bulkhead," + name)[0]
        if "bulkhead,no-extratime" in node.props:
            found["extra"] = "and no more"
    return " ".join(found.values())


def pools(root, nr_cpus):
    """The cpupools of a system on so many CPUs."""
    chosen = child(root, "chosen")
    number = {cells(node, "phandle")[0]: int(node.name.split("@")[1], 16) for node in child(root, "cpus").children
              if "phandle" in node.props}
    usual = text(chosen, "bulkhead,scheduler", DEFAULT)
    found, left = [], set(range(nr_cpus))
    for node in chosen.children:
        if is_kind(node, "xen,cpupool"):
            cpus = [number[phandle] for phandle in cells(node, "cpupool-cpus")]
            left -= set(cpus)
            found.append((cells(node, "phandle"), node, Pool(text(node, "cpupool-sched", usual), cpus, 0, [], [])))
    if left:
        found.append(([], chosen, Pool(usual, sorted(left), 0, [], [])))
    domains = [node for node in chosen.children if is_kind(node, "xen,domain")]
    result = []
    for phandle, node, pool in found:
        frame = (cells(node, "bulkhead,major-frame-us") or cells(chosen, "bulkhead,major-frame-us") or [0])[0]
        pool = pool._replace(frame_us=frame)
        for at, domain in enumerate(domains, 1):
            wants = cells(domain, "domain-cpupool")
            if (wants == phandle) if wants else (node is chosen or 0 in pool.cpus):
                add_domain(pool, at, domain)
        result.append(pool)
    return result


def add_domain(pool, number, domain):
    own = {cells(node, "id")[0]: node for node in domain.children if is_kind(node, "xen,vcpu")}
    count = (cells(domain, "cpus") or [1])[0]
    for vcpu in range(count):
        key = "v%d.%d" % (number, vcpu)
        nodes = [domain] + ([own[vcpu]] if vcpu in own else [])
        pool.vcpus.append(Vcpu(key, domain.name + (" vCPU %d" % vcpu if count > 1 else ""), says(nodes)))
        windows = cells(nodes[-1], "bulkhead,windows") or (cells(domain, "bulkhead,windows") if vcpu == 0 else [])
        affinity = text(nodes[-1], "hard-affinity", str(pool.cpus[0]))
        cpu = int(affinity) if affinity.isdigit() else pool.cpus[0]
        pool.windows.extend(Window(key, at, us, cpu) for at, us in zip(windows[0::2], windows[1::2]))
