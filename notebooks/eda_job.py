"""Training jobs of eda, seen from the notebook that trains.

The job folder (docs/job-format.md) may lie on Google Drive, which syncs late and out of order: every file is written once, under a fresh name.
Standard library only, Python 3.8 or later; frameworks are imported by those who use them.

    job = eda_job.start(folder)                  # verifies data and accelerator, begins to beat; prepared notebooks do this themselves
    for step in range(1000):
        loss = train()
        job.log_metrics(step=step, total=1000, loss=loss)
        job.stop_if_asked()                      # cancelled, or another attempt took this one's place
        if step % 100 == 0:
            job.checkpoint(lambda folder: save(folder / "weights"), score=-loss)
    job.save_model(lambda path: save(path), "model.bin")
    job.finish()
"""

from __future__ import annotations

import atexit
import csv
import errno
import hashlib
import importlib.util
import json
import math
import os
import pickle
import platform
import random
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import namedtuple
from datetime import datetime, timezone
from pathlib import Path

VERSION = 1
MAX_POINTS = 2000  # in one beat
MAX_LOG_CHARACTERS = 64 * 1024  # in one beat
CHUNK = 1024 * 1024
GPU_QUERY = (
    "timestamp,name,uuid,utilization.gpu,utilization.memory,memory.used,memory.total,temperature.gpu,power.draw,power.limit"
)
ATTEMPT = re.compile(r"(\d{3})-[0-9a-f]{8}")
SEAL = re.compile(rb',\s*"sha256":\s*"([0-9a-f]{64})"\s*\}\s*$')

Checkpoint = namedtuple("Checkpoint", "folder step score")


class JobError(Exception):
    """What went wrong, and what to do about it."""

    def __init__(self, message, todo="", kind=None):
        super().__init__((message + " " + todo).strip())
        self.message, self.todo = message, todo
        self.kind = kind or type(self).__name__

    def _render_traceback_(self):  # what IPython shows instead of a traceback, which says nothing to the person here
        return ["%s: %s" % (type(self).__name__, self)]


class JobStopped(JobError):
    """The attempt ends here, as it was asked to."""


def start(folder=None, job=None):
    """Begins an attempt of the job in a folder (else EDA_JOB_FOLDER, else the working directory); `job`: the id it must have."""
    return Job(Path(folder or os.environ.get("EDA_JOB_FOLDER") or os.getcwd()), job)


def current():
    """The attempt that was begun here last."""
    if Job.current is None:
        raise JobError("No attempt was begun here.", "Run the notebook's first cell.")
    return Job.current


