import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseStack, type Stack, type StackService, stackText } from "../support/stack-file.ts";
import { problemsOf, SERVICES } from "../support/stack-rules.ts";

const FILES = ["stack.yml", "compose.yml"] as const;

/** The stack of a file, with one service changed. */
function changed(file: string, service: string, change: (service: StackService, stack: Stack) => void): string[] {
  const stack = parseStack(stackText(file));
  change(serviceOf(stack, service), stack);
  return problemsOf(stack);
}

/** A setting with its default, as both files spell it. */
function setting(name: string, fallback: string): string {
  return `\${${name}:-${fallback}}`;
}

function serviceOf(stack: Stack, name: string): StackService {
  const service = stack.services[name];
  if (service === undefined) throw new Error(`${name} is missing`);
  return service;
}

describe.each(FILES)("infra/%s", (file) => {
  it("keeps to the rules", () => {
    expect(problemsOf(parseStack(stackText(file)))).toEqual([]);
  });

  it.each<[string, string, (service: StackService, stack: Stack) => void]>([
    ["has no healthcheck", "eda_minio", (service) => delete service.healthcheck],
    ["has no limit of processors, memory or processes", "mongo_mongodb", (service) => delete service.deploy?.resources?.limits?.memory],
    ["runs as root, or as a user without a number", "eda_database-services", (service) => (service.user = "0:0")],
    ["can write to its image", "eda_jupyter-cpu", (service) => (service.read_only = false)],
    ["keeps capabilities", "eda_jupyter-cpu", (service) => delete service.cap_drop],
    ["its image quay.io/minio/minio:latest is not a setting", "eda_minio", (service) => (service.image = "quay.io/minio/minio:latest")],
    [
      "its image postgres:latest has no fixed version",
      "eda_database-services",
      (service) => (service.image = setting("EDA_DATABASE_IMAGE", "postgres:latest")),
    ],
    ["its image a:1/b has no fixed version", "eda_minio", (service) => (service.image = setting("EDA_MINIO_IMAGE", "a:1/b"))],
    [
      "MONGO_INITDB_ROOT_PASSWORD is a secret in the environment",
      "mongo_mongodb",
      (service) => {
        service.environment["MONGO_INITDB_ROOT_PASSWORD"] = "x";
      },
    ],
    [
      "EDA_MONGODB_URI has a user or a password in its address",
      "eda_jupyter-cpu",
      (service) => {
        service.environment["EDA_MONGODB_URI"] = "mongodb://eda:x@mongo_mongodb/";
      },
    ],
    [
      "POSTGRES_PASSWORD_FILE points at no secret of the service",
      "eda_database-services",
      (service) => {
        service.environment["POSTGRES_PASSWORD_FILE"] = "/run/secrets/eda_mongodb_password";
      },
    ],
    ["secret eda_database_password is not declared", "eda_database-services", (_, stack) => delete stack.secrets["eda_database_password"]],
    ["publishes a port", "eda_database-services", (service) => service.ports.push("5432:5432")],
    ["is in a network that leads outside", "mongo_mongodb", (service) => service.networks.push("outside")],
    ["is in a network that leads outside", "eda_minio", (service) => (service.networks = [])],
    ["network elsewhere is not declared", "eda_jupyter-cpu", (service) => service.networks.push("elsewhere")],
    [
      "is not restarted",
      "eda_minio",
      (service) => {
        delete service.restart;
        delete service.deploy?.restart_policy;
      },
    ],
  ])("would not pass if a service %s", (problem, service, change) => {
    expect(changed(file, service, change)).toContain(`${service}: ${problem}`);
  });

  it("would not pass with another set of services, or a secret from elsewhere", () => {
    expect(changed(file, "eda_minio", (_, stack) => delete stack.services["eda_minio"])).toContainEqual(
      expect.stringContaining("the services are"),
    );
    expect(changed(file, "eda_minio", (_, stack) => (stack.secrets["eda_x"] = { file: "/etc/passwd" }))).toEqual([
      "secret eda_x is neither external nor in infra/secrets",
    ]);
  });
});

it("the stack is updated by stopping first", () => {
  const problems = changed("stack.yml", "eda_minio", ({ deploy }) => {
    if (deploy?.update_config) deploy.update_config.order = "start-first";
  });
  expect(problems).toEqual(["eda_minio: is not updated by stopping first and rolling back"]);
});

it.each(FILES)("every address in infra/%s is of a service in it, and MinIO's is a name it answers to", (file) => {
  const { services } = parse(stackText(file)) as { services: Record<string, { networks: { data?: { aliases?: string[] } } }> };
  const {
    EDA_S3_ENDPOINT = "",
    EDA_DATABASE_HOST,
    EDA_MONGODB_URI = "",
  } = serviceOf(parseStack(stackText(file)), "eda_jupyter-cpu").environment;
  const { hostname } = new URL(EDA_S3_ENDPOINT);
  expect(services["eda_minio"]?.networks.data?.aliases).toContain(hostname);
  expect(hostname).not.toContain("_");
  expect(SERVICES).toEqual(expect.arrayContaining([EDA_DATABASE_HOST, new URL(EDA_MONGODB_URI).hostname]));
});

it("stack and compose agree on what runs", () => {
  const [stack, compose] = FILES.map((file) => parseStack(stackText(file))) as [Stack, Stack];
  for (const name of SERVICES) {
    const [there, here] = [serviceOf(stack, name), serviceOf(compose, name)];
    const { EDA_CODE_SERVER_CERTIFICATE_FILE: _file, EDA_CODE_SERVER_CERTIFICATE_KEY_FILE: _key, ...environment } = there.environment;
    expect(here.environment).toEqual(environment);
    for (const field of ["image", "user", "command", "healthcheck", "volumes", "networks", "configs", "stop_grace_period", "stop_signal"])
      expect(here[field], `${name}: ${field}`).toEqual(there[field]);
    expect(here.deploy?.resources).toEqual(there.deploy?.resources);
  }
});
