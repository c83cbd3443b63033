import { describe, expect, it } from "vitest";
import { problemWith, type SettingValue, valuesAt, withChanges } from "../../../src/domain/settings-edit.ts";
import { STORE_VARIABLES } from "../../../src/domain/store-variables.ts";
import { services } from "../../../src/extension/services/services.ts";
import {
  differencesOf,
  editorValue,
  fileValue,
  pathOf,
  STORE_SETTING_NAMES,
  type StoreSetting,
} from "../../../src/extension/services/store-settings.ts";

const EXAMPLES: Readonly<Record<StoreSetting, SettingValue>> = {
  "objects.endpoint": "https://minio.example:9000",
  "objects.region": "sa-east-1",
  "objects.accessKey": "eda",
  "objects.objectLock": true,
  "objects.tls.ca": "ca.pem",
  "database.host": "db.example",
  "database.port": 5433,
  "database.database": "eda",
  "database.user": "eda",
  "database.tls.mode": "verify-ca",
  "database.tls.ca": "ca.pem",
  "runLog.uri": "mongodb://mongo.example:27017/",
  "runLog.database": "eda",
  "runLog.user": "eda",
  "runLog.tls.ca": "ca.pem",
  "drive.kind": "google",
  "drive.account": "ana@example.org",
};

describe("settings of the stores", () => {
  it("are all keys of the settings file, and none of them a secret", () => {
    const changes = STORE_SETTING_NAMES.map((name) => ({ path: pathOf(name), value: EXAMPLES[name] }));
    const text = withChanges("", changes);
    expect(
      valuesAt(
        text,
        changes.map(({ path }) => path),
      ),
    ).toEqual(Object.values(EXAMPLES));
    expect(STORE_SETTING_NAMES.filter((name) => /secret|password|token/iu.test(name))).toEqual([]);
  });

  it("are empty in the editor when the file does not mention them, and the other way round", () => {
    expect(editorValue("objects.endpoint", undefined)).toBe("");
    expect(editorValue("database.port", undefined)).toBeNull();
    expect(fileValue("objects.endpoint", "")).toBeUndefined();
    expect(fileValue("database.port", null)).toBeUndefined();
    expect(fileValue("objects.objectLock", false)).toBeUndefined();
    expect(fileValue("database.port", 5433)).toBe(5433);
  });

  it("changed in the editor go into the file", () => {
    const states = [
      { name: "objects.endpoint", inFile: "http://a:9000", inWorkspace: "http://b:9000", agreed: "http://a:9000" },
      { name: "objects.accessKey", inFile: "eda", inWorkspace: "eda", agreed: undefined },
      { name: "objects.region", inFile: "us-east-1", inWorkspace: "", agreed: "us-east-1" },
      { name: "database.host", inFile: undefined, inWorkspace: undefined, agreed: "db" },
    ] as const;
    expect(differencesOf(states)).toEqual({
      changes: [
        { path: ["stores", "objects", "endpoint"], value: "http://b:9000" },
        { path: ["stores", "objects", "region"], value: undefined },
      ],
      missing: [],
    });
  });

  it("that are as they were shown are not a person's, although the file has changed meanwhile", () => {
    const state = { name: "objects.endpoint", inFile: "http://b:9000", inWorkspace: "http://a:9000", agreed: "http://a:9000" } as const;
    expect(differencesOf([state, { ...state, inFile: undefined }])).toEqual({ changes: [], missing: [] });
  });

  it("that vanish from the editor do not take the stores with them: somebody is asked", () => {
    const state = { name: "objects.endpoint", inFile: "http://a:9000", inWorkspace: undefined } as const;
    expect(differencesOf([{ ...state, agreed: "http://a:9000" }])).toEqual({
      changes: [],
      missing: ["objects.endpoint"],
    });
  });
});

describe("services that can be connected", () => {
  it("ask for settings that exist, with examples that are fit, and name variables that exist", () => {
    for (const { main, questions, secrets, fixed } of services()) {
      expect([...questions.map(({ setting }) => setting), ...Object.keys(fixed)]).toContain(main);
      for (const { setting, example, parse = String } of questions)
        expect(problemWith(pathOf(setting), parse(example)), setting).toBeUndefined();
      for (const secret of secrets) expect(STORE_VARIABLES).toHaveProperty(secret);
    }
  });
});