class Job:
    """One attempt of a training job. `data` and `results` are folders on the runtime's own disk, `parameters` is a dict."""

    current = None

    def __init__(self, folder, expected=None):
        self.folder, self._home = folder.absolute(), os.getcwd()
        self._began = time.monotonic()
        self._wait = float(os.environ.get("EDA_JOB_WAIT_SECONDS", "120"))
        self.document = self._job_document(expected)
        self.id, self.parameters = self.document["job"], self.document["parameters"]
        self._limits = self.document["limits"]
        self._refuse_what_has_ended()
        self.attempt = self._next_attempt()
        self.started_at = _now()
        self.runtime = _runtime()
        self.accelerator = None
        self.phase, self.step, self.epoch, self.total = "starting", None, None, None
        self.resumed_from = None
        self._metrics, self._points, self._dropped, self._sequence = {}, [], 0, 0
        self._checkpoint, self._error, self._roles = None, None, {}
        self._damaged = set()
        self._lock = threading.Lock()  # what is told
        self._beating = threading.RLock()  # telling it, which can take long on Drive
        self._stop_reason, self._looked_at, self._warned = None, 0.0, set()
        self._output = _Output()
        self._ended = threading.Event()
        self.work = Path(tempfile.mkdtemp(prefix="eda-job-"))
        self.data, self.results = self.work / "data", self.work / "results"
        self.results.mkdir()
        self._beat()
        self._take_over()
        self._output.capture()
        self._watcher = _Watcher(self)
        self._thread = threading.Thread(target=self._beat_on, name="eda-job", daemon=True)
        self._thread.eda_job = self
        self._thread.start()
        Job.current = self
        try:
            self._check_accelerator()
            self._fetch_inputs()
        except BaseException as error:
            self.fail(error)
            raise
        os.chdir(str(self.work))
        self._enter("training")
        print("Attempt %s of job %s, on %s (%s)." % (self.attempt, self.id, self.accelerator["name"], self.runtime))

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _traceback):
        if error is None:
            self.finish()
        else:
            self.fail(error)

    # ── what a notebook calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    def log_metrics(self, step=None, epoch=None, total=None, **values):
        """A point of the curves. Step: an integer, one more than the last by default; total: steps in all."""
        self._assert_alive()
        if step is not None and step < 0:
            raise ValueError("step is negative")
        with self._lock:
            self.step = int(step) if step is not None else (self.step or 0) + 1
            self.epoch = _number(epoch) if epoch is not None else self.epoch
            self.total = int(total) if total is not None else self.total
            point = {"step": self.step, "epoch": self.epoch, "at": _now(), "values": {name[:100]: _number(values[name]) for name in values}}
            self._metrics.update(point["values"])
            self._points.append(point)
            if len(self._points) > MAX_POINTS:
                kept = self._points[::-2][::-1]
                self._dropped += len(self._points) - len(kept)
                self._points = kept

    def should_stop(self):
        """Whether the attempt was cancelled, ran out of time, or another attempt took its place. Cheap enough for every step."""
        pause = min(self._limits["beatSeconds"] / 4, 5)
        if self._stop_reason is None and time.monotonic() - self._looked_at >= pause:
            self._look()
        return self._stop_reason is not None

    def stop_if_asked(self):
        """Raises JobStopped when should_stop()."""
        if not self.should_stop():
            return
        kind, message, todo = self._stop_reason
        stopped = JobStopped(message, todo, kind)
        self.fail(stopped)
        raise stopped

    def checkpoint(self, save, step=None, score=None):
        """Keeps what `save(folder)` writes into a folder. The last two and the best one stay (score: larger is better)."""
        self._assert_alive()
        step = int(step if step is not None else self.step or 0)
        score = None if score is None else _number(score)
        name = _fresh(self.folder / "checkpoints", "%s-%09d" % (self.attempt, step))
        target = self.folder / "checkpoints" / name
        local = Path(tempfile.mkdtemp(dir=str(self.work)))
        try:
            save(local)
            files = [_copied(path, target / _relative(path, local), _relative(path, local)) for path in _files(local)]
            document = {"format": "eda-checkpoint", "job": self.id, "attempt": self.attempt, "step": step, "score": score, "at": _now()}
            _write_new(target / "manifest.json", sealed(dict(document, version=VERSION, files=files)))
        except OSError as error:
            # Training goes on without this one; the earlier ones are still there.
            shutil.rmtree(str(target), ignore_errors=True)
            self._warn("checkpoint", "The checkpoint of step %d could not be written (%s). Is Drive full?" % (step, error))
            return
        finally:
            shutil.rmtree(str(local), ignore_errors=True)
        with self._lock:
            self.step = max(self.step or 0, step)
            self._checkpoint = {"name": name, "step": step, "score": score}
        self._prune()

    def resume(self):
        """The newest checkpoint that verifies, of any attempt, as (folder, step, score); None when there is none."""
        self._assert_alive()
        self._enter("starting")
        try:
            for name, manifest in self._checkpoints(print):
                local = Path(tempfile.mkdtemp(dir=str(self.work)))
                try:
                    for file in manifest["files"]:
                        source = _inside(self.folder / "checkpoints" / name, file["path"])
                        _copied(source, _inside(local, file["path"]), file["path"], expected=file)
                except (OSError, JobError) as problem:
                    print("Checkpoint %s is skipped: %s" % (name, problem))
                    self._damaged.add(name)
                    continue
                known = {"name": name, "step": manifest["step"], "score": manifest["score"]}
                with self._lock:
                    self.step, self.resumed_from, self._checkpoint = manifest["step"], known, known
                print("Resumes from step %d (checkpoint %s)." % (manifest["step"], name))
                return Checkpoint(local, manifest["step"], manifest["score"])
            return None
        finally:
            self._enter("training")

    def save_result(self, source, name=None, role="result"):
        """Keeps a file or folder (a path), bytes, a JSON value, or what `source(path)` writes, under `results/`."""
        self._assert_alive()
        if name is None:
            if not isinstance(source, (str, os.PathLike)):
                raise TypeError("name is missing")
            name = Path(source).name
        target = _inside(self.results, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if callable(source):
            source(target)
        elif isinstance(source, (bytes, bytearray)):
            target.write_bytes(source)
        elif isinstance(source, (str, os.PathLike)):
            if Path(source).absolute() != target.absolute():
                (shutil.copytree if Path(source).is_dir() else shutil.copyfile)(str(source), str(target))
        else:
            target.write_text(json.dumps(source, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
        for path in _files(target) if target.is_dir() else [target]:
            self._roles[_relative(path, self.results)] = role
        return target

    def save_model(self, source, name=None):
        """As save_result, for what is deployed."""
        return self.save_result(source, name, role="model")

    def finish(self, metrics=None):
        """Hands over everything in `results/`; metrics: final ones, else those of metrics.json, else the last logged. Does nothing twice."""
        if self._ended.is_set() and self.phase == "finishing":
            return
        self._assert_alive()
        self._stop_before_results()
        self._enter("finishing")
        try:
            metrics = self._final_metrics(metrics)
            target = self.folder / "results" / self.attempt
            artefacts = [self._hand_over(path, target) for path in _files(self.results)]
            with self._beating:  # nothing is written after DONE.json
                self._stop_before_results()
                self._beat()
                self._publish(metrics, artefacts)
                self._close()
        except BaseException as error:
            self.fail(error)
            raise
        print("Attempt %s has finished: %d artefact(s)." % (self.attempt, len(artefacts)))

    def fail(self, error):
        """Records why the attempt ended. Exceptions of notebook cells and scripts come here by themselves."""
        self._end(error.kind if getattr(error, "kind", None) in ("cancelled", "superseded") else "failed", error)

    # ── the beginning ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _job_document(self, expected):
        path = self.folder / "job.json"
        document = _awaited(lambda: open_sealed(path), self._wait)
        if document is None:
            raise JobError("There is no whole job.json in %s." % self.folder, "Wait until Drive has synced it, or prepare the job anew.")
        if document["format"] != "eda-job" or document["version"] != VERSION:
            raise JobError("job.json is of another version than this eda_job.py (%d)." % VERSION, "Prepare the job anew.")
        if expected is not None and document["job"] != expected:
            raise JobError("This folder holds job %s, and the notebook is of job %s." % (document["job"], expected), "Open its own notebook.")
        return document

    def _refuse_what_has_ended(self):
        if (self.folder / "CANCEL").exists():
            raise JobStopped("The job was cancelled.", "Start a new one in eda.", "cancelled")
        done = _done_by(self.folder)
        if done is not None:
            raise JobStopped("The job has finished already (attempt %s)." % done, "Start a new one in eda to train again.", "superseded")

    def _next_attempt(self):
        numbers = [int(attempt[:3]) for attempt in _attempts(self.folder)]
        return "%03d-%s" % (max(numbers, default=0) + 1, secrets.token_hex(4))

    def _take_over(self):
        """An attempt that runs in this process (the first cell was run again) makes room, also one of an earlier import of this file."""
        for thread in threading.enumerate():
            earlier = getattr(thread, "eda_job", None)
            if earlier is not None and earlier is not self:
                earlier._end("superseded", JobStopped("The notebook's first cell was run again.", "", "superseded"))

    def _check_accelerator(self):
        wanted, others = self.document["accelerator"]["wanted"], self.document["accelerator"]["allowOthers"]
        if wanted == "cpu":
            # A GPU that is there is hidden, so that what is recorded is what trains.
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
            self.accelerator = {"kind": "cpu", "name": "cpu", "uuid": None, "memoryMiB": None}
            return
        gpus = gpu_readings()
        fitting = [gpu for gpu in gpus if re.search(r"\b%s\b" % re.escape(wanted), gpu["name"])]
        chosen = (fitting or gpus or [None])[0]
        if chosen is not None:
            self.accelerator = {"kind": "gpu", "name": chosen["name"], "uuid": chosen["uuid"], "memoryMiB": chosen["memoryTotalMiB"]}
        else:
            tpu = any(name in os.environ for name in ("COLAB_TPU_ADDR", "TPU_NAME", "TPU_ACCELERATOR_TYPE"))
            self.accelerator = {"kind": "tpu" if tpu else "cpu", "name": "TPU" if tpu else "cpu", "uuid": None, "memoryMiB": None}
        if not fitting and not others:
            found = self.accelerator["name"] if self.accelerator["kind"] != "cpu" else "no GPU"
            raise JobError(
                "The job wants a %s, and this runtime has %s." % (wanted, found),
                "In Colab choose Runtime, Change runtime type, %s GPU, then Run all. To train on what there is, "
                "set modeling.accelerator in the project file and start the job anew." % wanted,
                "accelerator-missing",
            )

    def _fetch_inputs(self):
        needed = sum(entry["size"] for entry in self.document["inputs"])
        free = shutil.disk_usage(str(self.work)).free
        if needed > free:
            raise JobError("The data need %d MB, and this runtime has %d MB left." % (needed >> 20, free >> 20), "Use one with a larger disk.")
        self.data.mkdir()
        for entry in self.document["inputs"]:
            source = self.folder / (entry.get("from") or entry["path"])
            _awaited(lambda: source.is_file() and source.stat().st_size >= entry["size"], self._wait)
            target = _inside(self.work, entry["path"])
            try:
                _copied(source, target, entry["path"], expected=entry)
            except FileNotFoundError:
                raise JobError("%s is not there." % source, "Wait until Drive has synced it, or start the job anew.", "input-missing") from None
            except JobError as problem:
                todo = "It is not what the job was prepared with. Delete that file and start the job anew: it is exported again."
                raise JobError(problem.message, todo, "input-changed") from None

    # ── beats ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _beat_on(self):
        while not self._ended.wait(self._limits["beatSeconds"]):
            self._look()
            self._beat()

    def _enter(self, phase):
        self.phase = phase
        self._beat()

    def _beat(self):
        """One file. What could not be written (Drive is full, or away) goes with the next one."""
        with self._beating:
            if self._ended.is_set():
                return
            self._sequence += 1
            name = "%s-%06d" % (self.attempt, self._sequence)
            readings, text = self._readings(), self._output.peek()
            with self._lock:
                points, dropped = self._points, self._dropped
                self._points, self._dropped = [], 0
                told = dict(self._told(), points=points, dropped=dropped, **readings)
            try:
                log = self._write_log(name, text)
                _write_new(self.folder / "beats" / (name + ".json"), sealed(dict(told, log=log)))
            except OSError as error:
                with self._lock:
                    self._points, self._dropped = points + self._points, dropped + self._dropped
                self._warn("beat", "A beat could not be written (%s). Training goes on; is Drive full or away?" % error)
                return
            self._output.drop(len(text))

    def _write_log(self, name, text):
        if not text:
            return None
        data = text.encode("utf-8", "replace")
        _write_new(self.folder / "logs" / (name + ".log"), data)
        return {"path": "logs/%s.log" % name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    def _told(self):
        return {
            "format": "eda-beat",
            "version": VERSION,
            "job": self.id,
            "attempt": self.attempt,
            "sequence": self._sequence,
            "at": _now(),
            "phase": self.phase,
            "runtime": self.runtime,
            "accelerator": self.accelerator,
            "step": self.step,
            "epoch": self.epoch,
            "total": self.total,
            "metrics": dict(self._metrics),
            "checkpoint": self._checkpoint,
            "resumedFrom": self.resumed_from,
            "error": self._error,
        }

    def _readings(self):
        gpus = [] if self.document["accelerator"]["wanted"] == "cpu" else gpu_readings()
        return {"gpus": gpus, "process": _process(), "machine": _machine(), "disk": _disk(self.work)}

    def _look(self):
        """Whether there is a reason to stop. The first one found stays."""
        self._looked_at = time.monotonic()
        limit = self._limits["attemptSeconds"]
        done = _done_by(self.folder)
        others = [attempt for attempt in _attempts(self.folder) if _goes_before(attempt, self.attempt)]
        if self._stop_reason is not None:
            return
        if (self.folder / "CANCEL").exists():
            self._stop_reason = ("cancelled", "The job was cancelled.", "")
        elif done is not None and done != self.attempt:
            self._stop_reason = ("superseded", "Attempt %s has finished the job." % done, "")
        elif others:
            self._stop_reason = ("superseded", "Attempt %s took this one's place." % others[0], "")
        elif limit is not None and time.monotonic() - self._began > limit:
            todo = "Resume it, or raise modeling.timeoutMinutes in the project file."
            self._stop_reason = ("time-limit", "The attempt took longer than %d s." % limit, todo)

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _stop_before_results(self):
        """As stop_if_asked; but whoever has results to hand over is not stopped for being late with them."""
        self._look()
        if self._stop_reason is not None and self._stop_reason[0] != "time-limit":
            self.stop_if_asked()

    def _final_metrics(self, metrics):
        file = self.results / "metrics.json"
        if metrics is not None or not file.exists():
            self.save_result(_plain(self._metrics if metrics is None else metrics), "metrics.json")
        try:
            found = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        except ValueError as error:
            raise JobError("results/metrics.json is not JSON (%s)." % error, "Write an object whose numbers are finite.") from None
        if not isinstance(found, dict):
            raise JobError("results/metrics.json is not an object.", "Write an object whose numbers are finite.")
        return found

    def _hand_over(self, path, target):
        name = _relative(path, self.results)
        copied = _copied(path, target / name, "results/%s/%s" % (self.attempt, name))
        role = "metrics" if name == "metrics.json" else self._roles.get(name, "result")
        return dict(copied, name=name, role=role)

    def _publish(self, metrics, artefacts):
        document = {
            "format": "eda-done",
            "version": VERSION,
            "job": self.id,
            "attempt": self.attempt,
            "at": _now(),
            "startedAt": self.started_at,
            "runtime": self.runtime,
            "accelerator": self.accelerator,
            "step": self.step,
            "metrics": metrics,
            "resumedFrom": self.resumed_from,
            "environment": _environment(),
            "artefacts": artefacts,
        }
        partial, done = self.folder / ("DONE.json.%s.partial" % self.attempt), self.folder / "DONE.json"
        _write_new(partial, sealed(document))
        try:
            os.link(str(partial), str(done))  # refuses when another attempt was quicker
            partial.unlink()
        except OSError as error:
            if error.errno == errno.EEXIST or done.exists():
                partial.unlink()
                raise JobStopped("Another attempt has finished the job.", "", "superseded") from None
            os.replace(str(partial), str(done))  # Drive knows no hard links

    def _end(self, phase, error):
        with self._beating:
            if self._ended.is_set():
                return
            self.phase, self._error = phase, _described(error)
            self._beat()
            self._close()

    def _close(self):
        self._ended.set()
        self._watcher.release()
        self._output.release()
        if Path.cwd() == self.work:
            os.chdir(self._home if Path(self._home).is_dir() else str(self.folder))
        shutil.rmtree(str(self.work), ignore_errors=True)

    def _assert_alive(self):
        if self._ended.is_set():
            raise JobError("Attempt %s has ended." % self.attempt, "Run the notebook's first cell again: a new attempt resumes.")

    def _warn(self, kind, message):
        if kind not in self._warned:
            self._warned.add(kind)
            print(message, file=sys.stderr)

    # ── checkpoints ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _checkpoints(self, tell=lambda _line: None):
        """Name and manifest of those that are whole as far as their manifest goes, newest first."""
        found = []
        for name in _names(self.folder / "checkpoints"):
            manifest = open_sealed(self.folder / "checkpoints" / name / "manifest.json")
            if manifest is None:
                tell("Checkpoint %s is skipped: its manifest is not whole." % name)
            elif manifest["job"] == self.id:
                found.append((name, manifest))
        return sorted(found, key=lambda each: (each[1]["step"], each[1]["at"]), reverse=True)

    def _prune(self):
        """Keeps the last two and the best, and this attempt's last. One found damaged does not count; a newer attempt's are its own."""
        found = [each for each in self._checkpoints() if each[0] not in self._damaged and each[1]["attempt"][:3] <= self.attempt[:3]]
        scored = [each for each in found if each[1]["score"] is not None]
        kept = [name for name, _ in found[:2]] + [name for name, _ in found if name.startswith(self.attempt)][:1]
        kept += [name for name, _ in sorted(scored, key=lambda each: each[1]["score"])[-1:]]
        for name, _ in found:
            if name not in kept:
                shutil.rmtree(str(self.folder / "checkpoints" / name), ignore_errors=True)


# ── training loops ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Training:
    """Epochs that survive their runtime: iterating gives those that are still to do, after the last good checkpoint."""

    def __init__(self, job, epochs, every=1):
        self.job, self.epochs, self.every = job, epochs, every
        self.first = 0
        checkpoint = job.resume()
        if checkpoint is not None:
            self._load(checkpoint.folder)
            self.first = json.loads((checkpoint.folder / "training.json").read_text())["epoch"]
        self._epoch = self.first

    def __iter__(self):
        for self._epoch in range(self.first, self.epochs):
            self.job.stop_if_asked()
            yield self._epoch

    def end_epoch(self, score=None, **metrics):
        """To call at the end of each epoch: a point of the curves, and a checkpoint every `every` epochs and after the last."""
        done = self._epoch + 1
        self.job.log_metrics(step=done, epoch=done, total=self.epochs, **metrics)
        if done % self.every == 0 or done == self.epochs:
            self.job.checkpoint(self._keep, step=done, score=score)

    def _keep(self, folder):
        self._save(folder)
        (folder / "training.json").write_text(json.dumps({"epoch": self._epoch + 1}))

    def _save(self, folder):
        raise NotImplementedError

    def _load(self, folder):
        raise NotImplementedError


class SklearnTraining(_Training):
    """For loops of `partial_fit`, or of `fit` with `warm_start`.

    `state` holds whatever the next epoch depends on (model, random generators); it is replaced when resuming, so use what is in it:

        training = eda_job.SklearnTraining(job, {"model": model, "random": random}, epochs=20)
        for epoch in training:
            model, random = training.state["model"], training.state["random"]
            ...
            training.end_epoch(score=accuracy, accuracy=accuracy)
    """

    def __init__(self, job, state, epochs, every=1):
        self.state = state
        super().__init__(job, epochs, every)

    def _save(self, folder):
        with open(str(folder / "state.pickle"), "wb") as file:
            pickle.dump((self.state, _global_random()), file, protocol=4)

    def _load(self, folder):
        with open(str(folder / "state.pickle"), "rb") as file:
            self.state, numbers = pickle.load(file)
        _restore_global_random(numbers)


class TorchTraining(_Training):
    """For a PyTorch loop. `parts`: whatever has `state_dict` and `load_state_dict` (model, optimizer, scheduler), by name."""

    def __init__(self, job, parts, epochs, every=1):
        self.parts = parts
        super().__init__(job, epochs, every)

    def _save(self, folder):
        import torch

        cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
        state = {name: part.state_dict() for name, part in self.parts.items()}
        torch.save({"parts": state, "torch": torch.get_rng_state(), "cuda": cuda, "random": _global_random()}, str(folder / "state.pt"))

    def _load(self, folder):
        import torch

        kept = torch.load(str(folder / "state.pt"), map_location="cpu", weights_only=False)
        for name, part in self.parts.items():
            part.load_state_dict(kept["parts"][name])
        torch.set_rng_state(kept["torch"])
        if kept["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(kept["cuda"])
        _restore_global_random(kept["random"])


class KerasTraining(_Training):
    """For `model.fit`. `model` is replaced when resuming; each epoch has a seed of its own, so that a resumed one shuffles alike.

        training = eda_job.KerasTraining(job, model, epochs=20, seed=1, score=lambda logs: -logs["val_loss"])
        training.model.fit(x, y, epochs=20, initial_epoch=training.first, callbacks=[training.callback()])
    """

    def __init__(self, job, model, epochs, every=1, seed=0, score=None):
        self.model, self.seed, self.score = model, seed, score
        super().__init__(job, epochs, every)

    def callback(self):
        import keras

        training = self

        class JobCallback(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                training.job.stop_if_asked()
                training._epoch = epoch
                keras.utils.set_random_seed(training.seed + epoch)

            def on_train_batch_end(self, batch, logs=None):
                training.job.stop_if_asked()

            def on_epoch_end(self, epoch, logs=None):
                logs = logs or {}
                training.end_epoch(score=training.score(logs) if training.score else None, **logs)

        return JobCallback()

    def _save(self, folder):
        self.model.save(str(folder / "model.keras"))

    def _load(self, folder):
        import keras

        self.model = keras.models.load_model(str(folder / "model.keras"))


def _global_random():
    numpy = sys.modules.get("numpy")
    return random.getstate(), None if numpy is None else numpy.random.get_state()


def _restore_global_random(numbers):
    own, numpys = numbers
    random.setstate(own)
    if numpys is not None:
        import numpy

        numpy.random.set_state(numpys)


# ── the notebook's output and its exceptions ─────────────────────────────────────────────────────────────────────────────────────────


class _Output:
    """What is printed, kept until a beat has taken it along."""

    def __init__(self):
        self._text, self._lock, self._streams = "", threading.Lock(), {}

    def capture(self):
        for name in ("stdout", "stderr"):
            stream = _Tee(getattr(sys, name), self._add)
            self._streams[name] = stream
            setattr(sys, name, stream)

    def release(self):
        for name, stream in self._streams.items():
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.under)

    def peek(self):
        with self._lock:
            return self._text

    def drop(self, count):
        with self._lock:
            self._text = self._text[count:]

    def _add(self, text):
        with self._lock:
            room = MAX_LOG_CHARACTERS - len(self._text)
            if room > 0:
                self._text += text if len(text) <= room else text[:room] + "\n… more was printed than is kept between two beats\n"


class _Tee:
    def __init__(self, under, add):
        self.under, self._add = under, add

    def write(self, text):
        self._add(text)
        return self.under.write(text)

    def __getattr__(self, name):
        return getattr(self.under, name)


class _Watcher:
    """Learns of exceptions that nobody caught: in notebook cells through IPython, elsewhere when the program ends."""

    def __init__(self, job):
        self._job = job
        self._shell = _ipython()
        self._hook = sys.excepthook
        atexit.register(self._at_exit)
        if self._shell is not None:
            self._shell.events.register("post_run_cell", self._after_cell)
        else:
            sys.excepthook = self._uncaught

    def release(self):
        atexit.unregister(self._at_exit)
        if self._shell is None:
            sys.excepthook = self._hook
            return
        try:
            self._shell.events.unregister("post_run_cell", self._after_cell)
        except ValueError:
            pass  # released twice

    def _after_cell(self, result):
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if error is not None:
            self._job.fail(error)

    def _uncaught(self, kind, error, trace):
        self._job.fail(error)
        self._hook(kind, error, trace)

    def _at_exit(self):
        self._job.fail(JobError("The runtime ended before job.finish().", "Resume the job: it continues from its last checkpoint."))


def _ipython():
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gpu_readings():
    """One dict a GPU, as nvidia-smi tells; empty where there is none."""
    command = ["nvidia-smi", "--query-gpu=" + GPU_QUERY, "--format=csv,noheader,nounits"]
    try:
        printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    names = ["utilization", "memoryUtilization", "memoryUsedMiB", "memoryTotalMiB", "temperatureC", "powerW", "powerLimitW"]
    readings = []
    for row in csv.reader(printed.decode("utf-8", "replace").splitlines(), skipinitialspace=True):
        if len(row) == 10:
            readings.append(dict({"name": row[1], "uuid": row[2]}, **dict(zip(names, map(_reading, row[3:])))))
    return readings


def _reading(text):
    try:
        return _number(float(text))
    except ValueError:
        return None  # [N/A], [Not Supported]


def _process():
    status = _proc_numbers("/proc/self/status")
    if "VmRSS" not in status:
        return None
    return {"residentBytes": status["VmRSS"], "peakBytes": status.get("VmHWM", status["VmRSS"]), "cpuSeconds": time.process_time()}


def _machine():
    memory = _proc_numbers("/proc/meminfo")
    if "MemAvailable" not in memory:
        return None
    return {"memoryTotalBytes": memory["MemTotal"], "memoryAvailableBytes": memory["MemAvailable"], "load": os.getloadavg()[0]}


def _proc_numbers(path):
    try:
        with open(path, encoding="utf-8") as file:
            rows = [re.match(r"(\w+):\s+(\d+) kB", line) for line in file]
    except OSError:
        return {}
    return {row.group(1): int(row.group(2)) * 1024 for row in rows if row}


def _disk(folder):
    usage = shutil.disk_usage(str(folder)) if folder.exists() else None
    return None if usage is None else {"freeBytes": usage.free, "totalBytes": usage.total}


def _environment():
    found = {"python": platform.python_version(), "platform": platform.platform()[:200]}
    for name in ("numpy", "sklearn", "torch", "tensorflow", "keras", "jax"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            found[name] = str(version)
    return found


def _runtime():
    try:
        if importlib.util.find_spec("google.colab") is not None:
            return "Colab"
    except ImportError:
        pass
    return "Python" if _ipython() is None else "Jupyter"


# ── documents and files ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def sealed(document):
    """Bytes of a JSON object whose last member is the hash of what precedes it."""
    body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))[:-1].encode("utf-8")
    return body + b',"sha256":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def open_sealed(path):
    """The document; None when the file is not there, not whole, or changed."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return None
    seal = SEAL.search(data)
    if seal is None or hashlib.sha256(data[: seal.start()]).hexdigest().encode() != seal.group(1):
        return None
    return json.loads(data.decode("utf-8"))


def _write_new(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(str(path), "xb") as file:
        file.write(data)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise


def _copied(source, target, path, expected=None):
    """Copies a file, hashing it on the way; what is not as expected is a JobError, and the copy is removed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with open(str(source), "rb") as reader, open(str(target), "xb") as writer:
        for chunk in iter(lambda: reader.read(CHUNK), b""):
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
    if expected is not None and (size != expected["size"] or digest.hexdigest() != expected["sha256"]):
        target.unlink()
        what = "has %d bytes instead of %d" % (size, expected["size"]) if size != expected["size"] else "has another content (sha256)"
        raise JobError("%s %s." % (path, what), kind="file-changed")
    return {"path": path, "size": size, "sha256": digest.hexdigest()}


def _files(folder):
    """Regular files below a folder, ordered. A link could lead anywhere, so it is refused."""
    found = []
    for path in sorted(folder.rglob("*")):
        if ".ipynb_checkpoints" in path.parts or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            raise JobError("%s is a link or a special file." % path, "Write a copy instead.")
        found.append(path)
    return found


def _relative(path, folder):
    return path.relative_to(folder).as_posix()


def _inside(folder, name):
    parts = str(name).replace("\\", "/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise JobError("%r is not a relative path without '..'." % str(name))
    return folder.joinpath(*parts)


def _names(folder):
    try:
        return sorted(os.listdir(str(folder)))
    except OSError:
        return []


def _fresh(folder, stem):
    taken = _names(folder)
    return next(name for name in ("%s-%02d" % (stem, number) for number in range(1, 10**6)) if name not in taken)


def _attempts(folder):
    names = [name for place in ("beats", "checkpoints", "results") for name in _names(folder / place)]
    return sorted({match.group(0) for match in map(ATTEMPT.match, names) if match})


def _goes_before(other, own):
    """The rule of docs/job-format.md: the highest number counts, and of several with that number the first id."""
    number, mine = int(other[:3]), int(own[:3])
    return number > mine or (number == mine and other < own)


def _done_by(folder):
    for name in _names(folder):
        if re.match(r"DONE ?(\(\d+\))?\.json$", name):
            done = open_sealed(folder / name)
            if done is not None:
                return done["attempt"]
    return None


def _awaited(look, seconds):
    """What `look` finds, once it finds something; Drive shows files late."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() >= end:
            return found or None
        time.sleep(min(1.0, seconds / 10))


def _described(error):
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    todo = "Free space on Drive, then resume the job." if full else getattr(error, "todo", "") or None
    return {
        "type": getattr(error, "kind", type(error).__name__)[:200],
        "message": str(getattr(error, "message", error))[:4000],
        "todo": todo,
        "traceback": [line[:4000] for line in "".join(lines).splitlines()[-30:]],
    }


def _plain(value):
    """As JSON has it: numbers of any library become plain ones, and what is no finite number becomes null."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (str, bool)) else _number(value)


def _number(value):
    number = float(value)
    if not math.isfinite(number):
        return None  # JSON knows no NaN
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else number


def _refuse_constant(name):
    raise ValueError("it holds %s" % name)


def _now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
