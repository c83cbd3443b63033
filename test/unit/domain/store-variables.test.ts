import { describe, expect, it } from "vitest";
import { storeEnvironment } from "../../../src/domain/store-variables.ts";

describe("what an environment says of the stores", () => {
  it("is nothing when it names none", () => {
    expect(storeEnvironment({ PATH: "/bin", EDA_IDLE_MINUTES: "5", EDA_S3_ENDPOINT: "" })).toBeNull();
  });

  it("differs with the address, and with where a secret lies", () => {
    const one = storeEnvironment({ EDA_S3_ENDPOINT: "http://one" });
    expect(storeEnvironment({ EDA_S3_ENDPOINT: "http://one", HOME: "/root" })).toBe(one);
    expect(storeEnvironment({ EDA_S3_ENDPOINT: "http://two" })).not.toBe(one);
    expect(storeEnvironment({ EDA_S3_ENDPOINT: "http://one", EDA_S3_SECRET_KEY: "x" })).not.toBe(one);
    expect(storeEnvironment({ EDA_S3_SECRET_KEY_FILE: "/a" })).not.toBe(storeEnvironment({ EDA_S3_SECRET_KEY_FILE: "/b" }));
  });

  it("cannot be used to guess a secret: it does not depend on one", () => {
    expect(storeEnvironment({ EDA_S3_SECRET_KEY: "a" })).toBe(storeEnvironment({ EDA_S3_SECRET_KEY: "b" }));
    const database = (password: string) =>
      storeEnvironment({ EDA_DATABASE_URL: `postgresql://ana:${password}@db:5432/eda?sslmode=require` });
    expect(database("a")).toBe(database("b"));
    expect(database("a")).not.toBe(storeEnvironment({ EDA_DATABASE_URL: "postgresql://ana:a@other:5432/eda" }));
  });
});
