import { appendFileSync, chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manifestPath } from "../../src/domain/manifest.ts";
import type { RunRecord } from "../../src/domain/run.ts";
import type { VerifyReport } from "../../src/domain/verification.ts";
import type { ObjectInfo } from "../../src/ports/object-store.ts";
import { captureStage } from "../../src/pipeline/stages/capture.ts";
import { ingestStage } from "../../src/pipeline/stages/ingest.ts";
import { verify } from "../../src/pipeline/verify.ts";
import { openTestServices, type TestServices } from "../support/services.ts";
import { orders, SMALL_DRIVE, SMALL_PROJECT, writeFiles } from "../support/small-project.ts";
import { createWorkspace, type TestWorkspace } from "../support/workspace.ts";

/** Enough files for a manifest whose lists move to the object store. */
const MANY = 501;
/** Key of the content that two rows name. */
const SHARED = "cópia de lojas.txt";

describe("verification", () => {
  let workspace: TestWorkspace;
  let test: TestServices;
  /** Two runs of ingest: `pedidos.csv` has a superseded row and a current one. */
  let first: RunRecord;
  let second: RunRecord;

  beforeAll(async () => {
    workspace = createWorkspace("verify");
    test = await openTestServices(workspace);
    await test.run(captureStage);
    first = await test.run(ingestStage);
    writeFiles(workspace.folder, { [`${SMALL_DRIVE}/pedidos.csv`]: orders(50) });
    await test.run(captureStage);
    second = await test.run(ingestStage);
    expect([first.state, second.state]).toEqual(["succeeded", "succeeded"]);
  });

  afterAll(async () => {
    await test.close();
    workspace.remove();
  });

  const run = (options: { project?: string; signal?: AbortSignal } = {}): Promise<VerifyReport> =>
    verify(test.services, { signal: new AbortController().signal, onProgress: () => undefined, isActive: () => false, ...options });

  /** The problems while something is changed by hand; changing it back makes them go. */
  async function problemsWhile(change: () => unknown, undo: () => unknown): Promise<VerifyReport["problems"]> {
    await change();
    try {
      return (await run()).problems;
    } finally {
      await undo();
      expect((await run()).problems).toEqual([]);
    }
  }

  /** Changes the database as a superuser does, triggers off, and puts every table back. */
  async function problemsAfter(...statements: string[]): Promise<VerifyReport["problems"]> {
    const tables = ["inventario_dados", "auditoria", "execucoes"];
    const sql = async (...lines: string[]) => {
      const client = await test.pool.connect();
      try {
        await client.query("SET session_replication_role = replica");
        for (const line of lines) await client.query(line);
      } finally {
        await client.query("SET session_replication_role = DEFAULT");
        client.release();
      }
    };
    await sql(...tables.map((table) => `CREATE TABLE copia_${table} AS TABLE ${table}`));
    return problemsWhile(
      () => sql(...statements),
      () =>
        sql(
          ...tables.flatMap((table) => [
            `DELETE FROM ${table}`,
            `INSERT INTO ${table} OVERRIDING SYSTEM VALUE TABLE copia_${table}`,
            `DROP TABLE copia_${table}`,
          ]),
        ),
    );
  }

  async function versionOf(key: string): Promise<{ info: ObjectInfo; file: string }> {
    for await (const info of test.services.objects.versions("raw-data", `${SMALL_PROJECT}/${key}`)) {
      const file = await test.services.objects.materialize(info, info, join(workspace.folder, ".eda"), new AbortController().signal);
      return { info, file };
    }
    throw new Error(`no object ${key}`);
  }

  it("passes over everything that nobody touched, and counts it", async () => {
    const report = await run();
    expect(report).toMatchObject({ ok: true, problems: [], objects: 3, rows: 4, manifests: 4, auditEntries: 4 });
    expect(report.bytes).toBeGreaterThan(0);
  });

  it("names an object of which one byte was flipped, and nothing else", async () => {
    const { info, file } = await versionOf(SHARED);
    const original = readFileSync(file);
    const flipped = Buffer.from(original);
    flipped[0] = (flipped[0] as number) ^ 1;
    chmodSync(file, 0o644);
    const problems = await problemsWhile(
      () => writeFileSync(file, flipped),
      () => writeFileSync(file, original),
    );
    expect(problems).toEqual([
      {
        subject: "object",
        name: `raw-data/${SMALL_PROJECT}/${SHARED}@${info.versionId}`,
        message: expect.stringContaining("has other content"),
      },
    ]);
  });

  it("names an object that was cut short, and one that is gone", async () => {
    const { info, file } = await versionOf(SHARED);
    const original = readFileSync(file);
    chmodSync(file, 0o644);
    const cut = await problemsWhile(
      () => writeFileSync(file, original.subarray(1)),
      () => writeFileSync(file, original),
    );
    const name = `raw-data/${SMALL_PROJECT}/${SHARED}@${info.versionId}`;
    expect(cut).toEqual([{ subject: "object", name, message: expect.any(String) }]);
    const folder = join(file, "..");
    const kept = join(workspace.folder, ".eda", "kept");
    const gone = await problemsWhile(
      () => {
        cpSync(folder, kept, { recursive: true, preserveTimestamps: true });
        rmSync(folder, { recursive: true });
      },
      () => cpSync(kept, folder, { recursive: true, preserveTimestamps: true }),
    );
    expect(gone).toEqual([{ subject: "object", name, message: "is not in the object store any more" }]);
  });

  it("names an object that no row and no manifest knows", async () => {
    const file = join(workspace.folder, ".eda", "stray");
    writeFileSync(file, "stray");
    const info = await test.services.objects.put({
      bucket: "outputs",
      key: `${SMALL_PROJECT}/stray`,
      file,
      mediaType: "text/plain",
      run: "20260101-000000-nobody",
      signal: new AbortController().signal,
    });
    const problems = await problemsWhile(
      () => undefined,
      () => test.services.objects.removeVersion(info),
    );
    expect(problems).toEqual([
      { subject: "orphan", name: `outputs/${SMALL_PROJECT}/stray@${info.versionId}`, message: expect.any(String) },
    ]);
  });

  const row = (name: string) => ({ subject: "row", name: `inventario_dados/${SMALL_PROJECT}/${name}`, message: expect.any(String) });

  it.each(["sha256 = repeat('0', 64)", "tamanho = tamanho + 1", "versao_id = 'x'", "detalhes = '{}'"])(
    "names the inventory row whose %s was set by hand",
    async (change) => {
      expect(await problemsAfter(`UPDATE inventario_dados SET ${change} WHERE nome = 'lojas.csv'`)).toEqual([row("lojas.csv")]);
    },
  );

  it("names a row that got another name, once", async () => {
    expect(await problemsAfter("UPDATE inventario_dados SET nome = 'outro.csv' WHERE nome = 'lojas.csv'")).toEqual([row("outro.csv")]);
  });

  it("names a row that was deleted", async () => {
    expect(await problemsAfter("DELETE FROM inventario_dados WHERE nome = 'lojas.csv'")).toEqual([row("lojas.csv")]);
  });

  it("names a row that was added", async () => {
    const columns =
      "projeto, nome, papel, tipo_midia, bucket, chave, versao_id, tamanho, md5, sha256, apelido_de, detalhes, execucao, commit_antes, vigente, resumo";
    const copy = `INSERT INTO inventario_dados (${columns}) SELECT ${columns.replace("vigente", "false")} FROM inventario_dados WHERE nome = 'lojas.csv'`;
    expect(await problemsAfter(copy)).toEqual([row("lojas.csv")]);
  });

  it("names a row that is no longer marked as current", async () => {
    expect(await problemsAfter("UPDATE inventario_dados SET vigente = false WHERE nome = 'pedidos.csv'")).toEqual([row("pedidos.csv")]);
  });

  it.each(["work tree", "history"])("names a manifest that was changed by hand in the %s", async (where) => {
    const path = manifestPath(SMALL_PROJECT, "ingest", second.run);
    const file = join(workspace.folder, path);
    const original = readFileSync(file);
    const head = workspace.git("rev-parse", "HEAD").trim();
    const problems = await problemsWhile(
      () => {
        appendFileSync(file, " ");
        if (where === "history") workspace.git("commit", "--quiet", "--all", "--message", "docs: ajuste");
      },
      () => {
        writeFileSync(file, original);
        workspace.git("reset", "--quiet", head);
      },
    );
    expect(problems).toEqual([{ subject: "manifest", name: path, message: expect.stringContaining("was changed in") }]);
  });

  it.each(["ator = 'outra'", "dados = '{}'", "resumo = repeat('0', 64)", "anterior = repeat('0', 64)"])(
    "names the audit entry whose %s was set by hand",
    async (change) => {
      expect(await problemsAfter(`UPDATE auditoria SET ${change} WHERE sequencia = 2`)).toEqual([
        { subject: "audit", name: "2", message: expect.any(String) },
      ]);
    },
  );

  it.each([1, 2, 4])("names audit entry %i when it is deleted", async (sequence) => {
    expect(await problemsAfter(`DELETE FROM auditoria WHERE sequencia = ${sequence}`)).toContainEqual({
      subject: "audit",
      name: String(sequence),
      message: expect.stringContaining("is missing"),
    });
  });

  it("names the execution whose commit was set by hand", async () => {
    expect(await problemsAfter(`UPDATE execucoes SET commit_depois = repeat('0', 40) WHERE execucao = '${second.run}'`)).toEqual([
      { subject: "commit", name: second.run, message: expect.stringContaining("is not the one in Git") },
    ]);
  });

  it("leaves out another project's objects and rows, but not the chain", async () => {
    expect(await run({ project: "outro" })).toMatchObject({ ok: true, objects: 0, rows: 0, manifests: 0, auditEntries: 4 });
  });

  it("stops when it is cancelled", async () => {
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: expect.stringMatching(/EdaError|AbortError/u) });
  });

  it("finds a deleted row among more than a manifest holds", async () => {
    const files = Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`${SMALL_DRIVE}/muitos/${index}.txt`, `${index}`]));
    writeFiles(workspace.folder, files);
    await test.run(captureStage);
    const many = await test.run(ingestStage);
    expect(JSON.parse(workspace.git("show", `HEAD:${manifestPath(SMALL_PROJECT, "ingest", many.run)}`))).toHaveProperty("detail");
    expect((await run()).problems).toEqual([]);
    expect(await problemsAfter("DELETE FROM inventario_dados WHERE nome = 'muitos/500.txt'")).toEqual([row("muitos/500.txt")]);
  });
});
