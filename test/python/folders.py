"""Job folders for tests, as `jobFiles` prepares them."""

import hashlib
import importlib.util
import json
import os
import stat
import sys
from pathlib import Path

HELPER = Path(__file__).resolve().parents[2] / "notebooks" / "eda_job.py"
LIMITS = {"beatSeconds": 0.2, "lateSeconds": 1, "suspectSeconds": 2, "lostSeconds": 3, "attemptSeconds": None}

sys.path.insert(0, str(HELPER.parent))
import eda_job  # noqa: E402


def make_job(folder, wanted="cpu", others=False, inputs=None, job="job-1", parameters=None, **limits):
    """`inputs`: bytes by path."""
    inputs = {"data/train.csv": b"a,b\n1,2\n"} if inputs is None else inputs
    entries = []
    for path, data in inputs.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        entries.append({"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    document = {
        "format": "eda-job",
        "version": 1,
        "job": job,
        "parameters": parameters or {},
        "inputs": entries,
        "accelerator": {"wanted": wanted, "allowOthers": others},
        "limits": dict(LIMITS, **limits),
    }
    (folder / "job.json").write_bytes(eda_job.sealed(document))
    return folder


def beats(folder, attempt=""):
    """Every beat, in order; each is whole."""
    found = [eda_job.open_sealed(path) for path in sorted((folder / "beats").glob(attempt + "*.json"))]
    assert None not in found
    return found


def done(folder):
    return eda_job.open_sealed(folder / "DONE.json")


def fresh_import():
    """The helper once more, as a notebook's first cell does after the kernel was restarted."""
    spec = importlib.util.spec_from_file_location("eda_job_again", str(HELPER))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stand_in_nvidia_smi(folder, name="Tesla T4 (stand-in)", memory="15360"):
    """A stand-in for nvidia-smi: it answers the one query of eda_job.py with fixed readings, and refuses everything else."""
    script = folder / "nvidia-smi"
    row = "2026/11/24 12:00:00.000, %s, GPU-stand-in, 87, 40, 1024, %s, 61, 65.50, [N/A]" % (name, memory)
    query = "--query-gpu=" + eda_job.GPU_QUERY
    script.write_text(
        '#!/bin/sh\n# Stand-in: no GPU is behind it.\n[ "$1" = "%s" ] || exit 2\n[ "$2" = "--format=csv,noheader,nounits" ] || exit 2\necho "%s"\n'
        % (query, row)
    )
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    os.environ["PATH"] = str(folder) + os.pathsep + os.environ["PATH"]


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))
