/** What the trainer of Colab Enterprise asks Google for, and what it makes of the answers, against the fake: no notebook is run here. */
import { setTimeout as delay } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sealedText } from "../../src/domain/job/seal.ts";
import { sha256Hex } from "../../src/domain/json.ts";
import type { JobPlace } from "../../src/ports/job-trainer.ts";
import { type EnterpriseBench, FOLDER, HOST_ACCOUNT, JOB, openEnterpriseBench, RUNTIME_ACCOUNT, until } from "../support/enterprise.ts";
import { beatOf, FIRST } from "../support/job-documents.ts";
import { rpcError, storageError } from "../support/vertex-server/answers.ts";
import type { Outcome } from "../support/vertex-server/executions.ts";
import { BUCKET, PROJECT, REGION } from "../support/vertex-server/server.ts";

const { signal } = new AbortController();
const PARENT = `projects/${PROJECT}/locations/${REGION}/notebookExecutionJobs`;
const T4_QUOTA = "The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus";

describe("the trainer of Colab Enterprise", () => {
  let bench: EnterpriseBench;
  /** How the next execution ends; without one they run until they are aborted. */
  let outcome: Outcome | undefined;

  beforeEach(async () => {
    outcome = undefined;
    bench = await openEnterpriseBench(() => () => async ({ abort }) => {
      while (outcome === undefined && !abort.signal.aborted) await delay(10);
      const ended = outcome ?? { state: "JOB_STATE_CANCELLED" };
      outcome = undefined;
      return ended;
    });
  });
  afterEach(() => bench.close());

  const prepared = async (limits = {}, data: string | Buffer = "rows"): Promise<JobPlace> =>
    (await bench.trainer.prepare(await bench.parcel(["pass"], limits, data), signal)).place;
  const creations = () => bench.server.requests.filter(({ method, path }) => method === "POST" && path.includes("/notebookExecutionJobs?"));
  const states = () => bench.server.executions.all.map(({ state }) => state);

  it("puts data once by their content, and job.json last", async () => {
    await prepared();
    const data = `projetos/eda/datasets/${sha256Hex("rows")}`;
    const names = ["notebook.ipynb", "eda_job.py", "job.json"].map((name) => `${FOLDER}/${name}`);
    expect(bench.server.objects.history).toEqual([data, ...names]);
    await prepared();
    expect(bench.server.objects.history.filter((name) => name === data)).toHaveLength(1);
    expect(bench.server.objects.bytes(data).toString()).toBe("rows");
    expect(new Set(bench.server.requests.filter(({ path }) => path !== "/token").map(({ account }) => account))).toEqual(
      new Set([HOST_ACCOUNT]),
    );
  });

  it("sends a large dataset in pieces, also over an answer that was lost", async () => {
    const data = Buffer.alloc(20 * 1024 * 1024, "linha;");
    bench.server.fail({ on: /^PUT .*upload_id=/u, answer: "lose-answer", times: 1 });
    await prepared({}, data);
    const put = bench.server.requests.filter(({ method }) => method === "PUT");
    expect(put.map(({ body }) => body.length / 1024 / 1024)).toEqual([8, 8, 8, 4]);
    expect(bench.server.objects.bytes(`projetos/eda/datasets/${sha256Hex(data)}`).equals(data)).toBe(true);
  });

  it("asks the region's own address for a T4, with the notebook as it was prepared", async () => {
    const place = await prepared({ attemptSeconds: 3_600 });
    expect(await bench.trainer.start(place, signal)).toBe(true);
    expect(bench.asked).toContain(
      `POST https://us-central1-aiplatform.googleapis.com/v1/projects/${PROJECT}/locations/us-central1/notebookExecutionJobs?notebookExecutionJobId=eda-job-1-1`,
    );
    expect(JSON.parse(String(creations()[0]?.body))).toEqual({
      displayName: "eda-job-1",
      customEnvironmentSpec: { machineSpec: { machineType: "n1-standard-4", acceleratorType: "NVIDIA_TESLA_T4", acceleratorCount: 1 } },
      directNotebookSource: { content: bench.server.objects.bytes(`${FOLDER}/notebook.ipynb`).toString("base64") },
      gcsOutputUri: `gs://${BUCKET}/${FOLDER}/executed/eda-job-1-1`,
      executionTimeout: "3900s",
      serviceAccount: RUNTIME_ACCOUNT,
      labels: { "eda-job": JOB },
    });
  });

  it("makes no second execution while one is at work, in a later life of the host neither", async () => {
    const place = await prepared();
    expect(await bench.trainer.start(place, signal)).toBe(true);
    expect(await bench.trainer.start(place, signal)).toBe(false);
    const kept = JSON.parse(JSON.stringify(place)) as JobPlace;
    expect(await bench.another().start(kept, signal)).toBe(false);
    expect(creations()).toHaveLength(1);
  });

  it("makes no second execution when the answer about the first one was lost", async () => {
    const place = await prepared();
    bench.server.fail({ on: /^POST .*notebookExecutionJobs\?/u, answer: "lose-answer", times: 1 });
    expect(await bench.trainer.start(place, signal)).toBe(false);
    expect(bench.server.executions.all).toHaveLength(1);
    // What is known of its operation is asked of Google then.
    expect(await bench.another().cancel(place)).toBe(true);
    expect(states()).toEqual(["JOB_STATE_CANCELLED"]);
  });

  it("gives each attempt a name of its own, also after an execution was deleted", async () => {
    const place = await prepared();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      expect(await bench.trainer.start(place, signal)).toBe(true);
      outcome = { state: "JOB_STATE_FAILED", status: { code: 3, message: "no" } };
      await until(() => states().every((state) => state === "JOB_STATE_FAILED"));
      outcome = undefined;
      if (attempt === 2) bench.server.executions.delete("eda-job-1-2");
    }
    expect(bench.server.executions.all.map(({ id }) => id)).toEqual(["eda-job-1-1", "eda-job-1-2", "eda-job-1-3"]);
  });

  it("starts the next attempt once the machine of one that has failed is gone", async () => {
    const place = await prepared();
    await bench.trainer.start(place, signal);
    await delay(5);
    const failed = beatOf(FIRST, 1, { job: JOB, phase: "failed" });
    bench.server.objects.put(`${FOLDER}/beats/${FIRST}-000001.json`, sealedText(failed));
    setTimeout(() => {
      outcome = { state: "JOB_STATE_FAILED", status: { code: 3, message: "no" } };
    }, 200);
    expect(await bench.trainer.start(place, signal)).toBe(true);
    expect(bench.server.executions.all.map(({ id }) => id)).toEqual(["eda-job-1-1", "eda-job-1-2"]);
    expect(bench.asked.filter((each) => each.includes(":cancel"))).toEqual([]);
    // The newest beat is of the attempt before: the new one is only being started.
    outcome = undefined;
    expect(await bench.trainer.start(place, signal)).toBe(false);
  });

  it("ends the machine of an attempt that is lost before it starts the next one, and not that of one that beats", async () => {
    const place = await prepared({ beatSeconds: 0.1, lateSeconds: 0.2, suspectSeconds: 0.3, lostSeconds: 0.5 });
    const trainer = bench.another({ releaseGraceMs: 100 });
    await trainer.start(place, signal);
    await delay(5);
    bench.server.objects.put(`${FOLDER}/beats/${FIRST}-000001.json`, sealedText(beatOf(FIRST, 1, { job: JOB })));
    expect(await trainer.start(place, signal)).toBe(false);
    await delay(600);
    expect(await trainer.start(place, signal)).toBe(true);
    expect(states()[0]).toBe("JOB_STATE_CANCELLED");
  });

  it("cancels by CANCEL and by the operation, and leaves nothing at work", async () => {
    const place = await prepared();
    await bench.trainer.start(place, signal);
    expect(await bench.trainer.cancel(place)).toBe(true);
    expect(bench.server.objects.names()).toContain(`${FOLDER}/CANCEL`);
    const { operation } = bench.server.executions.all[0] as { operation: string };
    expect(bench.asked).toContain(`POST https://us-central1-aiplatform.googleapis.com/v1/${operation}:cancel`);
    expect(states()).toEqual(["JOB_STATE_CANCELLED"]);
    await bench.trainer.release(place);
    expect(await bench.trainer.cancel(place)).toBe(true);
  });

  it("says that something may be at work still, when Google does not stop it", async () => {
    const place = await prepared();
    const hasty = bench.another({ stopMs: 100 });
    await hasty.start(place, signal);
    bench.server.fail({ on: /:cancel$/u, answer: rpcError("FAILED_PRECONDITION", "not now") });
    expect(await hasty.cancel(place)).toBe(false);
  });

  it("deletes what is still at work when the job is released, though cancelling it did nothing", async () => {
    const place = await prepared();
    const hasty = bench.another({ stopMs: 100 });
    await hasty.start(place, signal);
    bench.server.fail({ on: /:cancel$/u, answer: rpcError("FAILED_PRECONDITION", "not now") });
    await hasty.release(place);
    expect(bench.asked.at(-1)).toBe(`DELETE https://us-central1-aiplatform.googleapis.com/v1/${PARENT}/eda-job-1-1`);
    await until(() => states()[0] === "JOB_STATE_CANCELLED");
  });

  it("lets an execution whose results are here end by itself", async () => {
    const place = await prepared();
    await bench.trainer.start(place, signal);
    bench.server.objects.put(`${FOLDER}/DONE.json`, "{}");
    setTimeout(() => {
      outcome = { state: "JOB_STATE_SUCCEEDED" };
    }, 200);
    await bench.trainer.release(place);
    expect(states()).toEqual(["JOB_STATE_SUCCEEDED"]);
    expect(bench.asked.filter((each) => /DELETE|:cancel/u.test(each))).toEqual([]);
  });

  it.each([
    ["failed", { state: "JOB_STATE_FAILED", status: { code: 13, message: "Kernel died\nat line 3" } }, "execution-failed", "Kernel died."],
    ["ran out of time", { state: "JOB_STATE_EXPIRED" }, "execution-expired", "modeling.timeoutMinutes"],
    [
      "was cancelled by somebody",
      { state: "JOB_STATE_CANCELLED", status: { code: 1, message: "CANCELLED" } },
      "execution-cancelled",
      "Resume",
    ],
    ["found no quota", { state: "JOB_STATE_FAILED", status: { code: 8, message: T4_QUOTA } }, "cloud-quota", "NVIDIA T4 GPUs"],
    ["was not allowed", { state: "JOB_STATE_FAILED", status: { code: 7, message: "denied" } }, "cloud-permission", "Storage Object User"],
  ] as const)("says what to do when the execution %s", async (_what, ended, code, todo) => {
    const place = await prepared();
    await bench.trainer.start(place, signal);
    expect(await bench.trainer.trouble(place, signal)).toBeUndefined();
    outcome = ended;
    await until(() => states()[0] === ended.state);
    const trouble = await bench.another().trouble(place, signal);
    expect(trouble).toMatchObject({ kind: expect.stringMatching(/terminal|precondition/u), code });
    expect(`${trouble?.message}. ${trouble?.todo}`).toContain(todo.replace(/\.$/u, ""));
    expect(trouble?.message).not.toContain("\n");
  });

  it.each([
    ["the T4 quota is used up", rpcError("RESOURCE_EXHAUSTED", T4_QUOTA), "terminal", "cloud-quota", "Quotas"],
    [
      "permission is missing",
      rpcError("PERMISSION_DENIED", "Permission 'aiplatform.notebookExecutionJobs.create' denied on resource (or it may not exist)."),
      "precondition",
      "cloud-permission",
      "Colab Enterprise User",
    ],
    [
      "the API is not enabled",
      rpcError("PERMISSION_DENIED", "Vertex AI API has not been used in project 1 before or it is disabled.", [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "SERVICE_DISABLED", domain: "googleapis.com" },
      ]),
      "precondition",
      "cloud-api-disabled",
      "gcloud services enable aiplatform.googleapis.com",
    ],
    [
      "the region has no T4",
      rpcError("INVALID_ARGUMENT", "Accelerator type NVIDIA_TESLA_T4 is not supported in region africa-south1."),
      "precondition",
      "cloud-no-accelerator",
      "us-central1",
    ],
    ["something else is wrong", rpcError("INVALID_ARGUMENT", "labels"), "terminal", "cloud-refused", "colab.enterprise"],
  ] as const)("says what to do when %s, without asking again", async (_what, answer, kind, code, todo) => {
    const place = await prepared();
    bench.server.fail({ on: /^POST .*notebookExecutionJobs\?/u, answer });
    await expect(bench.trainer.start(place, signal)).rejects.toMatchObject({ kind, code, todo: expect.stringContaining(todo) });
    expect(creations()).toHaveLength(1);
  });

  it.each([
    ["429", rpcError("RESOURCE_EXHAUSTED", "Quota exceeded for requests per minute.")],
    ["503", rpcError("UNAVAILABLE", "The service is currently unavailable.")],
    ["an end of the connection", "cut"],
  ] as const)("asks again after %s", async (_what, answer) => {
    const place = await prepared();
    bench.server.fail({ on: /notebookExecutionJobs/u, answer, times: 3 });
    expect(await bench.trainer.start(place, signal)).toBe(true);
    expect(creations().length).toBeGreaterThanOrEqual(1);
    expect(bench.server.executions.all).toHaveLength(1);
  });

  it("gives up after its tries, as busy or away", async () => {
    const place = await prepared();
    bench.server.fail({ on: /notebookExecutionJobs/u, answer: rpcError("UNAVAILABLE", "no") });
    await expect(bench.trainer.start(place, signal)).rejects.toMatchObject({ kind: "transient", code: "cloud-busy" });
    bench.server.heal();
    bench.server.fail({ on: /notebookExecutionJobs/u, answer: "cut" });
    await expect(bench.trainer.start(place, signal)).rejects.toMatchObject({ kind: "unavailable", code: "cloud-away" });
  });

  it("replaces a token that is no longer taken, and shows none in its errors", async () => {
    const place = await prepared();
    bench.server.accounts.revokeAll();
    expect(await bench.trainer.start(place, signal)).toBe(true);
    bench.server.fail({ on: /./u, answer: storageError(401, "authError", "Invalid Credentials") });
    const error = await bench.trainer
      .folder(place)
      .list(signal)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: "precondition", code: "cloud-signed-out" });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/Bearer|fake\.[0-9a-f]|PRIVATE KEY/u);
  });

  it("says which bucket is missing", async () => {
    const trainer = bench.another({ bucket: "outro-bucket" });
    await expect(trainer.prepare(await bench.parcel(["pass"]), signal)).rejects.toMatchObject({
      kind: "precondition",
      code: "cloud-not-found",
      message: expect.stringContaining("outro-bucket"),
    });
  });

  it("reads the folder page by page, with the storage's times, and the newest executed notebook", async () => {
    const place = await prepared();
    for (let beat = 1; beat <= 120; beat += 1)
      bench.server.objects.put(`${FOLDER}/beats/001-aaaaaaaa-${String(beat).padStart(6, "0")}.json`, "{}");
    bench.server.objects.put(`${FOLDER}/checkpoints/x/state.bin`, "x");
    bench.server.objects.put(`${FOLDER}/executed/eda-job-1-1/n.ipynb`, "first");
    await delay(5);
    bench.server.objects.put(`${FOLDER}/executed/eda-job-1-2/n.ipynb`, "second");
    const folder = bench.trainer.folder(place);
    const files = await folder.list(signal);
    expect(files.filter(({ path }) => path.startsWith("beats/"))).toHaveLength(120);
    expect(files.map(({ path }) => path)).not.toContain("checkpoints/x/state.bin");
    expect(files[0]).toMatchObject({ size: expect.any(Number), sha256: null, storedAt: expect.any(Number) });
    const executed = files.find(({ path }) => path === "executed.ipynb");
    expect(await text(await folder.read(executed as never, signal))).toBe("second");
    bench.server.objects.put(`${FOLDER}/executed/eda-job-1-2/n.ipynb`, "third");
    await expect(folder.read(executed as never, signal)).rejects.toMatchObject({ kind: "transient", code: "stored-file-changed" });
  });

  it("tells a folder that is gone, and runs no notebook that was changed", async () => {
    const place = await prepared();
    bench.server.objects.put(`${FOLDER}/notebook.ipynb`, "{}");
    await expect(bench.trainer.start(place, signal)).rejects.toMatchObject({ kind: "terminal", code: "notebook-changed" });
    expect(creations()).toEqual([]);
    for (const name of bench.server.objects.names(`${FOLDER}/`)) bench.server.objects.remove(name);
    await expect(bench.trainer.folder(place).list(signal)).rejects.toMatchObject({ kind: "terminal", code: "job-folder-missing" });
  });
});
