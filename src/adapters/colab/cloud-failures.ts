/**
 * What Google Cloud refuses, in the project's own errors. Codes: https://cloud.google.com/apis/design/errors; Vertex AI and google.rpc.Status say
 * them by name or number, Cloud Storage by HTTP status alone.
 */
import { z } from "zod";
import { EdaError } from "../../domain/errors.ts";
import { printable } from "../../domain/printable.ts";

/** google.rpc.Code, where the number is what there is. */
const NAMES: Readonly<Record<number, string>> = {
  1: "CANCELLED",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  7: "PERMISSION_DENIED",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

export const rpcStatusSchema = z.looseObject({
  code: z.int().optional(),
  message: z.string().optional(),
  details: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
});

const bodySchema = z.object({ error: rpcStatusSchema.extend({ status: z.string().optional() }) });

interface Said {
  /** `RESOURCE_EXHAUSTED`; empty when only the HTTP status is known. */
  readonly code: string;
  readonly message: string;
  /** `SERVICE_DISABLED` */
  readonly reasons: readonly string[];
}

/** @param body parsed JSON, or undefined for an answer that is none */
export function refusal(status: number, body: unknown, subject: string): EdaError {
  const error = bodySchema.safeParse(body).data?.error;
  const said = saidBy(error?.status ?? "", error);
  const known = explained(said, subject);
  if (known !== undefined) return known;
  const message = said.message === "" ? `HTTP ${status}` : said.message;
  if (status === 401 || said.code === "UNAUTHENTICATED") {
    return new EdaError("precondition", "cloud-signed-out", `Google Cloud no longer accepts the sign-in of eda: ${message}`, SIGN_IN);
  }
  if (status === 408 || status === 429 || status >= 500) {
    return new EdaError("transient", "cloud-busy", `Google Cloud could not serve a request about ${subject}: ${message}`, {
      todo: "Run again a little later.",
    });
  }
  if (status === 403) return forbidden(subject, message);
  if (status === 404) {
    return new EdaError("precondition", "cloud-not-found", `Google Cloud does not find ${subject}: ${message}`, {
      todo: "Check project, region and bucket under colab.enterprise in configs/eda.yaml.",
    });
  }
  return new EdaError("terminal", "cloud-refused", `Google Cloud refused ${subject}: ${message} (HTTP ${status})`, {
    todo: "Correct what it names, in configs/eda.yaml under colab.enterprise if it is there, and run again.",
  });
}

/** Why an execution ended: its google.rpc.Status. Undefined when it says nothing that eda knows better than Google's own words. */
export function statusRefusal(status: z.infer<typeof rpcStatusSchema> | undefined, subject: string): EdaError | undefined {
  const said = saidBy(NAMES[status?.code ?? 0] ?? "", status);
  const known = explained(said, subject);
  if (known !== undefined) return known;
  return said.code === "PERMISSION_DENIED" ? forbidden(subject, said.message) : undefined;
}

function saidBy(code: string, error: z.infer<typeof rpcStatusSchema> | undefined): Said {
  const reasons = (error?.details ?? []).flatMap(({ reason }) => reason ?? []);
  return { code, message: oneLine(error?.message ?? ""), reasons };
}

function explained({ code, message, reasons }: Said, subject: string): EdaError | undefined {
  if (code === "RESOURCE_EXHAUSTED" && /quota/iu.test(message) && !/per (?:minute|second|user)|rate/iu.test(message)) {
    return new EdaError("terminal", "cloud-quota", `The project's quota does not allow ${subject}: ${message}`, {
      todo: "Ask for more in the Google Cloud console (IAM and admin, Quotas: NVIDIA T4 GPUs of the region), choose another region in configs/eda.yaml, or wait until other jobs have ended.",
    });
  }
  if (code === "RESOURCE_EXHAUSTED" && /stockout|resource pool|not have enough resources|unavailable/iu.test(message)) {
    return new EdaError("terminal", "cloud-no-capacity", `The region has no free machine for ${subject}: ${message}`, {
      todo: "Run again later, or choose another region with T4 GPUs under colab.enterprise in configs/eda.yaml.",
    });
  }
  if (reasons.includes("SERVICE_DISABLED")) {
    return new EdaError("precondition", "cloud-api-disabled", `An API that ${subject} needs is not enabled: ${message}`, {
      todo: "Enable Vertex AI, Dataform and Cloud Storage for the project: gcloud services enable aiplatform.googleapis.com dataform.googleapis.com storage.googleapis.com",
    });
  }
  if (code === "INVALID_ARGUMENT" && /accelerator|NVIDIA|machine ?type/iu.test(message)) {
    return new EdaError("precondition", "cloud-no-accelerator", `The region does not offer this machine: ${message}`, {
      todo: "Under colab.enterprise in configs/eda.yaml choose a region with T4 GPUs (us-central1 has them) and an N1 machine type.",
    });
  }
  return undefined;
}

function forbidden(subject: string, message: string): EdaError {
  return new EdaError("precondition", "cloud-permission", `Google Cloud does not allow ${subject}: ${message}`, {
    todo: "Give the account of eda the roles Colab Enterprise User on the project, Service Account User on the execution's service account and Storage Object User on the bucket; give that service account Storage Object User on the bucket.",
  });
}

export const SIGN_IN = {
  todo: "Name a service account's key in EDA_GOOGLE_CREDENTIALS_FILE, or run gcloud auth application-default login as the user of the host.",
};

/** Safe to show. */
export function oneLine(message: string): string {
  return printable(message.split("\n", 1)[0]?.slice(0, 500) ?? "");
}
