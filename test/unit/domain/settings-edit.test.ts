import { describe, expect, it } from "vitest";
import { problemWith, valuesAt, withChanges } from "../../../src/domain/settings-edit.ts";

const FILE = `# Of the whole team.
engine:
  threads: 1 # a small machine
stores:
  objects:
    # The one in the rack.
    endpoint: http://minio:9000 # inside
    accessKey: eda
git: { pushRemote: origin }
`;
const ENDPOINT = ["stores", "objects", "endpoint"] as const;
const ACCESS_KEY = ["stores", "objects", "accessKey"] as const;
const HOST = ["stores", "database", "host"] as const;
const PORT = ["stores", "database", "port"] as const;

describe("values of the settings file", () => {
  it("are read by path; what is not said is undefined", () => {
    expect(valuesAt(FILE, [ENDPOINT, HOST, ["engine", "threads"]])).toEqual(["http://minio:9000", undefined, 1]);
    expect(valuesAt("", [ENDPOINT])).toEqual([undefined]);
  });

  it("are changed without touching comments, order or anything else", () => {
    const changed = withChanges(FILE, [{ path: ENDPOINT, value: "https://minio.example:9000" }]);
    expect(changed).toBe(FILE.replace("http://minio:9000", "https://minio.example:9000"));
  });

  it("leave the text as it is when they say what it says", () => {
    const untidy = "stores: {objects:   {endpoint: 'http://minio:9000'}}";
    expect(withChanges(untidy, [{ path: ENDPOINT, value: "http://minio:9000" }])).toBe(untidy);
  });

  it("make the sections they need, also in an empty file", () => {
    const changes = [
      { path: HOST, value: "db" },
      { path: PORT, value: 5433 },
    ];
    expect(withChanges("", changes)).toBe("stores:\n  database:\n    host: db\n    port: 5433\n");
    expect(withChanges("# Nothing yet.\n", changes)).toMatch(/^# Nothing yet\.\n+stores:/u);
  });

  it("take the sections away that they leave empty, and keep what a comment says", () => {
    const gone = [ENDPOINT, ACCESS_KEY].map((path) => ({ path, value: undefined }));
    const changed = withChanges(FILE, gone);
    expect(changed).not.toContain("stores");
    expect(changed).toContain("# Of the whole team.");
    expect(changed).toContain("threads: 1 # a small machine");
    expect(withChanges("stores: { objects: { endpoint: http://minio:9000 } }\n", [{ path: ENDPOINT, value: undefined }])).toBe("");
  });

  it("are refused when the file is not valid before, or would not be afterwards", () => {
    expect(() => withChanges("stores: [", [{ path: HOST, value: "db" }])).toThrow(/not valid/u);
    expect(() => withChanges(FILE, [{ path: ENDPOINT, value: "http://user:senha@minio:9000" }])).toThrow(
      /must not hold a user or password/u,
    );
    expect(() => withChanges(FILE, [{ path: ["stores", "objects", "secretKey"], value: "x" }])).toThrow(/EDA_S3_SECRET_KEY/u);
  });
});

describe("one value by itself", () => {
  it("is told what is wrong with it", () => {
    expect(problemWith(ENDPOINT, "minio:9000")).toContain("is not an address");
    expect(problemWith(ENDPOINT, "http://minio:9000/path")).toContain("scheme, host and port only");
    expect(problemWith(PORT, Number.NaN)).toBeDefined();
    expect(problemWith(PORT, 70_000)).toBeDefined();
  });

  it("is fit although another one that belongs to it is missing", () => {
    expect(problemWith(ENDPOINT, "http://minio:9000")).toBeUndefined();
    expect(problemWith(["stores", "database", "tls", "mode"], "verify-ca")).toBeUndefined();
  });
});
