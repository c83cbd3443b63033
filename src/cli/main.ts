/**
 * `eda`, the command line: a client of the workspace's host. All of it is loaded once the cache of compiled code is on, which halves its start.
 * The cache is the person's own: one in the shared temporary folder could be somebody else's.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const { HOME, XDG_CACHE_HOME } = process.env;
const caches = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"));
if (caches) enableCompileCache(join(caches, "eda", "compiled"));
await import("./command-line.ts");
