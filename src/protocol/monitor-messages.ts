/**
 * What the extension and the job monitor's page say to each other. Both sides validate what arrives: the page shows texts that a runtime
 * wrote, and may only ask for what stands here. https://code.visualstudio.com/api/extension-guides/webview#security
 */
import * as z from "zod/mini";
import type { JobView } from "./jobs.ts";

const jobId = z.string().check(z.regex(/^[0-9a-z][0-9a-z-]{0,62}$/u));
const jobs = z.array(jobId).check(z.maxLength(20));
const axis = z.enum(["step", "time"]);

/** What the page looks at; kept by the window so that a reload shows the same. */
const viewStateSchema = z.object({
  selected: z.nullable(jobId),
  compared: jobs,
  axis,
  /** Weight of the past in an exponential moving average, 0 (none) to 0.99. */
  smoothing: z.number().check(z.minimum(0), z.maximum(0.99)),
  filter: z.string().check(z.maxLength(200)),
});

export type ViewState = z.infer<typeof viewStateSchema>;

export const FIRST_VIEW_STATE: ViewState = { selected: null, compared: [], axis: "step", smoothing: 0, filter: "" };

/** Undefined for what is no view state: of another version, or not ours. */
export function readViewState(value: unknown): ViewState | undefined {
  const read = viewStateSchema.safeParse(value);
  return read.success ? read.data : undefined;
}

const savedFile = z.object({
  type: z.literal("save"),
  name: z.string().check(z.regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,120}\.(?:png|svg|csv)$/u)),
  /** PNG as base64, the others as text. */
  data: z.string().check(z.maxLength(50_000_000)),
});

const fromPage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  /** Jobs whose curves the page shows, the selected one first: others are no longer sent. */
  z.object({ type: z.literal("watch"), jobs }),
  z.object({ type: z.literal("cancel"), job: jobId }),
  z.object({ type: z.literal("resume"), job: jobId }),
  z.object({ type: z.literal("open-notebook"), job: jobId }),
  z.object({ type: z.literal("open-file"), job: jobId, list: z.enum(["inputs", "outputs"]), index: z.int().check(z.minimum(0)) }),
  z.object({ type: z.literal("open-commit"), job: jobId, moment: z.enum(["before", "after"]) }),
  z.object({ type: z.literal("open-run"), job: jobId }),
  z.object({ type: z.literal("reload") }),
  savedFile,
]);

export type PageMessage = z.infer<typeof fromPage>;

export function readPageMessage(value: unknown): PageMessage | undefined {
  const read = fromPage.safeParse(value);
  return read.success ? read.data : undefined;
}

const column = z.instanceof(Float64Array);
const columns = z.object({ attempt: z.string(), steps: column, times: column, values: z.record(z.string(), column) });

/** Deep parts of a job are the host's own types, which the extension has from it. */
const job = z.custom<JobView>(
  (value) => typeof value === "object" && value !== null && "job" in value && jobId.safeParse(value.job).success && "status" in value,
);

const toPage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("language"), locale: z.string(), strings: z.record(z.string(), z.string()) }),
  z.object({ type: z.literal("jobs"), jobs: z.array(job) }),
  z.object({ type: z.literal("job"), job }),
  /** Curves and GPU readings as columns; NaN where a point has no value. `isWhole`: what came before is replaced. */
  z.object({ type: z.literal("series"), job: jobId, isWhole: z.boolean(), points: z.array(columns), readings: z.array(columns) }),
  z.object({ type: z.literal("log"), job: jobId, attempt: z.nullable(z.string()), text: z.string(), isCut: z.boolean() }),
  z.object({ type: z.literal("select"), job: jobId }),
  /** Why there is nothing to show, or why what was asked for was not done; null takes it back. */
  z.object({ type: z.literal("failure"), failure: z.nullable(z.object({ message: z.string(), todo: z.nullable(z.string()) })) }),
]);

export type WindowMessage = z.infer<typeof toPage>;
export type Columns = z.infer<typeof columns>;

export function readWindowMessage(value: unknown): WindowMessage | undefined {
  const read = toPage.safeParse(value);
  return read.success ? read.data : undefined;
}
