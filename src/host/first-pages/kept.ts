/** First pages between two hosts: a file below `.eda`. It is only a memory, and as good as lost when the store or the program is another. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlacedPage } from "./memory.ts";

const FILE = "first-pages.json";

export interface KeptPages {
  read(): readonly PlacedPage[];
  write(pages: readonly PlacedPage[]): void;
}

/**
 * @param store what the object store is, for people: pages of another one are not read
 * @param build of the program: another one may have another shape of pages
 */
export function keptPages(stateFolder: string, store: string, build: string): KeptPages {
  const file = join(stateFolder, FILE);
  return {
    read() {
      try {
        const kept = JSON.parse(readFileSync(file, "utf8")) as {
          readonly store: string;
          readonly build: string;
          readonly pages: PlacedPage[];
        };
        return kept.store === store && kept.build === build ? kept.pages : [];
      } catch {
        return [];
      }
    },
    write(pages) {
      writeFileSync(`${file}.partial`, JSON.stringify({ store, build, pages }), { mode: 0o600 });
      renameSync(`${file}.partial`, file);
    },
  };
}
