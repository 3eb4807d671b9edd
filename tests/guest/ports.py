"""The systems of this folder on boards of other ports: the same guests under the same names, built for the port."""
import os
import re

from run import ROOT, in_root

HERE = os.path.dirname(os.path.abspath(__file__))
BANK = 0x30000000  # of mps3-an536's RAM; far from where the hypervisor is linked
BANK_STEP = 0x01000000
# As many questions as each kind of probe has; fewer would be one that ended early.
PROBES = {"virt": 56, "virt-a15": 58, "mps3-an536": 62}
PORTS = {"virt-a15": "armv7a", "mps3-an536": "armv8r"}


def memory_fixed(text):
    """Each domain's memory at an address of its own, for hosts on which nothing is translated."""
    where = iter(range(BANK, BANK + (64 * BANK_STEP), BANK_STEP))

    def fix(found):
        kib = int(found.group(2))
        return "%sxen,static-mem = <0x0 0x%x 0x0 0x%x>;%s" % (found.group(1), next(where), kib * 1024, found.group(0))
    return re.sub(r"(\n +)memory = <0 (\d+)>;", fix, text)


def system(name, board, *changes):
    """The path of such a system's source, from this folder or from systems/. changes: pairs of words to replace, each there."""
    path = os.path.join(HERE, name + ".dts")
    with open(path if os.path.exists(path) else in_root("systems/%s.dts" % name), encoding="utf-8") as stream:
        text = stream.read()
    if board == "mps3-an536":
        text = memory_fixed(text.replace("chosen {", "chosen {\n        #address-cells = <2>;\n        #size-cells = <2>;", 1))
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    path = in_root("out/systems/%s-%s-%08x.dts" % (name, board, hash(changes) & 0xFFFFFFFF))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".%d" % os.getpid(), "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(path + ".%d" % os.getpid(), path)
    return path


def machine(board, **more):
    """What boot() wants to know of the board."""
    return dict(more, board=board, hypervisor=os.path.join(ROOT, "out/%s-clang-release/bulkhead.bin" % PORTS[board]))
