"""A disk that fails when told to: an apsw VFS between a journal and the machine's file system."""

from pathlib import Path

import apsw


class FailingDisk(apsw.VFS):
    """``failing`` is "flush", "write" or "space": what goes wrong with write-ahead logs from now on; "" for nothing."""

    def __init__(self) -> None:
        self.failing = ""
        super().__init__("faults-disk", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return _FailingFile(self, name, flags)


class _FailingFile(apsw.VFSFile):
    def __init__(self, disk: FailingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._disk = disk
        self._is_log = name is not None and Path(name if isinstance(name, str) else name.filename()).suffix == ".db-wal"
        super().__init__("", name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._is_log and self._disk.failing == "flush":
            raise apsw.IOError("the flush failed")
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._is_log and self._disk.failing == "write":
            raise apsw.IOError("the write failed")
        if self._is_log and self._disk.failing == "space":
            raise apsw.FullError("no space left")
        super().xWrite(data, offset)
