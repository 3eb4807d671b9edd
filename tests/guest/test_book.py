"""Kernels that know the architecture and the published map, and nothing of us (tests/guest/book)."""
import re

import pytest

from lines import whole_lines

# Machines: CPUs, and domains as name, kernel, vCPUs, affinity of the first vCPU. No CPU is shared but the two fp's.
ALONE = (4, [("uart", "uart", 1, ""), ("timer", "timer", 1, ""), ("rtos", "rtos", 1, ""), ("gic", "gic%s", 1, "")])
CROWD = (5, [("smp", "smp", 4, ""), ("fp1", "fp", 1, "4"), ("fp2", "fp", 1, "4")])

DOMAIN = """
        %s {
            compatible = "xen,domain";
            #address-cells = <2>;
            #size-cells = <2>;
            memory = <0 16384>;
            cpus = <%d>;
            vpl011;
%s
            kernel {
                compatible = "multiboot,kernel", "multiboot,module";
                data = /incbin/("book-%s.bin");
            };
        };
"""
AFFINITY = """            vcpu0 {
                compatible = "xen,vcpu";
                id = <0>;
                hard-affinity = "%s";
            };
"""


def system(path, domains):
    nodes = [DOMAIN % (name, cpus, AFFINITY % affinity if affinity else "", kernel) for name, kernel, cpus, affinity in domains]
    path.write_text('/dts-v1/;\n\n/ {\n    chosen {\n        bulkhead,scheduler = "credit2";\n%s    };\n};\n' % "".join(nodes))
    return str(path)


def answer_uart(m):
    """Types what the UART's kernel asks for."""
    m.expect(r"uart: BOOK uart polls for 2", 60)
    m.send("ab")
    for wish, text in (("wants 4", "abcd"), ("wants 3", "xyz"), ("wants 1", "1"), ("wants 1 again", "2")):
        m.expect(r"uart: BOOK uart %s$" % wish, 60)
        m.send(text)


def run(boot, path, machine, gic, cpu, cpus=None):
    usual, domains = machine
    domains = [(name, kernel % gic if "%" in kernel else kernel, vcpus, affinity) for name, kernel, vcpus, affinity in domains]
    m = boot(system(path / "book.dts", domains), gic=gic, cpu=cpu, cpus=cpus or usual, mem=512)
    if machine is ALONE:
        answer_uart(m)
    m.expect_count(r"BOOK \w+ (?:ok|ended)$", len(domains), 60)
    m.wait_end(20)
    assert not re.findall(r".*BOOK \w+ wrong.*", m.whole)
    for name, kernel, _, _ in domains:
        assert "%s: BOOK %s ok" % (name, kernel) in whole_lines(m.text, name)
    return m


@pytest.mark.parametrize("gic,cpu", [("2", "cortex-a53"), ("3", "cortex-a76")])
def test_book(boot, tmp_path, gic, cpu):
    """[test->req~by-the-book~1] [test->req~vgic-v2~1] [test->req~vgic-v3~1] [test->req~vpl011~1]
    [test->req~virtual-timer~1] [test->req~physical-timer~1] [test->req~set-way~1] [test->req~kernel-images~1]"""
    m = run(boot, tmp_path, ALONE, gic, cpu)
    assert "uart: BOOK uart sends .................abcdefghijklmnopqrstuvwxyz" in m.text


@pytest.mark.parametrize("gic,cpu", [("2", "cortex-a57"), ("3", "max")])
def test_book_smp(boot, tmp_path, gic, cpu):
    """[test->req~by-the-book~1] [test->req~guest-smp~1] [test->req~psci~1] [test->req~guest-registers~1]"""
    run(boot, tmp_path, CROWD, gic, cpu)
