"""eda_job.py on a folder: what it writes, what it refuses, and how an attempt ends. Run by unittest or pytest."""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from folders import HELPER, beats, done, eda_job, fresh_import, make_job, read_json, stand_in_nvidia_smi

os.environ["EDA_JOB_WAIT_SECONDS"] = "2"


class JobTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="eda-test-"))
        self.folder = self.root / "trabalho de ação"
        self.folder.mkdir()
        self.before = (os.getcwd(), dict(os.environ))

    def tearDown(self):
        for thread in threading.enumerate():
            if hasattr(thread, "eda_job"):
                thread.eda_job.fail(RuntimeError("left by a test"))
                thread.join()
        os.chdir(self.before[0])
        os.environ.clear()
        os.environ.update(self.before[1])
        shutil.rmtree(str(self.root))

    def start(self, **options):
        return eda_job.start(make_job(self.folder, **options))

    def write(self, name, data=b"x"):
        return lambda folder: (folder / name).write_bytes(data)


class AnAttempt(JobTest):
    def test_copies_verified_data_beside_the_notebook_and_hands_over_results_with_hashes(self):
        job = self.start()
        self.assertEqual(Path("data/train.csv").read_bytes(), b"a,b\n1,2\n")
        Path("results/sub").mkdir()
        Path("results/sub/ação.txt").write_text("ok")
        job.save_model(lambda path: path.write_bytes(b"model"), "model.bin")
        job.log_metrics(step=3, total=10, loss=0.25, diverged=float("nan"))
        work = job.work
        home = self.before[0]
        job.finish()
        self.assertEqual(os.getcwd(), home)
        result = done(self.folder)
        self.assertEqual([(each["name"], each["role"]) for each in result["artefacts"]],
                         [("metrics.json", "metrics"), ("model.bin", "model"), ("sub/ação.txt", "result")])
        for artefact in result["artefacts"]:
            self.assertEqual(artefact["path"], "results/%s/%s" % (job.attempt, artefact["name"]))
            self.assertEqual((self.folder / artefact["path"]).stat().st_size, artefact["size"])
        self.assertEqual(result["metrics"], {"loss": 0.25, "diverged": None})
        self.assertEqual(result["accelerator"]["name"], "cpu")
        self.assertFalse(work.exists())
        self.assertEqual([name for name in os.listdir(str(self.folder)) if "partial" in name], [])

    def test_beats_carry_every_point_once_and_what_was_printed(self):
        job = self.start()
        for step in range(500):
            job.log_metrics(step=step, loss=1 / (step + 1))
            if step % 100 == 0:
                print("step", step)
                time.sleep(0.25)
        job.finish()
        all_beats = beats(self.folder)
        self.assertEqual([beat["sequence"] for beat in all_beats], list(range(1, len(all_beats) + 1)))
        self.assertEqual([point["step"] for beat in all_beats for point in beat["points"]], list(range(500)))
        self.assertEqual({beat["phase"] for beat in all_beats}, {"starting", "training", "finishing"})
        printed = "".join((self.folder / beat["log"]["path"]).read_text() for beat in all_beats if beat["log"])
        self.assertIn("step 0\nstep 100\nstep 200\n", printed)
        self.assertGreater(all_beats[-1]["process"]["residentBytes"], 0)
        self.assertGreater(all_beats[-1]["disk"]["freeBytes"], 0)

    def test_thins_points_that_no_beat_could_hold_and_says_so(self):
        job = self.start(beatSeconds=60)
        for step in range(10_000):
            job.log_metrics(step=step, loss=1.0)
        job.finish()
        told = [beat for beat in beats(self.folder) if beat["points"]]
        self.assertLessEqual(len(told[0]["points"]), eda_job.MAX_POINTS)
        self.assertEqual(sum(len(beat["points"]) + beat["dropped"] for beat in told), 10_000)
        self.assertEqual(told[-1]["points"][-1]["step"], 9_999)

    def test_keeps_points_and_output_for_the_next_beat_when_one_cannot_be_written(self):
        job = self.start(beatSeconds=60)
        full = OSError(28, "No space left on device")
        with mock.patch.object(eda_job, "_write_new", side_effect=full):
            job.log_metrics(step=1, loss=0.5)
            print("said meanwhile")
            job._beat()
        job.log_metrics(step=2, loss=0.4)
        job._beat()
        last = beats(self.folder)[-1]
        self.assertEqual([point["step"] for point in last["points"]], [1, 2])
        self.assertIn("said meanwhile", (self.folder / last["log"]["path"]).read_text())

    def test_beats_while_the_notebook_computes(self):
        self.start()
        before = len(beats(self.folder))
        time.sleep(1.5)
        self.assertGreater(len(beats(self.folder)), before + 2)

    def test_writes_nothing_after_done(self):
        job = self.start(beatSeconds=0.05)
        job.finish()
        before = sorted(self.folder.rglob("*"))
        time.sleep(0.3)
        job.finish()
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        with self.assertRaisesRegex(eda_job.JobError, "has ended"):
            job.log_metrics(loss=1)

    def test_waits_for_data_that_drive_shows_late(self):
        make_job(self.folder, inputs={"data/a.bin": b"12345678"})
        whole = (self.folder / "data/a.bin").read_bytes()
        (self.folder / "data/a.bin").write_bytes(whole[:3])
        threading.Timer(0.5, lambda: (self.folder / "data/a.bin").write_bytes(whole)).start()
        job = eda_job.start(self.folder)
        self.assertEqual((job.data / "a.bin").read_bytes(), whole)


