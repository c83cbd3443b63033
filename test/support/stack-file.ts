/** A stack or compose file as its rules see it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

export const INFRA = join(import.meta.dirname, "../../infra");

const names = z.array(z.string());
const reservable = z.looseObject({ cpus: z.string().optional(), memory: z.string().optional(), pids: z.int().optional() });

const serviceSchema = z.looseObject({
  image: z.string(),
  user: z.string().optional(),
  read_only: z.boolean().optional(),
  cap_drop: names.optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.union([z.string().transform((source) => ({ source })), z.looseObject({ source: z.string() })])).default([]),
  configs: z.array(z.looseObject({ source: z.string() })).default([]),
  volumes: z.array(z.union([z.string(), z.looseObject({ type: z.string() })])).default([]),
  networks: z.union([names, z.record(z.string(), z.unknown()).transform((networks) => Object.keys(networks))]).default([]),
  ports: z.array(z.unknown()).default([]),
  healthcheck: z.looseObject({ test: names }).optional(),
  restart: z.string().optional(),
  deploy: z
    .looseObject({
      restart_policy: z.looseObject({ condition: z.string() }).optional(),
      update_config: z.looseObject({ order: z.string(), failure_action: z.string() }).optional(),
      resources: z.looseObject({ limits: reservable.optional() }).optional(),
    })
    .optional(),
});

const stackSchema = z.looseObject({
  services: z.record(z.string(), serviceSchema),
  networks: z.record(z.string(), z.looseObject({ internal: z.boolean().optional() }).nullable()),
  volumes: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(
    z.string(),
    z.looseObject({ external: z.boolean().optional(), name: z.string().optional(), file: z.string().optional() }),
  ),
  configs: z.record(z.string(), z.unknown()).default({}),
});

export type Stack = z.infer<typeof stackSchema>;
export type StackService = z.infer<typeof serviceSchema>;

/** @param name file of `infra/` */
export function stackText(name: string): string {
  return readFileSync(join(INFRA, name), "utf8");
}

/** @throws ZodError where the file lacks what every stack has, or has an environment that is no map of strings */
export function parseStack(text: string): Stack {
  return stackSchema.parse(parse(text, { merge: true }));
}
