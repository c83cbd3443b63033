import { z } from "zod";

const MINUTE = 60;

/** Times of a job. They travel in `job.json`, so that the runtime and whoever follows it go by the same ones. */
export const jobLimitsSchema = z
  .object({
    beatSeconds: z.number().positive().default(MINUTE).describe("Between two beats · Entre duas batidas"),
    lateSeconds: z
      .number()
      .positive()
      .default(5 * MINUTE)
      .describe("Silence after which an attempt is late · Silêncio até 'atrasado'"),
    suspectSeconds: z
      .number()
      .positive()
      .default(15 * MINUTE)
      .describe("… suspect · … até 'suspeito'"),
    lostSeconds: z
      .number()
      .positive()
      .default(30 * MINUTE)
      .describe("… lost · … até 'perdido'"),
    attemptSeconds: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe("Longest an attempt may take · Duração máxima de uma tentativa"),
  })
  .refine((times) => times.beatSeconds < times.lateSeconds, { error: "must be longer than beatSeconds", path: ["lateSeconds"] })
  .refine((times) => times.lateSeconds < times.suspectSeconds, { error: "must be longer than lateSeconds", path: ["suspectSeconds"] })
  .refine((times) => times.suspectSeconds < times.lostSeconds, { error: "must be longer than suspectSeconds", path: ["lostSeconds"] });

const seconds = z.number().positive().optional();

/** What a person sets of them; the rest stays as it is. */
export const jobTimesSchema = z.strictObject({
  beatSeconds: seconds.describe("Between two beats · Entre duas batidas"),
  lateSeconds: seconds.describe("Silence until late · Silêncio até 'atrasado'"),
  suspectSeconds: seconds.describe("Silence until suspect · Silêncio até 'suspeito'"),
  lostSeconds: seconds.describe("Silence until lost · Silêncio até 'perdido'"),
});

export type JobLimits = z.infer<typeof jobLimitsSchema>;
