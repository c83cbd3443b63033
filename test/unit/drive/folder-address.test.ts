import { describe, expect, it } from "vitest";
import { parseFolderAddress } from "../../../src/adapters/drive/folder-address.ts";

const ID = "1AbCdEfGhIjKlMnOpQrStUvWxYz_-0123";

describe("a folder's address", () => {
  it.each([
    `https://drive.google.com/drive/folders/${ID}`,
    `https://drive.google.com/drive/folders/${ID}?usp=sharing&resourcekey=0-x`,
    `https://drive.google.com/drive/u/0/folders/${ID}`,
    `https://drive.google.com/drive/u/12/folders/${ID}#here`,
    `https://drive.google.com/drive/mobile/folders/${ID}`,
    `https://drive.google.com/open?id=${ID}`,
    `  https://drive.google.com/drive/folders/${ID}\n`,
  ])("is the id in the link %s", (link) => {
    expect(parseFolderAddress(link)).toEqual({ kind: "id", id: ID });
  });

  it.each([
    ["https://example.com/drive/folders/x", "not a link to Google Drive"],
    ["https://drive.google.com.example.com/drive/folders/x", "not a link to Google Drive"],
    [`https://drive.google.com/file/d/${ID}/view`, "a file or a page"],
    ["https://docs.google.com/spreadsheets/d/x/edit", "a file or a page"],
    ["https://drive.google.com/drive/folders/a%2Fb", "no id"],
    ["", "empty"],
    ["drive:", "shared drive"],
    ["drive:/", "shared drive"],
  ])("is refused with a word: %s", (text, problem) => {
    expect(parseFolderAddress(text)).toEqual({ kind: "invalid", problem: expect.stringContaining(problem) });
  });

  it.each([
    ["/", null, []],
    ["root", null, []],
    ["https://drive.google.com/drive/my-drive", null, []],
    ["/Dados/2024", null, ["Dados", "2024"]],
    ["/Dados brutos//2024/", null, ["Dados brutos", "2024"]],
    ["Dados/2024", null, ["Dados", "2024"]],
    ["dados", null, ["dados"]],
    ["drive:Equipe", "Equipe", []],
    ["drive:Equipe de dados/voos/2024", "Equipe de dados", ["voos", "2024"]],
    ["Drive:Equipe/voos", "Equipe", ["voos"]],
  ])("is a path: %s", (text, drive, names) => {
    expect(parseFolderAddress(text)).toEqual({ kind: "path", drive, names });
  });

  it("may be an id or a name, where a word is long enough for both", () => {
    expect(parseFolderAddress(ID)).toEqual({ kind: "id-or-name", text: ID });
    expect(parseFolderAddress("projeto_voos_2024")).toEqual({ kind: "id-or-name", text: "projeto_voos_2024" });
  });
});
