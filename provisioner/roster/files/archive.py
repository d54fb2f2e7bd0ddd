"""A roster in a zip archive: which of its members it is, and its bytes, unpacked on the way."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from provisioner.errors import RosterError
from provisioner.roster.files.compression import Packed, UnpackedFile
from provisioner.roster.files.folders import rosters_among
from provisioner.roster.files.inputs import InputFile, local_name
from provisioner.roster.files.origin import Origin
from provisioner.wording import listed

_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Member(Packed):
    """One file of a zip archive.

    about  what messages call the files beside it that are left out: by their names they are about it
    """

    member: str
    about: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The archive, and what is read of it."""
        return f"{self.packed.name} ({self.member})"

    def open(self) -> BinaryIO:
        """Open anew, at the start: an `UnpackedFile`. Raises RosterError for what is not as it is listed, OSError."""
        try:
            return cast("BinaryIO", UnpackedFile(self.packed, self.name, "zip", self._opened))
        except NotImplementedError:
            raise RosterError(f"{self.name} is packed in a way that is not read; unpack it first") from None
        except (zipfile.BadZipFile, UnicodeDecodeError):  # the latter for its name there
            what = "what stands before it in the zip archive is not as its list says"
            raise RosterError(f"{self.name} is damaged: {what}; fetch or copy it again") from None

    def _opened(self, packed: BinaryIO) -> zipfile.ZipExtFile:
        return cast("zipfile.ZipExtFile", zipfile.ZipFile(packed).open(self.member))


def member_names(origin: Origin) -> Sequence[str]:
    """Name what is in an archive, in its order; nothing when its list cannot be read. Raises OSError."""
    try:
        with origin.open() as file, zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return ()


def find_member(file: InputFile, origin: Origin) -> tuple[InputFile, Member]:
    """Find the one roster in an archive: what its name says, and its bytes.

    Raises RosterError when there is none or several, and for what is cut off or has a password.
    """
    try:
        with origin.open() as packed, zipfile.ZipFile(packed) as archive:
            members = [info for info in archive.infolist() if not _is_litter(info)]
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        message = f"{file.name} is cut off or damaged: the list of what is in the zip archive cannot be read"
        raise RosterError(f"{message}; fetch or copy it again") from None
    meant = rosters_among([info.filename for info in members if _is_roster(info.filename)])
    rosters = [info for info in members if info.filename in meant.rosters]
    if len(rosters) != 1:
        what = listed([info.filename for info in rosters or members]) or "nothing"
        many = f"{len(rosters)} rosters" if rosters else "no roster"
        mend = "unpack it and name those that are meant" if rosters else "unpack it, and name the roster"
        raise RosterError(f"{file.name} is a zip archive with {many} in it: {what}; {mend}")
    (info,) = rosters
    if info.flag_bits & _ENCRYPTED:
        raise RosterError(f"{file.name}: {info.filename} in it has a password; unpack it first")
    if not info.file_size:
        raise RosterError(f"{file.name}: {info.filename} in it is empty: it has no bytes at all")
    return local_name(info.filename), Member(
        origin, info.filename, tuple(f"{file.name} ({name})" for name in meant.about)
    )


def _is_roster(name: str) -> bool:
    return local_name(name).family not in {None, "zip"}


def _is_litter(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return info.is_dir() or "__MACOSX" in path.parts or path.name.startswith((".", "~$"))
