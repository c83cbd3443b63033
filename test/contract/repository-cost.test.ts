/** What the repository costs: every process of Git is a fork of the host, which stands still for it. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGit } from "../../src/adapters/git/git.ts";
import { openRepository } from "../../src/adapters/git/repository.ts";
import { freshWorld, planMessage } from "./repository-world.ts";

const world = freshWorld(openRepository);

/** Commands of Git that the work starts itself, as Git's own trace has them (api-trace2). */
async function commandsOf(work: () => Promise<unknown>): Promise<string[]> {
  const trace = join(world.sandbox.home, "trace.json");
  world.sandbox.git("config", "--global", "trace2.eventTarget", trace);
  await rm(trace, { force: true });
  await work();
  const events = (await readFile(trace, "utf8")).trim().split("\n");
  return events
    .map((line) => JSON.parse(line) as { event: string; sid: string; name: string })
    .filter(({ event, sid }) => event === "cmd_name" && !sid.includes("/"))
    .map(({ name }) => name);
}

it("looks for everything in the way of a commit with four commands", async () => {
  expect((await commandsOf(() => world.repository.preflight())).sort()).toEqual(["ls-files", "rev-parse", "var", "var"]);
});

it("sees that nothing changed with one command", async () => {
  expect(await commandsOf(() => world.repository.changes())).toEqual(["status"]);
});

it("commits with six commands, one more when there is a scan to hold the content against", async () => {
  const { sandbox, repository } = world;
  await repository.preflight();
  await sandbox.write("sql/a.sql", "1\n");
  const unscanned = await commandsOf(() => repository.commit(["sql/a.sql"], planMessage()));
  expect(unscanned).toEqual(["read-tree", "update-index", "commit", "diff-tree", "update-index", "update-index"]);
  await sandbox.write("sql/a.sql", "2\n");
  await repository.scan(["sql/a.sql"]);
  expect(await commandsOf(() => repository.commit(["sql/a.sql"], planMessage()))).toHaveLength(unscanned.length + 1);
});

it("is done with a silent command when that has ended", async () => {
  const { folder, env } = world.sandbox;
  const git = openGit(folder, env);
  const took: number[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const start = performance.now();
    expect(await git.text(["ls-files", "--unmerged"])).toBe("");
    took.push(performance.now() - start);
  }
  expect(Math.min(...took)).toBeLessThan(50);
});
