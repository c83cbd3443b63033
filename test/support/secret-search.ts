/** Looking for secrets wherever something was left: files, commits, tables, documents, command lines. */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";

export interface Found {
  readonly where: string;
  /** Which secret, not the secret itself: a failing test prints it. */
  readonly secret: number;
}

export interface SecretSearch {
  text(where: string, text: string | Uint8Array): void;
  /** Every regular file below. */
  folder(folder: string): void;
  /** Every object of the repository, also what no branch reaches. */
  repository(folder: string): void;
  /** Every row of every table. */
  database(url: string): Promise<void>;
  /** Command lines of the processes that work in or on a folder now. */
  processes(folder: string): void;
  readonly found: readonly Found[];
  /** How much was looked at: a search that finds nothing must have searched. */
  readonly searched: { readonly texts: number; readonly bytes: number };
}

/** @param secrets of at least 8 characters: shorter ones are in everything */
export function searchFor(secrets: readonly string[]): SecretSearch {
  const wanted = secrets.map((secret) => {
    if (secret.length < 8) throw new Error("a secret to search for is too short");
    return Buffer.from(secret);
  });
  const found: Found[] = [];
  const searched = { texts: 0, bytes: 0 };
  const text = (where: string, content: string | Uint8Array) => {
    const bytes = Buffer.from(content);
    searched.texts += 1;
    searched.bytes += bytes.length;
    for (const [secret, value] of wanted.entries()) if (bytes.includes(value)) found.push({ where, secret });
  };
  const folder = (path: string) => {
    for (const name of readdirSync(path)) {
      const entry = join(path, name);
      const stat = lstatSync(entry);
      if (stat.isDirectory()) folder(entry);
      else if (stat.isFile()) text(entry, readFileSync(entry));
    }
  };
  return {
    text,
    folder,
    repository(path) {
      const git = (args: readonly string[], input = "") => execFileSync("git", ["-C", path, ...args], { input, maxBuffer: 2 ** 30 });
      const objects = git(["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]).toString();
      text(`${path} (objects)`, git(["cat-file", "--batch"], objects));
    },
    async database(url) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        const tables = await client.query<{ name: string }>(
          "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
        );
        for (const { name } of tables.rows) {
          const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} AS t`);
          text(`table ${name}`, rows.map(({ row }) => row).join("\n"));
        }
      } finally {
        await client.end();
      }
    },
    processes(path) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/u.test(name))) {
        try {
          const commandLine = readFileSync(`/proc/${pid}/cmdline`);
          if (readlinkSync(`/proc/${pid}/cwd`).startsWith(path) || commandLine.includes(path)) text(`process ${pid}`, commandLine);
        } catch {
          // It ended meanwhile.
        }
      }
    },
    found,
    searched,
  };
}
