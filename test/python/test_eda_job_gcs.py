"""eda_job_gcs.py against a bucket in memory: what goes back, in which order, and what does not. Its HTTP is tested over a socket, by the trainer's tests."""

import json
import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from folders import HELPER, eda_job

sys.path.insert(0, str(HELPER.parent))
import eda_job_gcs  # noqa: E402

ROOT = "projetos/eda"
FOLDER = ROOT + "/jobs/job-1/"


class MemoryBucket:
    """Stands in for Storage."""

    bucket = "modelos"

    def __init__(self):
        self.objects, self.history = {}, []
        self.refuses = None  # a name that cannot be written

    def list(self, prefix, delimiter=None, startOffset=""):
        for name in sorted(self.objects):
            if name.startswith(prefix) and name >= startOffset and not (delimiter and delimiter in name[len(prefix) :]):
                yield {"name": name, "size": str(len(self.objects[name]))}

    def read(self, name, target):
        Path(target).write_bytes(self.objects[name])

    def write(self, name, file):
        data = Path(file).read_bytes()
        if name == self.refuses:
            raise eda_job_gcs.StorageError("full", 507)
        self.objects.setdefault(name, data)
        self.history.append(name[len(FOLDER) :])

    def delete(self, name):
        self.objects.pop(name, None)
        self.history.append("-" + name[len(FOLDER) :])


class FolderTest(unittest.TestCase):
    def setUp(self):
        self.before = dict(os.environ)
        self.bucket = MemoryBucket()
        self.put("job.json", json.dumps({"inputs": [{"path": "data/a.csv", "from": "../../datasets/abc"}]}))
        self.bucket.objects[ROOT + "/datasets/abc"] = b"a,b\n"
        self.folder = eda_job_gcs.Folder(self.bucket, ROOT, "job-1", 1000)

    def tearDown(self):
        self.folder.close()
        shutil.rmtree(str(self.folder.folder.parents[1]), ignore_errors=True)
        os.environ.clear()
        os.environ.update(self.before)

    def put(self, path, data):
        self.bucket.objects[FOLDER + path] = data.encode() if isinstance(data, str) else data

    def begin(self):
        self.folder.begin()
        return self.folder.folder

    def write(self, path, data):
        target = self.folder.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(eda_job.sealed(data) if isinstance(data, dict) else data)


class BringingTheFolder(FolderTest):
    def test_puts_everything_where_eda_job_looks_for_it_and_says_where(self):
        self.put("checkpoints/x/manifest.json", b"{}")
        folder = self.begin()
        self.assertEqual(os.environ["EDA_JOB_FOLDER"], str(folder))
        self.assertEqual((folder / "../../datasets/abc").resolve().read_bytes(), b"a,b\n")
        self.assertEqual((folder / "checkpoints/x/manifest.json").read_bytes(), b"{}")

    def test_brings_only_the_names_of_what_other_attempts_told_and_no_logs(self):
        self.put("beats/001-aaaaaaaa-000001.json", b"long")
        self.put("results/001-aaaaaaaa/model.bin", b"long")
        self.put("logs/001-aaaaaaaa-000001.log", b"long")
        folder = self.begin()
        self.assertEqual((folder / "beats/001-aaaaaaaa-000001.json").stat().st_size, 0)
        self.assertEqual((folder / "results/001-aaaaaaaa/model.bin").stat().st_size, 0)
        self.assertFalse((folder / "logs").exists())
        self.folder.exchange()
        self.assertEqual(self.bucket.history, [])

    def test_refuses_a_job_whose_data_lie_elsewhere(self):
        for outside in ("../../../segredo", "/etc/passwd", "../../../../x"):
            self.put("job.json", json.dumps({"inputs": [{"path": "data/a.csv", "from": outside}]}))
            with self.assertRaisesRegex(eda_job_gcs.StorageError, "lies outside"):
                self.folder.begin()

    def test_refuses_names_that_lead_out_of_the_folder(self):
        self.put("../../../x", b"")
        with self.assertRaisesRegex(eda_job_gcs.StorageError, "is no path"):
            self.folder.begin()

    def test_says_where_a_job_is_missing(self):
        del self.bucket.objects[FOLDER + "job.json"]
        with self.assertRaisesRegex(eda_job_gcs.StorageError, "gs://modelos/projetos/eda/jobs/job-1"):
            self.folder.begin()

    def test_brings_news_later(self):
        folder = self.begin()
        self.write("beats/001-aaaaaaaa-000001.json", {"log": None})
        self.put("CANCEL", b"")
        self.put("DONE.json", b"another's")
        self.put("beats/002-bbbbbbbb-000001.json", b"long")
        self.folder.exchange()
        self.assertTrue((folder / "CANCEL").exists())
        self.assertEqual((folder / "DONE.json").read_bytes(), b"another's")
        self.assertEqual((folder / "beats/002-bbbbbbbb-000001.json").stat().st_size, 0)


