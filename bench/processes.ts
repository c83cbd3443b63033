/** CPU time and memory of processes, from `/proc`: Linux only. */
import { readdirSync, readFileSync } from "node:fs";

/** `sysconf(_SC_CLK_TCK)`: the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Its own and of its children that ended, in ticks. */
  readonly ticks: number;
}

/** CPU seconds so far of the processes that `isRoot` names, of all below them, and of their children that ended. */
export function cpuSeconds(isRoot: (process: { readonly pid: number; readonly command: string }) => boolean): number {
  const all = processes();
  const members = new Set(all.filter(isRoot).map(({ pid }) => pid));
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
  }
  return all.filter(({ pid }) => members.has(pid)).reduce((ticks, each) => ticks + each.ticks, 0) / TICKS_PER_SECOND;
}

/** CPU seconds so far of this process's children that ended. */
export function cpuSecondsOfEndedChildren(): number {
  const fields = statFields(process.pid);
  return (Number(fields?.[13]) + Number(fields?.[14])) / TICKS_PER_SECOND;
}

/** Resident memory of a living process now (`VmRSS`), or its peak (`VmHWM`), MB. */
export function residentMegabytes(pid: number, field: "VmRSS" | "VmHWM"): number {
  return Number(new RegExp(`${field}:\\s+(\\d+)`, "u").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;
}

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((name): Process[] => {
      const pid = Number(name);
      const fields = statFields(pid);
      if (fields === undefined) return [];
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [{ pid, parent: Number(fields[1]), command: commandLine(pid), ticks }];
    });
}

/** From the state on; the name before it, in parentheses, may hold anything. Undefined for a process that has ended. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
