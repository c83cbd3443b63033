"""The job folder of eda on Cloud Storage, brought to a runtime of Colab Enterprise and kept in step with it.

Its text lies in the first cell of a prepared notebook, which has nothing else at hand: standard library only, Python 3.8 or later, and the service account
that the execution runs as. What goes back is what a sealed document names (docs/job-format.md), and each document after all that it names: nothing
half-written is ever seen, and DONE.json is last.

    folder = eda_job_gcs.bring("bucket", "prefix", "job-1")   # sets EDA_JOB_FOLDER; a thread exchanges news from then on
    folder.flush()                                            # everything is in the bucket now
"""

import atexit
import hashlib
import http.client
import json
import os
import posixpath
import random
import re
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

CHUNK = 8 * 1024 * 1024  # larger files go in pieces that can be sent again; a multiple of 256 KiB
TRIES = 7
FIRST_WAIT = 1.0  # seconds, doubled at each try
TIMEOUT = 60
SEAL = re.compile(rb',\s*"sha256":\s*"([0-9a-f]{64})"\s*\}\s*$')
DONE = re.compile(r"DONE ?(\(\d+\))?\.json$")


class StorageError(Exception):
    """Cloud Storage refused, or could not do it also when asked again. `code`: the HTTP status, 0 without an answer."""

    def __init__(self, message, code=0):
        super().__init__(message)
        self.code = code

    def _render_traceback_(self):  # what IPython shows instead of a traceback, which says nothing to the person here
        return ["StorageError: %s" % self]


def bring(bucket, prefix, job, seconds=10.0):
    """The job's folder on this machine. `prefix`: of its objects, without slashes at its ends, or empty."""
    if Folder.current is not None:
        Folder.current.close()
    Folder.current = Folder(Storage(bucket), "/".join(part for part in (prefix, "eda") if part), job, seconds)
    Folder.current.begin()
    return Folder.current


