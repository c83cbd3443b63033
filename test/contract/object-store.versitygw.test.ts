import { afterAll, describe } from "vitest";
import { openS3Store, type S3Store } from "../../src/adapters/minio/object-store.ts";
import type { S3Server } from "../support/servers/minio.ts";
import { startVersitygw, versitygwProgram } from "../support/servers/versitygw.ts";
import { s3StoreContract } from "./object-store.s3.suite.ts";
import { objectStoreContract } from "./object-store.suite.ts";

describe.skipIf(versitygwProgram === undefined)("versitygw", () => {
  let server: S3Server | undefined;
  let store: S3Store | undefined;
  afterAll(async () => {
    await store?.close();
    await server?.stop();
  });

  objectStoreContract("versitygw", async () => {
    server = await startVersitygw();
    store = openS3Store(server.access);
    return store;
  });

  s3StoreContract("versitygw", startVersitygw);
});
