/**
 * Training on Colab Enterprise from end to end against the fake of Google Cloud: an execution really runs the prepared notebook, on a real Jupyter
 * kernel that has nothing but its first cell to find the job's folder. No GPU is there: nvidia-smi is a stand-in.
 */
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Beat, type Done, readBeat, readDone } from "../../src/domain/job/format.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import type { JobPlace } from "../../src/ports/job-trainer.ts";
import { type EnterpriseBench, FOLDER, openEnterpriseBench, RUNTIME_ACCOUNT, until } from "../support/enterprise.ts";
import { describeWithPython } from "../support/python.ts";
import { storageError } from "../support/vertex-server/answers.ts";
import { kernelRuntime } from "../support/vertex-server/kernel-runtime.ts";

const { signal } = new AbortController();
const TEST_TIMEOUT_MS = 240_000;
const EPOCHS = 10;
const TRAIN = [
  `import random, time
import eda_job
rows = open(job.data / "train.csv").read()
training = eda_job.SklearnTraining(job, {"mean": 0.0, "random": random.Random(1)}, epochs=${EPOCHS})`,
  `for epoch in training:
    training.state["mean"] += training.state["random"].random()
    training.end_epoch(score=-epoch, mean=training.state["mean"])
    time.sleep(0.3)`,
  'job.save_model({"mean": training.state["mean"], "rows": rows}, "model.json")\njob.save_result({"mean": training.state["mean"]}, "metrics.json")',
];