class Folder:
    """`folder`: the job's, on this machine."""

    current = None

    def __init__(self, storage, root, job, seconds):
        self._storage, self._root, self._remote, self._seconds = storage, root, "%s/jobs/%s" % (root, job), seconds
        self._local = Path(tempfile.mkdtemp(prefix="eda-job-folder-"))
        self.folder = self._local / "jobs" / job
        self._there = set()  # paths in the folder that the bucket has
        self._exchanging, self._ended = threading.Lock(), threading.Event()
        self._warned, self._shell = None, None

    def begin(self):
        self._fetch_all()
        os.environ["EDA_JOB_FOLDER"] = str(self.folder)
        threading.Thread(target=self._exchange_on, name="eda-job-gcs", daemon=True).start()
        atexit.register(self._last_words)
        ipython = sys.modules.get("IPython")
        self._shell = ipython.get_ipython() if ipython is not None else None
        if self._shell is not None:
            self._shell.events.register("pre_run_cell", self._before_cell)
        print("The folder of job %s is here." % self.folder.name)

    def flush(self):
        """Takes back what is whole. An error when DONE.json could not be."""
        self.exchange()
        if (self.folder / "DONE.json").exists() and "DONE.json" not in self._there:
            raise StorageError("DONE.json, or something that it names, is not whole.")

    def close(self):
        self._ended.set()
        atexit.unregister(self._last_words)
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._before_cell)
            self._forget_after_cell()

    def exchange(self):
        with self._exchanging:
            self._send_beats()
            self._take_news()
            self._send_checkpoints()
            self._send_done()

    # ── from the bucket ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fetch_all(self):
        for path in [path for path, _ in self._listed("")]:
            # Of other attempts' beats and results only the names count.
            if path.startswith(("beats/", "results/")):
                self._touch(path)
            elif not path.startswith(("logs/", "executed/", "executions/")):
                self._fetch(self._remote + "/" + path, self._inside(self.folder, path))
            self._there.add(path)
        job = self.folder / "job.json"
        if not job.is_file():
            raise StorageError("There is no job.json under gs://%s/%s." % (self._storage.bucket, self._remote))
        for entry in json.loads(job.read_text(encoding="utf-8"))["inputs"]:
            name = posixpath.normpath(posixpath.join(self._remote, entry.get("from") or entry["path"]))
            if not name.startswith(self._root + "/"):
                raise StorageError("%s lies outside of %s." % (name, self._root))
            target = self._inside(self._local, name[len(self._root) + 1 :])
            if not target.exists():
                self._fetch(name, target)

    def _take_news(self):
        """CANCEL, another attempt's DONE.json, and the names of its beats: what an attempt looks for."""
        for path, _ in self._listed("", delimiter="/"):
            if (path == "CANCEL" or DONE.match(path)) and not (self.folder / path).exists():
                self._fetch(self._remote + "/" + path, self.folder / path)
                self._there.add(path)
        newest = max(self._names("beats"), default="")[:4]
        for path, _ in self._listed("beats/", startOffset="%s/beats/%s" % (self._remote, newest)):
            if not (self.folder / path).exists():
                self._touch(path)
                self._there.add(path)

    def _listed(self, below, **query):
        """Path in the folder and the object, of each one below."""
        prefix = self._remote + "/"
        for item in self._storage.list(prefix + below, **query):
            yield item["name"][len(prefix) :], item

    def _fetch(self, name, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        self._storage.read(name, partial)
        os.replace(str(partial), str(target))

    def _touch(self, path):
        target = self._inside(self.folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()

    # ── to the bucket ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _send_beats(self):
        for name in self._names("beats"):
            path = "beats/" + name
            beat = None if path in self._there else _open_sealed(self.folder / path)
            if beat is not None and (beat["log"] is None or self._send(beat["log"]["path"], beat["log"]["size"])):
                self._send(path)

    def _send_checkpoints(self):
        names = self._names("checkpoints")
        for name in names:
            below = "checkpoints/%s/" % name
            manifest = None if below + "manifest.json" in self._there else _open_sealed(self.folder / below / "manifest.json")
            if manifest is not None and all([self._send(below + file["path"], file["size"]) for file in manifest["files"]]):
                self._send(below + "manifest.json")
        # Those that the attempt no longer keeps go there too; the manifest first, so that none is taken for a whole one.
        gone = [path for path in self._there if path.startswith("checkpoints/") and path.split("/")[1] not in names]
        for path in sorted(gone, key=lambda each: not each.endswith("/manifest.json")):
            self._storage.delete(self._remote + "/" + path)
            self._there.discard(path)

    def _send_done(self):
        done = None if "DONE.json" in self._there else _open_sealed(self.folder / "DONE.json")
        if done is not None and all([self._send(artefact["path"], artefact["size"]) for artefact in done["artefacts"]]):
            self._send("DONE.json")

    def _send(self, path, size=None):
        """Whether the bucket has it now: not when it is being written, or gone meanwhile."""
        if path in self._there:
            return True
        file = self._inside(self.folder, path)
        try:
            if size is not None and file.stat().st_size != size:
                return False
            self._storage.write(self._remote + "/" + path, file)
        except FileNotFoundError:
            return False
        self._there.add(path)
        return True

    def _names(self, folder):
        try:
            return sorted(os.listdir(str(self.folder / folder)))
        except OSError:
            return []

    @staticmethod
    def _inside(folder, path):
        parts = path.split("/")
        if any(part in ("", ".", "..") for part in parts):
            raise StorageError("%r is no path of a file in the folder." % path)
        return folder.joinpath(*parts)

    # ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exchange_on(self):
        while not self._ended.wait(self._seconds):
            self._try_to_exchange()

    def _try_to_exchange(self):
        try:
            self.exchange()
        except (StorageError, OSError, ValueError, KeyError) as error:
            # Beats tell of it by not coming; what is missing goes with the next exchange.
            if str(error) != self._warned:
                self._warned = str(error)
                print("The job's folder could not be kept in step with the bucket (%s). Training goes on." % error, file=sys.stderr)

    def _before_cell(self, *_):
        """eda_job.py writes why a cell failed when the cell has ended: whoever takes that back must be told after it."""
        self._forget_after_cell()
        self._shell.events.register("post_run_cell", self._after_cell)

    def _forget_after_cell(self):
        try:
            self._shell.events.unregister("post_run_cell", self._after_cell)
        except ValueError:
            pass  # it was not registered

    def _after_cell(self, result):
        # The runtime may be taken away at once.
        if getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None):
            self._try_to_exchange()

    def _last_words(self):
        if not self._ended.is_set():
            self._try_to_exchange()


class Storage:
    """Objects of one bucket, by the JSON API (https://cloud.google.com/storage/docs/json_api/v1)."""

    def __init__(self, bucket):
        self.bucket = bucket
        # The variables that Google's own libraries go by.
        self._host = os.environ.get("STORAGE_EMULATOR_HOST", "https://storage.googleapis.com").rstrip("/")
        self._metadata = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
        self._token, self._valid_until = "", 0.0

    def list(self, prefix, **query):
        query = dict(query, prefix=prefix, fields="items(name,size),nextPageToken", pageToken="")
        while True:
            page = self._json("GET", self._url("/storage/v1/b/%s/o" % _quoted(self.bucket), query))
            for item in page.get("items", []):
                yield item
            query["pageToken"] = page.get("nextPageToken", "")
            if not query["pageToken"]:
                return

    def read(self, name, target):
        def take():
            with self._send("GET", self._object(name, alt="media")) as answer, open(str(target), "wb") as file:
                shutil.copyfileobj(answer, file, 1024 * 1024)
                length = answer.headers.get("Content-Length")
                if length is not None and file.tell() != int(length):
                    raise ConnectionError("%s came in part" % name)

        self._again(take)

    def write(self, name, file):
        """Never over one that is there: what is written once needs no second time."""
        query = {"name": name, "ifGenerationMatch": "0"}
        path = "/upload/storage/v1/b/%s/o" % _quoted(self.bucket)
        size = file.stat().st_size
        if size <= CHUNK:
            url = self._url(path, dict(query, uploadType="media"))
            return self._unless_there(lambda: self._json("POST", url, file.read_bytes()))
        url = self._url(path, dict(query, uploadType="resumable"))
        session = self._unless_there(lambda: self._again(lambda: self._send("POST", url, b"").headers["Location"]))
        if session is not None:
            self._unless_there(lambda: self._write_pieces(session, file, size))

    def delete(self, name):
        try:
            self._again(lambda: self._send("DELETE", self._object(name)).close())
        except StorageError as error:
            if error.code != 404:
                raise

    def _write_pieces(self, session, file, size):
        offset = 0
        with open(str(file), "rb") as reader:
            while offset is not None and offset < size:
                reader.seek(offset)
                piece = reader.read(min(CHUNK, size - offset))
                headers = {"Content-Range": "bytes %d-%d/%d" % (offset, offset + len(piece) - 1, size)}
                offset = self._again(lambda: self._write_piece(session, piece, headers))

    def _write_piece(self, session, piece, headers):
        """How many bytes the bucket has; None when it has all."""
        try:
            self._send("PUT", session, piece, headers).close()
            return None
        except urllib.error.HTTPError as error:
            if error.code != 308:
                raise
            stored = re.match(r"bytes=0-(\d+)$", error.headers.get("Range", ""))
            return 0 if stored is None else int(stored.group(1)) + 1

    @staticmethod
    def _unless_there(write):
        try:
            return write()
        except StorageError as error:
            if error.code != 412:
                raise

    def _json(self, method, url, data=None):
        def ask():
            with self._send(method, url, data) as answer:
                return json.loads(answer.read().decode("utf-8"))

        return self._again(ask)

    def _send(self, method, url, data=None, headers=()):
        request = urllib.request.Request(url, data=data, method=method, headers=dict(headers))
        if data is not None:
            request.add_header("Content-Type", "application/octet-stream")
        request.add_header("Authorization", "Bearer " + self._access_token())
        return urllib.request.urlopen(request, timeout=TIMEOUT)

    def _again(self, work):
        """With Google's backoff; what a later try does not change is told at once."""
        for attempt in range(TRIES):
            try:
                return work()
            except urllib.error.HTTPError as error:
                if error.code == 401:
                    self._valid_until = 0.0
                elif error.code not in (408, 429) and error.code < 500:
                    raise _refusal(error) from None
                problem = _refusal(error)
            except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                problem = StorageError("Cloud Storage does not answer: %s" % getattr(error, "reason", error))
            if attempt + 1 < TRIES:
                time.sleep(min(FIRST_WAIT * (2**attempt + random.random()), 32))
        raise problem

    def _access_token(self):
        if time.monotonic() >= self._valid_until:
            url = "http://%s/computeMetadata/v1/instance/service-accounts/default/token" % self._metadata
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with direct.open(urllib.request.Request(url, headers={"Metadata-Flavor": "Google"}), timeout=TIMEOUT) as answer:
                found = json.loads(answer.read().decode("utf-8"))
            self._token, self._valid_until = found["access_token"], time.monotonic() + found["expires_in"] - 60
        return self._token

    def _object(self, name, **query):
        return self._url("/storage/v1/b/%s/o/%s" % (_quoted(self.bucket), _quoted(name)), query)

    def _url(self, path, query):
        given = {name: query[name] for name in query if query[name] != ""}
        return self._host + path + ("?" + urllib.parse.urlencode(given) if given else "")


def _quoted(name):
    return urllib.parse.quote(name, safe="")


def _refusal(error):
    said = error.read().decode("utf-8", "replace")
    try:
        said = json.loads(said)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        pass
    todo = " Give the execution's service account the role Storage Object User on the bucket." if error.code == 403 else ""
    return StorageError("Cloud Storage answered %d: %s.%s" % (error.code, said[:300].rstrip("."), todo), error.code)


def _open_sealed(path):
    """The document; None when it is not there or not whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    seal = SEAL.search(data)
    if seal is None or hashlib.sha256(data[: seal.start()]).hexdigest().encode() != seal.group(1):
        return None
    return json.loads(data.decode("utf-8"))
