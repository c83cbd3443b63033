/** The services that can be connected: what is asked of each, where its secret belongs, and which checks are about it. */
import * as l10n from "@vscode/l10n";
import type { SettingValue } from "../../domain/settings-edit.ts";
import type { StoreVariable } from "../../domain/store-variables.ts";
import type { StoreSetting } from "./store-settings.ts";

export const SERVICE_IDS = ["objects", "database", "runLog", "drive"] as const;
export type ServiceId = (typeof SERVICE_IDS)[number];

export interface Question {
  readonly setting: StoreSetting;
  readonly prompt: string;
  readonly example: string;
  readonly isOptional: boolean;
  readonly parse?: (text: string) => SettingValue;
}

export interface Service {
  readonly id: ServiceId;
  readonly label: string;
  readonly icon: string;
  /** Without it in the file the service is not connected. */
  readonly main: StoreSetting;
  readonly questions: readonly Question[];
  /** Written beside the answers. */
  readonly fixed: Partial<Record<StoreSetting, SettingValue>>;
  /** Where the secret belongs; each but a file's path also as `…_FILE`. */
  readonly secrets: readonly StoreVariable[];
  /** Names of the doctor's checks. */
  readonly checks: readonly string[];
}

export function isServiceId(value: unknown): value is ServiceId {
  return SERVICE_IDS.some((id) => id === value);
}

/** In the language of the window. */
export function services(): readonly Service[] {
  const ca = l10n.t("Certificate (PEM) of a private authority, relative to the workspace");
  return [
    {
      id: "objects",
      label: l10n.t("Object store (MinIO or another S3)"),
      icon: "archive",
      main: "objects.endpoint",
      questions: [
        {
          setting: "objects.endpoint",
          prompt: l10n.t("Address of the S3 server"),
          example: "https://minio.example:9000",
          isOptional: false,
        },
        { setting: "objects.accessKey", prompt: l10n.t("Access key id"), example: "eda", isOptional: false },
        { setting: "objects.region", prompt: l10n.t("Region"), example: "us-east-1", isOptional: true },
        { setting: "objects.tls.ca", prompt: ca, example: "infra/certs/ca.pem", isOptional: true },
      ],
      fixed: {},
      secrets: ["EDA_S3_SECRET_KEY"],
      checks: ["object store"],
    },
    {
      id: "database",
      label: l10n.t("Database (PostgreSQL)"),
      icon: "database",
      main: "database.host",
      questions: [
        { setting: "database.host", prompt: l10n.t("Host of the PostgreSQL server"), example: "db.example", isOptional: false },
        { setting: "database.port", prompt: l10n.t("Port"), example: "5432", isOptional: true, parse: Number },
        { setting: "database.database", prompt: l10n.t("Database, of this workspace alone"), example: "eda", isOptional: true },
        { setting: "database.user", prompt: l10n.t("User"), example: "eda", isOptional: true },
        { setting: "database.tls.ca", prompt: ca, example: "infra/certs/ca.pem", isOptional: true },
      ],
      fixed: {},
      secrets: ["EDA_DATABASE_PASSWORD"],
      checks: ["postgresql", "migrations"],
    },
    {
      id: "runLog",
      label: l10n.t("Run log (MongoDB)"),
      icon: "output",
      main: "runLog.uri",
      questions: [
        {
          setting: "runLog.uri",
          prompt: l10n.t("Address of the MongoDB server, without user and password"),
          example: "mongodb://mongo.example:27017/",
          isOptional: false,
        },
        { setting: "runLog.database", prompt: l10n.t("Database"), example: "eda", isOptional: true },
        { setting: "runLog.user", prompt: l10n.t("User"), example: "eda", isOptional: true },
        { setting: "runLog.tls.ca", prompt: ca, example: "infra/certs/ca.pem", isOptional: true },
      ],
      fixed: {},
      secrets: ["EDA_MONGODB_PASSWORD"],
      checks: ["run log"],
    },
    {
      id: "drive",
      label: "Google Drive",
      icon: "cloud",
      main: "drive.kind",
      questions: [
        {
          setting: "drive.account",
          prompt: l10n.t("Person in whose name a service account acts"),
          example: "ana@example.org",
          isOptional: true,
        },
      ],
      fixed: { "drive.kind": "google" },
      secrets: ["EDA_GOOGLE_CREDENTIALS_FILE"],
      checks: ["drive"],
    },
  ];
}
