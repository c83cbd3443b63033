import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const QUERY = "timestamp,name,uuid,utilization.gpu,utilization.memory,memory.used,memory.total,temperature.gpu,power.draw,power.limit";

/**
 * A stand-in for nvidia-smi: no GPU is behind it. It answers the one query of eda_job.py with fixed readings of a T4, and refuses every other.
 * @returns the folder to put on the PATH
 */
export async function standInNvidiaSmi(folder: string, name = "Tesla T4 (stand-in)"): Promise<string> {
  await mkdir(folder, { recursive: true });
  const program = join(folder, "nvidia-smi");
  await writeFile(
    program,
    `#!/bin/sh
# Stand-in: no GPU is behind it.
[ "$1" = "--query-gpu=${QUERY}" ] && [ "$2" = "--format=csv,noheader,nounits" ] || exit 2
echo "$(date +%Y/%m/%d\\ %H:%M:%S).000, ${name}, GPU-stand-in, 87, 40, 1024, 15360, 61, 65.50, 70.00"
`,
  );
  await chmod(program, 0o755);
  return folder;
}
