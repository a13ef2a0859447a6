"""Builds the wheel with nothing but the standard library: for `pip` (PEP 517) and for `make wheel`.

    python3 wheel_backend.py FOLDER      writes the wheel into FOLDER and prints its path

The same sources give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "src" / "coffer"
NAME = "coffer"

METADATA = """\
Metadata-Version: 2.1
Name: coffer
Version: {version}
Summary: Client of the Coffer storage host: objects through its Unix socket, and coffer:// for fsspec
License: Apache-2.0
Requires-Python: >=3.9
Provides-Extra: fsspec
Requires-Dist: fsspec>=2023.10; extra == "fsspec"
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Typing :: Typed
"""
WHEEL = "Wheel-Version: 1.0\nGenerator: coffer\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
ENTRY_POINTS = "[fsspec.specs]\ncoffer = coffer.fsspec.CofferFileSystem\n"

Settings = Optional[Dict[str, Any]]


def version() -> str:
    """The version, which the package itself says."""
    found = re.search(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text(), re.MULTILINE)
    assert found
    return found.group(1)


def information() -> List[Tuple[str, bytes]]:
    """The files of the `.dist-info` folder, without the record of all."""
    texts = {"METADATA": METADATA.format(version=version()), "WHEEL": WHEEL, "entry_points.txt": ENTRY_POINTS}
    return [(f"{NAME}-{version()}.dist-info/{name}", text.encode()) for name, text in texts.items()]


def modules() -> List[Tuple[str, bytes]]:
    """The files of the package."""
    files = sorted(path for path in PACKAGE.rglob("*") if path.suffix == ".py" or path.name == "py.typed")
    return [(f"{NAME}/{path.relative_to(PACKAGE)}", path.read_bytes()) for path in files]


def build_wheel(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: Optional[str] = None
) -> str:
    """Writes the wheel and gives its name."""
    files = modules() + information()
    record = f"{NAME}-{version()}.dist-info/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files]
    files.append((record, ("".join(lines) + f"{record},,\n").encode()))
    name = f"{NAME}-{version()}-py3-none-any.whl"
    Path(wheel_directory).mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files:
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
    return name


def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    """Writes the sources as an archive and gives its name."""
    base = f"{NAME}-{version()}"
    own = [(name, (HERE / name).read_bytes()) for name in ("pyproject.toml", "wheel_backend.py")]
    files = [*own, *((f"src/{name}", data) for name, data in modules())]
    files.append(("PKG-INFO", METADATA.format(version=version()).encode()))
    with tarfile.open(Path(sdist_directory) / f"{base}.tar.gz", "w:gz") as archive:
        for path, data in files:
            entry = tarfile.TarInfo(f"{base}/{path}")
            entry.size, entry.mode = len(data), 0o644
            archive.addfile(entry, io.BytesIO(data))
    return f"{base}.tar.gz"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    print(Path(sys.argv[1]) / build_wheel(sys.argv[1]))