describeWithPython("a job on Colab Enterprise", (python) => {
  let bench: EnterpriseBench;
  let gpu: string | undefined;
  let pid = 0;

  beforeEach(async () => {
    gpu = undefined;
    bench = await openEnterpriseBench((root) =>
      kernelRuntime({
        python,
        folder: `${root}/machines`,
        gpu: () => gpu,
        onKernel: (kernel) => {
          pid = kernel;
        },
      }),
    );
  });
  afterEach(() => bench.close(), TEST_TIMEOUT_MS);

  const objects = () => bench.server.objects;
  const start = async (cells: readonly string[] = TRAIN): Promise<JobPlace> => {
    const { place } = await bench.trainer.prepare(await bench.parcel(cells), signal);
    expect(await bench.trainer.start(place, signal)).toBe(true);
    return place;
  };
  const stateOf = (attempt: number) => bench.server.executions.all[attempt - 1]?.state;
  const beats = (): Beat[] =>
    objects()
      .names(`${FOLDER}/beats/`)
      .flatMap((name) => {
        const reading = readBeat(objects().bytes(name).toString());
        return reading.kind === "whole" ? [reading.document] : [];
      });
  function done(): Done {
    const reading = readDone(objects().bytes(`${FOLDER}/DONE.json`).toString());
    if (reading.kind !== "whole") throw new Error("DONE.json is not whole");
    return reading.document;
  }

  it(
    "trains to DONE.json, which comes last; everything in the folder is whole whenever it is seen",
    async () => {
      const place = await start();
      const folder = bench.trainer.folder(place);
      await until(async () => (await folder.list(signal)).some(({ path }) => path === "DONE.json"));
      await bench.trainer.release(place);
      expect(stateOf(1)).toBe("JOB_STATE_SUCCEEDED");
      expect(await bench.trainer.trouble(place, signal)).toBeUndefined();

      const { accelerator, artefacts, attempt, step, metrics } = done();
      expect({ accelerator, step }).toMatchObject({ accelerator: { kind: "gpu", name: "Tesla T4 (stand-in)" }, step: EPOCHS });
      expect(artefacts.map(({ name }) => name)).toEqual(["metrics.json", "model.json"]);
      const files = await folder.list(signal);
      for (const { path, size, sha256 } of artefacts) {
        const file = files.find((each) => each.path === path);
        const content = await text(await folder.read(file as never, signal));
        expect({ size: content.length, sha256: sha256Hex(content) }).toEqual({ size, sha256 });
      }
      expect(JSON.parse(objects().bytes(`${FOLDER}/results/${attempt}/model.json`).toString())).toMatchObject({ ...metrics, rows: "rows" });

      const put = objects()
        .history.filter((name) => name.startsWith(FOLDER))
        .map((name) => name.slice(FOLDER.length + 1));
      expect(put.filter((name) => !name.startsWith("executed/")).at(-1)).toBe("DONE.json");
      for (const name of put.filter((each) => each.startsWith("beats/"))) {
        const log = name.replace("beats/", "logs/").replace(".json", ".log");
        if (put.includes(log)) expect(put.indexOf(log)).toBeLessThan(put.indexOf(name));
      }
      const [checkpoint] = put.filter((name) => name.endsWith("/manifest.json"));
      expect(put.indexOf(checkpoint?.replace("manifest.json", "state.pickle") as string)).toBeLessThan(put.indexOf(checkpoint as string));
      // Those that the attempt no longer keeps do not stay in the bucket either.
      const kept = new Set(
        objects()
          .names(`${FOLDER}/checkpoints/`)
          .map((name) => name.split("/").at(-2)),
      );
      expect(kept.size).toBeGreaterThan(0);
      expect(kept.size).toBeLessThanOrEqual(3);
      // The runtime has the rights of its own account, and of no other.
      const writers = bench.server.requests.filter(({ path, method }) => method === "POST" && path.includes("%2Fbeats%2F"));
      expect(new Set(writers.map(({ account }) => account))).toEqual(new Set([RUNTIME_ACCOUNT]));
      const executed = files.find(({ path }) => path === "executed.ipynb");
      expect(executed).toBeDefined();
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "resumes from the last good checkpoint when its kernel was killed, and ends with what an undisturbed run ends with",
    async () => {
      const place = await start();
      await until(() => beats().some(({ step, checkpoint }) => (step ?? 0) >= 4 && checkpoint !== null));
      process.kill(pid, "SIGKILL");
      await until(() => stateOf(1) === "JOB_STATE_FAILED");
      expect(await bench.trainer.trouble(place, signal)).toMatchObject({
        code: "execution-failed",
        message: expect.stringContaining("kernel died"),
      });
      // Another life of the host, with what it has kept.
      const later = bench.another();
      expect(await later.start(JSON.parse(JSON.stringify(place)) as JobPlace, signal)).toBe(true);
      await until(() => objects().names().includes(`${FOLDER}/DONE.json`));
      await later.release(place);
      const { attempt, resumedFrom, metrics } = done();
      expect(attempt).toMatch(/^002-/u);
      expect(resumedFrom?.step).toBeGreaterThanOrEqual(1);
      // random.Random(1), summed up ten times.
      expect(metrics["mean"]).toBe(4.508091164800865);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "stops by CANCEL, which the runtime finds in the bucket",
    async () => {
      await start(["import time\nwhile True:\n    job.stop_if_asked()\n    time.sleep(0.1)"]);
      await until(() => beats().some(({ phase }) => phase === "training"));
      objects().put(`${FOLDER}/CANCEL`, "");
      await until(() => beats().some(({ phase }) => phase === "cancelled"));
      await until(() => stateOf(1) === "JOB_STATE_FAILED");
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "ends the machine when the job is cancelled, whatever the notebook does",
    async () => {
      const place = await start(["import time\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt: pass"]);
      await until(() => beats().some(({ phase }) => phase === "training"));
      expect(await bench.trainer.cancel(place)).toBe(true);
      await bench.trainer.release(place);
      expect(stateOf(1)).toBe("JOB_STATE_CANCELLED");
      expect(() => process.kill(pid, 0)).toThrow(/ESRCH/u);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "refuses another accelerator, and why is in the bucket before the machine goes",
    async () => {
      gpu = "NVIDIA L4 (stand-in)";
      await start();
      await until(() => stateOf(1) === "JOB_STATE_FAILED");
      expect(beats().at(-1)).toMatchObject({
        phase: "failed",
        error: { type: "accelerator-missing", message: "The job wants a T4, and this runtime has NVIDIA L4 (stand-in)." },
      });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "tells which mistake of the notebook ended it, also when a cell raises long after the last beat",
    async () => {
      await start(["job.log_metrics(loss=1)", "raise ValueError('sem dados')"]);
      await until(() => stateOf(1) === "JOB_STATE_FAILED");
      expect(beats().at(-1)).toMatchObject({ phase: "failed", error: { type: "ValueError", message: "sem dados" } });
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "trains on over a bucket that is busy or away for a time",
    async () => {
      const place = await start();
      await until(() => beats().some(({ phase }) => phase === "training"));
      bench.server.fail({ on: /^POST \/upload\/.*beats/u, answer: storageError(503, "backendError", "Backend Error"), times: 2 });
      bench.server.fail({ on: /^POST \/upload\/.*logs/u, answer: "lose-answer", times: 1 });
      bench.server.fail({ on: /^GET .*beats/u, answer: storageError(429, "rateLimitExceeded", "slow down"), times: 1 });
      await until(() => objects().names().includes(`${FOLDER}/DONE.json`));
      await bench.trainer.release(place);
      expect(stateOf(1)).toBe("JOB_STATE_SUCCEEDED");
      // What was written once is there once.
      const names = objects().history.filter((name) => /\/(?:beats|logs)\//u.test(name));
      expect(names).toHaveLength(new Set(names).size);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "takes back a large result in pieces, also when the answer about one was lost",
    async () => {
      const place = await start(['job.save_model(b"0123456789" * 2_000_000, "grande.bin")']);
      bench.server.fail({ on: /^PUT .*upload_id=/u, answer: "lose-answer", times: 1 });
      await until(() => objects().names().includes(`${FOLDER}/DONE.json`));
      await bench.trainer.release(place);
      const large = done().artefacts.find(({ name }) => name === "grande.bin");
      expect(sha256Hex(objects().bytes(`${FOLDER}/${large?.path}`))).toBe(large?.sha256);
      expect(bench.server.requests.filter(({ method }) => method === "PUT").length).toBeGreaterThan(3);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "says which role is missing when the service account may not read the bucket",
    async () => {
      bench.server.fail({
        on: /alt=media/u,
        answer: storageError(403, "forbidden", "treino does not have storage.objects.get access."),
      });
      const { place } = await bench.trainer.prepare(await bench.parcel(TRAIN), signal);
      await expect(bench.trainer.start(place, signal)).rejects.toMatchObject({ code: "cloud-permission" });
      bench.server.heal();
      expect(await bench.trainer.start(place, signal)).toBe(true);
      bench.server.fail({ on: /alt=media/u, answer: storageError(403, "forbidden", "treino does not have storage.objects.get access.") });
      await until(() => stateOf(1) === "JOB_STATE_FAILED");
      bench.server.heal();
      expect(await bench.trainer.trouble(place, signal)).toMatchObject({ message: expect.stringContaining("Storage Object User") });
    },
    TEST_TIMEOUT_MS,
  );
});
