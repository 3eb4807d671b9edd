"""Xen's toolstack in dom0: Debian's xl, xentop, xenstore-* and virsh, with one boot of systems/xl for all of them.

Each test finds or makes the domain that it needs, so that one that fails leaves the others alone. What is typed and expected is
the way of Debian's Xen too: BULKHEAD_PEER=1 runs the same on that.
"""
import contextlib
import glob
import json
import os
import re
import time

import pytest

from dom0 import LOG, STEP, booted
from peer import peer_system
from run import PATIENCE, ROOT

MIB = 256   # of the ready domU
PLACES = 8  # for domains that tools make, where the system does not say how many
# Keys of a guest of ours that ends as its console says
SMALL = ('kernel="/guest/made.bin"', "memory=32")
REFUSED = [
    "trigger domU nmi", "save domU /tmp/saved", "migrate domU localhost", "restore /tmp/saved", "getenforce", "setenforce 1",
    "loadpolicy /x", "pci-attach domU 0:0.0", "cd-insert domU xvda /x", "vncviewer domU", "cpupool-destroy Pool-0",
    "cpupool-create 'name=\"p\"' 'cpus=[\"3\"]'", "cpupool-migrate Domain-0 Pool-0", "psr-cmt-show cache-occupancy",
    "create /etc/xen/absent.cfg",
    "create /etc/xen/domU.cfg 'name=\"more\"' memory=64 maxmem=96 disk=[] vif=[]", "destroy absent",
    "console absent", "block-attach domU phy:/dev/absent,xvdc,w",
]


@pytest.fixture(scope="module")
def dom0(boot_once):
    return booted(boot_once(**peer_system("xl")) if os.environ.get("BULKHEAD_PEER") else boot_once("xl"))


def near(mib, wanted):
    """What Linux maps over its memory at the start, and pages for the toolstack, count or do not."""
    return abs(mib - wanted) <= 1


@pytest.fixture
def domain(dom0):
    """dom0, where a Linux domU with two vCPUs runs."""
    listed = dom0.listed()
    if not listed or not near(listed[1], MIB) or listed[2] != 2 or re.search("[pscd]", listed[3]):
        dom0.create("vcpus=2")
    return dom0


def test_named():
    """docs/toolstack.md names tests that are there, each of these, and each command that is tried in vain."""
    with open(os.path.join(ROOT, "docs", "toolstack.md"), encoding="utf-8") as stream:
        text = stream.read()
    here = {name for name in globals() if name.startswith("test_")}
    named = set(re.findall(r"`(test_\w+)`", text))
    assert not here - named
    for path in glob.glob(os.path.join(ROOT, "tests", "system", "test_xl_*.py")):
        with open(path, encoding="utf-8") as stream:
            here.update(re.findall(r"^def (test_\w+)", stream.read(), re.M))
    for name in named - here:
        assert glob.glob(os.path.join(ROOT, "tests", "unit", "*", name + ".c")), name
    for name in re.findall(r"`(test_\w+\.py)`", text):
        assert os.path.exists(os.path.join(ROOT, "tests", "system", name)), name
    tried = [command.split()[0] for command in REFUSED]
    rows = re.findall(r"^\| (`.*?`) \|", text.partition("## What is refused")[2], re.M)
    for word in re.findall(r"`(?:xl )?([\w-]+)", "".join(rows)):
        assert any(name.startswith(word) or name.endswith(word) for name in tried), word


# -- The host

def test_info(dom0):
    """[test->req~toolstack~1]"""
    _, said = dom0.run("xl info")
    facts = dict(re.findall(r"^(\w+) *: (.*)$", said, re.M))
    assert (facts["xen_major"], facts["xen_minor"]) == ("4", "20")
    assert facts["nr_cpus"] == "4" and "xen-3.0-aarch64" in facts["xen_caps"] and "hvm" in facts["virt_caps"]
    assert 1024 < int(facts["total_memory"]) <= 2048 and 512 < int(facts["free_memory"]) < int(facts["total_memory"])


def test_dmesg(dom0):
    dom0.good("xl dmesg", r"\S")


def test_debug_keys(dom0):
    """A key's answer is in the log."""
    before = len(dom0.run("xl dmesg")[1])
    dom0.good("xl debug-keys h")
    assert len(dom0.run("xl dmesg")[1]) > before


# -- A domain and what is told of it

