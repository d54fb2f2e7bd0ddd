"""What is left of a bug of ours: a file with the traceback, secrets masked."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path

import structlog

from provisioner.logs import Redactor
from provisioner.settings.key import API_KEY_VARIABLE


def write_crash_file(error: Exception) -> Path:
    """Write the traceback to the current folder, or to the temporary one when that cannot be written to."""
    text = "".join(traceback.format_exception(error))
    masked = text
    # The log knows every secret of this run; before it is set up there is only the environment.
    known = [each for each in structlog.get_config()["processors"] if isinstance(each, Redactor)]
    for redactor in (*known, Redactor([os.environ.get(API_KEY_VARIABLE, "").strip()])):
        masked = redactor.mask_text(masked)
    name = f"provisioner-crash-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}.log"
    for folder in (Path(), Path(tempfile.gettempdir())):
        try:
            file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            continue
        with os.fdopen(file, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(masked)
        return folder / name
    raise OSError("no folder to write to")