class TakingItBack(FolderTest):
    def test_sends_each_document_after_what_it_names_and_DONE_last(self):
        self.begin()
        self.write("results/001-a/model.bin", b"model")
        self.write("DONE.json", {"artefacts": [{"path": "results/001-a/model.bin", "size": 5}]})
        self.write("checkpoints/c/state.bin", b"state")
        self.write("checkpoints/c/manifest.json", {"files": [{"path": "state.bin", "size": 5}]})
        self.write("logs/001-a-000001.log", b"line\n")
        self.write("beats/001-a-000001.json", {"log": {"path": "logs/001-a-000001.log", "size": 5}})
        self.folder.flush()
        names = ["logs/001-a-000001.log", "beats/001-a-000001.json", "checkpoints/c/state.bin", "checkpoints/c/manifest.json"]
        self.assertEqual(self.bucket.history, names + ["results/001-a/model.bin", "DONE.json"])
        self.folder.flush()
        self.assertEqual(len(self.bucket.history), 6)

    def test_keeps_what_is_being_written(self):
        self.begin()
        self.write("beats/001-a-000001.json", eda_job.sealed({"log": None})[:-5])
        self.write("logs/001-a-000002.log", b"li")
        self.write("beats/001-a-000002.json", {"log": {"path": "logs/001-a-000002.log", "size": 5}})
        self.write("checkpoints/c/state.bin", b"state")
        self.write("DONE.json.001-a.partial", {"artefacts": []})
        self.folder.exchange()
        self.assertEqual(self.bucket.history, [])

    def test_keeps_DONE_back_while_a_result_is_missing_and_says_so(self):
        self.begin()
        self.write("results/001-a/model.bin", b"mod")
        self.write("DONE.json", {"artefacts": [{"path": "results/001-a/model.bin", "size": 5}]})
        with self.assertRaisesRegex(eda_job_gcs.StorageError, "DONE.json"):
            self.folder.flush()
        self.assertNotIn("DONE.json", self.bucket.history)

    def test_sends_later_what_the_bucket_refused(self):
        self.begin()
        self.write("beats/001-a-000001.json", {"log": None})
        self.bucket.refuses = FOLDER + "beats/001-a-000001.json"
        with self.assertRaises(eda_job_gcs.StorageError):
            self.folder.flush()
        self.bucket.refuses = None
        self.folder.flush()
        self.assertEqual(self.bucket.history, ["beats/001-a-000001.json"])

    def test_removes_checkpoints_that_are_no_longer_kept_manifest_first(self):
        folder = self.begin()
        self.write("checkpoints/c/state.bin", b"state")
        self.write("checkpoints/c/manifest.json", {"files": [{"path": "state.bin", "size": 5}]})
        self.folder.exchange()
        shutil.rmtree(str(folder / "checkpoints/c"))
        self.folder.exchange()
        self.assertEqual(self.bucket.history[2:], ["-checkpoints/c/manifest.json", "-checkpoints/c/state.bin"])
        self.assertEqual([name for name in self.bucket.objects if "checkpoints" in name], [])


if __name__ == "__main__":
    unittest.main()
