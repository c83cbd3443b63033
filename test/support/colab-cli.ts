/** A machine with the stand-in for Google's `colab` program on its PATH. */
import { readFileSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";

const PROGRAM = join(import.meta.dirname, "colab-cli", "colab.py");

interface Call {
  readonly event: "called" | "assigned" | "unassigned" | "taken away";
  readonly argv?: readonly string[];
  readonly env?: readonly string[];
}

export interface ColabStandIn {
  /** HOME and PATH of the machine. */
  readonly env: NodeJS.ProcessEnv;
  /** What is to go wrong: see the program's own text. */
  faults(faults: Readonly<Record<string, string | number>>): Promise<void>;
  /** Every call so far, without the options before the command. */
  calls(): readonly (readonly string[])[];
  /** Names of variables that the program saw in its last call. */
  variables(): readonly string[];
  count(event: Call["event"]): number;
  /** Runtimes that are there. */
  runtimes(): Promise<readonly string[]>;
  /** Folder of the only runtime's files of a job. */
  folder(job: string): Promise<string>;
}

/** @param root an empty folder, made when missing @param python has a kernel */
export async function colabStandIn(root: string, python: string, env: NodeJS.ProcessEnv = process.env): Promise<ColabStandIn> {
  const own = join(root, ".colab-stand-in");
  const bin = join(root, "bin");
  await mkdir(own, { recursive: true });
  await mkdir(bin);
  await writeFile(join(bin, "colab"), `#!/bin/sh\n# Stand-in: no Colab is behind it.\nexec "${python}" "${PROGRAM}" "$@"\n`);
  await chmod(join(bin, "colab"), 0o755);
  const events = (): Call[] => {
    let text: string;
    try {
      text = readFileSync(join(own, "calls.jsonl"), "utf8");
    } catch {
      return [];
    }
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Call);
  };
  const runtimes = () => readdir(join(own, "runtimes")).catch((): string[] => []);
  return {
    env: { ...env, HOME: root, PATH: `${bin}${delimiter}${env.PATH}` },
    faults: (faults) => writeFile(join(own, "faults.json"), JSON.stringify(faults)),
    calls: () => events().flatMap(({ argv }) => (argv === undefined ? [] : [argv])),
    variables: () => events().findLast(({ env: names }) => names !== undefined)?.env ?? [],
    count: (event) => events().filter((each) => each.event === event).length,
    runtimes,
    folder: async (job) => join(own, "runtimes", (await runtimes())[0] as string, "content", "eda", job),
  };
}
