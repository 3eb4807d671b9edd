"""What the hypervisor refuses to run on, with a message. [test->req~refuses-el1~1]"""
import os

from run import Machine

IMAGE = os.environ.get("BULKHEAD_IMAGE", "out/bulkhead.bin")


class WithoutEl2(Machine):
    def arguments(self):
        return [word.replace("virtualization=on", "virtualization=off") for word in super().arguments()]


def test_refuses_el1():
    with WithoutEl2(kernel=IMAGE, cpus=1, mem=512) as machine:
        try:
            machine.expect(r"Bulkhead needs EL2", 20)
        except Exception:
            print(machine.text)
            raise