def test_create(dom0):
    """Kernel, ramdisk, words, vCPUs bound to a CPU, memory, a disk and a card that work. [test->req~pv-io~1]"""
    guest = dom0.create("vcpus=2", "maxmem=%d" % MIB, 'cpus="1-2"', words="pv=10.9.0.1,10.9.0.2,4")
    assert near(dom0.listed()[1], MIB) and dom0.listed()[2] == 2
    dom0.good("xl vcpu-list domU", r"^domU +\d+ +0 .* 1-2 / all$\n^domU +\d+ +1 .* 1-2 / all$")
    dom0.until("tail -n 3 %s" % LOG % "domU", r"PV disk=ok net=ok")
    dom0.guest("hostname; nproc", r"^%s$\n^2$" % guest)


def test_list(domain):
    domain.good("xl list", r"^Name +ID +Mem VCPUs\tState\tTime\(s\)$")
    assert domain.listed("Domain-0")[:3] == (0, 512, 2)
    number, mib, vcpus, state = domain.listed()
    assert number > 0 and near(mib, MIB) and vcpus == 2 and re.fullmatch("[r-][b-]----", state)


def test_list_long(domain):
    """All of it as JSON."""
    code, said = domain.run("xl list -l domU")
    config = json.loads(said)[0]["config"]
    assert code == 0 and config["c_info"]["name"] == "domU" and config["b_info"]["max_memkb"] == MIB * 1024
    assert len(config["disks"]) == 1 and len(config["nics"]) == 1


