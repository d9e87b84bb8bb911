"""Tar files whose bytes depend on nothing but their content and one time."""

import gzip
import io
import tarfile


def pack(files, epoch, folders=()):
    """Returns an uncompressed tar file. `files` are (name, bytes, mode); `folders` are (name, mode, owner)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, mode, owner in folders:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, mode, epoch
            entry.uid = entry.gid = owner
            tar.addfile(entry)
        for name, data, mode in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), mode, epoch
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def compress(data):
    """Returns the bytes in gzip, without a name and a time."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as file:
        file.write(data)
    return buffer.getvalue()
