/** `stores` of `configs/eda.yaml`: which servers stand behind the ports. Addresses and names only; secrets come from the environment. */
import { z } from "zod";

const CA =
  "Certificate (PEM) of the authority that signed the server's; relative to the workspace · Certificado (PEM) da autoridade do servidor";

const caSchema = z.strictObject({ ca: z.string().min(1).describe(CA) });

export const objectsSchema = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/u, error: "is not an address such as https://minio.example:9000" })
    .refine(hasNoCredentials, { error: "must not hold a user or password: use accessKey and EDA_S3_SECRET_KEY" })
    .refine(isOrigin, { error: "is scheme, host and port only: https://minio.example:9000" })
    .optional()
    .describe("S3 server; without it objects lie in .eda/objects · Servidor S3; sem ele, os objetos ficam em .eda/objects"),
  region: z.string().min(1).default("us-east-1").describe("Region that requests are signed for · Região das assinaturas"),
  accessKey: z.string().min(1).optional().describe("Access key id; its secret is EDA_S3_SECRET_KEY · Identificador da chave de acesso"),
  tls: caSchema.optional(),
  objectLock: z
    .boolean()
    .default(false)
    .describe("Buckets are created with object lock, for retention · Buckets criados com object lock, para retenção"),
});

export const databaseSchema = z.strictObject({
  host: z
    .string()
    .regex(/^[^\s@]+$/u, { error: "is not a host name" })
    .optional()
    .describe("PostgreSQL server; without it one is started in .eda · Servidor PostgreSQL; sem ele, um é iniciado em .eda"),
  port: z.int().min(1).max(65_535).default(5432).describe("Port · Porta"),
  database: z.string().min(1).default("eda").describe("Database, of this workspace alone · Banco, só deste workspace"),
  user: z.string().min(1).default("eda").describe("User; the password is EDA_DATABASE_PASSWORD · Usuário"),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().describe(CA),
      mode: z
        .enum(["verify-full", "verify-ca", "require"])
        .default("verify-full")
        .describe("What is checked: certificate and name, certificate, nothing · O que é conferido"),
    })
    .refine(({ ca, mode }) => mode !== "verify-ca" || ca !== undefined, { path: ["ca"], error: "is needed for mode verify-ca" })
    .optional()
    .describe("Without it the connection is not encrypted · Sem ele, a conexão não é cifrada"),
});

/** Several hosts are allowed, which a URL proper cannot hold. */
const MONGODB_URI = /^mongodb(\+srv)?:\/\/[^/?#\s]+(\/\S*)?$/u;

export const runLogSchema = z.strictObject({
  uri: z
    .string()
    .regex(MONGODB_URI, { error: "is not an address such as mongodb://mongo.example:27017" })
    .refine(hasNoCredentials, { error: "must not hold a user or password: use user and EDA_MONGODB_PASSWORD" })
    .optional()
    .describe("MongoDB; without it logs are kept in PostgreSQL · MongoDB; sem ele, os registros ficam no PostgreSQL"),
  database: z.string().min(1).default("eda").describe("Database · Banco"),
  user: z.string().min(1).optional().describe("User; the password is EDA_MONGODB_PASSWORD · Usuário"),
  tls: caSchema.optional(),
});

export const driveSchema = z.strictObject({
  kind: z
    .enum(["folder", "google"])
    .default("folder")
    .describe("A folder that stands in for Drive, or Google Drive · Uma pasta no lugar do Drive, ou o Google Drive"),
  account: z
    .email()
    .optional()
    .describe("Person in whose name a service account acts (domain-wide delegation) · Pessoa em cujo nome a conta de serviço age"),
  exports: z
    .strictObject({
      sheets: z.enum(["csv", "xlsx", "pdf"]).exactOptional(),
      docs: z.enum(["docx", "pdf", "txt", "md"]).exactOptional(),
      slides: z.enum(["pptx", "pdf"]).exactOptional(),
      drawings: z.enum(["svg", "png", "pdf"]).exactOptional(),
    })
    .optional()
    .describe("Format in which documents of Google's editors are captured · Formato em que os documentos do Google são capturados"),
});

/** A section is absent or complete; what the environment says stands above it. */
export const storesSchema = z.strictObject({
  objects: objectsSchema.optional(),
  database: databaseSchema.optional(),
  runLog: runLogSchema.optional(),
  drive: driveSchema.optional(),
});

/** As a person writes it: what has a default may be absent. */
export type StoresInput = z.input<typeof storesSchema>;

function hasNoCredentials(address: string): boolean {
  const authority = /^[^:]+:\/\/([^/?#]*)/u.exec(address)?.[1] ?? "";
  return !authority.includes("@") && !/[?&][^=]*(password|secret|token)[^=]*=/iu.test(address);
}

function isOrigin(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && url.pathname === "/" && url.search === "" && url.hash === "";
}
