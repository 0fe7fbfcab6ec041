"""Builds the wheel: the package, and the library and jar that the build of bitttt-capi puts into target/dist.

A build backend (PEP 517) of its own, so that ``pip install`` works offline and the native files come along.
"""

import base64
import hashlib
import os
import sysconfig
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME, VERSION = "bitttt", "0.1.0"
INFO = f"{NAME}-{VERSION}.dist-info"
METADATA = f"""Metadata-Version: 2.1
Name: {NAME}
Version: {VERSION}
Summary: Ternary language models that go on learning while they read
License: Apache-2.0
License-File: LICENSE
License-File: NOTICE
Requires-Python: >=3.9
"""
LIBRARIES = ("libbitttt.so", "libbitttt.dylib", "bitttt.dll")


def _tag():
    return "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")


def _dist():
    """The folder with library and jar: above this one in a dist, or where Maven makes it."""
    for folder in (os.environ.get("BITTTT_DIST"), HERE.parent, HERE.parents[2] / "target" / "dist"):
        if folder and (Path(folder) / "bitttt.jar").exists():
            return Path(folder)
    raise SystemExit(
        "bitttt: bitttt.jar and libbitttt were not found near " + str(HERE)
        + "; build them by `mvn -pl bitttt-capi -am package`, or say where they are in BITTTT_DIST"
    )


def _wheel_file():
    return f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: false\nTag: {_tag()}\n"


def _contents():
    """Path in the wheel and bytes of each file."""
    for source in sorted((HERE / NAME).iterdir()):
        if source.suffix == ".py" or source.name == "py.typed":
            yield f"{NAME}/{source.name}", source.read_bytes()
    dist = _dist()
    # Java starts faster with the archive of classes.
    for name in (*LIBRARIES, "bitttt.jar", "bitttt.jsa"):
        if (dist / name).exists():
            yield f"{NAME}/native/{name}", (dist / name).read_bytes()
    for name in ("LICENSE", "NOTICE"):
        yield f"{INFO}/licenses/{name}", (dist / name).read_bytes()
    yield f"{INFO}/METADATA", METADATA.encode()
    yield f"{INFO}/WHEEL", _wheel_file().encode()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Writes the wheel and gives back its name."""
    name = f"{NAME}-{VERSION}-{_tag()}.whl"
    record = []
    with zipfile.ZipFile(Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
        for path, data in _contents():
            wheel.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(data)}")
        record.append(f"{INFO}/RECORD,,")
        wheel.writestr(f"{INFO}/RECORD", "\n".join(record) + "\n")
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise SystemExit("bitttt: a source archive would lack the native library; build a wheel")
