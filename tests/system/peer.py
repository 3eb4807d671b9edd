"""A system of one control domain on Debian's Xen 4.20: what is the tools' own way, and what is ours."""
import os
import re
import shutil

from run import GUESTS, OUT, ROOT, fetched_folder

FIRST = 0x50000000  # where the modules begin; QEMU puts tree and hypervisor below


def peer_system(name):
    """The arguments of Machine for systems/<name>.dts, of which dom0's modules and words are taken."""
    source = os.path.join(ROOT, "systems", name)
    with open(source + ".dts", encoding="ascii") as stream:
        text = stream.read()
    files = [os.path.join(GUESTS, found) for found in re.findall(r'/incbin/\("(.*)"\)', text)]
    words = re.search(r'bootargs = "(dom0.*)"', text).group(1)
    nodes, modules, at = [], [], FIRST
    for kind, path in zip(("kernel", "ramdisk"), files):
        size = os.stat(path).st_size
        nodes.append('module@%x { compatible = "multiboot,%s", "multiboot,module"; reg = <0 0x%x 0 0x%x>; };'
                     % (at, kind, at, size))
        modules.append("0x%x %s\n" % (at, path))
        at += (size + (4 << 20)) & ~((2 << 20) - 1)
    made = os.path.join(OUT, "peer", name)
    os.makedirs(os.path.dirname(made), exist_ok=True)
    with open(made + ".dts", "w", encoding="ascii") as stream:
        stream.write('/dts-v1/;\n/ {\nchosen {\n#address-cells = <2>; #size-cells = <2>;\n'
                     'xen,xen-bootargs = "console=dtuart %s";\nxen,dom0-bootargs = "%s";\n%s\n};\n'
                     'pl061@9030000 { status = "disabled"; };\n};\n'
                     % (words, re.search(r'bootargs = "(console.*)"', text).group(1), "\n".join(nodes)))
    with open(made + ".modules", "w", encoding="ascii") as stream:
        stream.write("".join(modules))
    shutil.copyfile(source + ".qemu", made + ".qemu")
    return {"system": made + ".dts", "hypervisor": os.path.join(fetched_folder(), "xen.Image"), "cuts": False}