def test_list_verbose(domain):
    domain.good("xl list -v", r"^domU .*[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_domid(domain):
    number = domain.listed()[0]
    domain.good("xl domid domU", r"^%d$" % number)
    domain.good("xl domname %d" % number, r"^domU$")


def test_uptime(domain):
    domain.good("xl uptime domU", r"^domU +\d+ +\d+:\d\d:\d\d$")
    domain.good("xl uptime", r"^Domain-0 +0 ")


def test_xentop(domain):
    domain.good("xentop -b -i 1", r"^ +NAME +STATE +CPU\(sec\)(?s:.*)^ +domU [-a-z]{6} +\d+ ")


def test_top(dom0):
    """A person at xentop, who leaves it."""
    dom0.type("xl top\n")
    dom0.machine.expect(r"xentop - (?s:.*?)\bDomain-0[\s\x0f]+[-a-z]{6}", STEP)
    dom0.type("q")
    dom0.machine.expect(r"\bdom0# ", STEP)


def test_xenstore(domain):
    number = domain.listed()[0]
    domain.good("xenstore-ls /local/domain/%d" % number, r'^name = "domU"$(?s:.*)^memory = ""$')
    domain.good("xenstore-ls -fp", r"^/local/domain/%d/device/vbd/51712/state = \"\d\" +\(n%d,r0\)$" % (number, number))


# -- What is done with it

def test_console(domain):
    """A person at a domain's console, who leaves it."""
    domain.type("xl console domU\n")
    time.sleep(1)
    domain.type("\necho at-$((6*7))\n")
    domain.machine.expect(r"^(?:Domain-0: )?at-42\s*$", STEP)
    domain.leave()


def test_pause(domain):
    """A paused domain does nothing until it goes on."""
    domain.good("xl pause domU")
    assert "p" in domain.listed()[3]
    domain.good("dom0-say domU 'echo goes-$((6*7))'")
    time.sleep(2)
    assert "goes-42" not in domain.run("tail -c 200 %s" % LOG % "domU")[1]
    domain.good("xl unpause domU")
    domain.until("tail -c 200 %s" % LOG % "domU", "goes-42", STEP)
    assert "p" not in domain.listed()[3]


def test_rename(domain):
    number = domain.listed()[0]
    domain.good("xl rename domU other")
    try:
        domain.good("xl domid other", r"^%d$" % number)
        assert domain.run("xl domid domU")[0] != 0
    finally:
        domain.run("xl rename other domU")
    assert domain.listed()[0] == number


def test_sysrq(domain):
    domain.good("xl sysrq domU h")
    domain.until("tail -c 2000 %s" % LOG % "domU", r"sysrq: HELP", STEP)


# -- vCPUs and memory

def test_vcpu_list(domain):
    domain.good("xl vcpu-list", r"^Domain-0 +0 +1 (?s:.*)^domU +\d+ +1 +(\d|-) +[-rb]{3} +[\d.]+ +\S+ / all$")


def test_vcpu_pin(domain):
    """It runs where it may."""
    domain.good("xl vcpu-pin domU 1 3")
    domain.guest("true")
    domain.good("xl vcpu-list domU", r"^domU +\d+ +1 +3 +[-rb]{3} +[\d.]+ +3 / all$")
    domain.good("xl vcpu-pin domU 1 - 0-1")
    domain.good("xl vcpu-list domU", r"^domU +\d+ +1 +3 +[-rb]{3} +[\d.]+ +3 / 0-1$")
    domain.good("xl vcpu-pin domU all all all")
    domain.good("xl vcpu-list domU", r"^domU +\d+ +1 .* all / all$")


def test_vcpu_set(domain):
    """Linux gives a vCPU away and takes it back."""
    domain.good("xl vcpu-set domU 1")
    domain.until("xl vcpu-list domU", r"^domU +\d+ +1 +- +--p ", STEP)
    domain.guest("nproc", r"^1$")
    domain.good("xl vcpu-set domU 2")
    domain.guest("echo 1 > /sys/devices/system/cpu/cpu1/online; nproc", r"^2$")
    domain.until("xl vcpu-list domU", r"^domU +\d+ +1 +(\d|-) +[-rb]{3} ", STEP)


def test_mem_set(domain):
    """The balloon gives memory to the host and takes it back."""
    free = int(domain.good("xl info free_memory", r"^\d+$")[0])
    for mib, more in ((MIB - 64, 48), (MIB, -1)):  # not each page that comes back is of a whole block
        domain.good("xl mem-set domU %dm" % mib)
        domain.until("xl list domU", r"^domU +\d+ +%d " % mib, STEP)
        assert int(domain.good("xl info free_memory", r"^\d+$")[0]) >= free + more


def test_mem_max(domain):
    number = domain.listed()[0]
    domain.good("xl mem-max domU %dm" % (MIB + 32))
    domain.good("xenstore-read /local/domain/%d/memory/static-max" % number, r"^%d$" % ((MIB + 32) * 1024))
    domain.good("xl mem-max domU %dm" % MIB)


# -- Pools of CPUs, and their schedulers

def goes_on(dom0):
    """domU ticks, from the first call on."""
    dom0.guest("[ -e /tmp/n ] || while sleep 1; do i=$((i+1)); echo $i > /tmp/n; done & "
               "a=$(cat /tmp/n); while [ $(cat /tmp/n)x = ${a}x ]; do sleep 1; done")


def pool_make(dom0, sched, *cpus):
    dom0.good("xl cpupool-cpu-remove Pool-0 %s" % ",".join(cpus))
    dom0.good("""xl cpupool-create 'name="other"' 'sched="%s"' 'cpus=["%s"]'""" % (sched, '","'.join(cpus)),
              r"^scheduler: +%s$\n^number of cpus: %d$" % (sched, len(cpus)))


def pool_end(dom0):
    """All is Pool-0's, whatever a test came to."""
    dom0.run("sh -c 'xl cpupool-migrate domU Pool-0; xl cpupool-destroy other; xl cpupool-cpu-add Pool-0 1-3'", 2 * STEP)
    dom0.good("xl cpupool-list -c", r"^Pool-0 +0,1,2,3$(?!(?s:.*)other)")


@contextlib.contextmanager
def in_pool(dom0, sched):
    """domU goes on in a pool of two CPUs with that scheduler, and is in Pool-0 before and after."""
    try:
        pool_make(dom0, sched, "2", "3")
        dom0.good("xl cpupool-migrate domU other")
        goes_on(dom0)
        yield
    finally:
        pool_end(dom0)


def test_cpupool_list(domain):
    domain.good("xl cpupool-list", r"^Name +CPUs +Sched +Active +Domain count$\n^Pool-0 +4 +credit2 +y +2$")
    domain.good("xl cpupool-list -c", r"^Pool-0 +0,1,2,3$")


def test_cpupool(dom0):
    """A pool is made and filled, a domain is created there, and both go."""
    create = "xl create -q /etc/xen/domU.cfg %s" % " ".join("'%s'" % key for key in SMALL + (
        "disk=[]", "vif=[]", 'name="small"', 'pool="%s"'))
    try:
        pool_make(dom0, "null", "3")
        dom0.good("xl cpupool-cpu-remove Pool-0 2")
        dom0.good("xl cpupool-cpu-add other 2")
        dom0.good("xl cpupool-list -c other", r"^other +2,3$")
        dom0.good("xl cpupool-cpu-remove other 2")
        dom0.good("xl cpupool-list -c", r"^Pool-0 +0,1$\n^other +3$")
        code, said = dom0.run(create % "absent")
        assert code != 0 and "pool" in said, said
        dom0.good(create % "other")
        dom0.until("xl list -c small", r"^small .* other$", STEP)
        dom0.until("xl vcpu-list small", r"^small +\d+ +0 +3 ", STEP)
        code, said = dom0.run("xl cpupool-destroy other")
        assert code != 0 and "Can't destroy" in said, said
        dom0.good("xl destroy small")
        dom0.good("xl cpupool-rename other third")
        code, said = dom0.run("xl cpupool-numa-split")
        assert code != 0 and "not possible" in said, said
        dom0.good("xl cpupool-list third", r"^third +1 +null +y +0$")
    finally:
        dom0.fresh("small")
        dom0.run("xl cpupool-rename third other")
        pool_end(dom0)


def test_cpupool_numa_split(dom0):
    """There is one node, so that only the name changes."""
    dom0.good("xl cpupool-numa-split")
    try:
        dom0.good("xl cpupool-list -c", r"^Pool-node0 +0,1,2,3$")
    finally:
        dom0.good("xl cpupool-rename Pool-node0 Pool-0")


def test_sched_credit2(domain):
    domain.good("xl sched-credit2", r"^Cpupool Pool-0: ratelimit=1000us$\n^Name +ID +Weight +Cap$\n^Domain-0 +0 +256 +0$"
                r"\n^domU +\d+ +256 +0$")
    domain.good("xl sched-credit2 -d domU -w 512 -c 150")
    domain.good("xl sched-credit2 -d domU", r"^domU +\d+ +512 +150$")
    assert domain.run("xl sched-credit2 -d domU -c 201")[0] != 0
    domain.good("xl sched-credit2 -d domU -w 256 -c 0")
    domain.good("xl sched-credit2 -s -r 5000")
    domain.good("xl sched-credit2 -s", r"^Cpupool Pool-0: ratelimit=5000us$")
    domain.good("xl sched-credit2 -s -r 1000")


def test_sched_credit(domain):
    with in_pool(domain, "credit"):
        domain.good("xl sched-credit -d domU -w 300 -c 150")
        domain.good("xl sched-credit -s -p other -t 10 -r 2000 -m 100")
        domain.good("xl sched-credit", r"^Cpupool other: tslice=10ms ratelimit=2000us migration-delay=100us$\n^Name .*$\n"
                    r"^domU +\d+ +300 +150$")
        assert domain.run("xl sched-credit2 -d domU -w 300")[0] != 0
        domain.good("xl sched-credit -d domU -w 256 -c 0")


def test_sched_rtds(domain):
    with in_pool(domain, "rtds"):
        domain.good("xl sched-rtds", r"^Cpupool other: sched=RTDS$\n^Name .*$\n^domU +\d+ +10000 +4000 +yes$")
        domain.good("xl sched-rtds -d domU -v all", r"^domU +\d+ +0 +10000 +4000 +yes$\n^domU +\d+ +1 +10000 +4000 +yes$")
        domain.good("xl sched-rtds -d domU -v all -p 20000 -b 10000 -e 0")
        domain.good("xl sched-rtds -d domU -v 1 -p 30000 -b 20000 -e 1")
        domain.good("xl sched-rtds -d domU -v all", r"^domU +\d+ +0 +20000 +10000 +no$\n^domU +\d+ +1 +30000 +20000 +yes$")
        assert domain.run("xl sched-rtds -d domU -v 1 -p 9 -b 9 -e 0")[0] != 0
        domain.good("xl sched-rtds -d domU -v 1", r"^domU +\d+ +1 +30000 +20000 +yes$")
        goes_on(domain)


def test_cpupool_migrate(domain):
    """To a pool where each vCPU has a CPU of its own, and back."""
    domain.good("xl vcpu-pin domU all all all")
    with in_pool(domain, "null"):
        domain.good("xl list -c domU", r"^domU .* other$")
        domain.until("xl vcpu-list domU", r"^domU +\d+ +0 +2 .*\n^domU +\d+ +1 +3 |^domU +\d+ +0 +3 .*\n^domU +\d+ +1 +2 ", STEP)
        assert domain.run("xl vcpu-pin domU 0 1")[0] != 0
    goes_on(domain)


# -- Devices

def test_block(domain):
    """A second disk comes, is read and written, and goes."""
    number = domain.listed()[0]
    domain.guest("insmod /lib/xen-blkfront.ko 2> /dev/null")
    domain.good("xl block-attach domU phy:/dev/more,xvdb,w")
    domain.good("xl block-list domU", r"^51728 +0 +%d +\d +-?\d+ +-?\d+ +/local/domain/0/backend/vbd/%d/51728" % (number, number))
    domain.until("xl block-list domU", r"^51728 +0 +%d +4 " % number, STEP)
    domain.guest("echo kept > /dev/xvdb; sync; head -n 1 /dev/xvdb", r"^kept$")
    domain.good("head -c 4 /dev/more", r"^kept")
    domain.good("xl block-detach domU xvdb")
    domain.until("xl block-list domU", r"^Vdev(?!(?s:.*)51728)", STEP)


def test_network(domain):
    """A second card comes, reaches dom0, and goes."""
    number = domain.listed()[0]
    domain.guest("insmod /lib/xen-netfront.ko 2> /dev/null")
    domain.good("xl network-attach domU bridge=xenbr0 mac=00:16:3e:00:00:09")
    domain.until("xl network-list domU",
                 r"^1 +0 +00:16:3e:00:00:09 +\d +4 +-?\d+ +-?\d+/-?\d+ +/local/domain/0/backend/vif/%d/1" % number, STEP)
    domain.guest("ip addr flush dev eth0; ip addr add 10.9.0.9/24 dev eth1; ip link set eth1 up")
    domain.guest("ping -c 2 -W 20 10.9.0.1", r"2 packets received, 0% packet")
    domain.good("xl network-detach domU 1")
    domain.until("xl network-list domU", r"^Idx(?!(?s:.*)00:00:09)", STEP)


# -- Its end

def test_reboot(domain):
    """It ends and is there again under another number."""
    number = domain.listed()[0]
    said = domain.good("grep -ac GUEST-UP %s" % LOG % "domU", r"^\d+$")[0]
    domain.good("xl reboot domU")
    domain.until("xl domid domU", r"^(?!%d$)\d+$" % number)
    domain.until("grep -ac GUEST-UP %s" % LOG % "domU", r"^%d$" % (int(said) + 1))


def test_shutdown(domain):
    """The domain's kernel is asked to end, and does."""
    domain.good("xl shutdown -w domU")
    domain.gone()


def test_vuart(dom0):
    """A PL011 as its console, whose other end is xl console's."""
    guest = dom0.create('vuart="sbsa_uart"', console="ttyAMA0")
    dom0.until("grep -a GUEST-UP %s" % LOG % "domU-vuart0", "GUEST-UP %s" % guest)
    dom0.type("xl console -t vuart domU\n")
    time.sleep(1)
    dom0.type("\necho at-$((7*6))\n")
    dom0.machine.expect(r"^(?:Domain-0: )?at-42\s*$", STEP)
    dom0.leave()
    dom0.fresh()


def small(dom0, *keys):
    """A guest of ours that ends as its console says; the number of the domain."""
    dom0.fresh()
    dom0.good("xl create /etc/xen/domU.cfg %s" % " ".join("'%s'" % key for key in SMALL + keys))
    return dom0.listed()[0]


def test_on_reboot(dom0):
    """A reset of its own ends what shall not come back, and what shall is there again."""
    small(dom0, 'on_reboot="destroy"')
    dom0.good("dom0-say domU r")
    dom0.gone()
    number = small(dom0)
    for _ in range(2):
        dom0.good("dom0-say domU r")
        number = int(dom0.until("xl domid domU", r"^(?!%d$)\d+$" % number)[0])
        dom0.until("xl list domU", r"^domU +%d +3\d +1 +[-r][-b]--" % number)
    dom0.fresh()


def test_on_crash(dom0):
    """What crashed stays for a look when that is wanted."""
    number = small(dom0, 'on_crash="preserve"')
    dom0.good("dom0-say domU c")
    dom0.until("xl list domU", r"^domU +%d +32 +1 +---[s-]c-" % number)
    dom0.good("xl destroy domU")
    dom0.gone()


def test_destroy(dom0):
    """Its memory is the host's again, to the page."""
    dom0.fresh()
    free = dom0.good("xl info free_memory", r"^\d+$")[0]
    for _ in range(2):
        dom0.good("xl create -p /etc/xen/domU.cfg")
        assert "p" in dom0.listed()[3]
        assert int(dom0.good("xl info free_memory", r"^\d+$")[0]) <= int(free) - MIB
        dom0.good("xl destroy domU")
        assert dom0.listed() is None
        dom0.until("xl info free_memory", "^%s$" % free, STEP)


def free_memory(dom0):
    return int(dom0.good("xl info free_memory", r"^\d+$")[0])


def check_back(dom0, free):
    """What was given back is scrubbed, and free soon."""
    limit = time.monotonic() + STEP * PATIENCE
    while free_memory(dom0) < free:
        assert time.monotonic() < limit, "memory is missing"
        time.sleep(1)


@pytest.mark.skipif("BULKHEAD_PEER" in os.environ, reason="Xen has no places")
def test_all_taken(dom0):
    """With all places taken one more is refused with a sentence; then all is as it was."""
    dom0.fresh()
    free = free_memory(dom0)
    create = "xl create -qp /etc/xen/domU.cfg %s" % " ".join("'%s'" % key for key in SMALL + ("disk=[]", "vif=[]"))
    for i in range(PLACES):
        dom0.good("%s 'name=\"s%d\"'" % (create, i))
    code, said = dom0.run("%s 'name=\"more\"'" % create)
    assert code != 0 and re.search("domain creation fail.*: Cannot allocate memory", said), said
    assert not dom0.listed("more") and dom0.listed("s0")
    for i in range(PLACES):
        dom0.good("xl destroy s%d" % i)
    check_back(dom0, free)


def test_races(dom0):
    """Two shells at a time with domains of their own and each other's: nothing is left behind."""
    dom0.fresh()
    free = free_memory(dom0)
    keys = " ".join('"%s"' % key.replace('"', '\\"') for key in SMALL + ("disk=[]", "vif=[]", 'name="$1"'))
    turns = "for i in 1 2; do xl create -qp /etc/xen/domU.cfg %s; %s; done" % (keys, "; ".join(
        "xl " + what for what in ("rename $1 $1$1", "unpause $2$2", "destroy $2$2", "destroy $1", "destroy $1$1")))
    dom0.run("sh -c 'turns() { %s; }; turns a b & turns b a; wait'" % turns, 2 * STEP)
    for name in ("a", "b", "aa", "bb"):
        dom0.fresh(name)
    check_back(dom0, free)


# -- libvirt

def test_virsh(dom0):
    """libvirt's driver lists, starts and ends a domain."""
    dom0.until("virsh list --all", r"^ 0 +Domain-0 +running$")  # libvirtd starts slowly
    dom0.good("virsh define /etc/xen/domV.xml", "^Domain 'domV' defined")
    dom0.good("virsh start domV", "^Domain 'domV' started$")
    assert dom0.listed("domV")
    dom0.good("virsh list", r"^ \d+ +domV +running$")
    dom0.until("grep -a GUEST-UP %s" % LOG % "domV", "GUEST-UP domV")
    dom0.good("virsh suspend domV", "suspended$")
    dom0.good("virsh resume domV", "resumed$")
    dom0.good("virsh shutdown domV", "is being shutdown$")
    dom0.until("virsh list --all", r"^ - +domV +shut off$", STEP)
    dom0.good("virsh start domV", "^Domain 'domV' started$")
    dom0.good("virsh destroy domV", "^Domain 'domV' destroyed$")
    dom0.good("virsh list --all", r"^ - +domV +shut off$")
    assert dom0.listed("domV") is None
    dom0.good("virsh undefine domV")


# -- What is not there

@pytest.mark.parametrize("command", REFUSED, ids=lambda command: command.split()[0])
def test_refused(dom0, command):
    """What cannot be done is answered with a sentence, soon, and harms nothing."""
    if not dom0.listed():
        dom0.good("xl create -p /etc/xen/domU.cfg")
    code, said = dom0.run("xl %s" % command)
    assert code != 143 and re.search(r"\w+ \w+", said), said
    assert code != 0 or "failed" in said, said
    assert dom0.listed()
