import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  COMMIT_TYPES,
  type CommitTrailers,
  commitMessage,
  parseTrailers,
  subjectAfter,
  subjectBefore,
  subjectCancelled,
  subjectFailed,
} from "../../../src/domain/commit.ts";
import { STAGES } from "../../../src/domain/stage.ts";

const TRAILERS: CommitTrailers = { project: "voos", stage: "modeling", run: "20261124-153012-k3f9qz", moment: "depois" };
const FULL: CommitTrailers = {
  ...TRAILERS,
  inputs: "3 (1200 bytes)",
  outputs: "2 (800 bytes) sha256:ab12",
  audit: "7 ef34",
  accelerator: "cpu, jupyter local",
};

describe("a commit message", () => {
  it("is the subject, an empty line, and the trailers in a fixed order", () => {
    expect(commitMessage(subjectAfter("modeling"), FULL)).toBe(
      [
        "feat: pipeline de modelagem no Colab com GPU",
        "",
        "Projeto: voos",
        "Etapa: modeling",
        "Execucao: 20261124-153012-k3f9qz",
        "Momento: depois",
        "Entradas: 3 (1200 bytes)",
        "Saidas: 2 (800 bytes) sha256:ab12",
        "Auditoria: 7 ef34",
        "Acelerador: cpu, jupyter local",
        "",
      ].join("\n"),
    );
  });

  it("leaves out trailers that have no value", () => {
    expect(commitMessage("docs: x", TRAILERS).split("\n")).toHaveLength(7);
  });

  it("is read by git as it is by us", () => {
    const message = commitMessage("docs: x", FULL);
    const read = execFileSync("git", ["interpret-trailers", "--parse"], { input: message, encoding: "utf8" }).trim().split("\n");
    expect(Object.entries(parseTrailers(message)).map(([name, value]) => `${name}: ${value}`)).toEqual(read);
  });

  it("cannot be given another trailer through a value", () => {
    const message = commitMessage("docs: x", { ...TRAILERS, inputs: "1\nMomento: antes\r\n\r\nExecucao: other" });
    expect(parseTrailers(message)).toMatchObject({
      Momento: "depois",
      Execucao: TRAILERS.run,
      Entradas: "1 Momento: antes Execucao: other",
    });
  });

  it.each(COMMIT_TYPES)("may be of the type %s", (type) => {
    expect(commitMessage(`${type}: algo`, TRAILERS)).toMatch(new RegExp(`^${type}: algo\n\n`, "u"));
  });

  it.each(["chore: x", "test: x", "Feat: x", "feat x", "feats", "feat:x", "feat: ", "feat(api): x", ": x", "", "feat: a\nb", "init:\nx"])(
    "cannot have the subject %j",
    (subject) => {
      expect(() => commitMessage(subject, TRAILERS)).toThrow(TypeError);
    },
  );

  it.each(STAGES)("of $id takes the subjects of every outcome", ({ id, subject }) => {
    expect(subjectAfter(id)).toBe(subject);
    for (const each of [subjectAfter(id), subjectBefore(id, "voos"), subjectFailed(id, "voos"), subjectCancelled(id, "voos")]) {
      expect(() => commitMessage(each, TRAILERS)).not.toThrow();
    }
    expect(new Set([subjectAfter(id), subjectBefore(id, "p"), subjectFailed(id, "p"), subjectCancelled(id, "p")]).size).toBe(4);
    expect(subjectFailed(id, "voos")).toMatch(/^docs: .*voos/u);
  });
});

describe("parseTrailers", () => {
  it.each([
    ["nothing in an empty message", "", {}],
    ["nothing in a subject alone", "feat: algo\n", {}],
    ["nothing in a body without trailers", "feat: algo\n\nUm texto.\n", {}],
    ["only the last paragraph", "docs: x\n\nExecucao: a\n\nEtapa: ingest\n", { Etapa: "ingest" }],
    ["values with colons and spaces", "docs: x\n\nSaidas:  2 sha256:ab  \n", { Saidas: "2 sha256:ab" }],
    ["the last of a repeated one", "docs: x\n\nEtapa: a\nEtapa: b\n", { Etapa: "b" }],
    ["through empty lines at the end", "docs: x\n\nEtapa: a\n\n\n", { Etapa: "a" }],
    ["through carriage returns", "docs: x\r\n\r\nEtapa: a\r\nMomento: antes\r\n", { Etapa: "a", Momento: "antes" }],
    ["names with dashes", "docs: x\n\nSigned-off-by: Ana <a@b>\n", { "Signed-off-by": "Ana <a@b>" }],
  ])("reads %s", (_, message, trailers) => {
    expect(parseTrailers(message)).toEqual(trailers);
  });
});
