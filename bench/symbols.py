"""Addresses to functions."""
import bisect
import subprocess

LOADED_AT = 2 << 20             # the image lies at a multiple of this, and is smaller


class Symbols:
    def __init__(self, elf):
        done = subprocess.run(["llvm-nm-19", "-n", "--defined-only", elf], stdout=subprocess.PIPE, text=True, check=True)
        table = [line.split() for line in done.stdout.splitlines()]
        code = [(int(words[0], 16), words[2]) for words in table if words[1] in "tT" and not words[2].startswith("$")]
        self.addresses = [address for address, _ in code]
        self.names = [name for _, name in code]

    def name(self, address):
        if address < self.addresses[0]:                      # before the MMU is on: where the image was loaded
            address = self.addresses[0] + address % LOADED_AT
        at = bisect.bisect_right(self.addresses, address) - 1
        return self.names[at] if at >= 0 else "0x%x" % address
