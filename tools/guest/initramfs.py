#!/usr/bin/python3
"""Makes the initramfs of the Linux guests: busybox, our init, and what a test wants in it.

The archive is cpio's "newc" form, written here rather than by cpio so that device nodes need no root and the result is
the same byte for byte each time (sorted, no times, no owners).
"""
import argparse
import gzip
import io
import os
import stat
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Archive:
    """Entries by path; parents are made as needed."""

    def __init__(self):
        self.entries = {}

    def directory(self, path):
        while path:
            self.entries.setdefault(path, (stat.S_IFDIR | 0o755, b"", 0, 0))
            path = os.path.dirname(path)

    def file(self, path, data, mode=0o644):
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFREG | mode, data, 0, 0)

    def symlink(self, path, target):
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFLNK | 0o777, target.encode(), 0, 0)

    def node(self, path, major, minor, mode=0o600):
        self.directory(os.path.dirname(path))
        self.entries[path] = (stat.S_IFCHR | mode, b"", major, minor)

    def pack(self):
        out = io.BytesIO()
        for inode, path in enumerate(sorted(self.entries), 1):
            mode, data, major, minor = self.entries[path]
            self._entry(out, inode, path, mode, data, major, minor)
        self._entry(out, 0, "TRAILER!!!", 0, b"", 0, 0)
        out.write(bytes(-out.tell() % 512))
        return out.getvalue()

    @staticmethod
    def _entry(out, inode, path, mode, data, major, minor):
        name = path.encode() + b"\0"
        links = 2 if stat.S_ISDIR(mode) else 1
        #         ino    mode  uid gid links  time size       dev   rdev          name       check
        fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, major, minor, len(name), 0)
        out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + name)
        out.write(bytes(-out.tell() % 4))
        out.write(data)
        out.write(bytes(-out.tell() % 4))


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def add_tree(archive, root):
    """A folder as it is laid out, links as links."""
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            target = os.path.relpath(path, root)
            if os.path.islink(path):
                archive.symlink(target, os.readlink(path))
            else:
                archive.file(target, read(path), 0o755 if os.access(path, os.X_OK) else 0o644)


def build(busybox, boot_scripts=(), extra=(), trees=(), links=()):
    archive = Archive()
    archive.file("bin/busybox", read(busybox), 0o755)
    archive.symlink("bin/sh", "busybox")
    archive.file("init", read(os.path.join(HERE, "init")), 0o755)
    archive.file("etc/shrc", read(os.path.join(HERE, "shrc")))
    archive.node("dev/console", 5, 1)
    archive.node("dev/null", 1, 3, 0o666)
    for path in ("proc", "sys", "tmp"):
        archive.directory(path)
    for root in trees:
        add_tree(archive, root)
    for item in links:
        path, _, target = item.partition(":")
        archive.symlink(path.lstrip("/"), target)
    for number, script in enumerate(boot_scripts):
        archive.file("etc/boot.d/%02d-%s" % (number, os.path.basename(script)), read(script), 0o755)
    for item in extra:
        source, _, target = item.partition(":")
        archive.file(target.lstrip("/"), read(source), 0o755 if os.access(source, os.X_OK) else 0o644)
    return gzip.compress(archive.pack(), 9, mtime=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busybox", required=True, help="the static busybox of the guest's architecture")
    parser.add_argument("--boot-script", action="append", default=[], metavar="FILE",
                        help="a shell script that /init runs before the shell starts; may be repeated")
    parser.add_argument("--add", action="append", default=[], metavar="FILE:PATH", help="a further file")
    parser.add_argument("--tree", action="append", default=[], metavar="FOLDER", help="everything in a folder")
    parser.add_argument("--link", action="append", default=[], metavar="PATH:TARGET", help="a symbolic link")
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    image = build(options.busybox, options.boot_script, options.add, options.tree, options.link)
    with open(options.output + ".new", "wb") as stream:
        stream.write(image)
    os.replace(options.output + ".new", options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