class ItRefuses(JobTest):
    def refused(self, pattern, kind=None):
        with self.assertRaisesRegex(eda_job.JobError, pattern):
            eda_job.start(self.folder)
        if kind is not None:
            last = beats(self.folder)[-1]
            self.assertEqual((last["phase"], last["error"]["type"]), ("failed", kind))
            self.assertTrue(last["error"]["todo"])

    def test_data_of_another_content(self):
        make_job(self.folder)
        (self.folder / "data/train.csv").write_bytes(b"a,b\n1,3\n")
        self.refused("another content", "input-changed")

    def test_data_that_are_truncated_or_missing(self):
        make_job(self.folder)
        (self.folder / "data/train.csv").write_bytes(b"a,b\n")
        self.refused("4 bytes instead of 8", "input-changed")
        (self.folder / "data/train.csv").unlink()
        self.refused("is not there", "input-missing")

    def test_a_job_document_that_was_changed_or_is_half_there(self):
        make_job(self.folder)
        data = (self.folder / "job.json").read_bytes()
        (self.folder / "job.json").write_bytes(data.replace(b'"cpu"', b'"T4" '))
        self.refused("no whole job.json")

    def test_another_jobs_folder(self):
        make_job(self.folder)
        with self.assertRaisesRegex(eda_job.JobError, "holds job job-1"):
            eda_job.start(self.folder, job="job-2")

    def test_a_runtime_without_the_wanted_gpu(self):
        os.environ["PATH"] = "/nonexistent"
        make_job(self.folder, wanted="T4")
        self.refused("wants a T4, and this runtime has no GPU. In Colab choose Runtime", "accelerator-missing")

    def test_another_gpu_than_the_wanted_one(self):
        stand_in_nvidia_smi(self.root, name="NVIDIA L4 (stand-in)")
        make_job(self.folder, wanted="T4")
        self.refused("this runtime has NVIDIA L4", "accelerator-missing")
        self.assertEqual(beats(self.folder)[-1]["accelerator"]["name"], "NVIDIA L4 (stand-in)")

    def test_paths_that_lead_out_of_results_and_links_in_it(self):
        job = self.start()
        with self.assertRaisesRegex(eda_job.JobError, "not a relative path"):
            job.save_result(b"x", "../x")
        os.symlink("/etc/hostname", "results/link")
        with self.assertRaisesRegex(eda_job.JobError, "is a link"):
            job.finish()
        self.assertIsNone(done(self.folder))
        self.assertEqual(beats(self.folder)[-1]["phase"], "failed")

    def test_metrics_that_are_no_json(self):
        job = self.start()
        Path("results/metrics.json").write_text('{"loss": NaN}')
        with self.assertRaisesRegex(eda_job.JobError, "it holds NaN"):
            job.finish()


class Accelerators(JobTest):
    def test_a_t4_is_recorded_with_its_readings(self):
        stand_in_nvidia_smi(self.root)
        job = self.start(wanted="T4")
        job.finish()
        gpu = beats(self.folder)[-1]["gpus"][0]
        self.assertEqual((gpu["utilization"], gpu["memoryUsedMiB"], gpu["powerW"], gpu["powerLimitW"]), (87, 1024, 65.5, None))
        self.assertEqual(done(self.folder)["accelerator"],
                         {"kind": "gpu", "name": "Tesla T4 (stand-in)", "uuid": "GPU-stand-in", "memoryMiB": 15360})

    def test_another_one_trains_where_the_job_allows_it_and_is_what_is_recorded(self):
        os.environ["PATH"] = "/nonexistent"
        job = self.start(wanted="T4", others=True)
        job.finish()
        self.assertEqual(done(self.folder)["accelerator"]["kind"], "cpu")

    def test_a_cpu_job_hides_the_gpu(self):
        stand_in_nvidia_smi(self.root)
        job = self.start(wanted="cpu")
        self.assertEqual((os.environ["CUDA_VISIBLE_DEVICES"], job.accelerator["kind"]), ("", "cpu"))


