/** What an auditor asks: where do secrets end up, where do names from outside end up, and what can a query reach. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import pg from "pg";
import { type CliWorkspace, openCliWorkspace } from "../support/cli-workspace.ts";
import { type CliResult, documentOf } from "../support/cli.ts";
import { hasRealStores, type RealStores, startRealStores } from "../support/real-stores.ts";
import { searchFor, type SecretSearch } from "../support/secret-search.ts";
import { SMALL_DRIVE } from "../support/small-project.ts";

const PUSH_PASSWORD = "senha-do-repositorio-remoto";
const WRONG = { s3: "segredo-errado-do-s3", database: "senha-errada-do-banco", log: "senha-errada-do-log" };
/** Names that would leave the folder, be an option, hide their ending or fool a reader. */
const EVIL_NAMES = [
  "../../fora.csv",
  "/etc/absoluto.csv",
  "..",
  "-rf.csv",
  "nota\u202efdp.csv",
  "linha\nnova.csv",
  "nulo\u0000byte.csv",
  "C:\\x.csv",
];
const SETUP_MS = 300_000;

describe.skipIf(!hasRealStores)("nothing of what must stay secret is left anywhere", () => {
  let stores: RealStores;
  let env: NodeJS.ProcessEnv;
  let databaseUrl: string;
  let workspace: CliWorkspace;
  let search: SecretSearch;
  let processes: SecretSearch;
  const results: CliResult[] = [];

  const run = async (line: string) => {
    const running = workspace.start(line);
    const watching = setInterval(() => processes.processes(workspace.folder), 250);
    const result = await running.result.finally(() => clearInterval(watching));
    results.push(result);
    return result;
  };

  beforeAll(async () => {
    stores = await startRealStores();
    ({ env, databaseUrl } = await stores.environment());
    const { privateKey, token } = keyOf(env["EDA_GOOGLE_CREDENTIALS_FILE"] as string, stores);
    const secrets = [...stores.secrets, ...Object.values(WRONG), privateKey, token];
    search = searchFor([...secrets, PUSH_PASSWORD]);
    // Git hands the address of a remote to its own HTTP helper as an argument: a password in it shows while it pushes.
    processes = searchFor(secrets);
    workspace = await openCliWorkspace({ project: true, env });
    const parent = stores.fillDrive(workspace.folder, SMALL_DRIVE);
    const { state } = stores.driveServer;
    for (const [index, name] of EVIL_NAMES.entries()) state.addFile({ name, parent, content: Buffer.from(`a\n${index}\n`) });
    workspace.git("remote", "add", "origin", `http://ana:${PUSH_PASSWORD}@127.0.0.1:9/x.git`);
  }, SETUP_MS);

  afterAll(async () => {
    await workspace?.close();
    await stores?.stop();
  }, SETUP_MS);

  it(
    "runs the pipeline on servers, with files of evil names in Drive",
    async () => {
      const { code, stderr, stdout } = await run("run all --json");
      expect(code, `${stdout}${stderr}`).toBe(0);
      for (const line of ["status --json", "runs --json", "doctor --json", "verify --json", "host status --json", "inventory raw --json"]) {
        expect([0, 1], line).toContain((await run(line)).code);
      }
      expect(processes.searched.texts).toBeGreaterThan(20);
    },
    SETUP_MS,
  );

  it(
    "lands every file of an evil name below the raw folder of its project, and nothing elsewhere",
    async () => {
      const raw = join(workspace.folder, "eda", "raw-data", "lojas");
      const names = readdirSync(raw);
      const contents = names.map((name) => readFileSync(join(raw, name), "utf8"));
      for (const [index, name] of EVIL_NAMES.entries()) expect(contents, JSON.stringify(name)).toContain(`a\n${index}\n`);
      for (const name of names) expect(name).toMatch(/^[^/\\\u0000-\u001f\u202a-\u202e]+$/u);
      for (const above of ["..", "../.."]) expect(existsSync(join(raw, above, "fora.csv")), above).toBe(false);
      expect(existsSync("/etc/absoluto.csv")).toBe(false);
      const { items } = documentOf<{ items: readonly { name: string; details: { origem: { nome: string } | null } }[] }>(
        await run("inventory raw --json --limit 100"),
      );
      const origins = items.map(({ details }) => details.origem?.nome);
      for (const name of EVIL_NAMES) expect(origins, JSON.stringify(name)).toContain(name.replaceAll("\0", "\u2400"));
    },
    SETUP_MS,
  );

  it(
    "fails with wrong secrets in a word that does not repeat them",
    async () => {
      await run("host stop --force");
      const wrong: readonly (readonly [string, NodeJS.ProcessEnv])[] = [
        ["object store", { EDA_S3_SECRET_KEY: WRONG.s3, EDA_S3_SECRET_KEY_FILE: "" }],
        ["database", { EDA_DATABASE_URL: withPassword(env["EDA_DATABASE_URL"] as string, WRONG.database) }],
        ["log", { EDA_MONGODB_URI: withPassword(env["EDA_MONGODB_URI"] as string, WRONG.log) }],
      ];
      for (const [service, change] of wrong) {
        const other = await openCliWorkspace({ project: true, env: { ...env, ...change } }).catch((error: unknown) => String(error));
        if (typeof other === "string") {
          search.text(`no workspace with a wrong secret of the ${service}`, other);
          continue;
        }
        results.push(await other.eda("doctor --json"), await other.eda("run ingest --json --project lojas"));
        search.folder(other.folder);
        await other.close();
      }
    },
    SETUP_MS,
  );

  it(
    "is found in no output, file, commit, table or document",
    async () => {
      for (const [index, { stdout, stderr }] of results.entries()) search.text(`output ${index}`, stdout + stderr);
      search.folder(join(workspace.folder, ".eda"));
      for (const folder of ["configs", "eda", "notebooks", "sql"]) search.folder(join(workspace.folder, folder));
      search.repository(workspace.folder);
      await search.database(databaseUrl);
      for (const collection of ["logs", "execucoes", "estados"]) {
        search.text(`collection ${collection}`, JSON.stringify(await stores.documents(env, collection, {})));
      }
      expect([...search.found, ...processes.found]).toEqual([]);
      expect(search.searched.bytes).toBeGreaterThan(100_000);
    },
    SETUP_MS,
  );

  it("would be found where it was left", async () => {
    const planted = searchFor(["segredo-plantado"]);
    const file = join(workspace.folder, "eda", "notas.md");
    writeFileSync(file, "senha: segredo-plantado\n");
    planted.folder(join(workspace.folder, "eda"));
    workspace.git("add", "--force", "eda/notas.md");
    workspace.git("stash", "--quiet");
    planted.repository(workspace.folder);
    expect(planted.found.map(({ where }) => where)).toEqual([file, `${workspace.folder} (objects)`]);
  });

  it("keeps the audit trail from everybody who can write", async () => {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    try {
      for (const role of ["eda_app", "eda_leitor", "eda_auditor"]) {
        for (const change of ["UPDATE auditoria SET evento = 'x'", "DELETE FROM auditoria", "TRUNCATE auditoria"]) {
          await client.query("BEGIN");
          await client.query(`SET LOCAL ROLE ${role}`);
          await expect(client.query(change), `${role}: ${change}`).rejects.toThrow();
          await client.query("ROLLBACK");
        }
      }
      // Not even its owner.
      await expect(client.query("DELETE FROM auditoria")).rejects.toThrow();
    } finally {
      await client.end();
    }
  });

  it.each([
    ["a file of the machine", "SELECT * FROM read_text('/etc/passwd')"],
    ["a file by its bare name", "SELECT * FROM '/etc/passwd'"],
    ["an address", "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')"],
    ["an extension", "SELECT * FROM pedidos; INSTALL httpfs; LOAD httpfs"],
    ["another database", "ATTACH '/tmp/x.db' AS x"],
    ["a file to write", "COPY (SELECT 1) TO '/tmp/eda-escaped.csv'"],
  ])(
    "lets no query reach %s",
    async (_what, sql) => {
      const file = join(workspace.folder, "sql", "lojas", "curated", "ataque.sql");
      writeFileSync(file, `${sql}\n`);
      const { code, stdout, stderr } = await run("run curation --json --project lojas");
      expect(code, stdout).toBe(1);
      expect(stdout + stderr).toContain("ataque.sql");
      expect(stdout + stderr).not.toContain("root:x:0");
      expect(existsSync("/tmp/eda-escaped.csv")).toBe(false);
      writeFileSync(file, "SELECT 1 AS um\n");
    },
    SETUP_MS,
  );

  it("keeps files of secrets and of the host to their owner", () => {
    expect(statSync(env["EDA_S3_SECRET_KEY_FILE"] as string).mode & 0o077).toBe(0);
    expect(statSync(env["EDA_GOOGLE_CREDENTIALS_FILE"] as string).mode & 0o077).toBe(0);
  });
});

/** What of the service account's key file no other text can hold by chance, and a token of the Drive. */
function keyOf(file: string, stores: RealStores): { readonly privateKey: string; readonly token: string } {
  const { private_key } = JSON.parse(readFileSync(file, "utf8")) as { private_key: string };
  return { privateKey: private_key.split("\n")[3] as string, token: stores.driveServer.accessToken("ana@example.com") };
}

function withPassword(url: string, password: string): string {
  return url.replace(/:[^:@/]*@/u, `:${password}@`);
}
