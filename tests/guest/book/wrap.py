#!/usr/bin/python3
"""Puts a flat kernel into the form that its builders would ship it in: gzip, U-Boot's legacy image (include/image.h of
U-Boot), or that around a gzip."""
import argparse
import gzip
import struct
import sys
import zlib


def uimage(data, load, compression, entry=None):
    """All big-endian; architecture 22 is arm64, system 5 Linux, type 2 a kernel."""
    start = load if entry is None else entry

    def header(checksum):
        return struct.pack(">7I4B32s", 0x27051956, checksum, 0, len(data), load, start, zlib.crc32(data), 5, 22, 2, compression,
                           b"by the book")
    return header(zlib.crc32(header(0))) + data


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("form", choices=["image", "gzip", "uimage", "uimage-gzip"])
    parser.add_argument("load", type=lambda text: int(text, 0))
    parser.add_argument("source")
    parser.add_argument("target")
    options = parser.parse_args()
    with open(options.source, "rb") as stream:
        data = stream.read()
    if options.form.endswith("gzip"):
        data = gzip.compress(data, 9, mtime=0)
    if options.form.startswith("uimage"):
        data = uimage(data, options.load, 1 if options.form.endswith("gzip") else 0)
    with open(options.target, "wb") as stream:
        stream.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