class Checkpoints(JobTest):
    def names(self):
        return sorted(int(name.split("-")[2]) for name in os.listdir(str(self.folder / "checkpoints")))

    def test_the_last_two_and_the_best_stay(self):
        job = self.start()
        for step, score in ((1, 0.1), (2, 0.9), (3, 0.3), (4, 0.4), (5, 0.5)):
            job.checkpoint(self.write("w"), step=step, score=score)
        self.assertEqual(self.names(), [2, 4, 5])

    def test_the_newest_one_that_verifies_is_resumed_by_a_new_attempt(self):
        first = self.start()
        for step in (1, 2, 3):
            first.checkpoint(self.write("w", b"%d" % step), step=step, score=-step)
        newest = next((self.folder / "checkpoints").glob("*-000000003-*"))
        (newest / "w").write_bytes(b"")
        second = fresh_import().start(self.folder)
        kept = second.resume()
        self.assertEqual((kept.step, kept.score, (kept.folder / "w").read_bytes()), (2, -2, b"2"))
        self.assertEqual(beats(self.folder)[-1]["resumedFrom"]["step"], 2)
        second.checkpoint(self.write("w"), step=2)
        second.checkpoint(self.write("w"), step=2)
        second.finish()
        self.assertEqual(done(self.folder)["resumedFrom"]["step"], 2)

    def test_one_without_a_whole_manifest_is_skipped(self):
        job = self.start()
        job.checkpoint(self.write("w"), step=1)
        job.checkpoint(self.write("w"), step=2)
        manifest = next((self.folder / "checkpoints").glob("*-000000002-*")) / "manifest.json"
        manifest.write_bytes(manifest.read_bytes()[:-9])
        self.assertEqual(job.resume().step, 1)

    def test_damaged_ones_do_not_push_good_ones_out(self):
        first = self.start()
        for step in (1, 8, 9):
            first.checkpoint(self.write("w", b"%d" % step), step=step, score=-step)
        for damaged in (8, 9):
            (next((self.folder / "checkpoints").glob("*-00000000%d-*" % damaged)) / "w").write_bytes(b"??")
        second = fresh_import().start(self.folder)
        self.assertEqual(second.resume().step, 1)
        second.checkpoint(self.write("w"), step=2)
        third = fresh_import().start(self.folder)
        self.assertEqual(third.resume().step, 2)

    def test_none_there_is_none(self):
        self.assertIsNone(self.start().resume())

    def test_training_goes_on_when_one_cannot_be_written(self):
        job = self.start()
        job.checkpoint(self.write("w"), step=1)
        with mock.patch.object(eda_job, "_write_new", side_effect=OSError(28, "No space left on device")):
            job.checkpoint(self.write("w"), step=2)
        self.assertEqual(self.names(), [1])
        job.log_metrics(step=3, loss=1)


