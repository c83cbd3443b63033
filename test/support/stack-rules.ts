/** What every service of the stack must keep to. */
import type { Stack, StackService } from "./stack-file.ts";

/** The containers of the first part, by the names of the design. */
export const SERVICES = ["eda_database-services", "eda_jupyter-cpu", "eda_minio", "mongo_mongodb"];
/** The only one people reach from outside. */
const PUBLISHED = "eda_jupyter-cpu";

const SECRET_FOLDER = "/run/secrets/";
const SECRET_NAME = /PASSWORD|SECRET|TOKEN|CREDENTIAL|_KEY$/u;
/** Names who signs in, not with what. */
const IDENTIFIERS = new Set(["EDA_S3_ACCESS_KEY"]);

/** Every breach, as a sentence; none where the stack is in order. */
export function problemsOf(stack: Stack): string[] {
  const found = Object.keys(stack.services).sort();
  const problems = found.join() === SERVICES.join() ? [] : [`the services are ${found.join(", ")}`];
  for (const [name, service] of Object.entries(stack.services))
    for (const problem of serviceProblems(name, service, stack)) problems.push(`${name}: ${problem}`);
  for (const [name, secret] of Object.entries(stack.secrets))
    if (secret.external !== true && secret.file !== `./secrets/${name}`)
      problems.push(`secret ${name} is neither external nor in infra/secrets`);
  return problems;
}

function* serviceProblems(name: string, service: StackService, stack: Stack): Generator<string> {
  yield* hardeningProblems(service);
  yield* imageProblems(service.image);
  yield* secretProblems(service, stack);
  yield* networkProblems(name, service, stack);
  yield* upkeepProblems(service);
}

function* hardeningProblems(service: StackService): Generator<string> {
  if (!/^[1-9]\d*:[1-9]\d*$/u.test(service.user ?? "")) yield "runs as root, or as a user without a number";
  if (service.read_only !== true) yield "can write to its image";
  if (service.cap_drop?.join() !== "ALL") yield "keeps capabilities";
}

function* imageProblems(image: string): Generator<string> {
  const [, fallback] = /^\$\{EDA_[A-Z_]+_IMAGE:-([^}]+)\}$/u.exec(image) ?? [];
  if (fallback === undefined) {
    yield `its image ${image} is not a setting`;
    return;
  }
  const tag = /:([^/:]+)$/u.exec(fallback)?.[1];
  if (tag === undefined || tag === "latest") yield `its image ${fallback} has no fixed version`;
}

function* secretProblems({ environment, secrets }: StackService, stack: Stack): Generator<string> {
  const mounted = secrets.map(({ source }) => source);
  for (const source of mounted) if (!(source in stack.secrets)) yield `secret ${source} is not declared`;
  for (const [variable, value] of Object.entries(environment)) {
    if (variable.endsWith("_FILE")) {
      const secret = value.startsWith(SECRET_FOLDER) ? value.slice(SECRET_FOLDER.length) : undefined;
      if (secret === undefined || !mounted.includes(secret)) yield `${variable} points at no secret of the service`;
    } else if (SECRET_NAME.test(variable) && !IDENTIFIERS.has(variable)) yield `${variable} is a secret in the environment`;
    else if (/\/\/[^/]*@/u.test(value)) yield `${variable} has a user or a password in its address`;
  }
}

function* networkProblems(name: string, { ports, networks }: StackService, stack: Stack): Generator<string> {
  for (const network of networks) if (!(network in stack.networks)) yield `network ${network} is not declared`;
  if (name === PUBLISHED) return;
  if (ports.length > 0) yield "publishes a port";
  if (networks.length === 0 || networks.some((network) => stack.networks[network]?.internal !== true))
    yield "is in a network that leads outside";
}

function* upkeepProblems(service: StackService): Generator<string> {
  const { healthcheck, deploy, restart } = service;
  if (healthcheck === undefined || healthcheck.test[0] !== "CMD") yield "has no healthcheck";
  const limits = deploy?.resources?.limits;
  if (limits?.cpus === undefined || limits.memory === undefined || limits.pids === undefined)
    yield "has no limit of processors, memory or processes";
  if ((deploy?.restart_policy?.condition ?? restart) === undefined) yield "is not restarted";
  // Two servers on one volume damage it.
  const update = deploy?.update_config;
  if (restart === undefined && (update?.order !== "stop-first" || update.failure_action !== "rollback"))
    yield "is not updated by stopping first and rolling back";
}