class ItEnds(JobTest):
    def test_by_cancel_in_the_folder(self):
        job = self.start()
        self.assertFalse(job.should_stop())
        (self.folder / "CANCEL").write_bytes(b"")
        time.sleep(0.5)
        self.assertTrue(job.should_stop())
        with self.assertRaisesRegex(eda_job.JobStopped, "cancelled"):
            job.finish()
        self.assertEqual(beats(self.folder)[-1]["phase"], "cancelled")
        self.assertIsNone(done(self.folder))
        with self.assertRaisesRegex(eda_job.JobStopped, "cancelled"):
            eda_job.start(self.folder)

    def test_when_a_newer_attempt_has_begun_elsewhere(self):
        job = self.start()
        (self.folder / "beats" / "002-00000000-000001.json").write_bytes(b"half")
        with self.assertRaisesRegex(eda_job.JobStopped, "took this one's place"):
            job.finish()
        self.assertEqual(beats(self.folder, job.attempt)[-1]["phase"], "superseded")

    def test_but_not_for_an_attempt_that_comes_after_it(self):
        job = self.start()
        (self.folder / "beats" / "001-zzzzzzzz-000001.json").write_bytes(b"not an attempt")
        (self.folder / "beats" / "001-ffffffff-000001.json").write_bytes(b"a twin that sorts behind")
        job.attempt < "001-ffffffff" and job.finish()
        self.assertEqual(done(self.folder)["attempt"], job.attempt)

    def test_when_the_first_cell_is_run_again(self):
        first = self.start()
        second = fresh_import().start(self.folder)
        self.assertEqual((first.attempt[:3], second.attempt[:3]), ("001", "002"))
        self.assertEqual(beats(self.folder, "001")[-1]["phase"], "superseded")
        second.finish()
        self.assertEqual(done(self.folder)["attempt"], second.attempt)

    def test_without_publishing_when_another_attempt_was_quicker(self):
        job = self.start()
        other = eda_job.sealed({"format": "eda-done", "attempt": "001-00000000"})
        with mock.patch.object(job, "_stop_before_results"):
            (self.folder / "DONE.json").write_bytes(other)
            with self.assertRaisesRegex(eda_job.JobStopped, "Another attempt has finished"):
                job.finish()
        self.assertEqual((self.folder / "DONE.json").read_bytes(), other)
        self.assertEqual(beats(self.folder, job.attempt)[-1]["phase"], "superseded")

    def test_after_its_time(self):
        job = self.start(attemptSeconds=0.3)
        time.sleep(0.5)
        with self.assertRaisesRegex(eda_job.JobStopped, "longer than"):
            job.stop_if_asked()
        self.assertEqual(beats(self.folder)[-1]["error"]["type"], "time-limit")

    def test_with_results_though_its_time_is_over_once_it_has_them(self):
        job = self.start(attemptSeconds=0.3)
        time.sleep(0.5)
        job.finish()
        self.assertIsNotNone(done(self.folder))

    def test_with_the_error_that_a_script_dies_of(self):
        make_job(self.folder)
        script = "import eda_job; job = eda_job.start(); job.log_metrics(step=1, loss=2.0); {}['x']"
        environment = dict(os.environ, PYTHONPATH=str(HELPER.parent), EDA_JOB_FOLDER=str(self.folder))
        ran = subprocess.run([sys.executable, "-c", script], env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertEqual(ran.returncode, 1)
        last = beats(self.folder)[-1]
        self.assertEqual((last["phase"], last["error"]["type"], last["error"]["message"]), ("failed", "KeyError", "'x'"))
        self.assertEqual(last["points"][0]["values"], {"loss": 2.0})

    def test_with_a_word_when_the_program_ends_before_it_finished(self):
        make_job(self.folder)
        environment = dict(os.environ, PYTHONPATH=str(HELPER.parent), EDA_JOB_FOLDER=str(self.folder))
        subprocess.run([sys.executable, "-c", "import eda_job; eda_job.start()"], env=environment, check=True, stdout=subprocess.PIPE)
        self.assertIn("ended before job.finish()", beats(self.folder)[-1]["error"]["message"])

    def test_as_a_context(self):
        with self.assertRaises(ZeroDivisionError):
            with self.start():
                1 / 0
        self.assertEqual(beats(self.folder)[-1]["error"]["type"], "ZeroDivisionError")
        with eda_job.start(self.folder) as job:
            job.save_result({"a": 1}, "a.json")
        self.assertEqual(read_json(self.folder / "results" / job.attempt / "a.json"), {"a": 1})


class Epochs(JobTest):
    """A loop whose state is a plain object: what matters is what SklearnTraining keeps."""

    def run_epochs(self, module, until=None):
        job = module.start(self.folder)
        training = module.SklearnTraining(job, {"sum": 0.0, "random": random.Random(7)}, epochs=10)
        for epoch in training:
            if epoch == until:
                return training
            training.state["sum"] += training.state["random"].random() + random.random()
            training.end_epoch(sum=training.state["sum"])
        job.finish({"sum": training.state["sum"]})
        return training

    def test_continue_where_the_checkpoint_is_and_end_as_if_undisturbed(self):
        make_job(self.folder)
        random.seed(3)
        undisturbed = self.run_epochs(eda_job).state["sum"]
        shutil.rmtree(str(self.folder))
        self.folder.mkdir()
        make_job(self.folder)
        random.seed(3)
        self.run_epochs(eda_job, until=6)
        random.seed(99)
        resumed = self.run_epochs(fresh_import())
        self.assertEqual(resumed.first, 6)
        self.assertEqual(resumed.state["sum"], undisturbed)
        steps = [point["step"] for beat in beats(self.folder, "002") for point in beat["points"]]
        self.assertEqual(steps, [7, 8, 9, 10])


class OlderPythons(unittest.TestCase):
    def test_understand_the_file(self):
        import ast

        ast.parse(HELPER.read_text(encoding="utf-8"), feature_version=(3, 8))

    def test_need_nothing_but_the_standard_library(self):
        script = "import sys; sys.path.insert(0, %r); import eda_job; print(eda_job.VERSION)" % str(HELPER.parent)
        ran = subprocess.run([sys.executable, "-I", "-S", "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, check=True)
        self.assertEqual(ran.stdout.strip(), b"1")


if __name__ == "__main__":
    unittest.main()
