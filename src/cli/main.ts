/**
 * `eda`, the command line: a client of the workspace's host. All of it is loaded once the cache of compiled code is on, which halves its start.
 * The cache is the person's own: one in the shared temporary folder could be somebody else's.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

const { HOME, XDG_CACHE_HOME = HOME && join(HOME, ".cache") } = process.env;
if (XDG_CACHE_HOME) enableCompileCache(join(XDG_CACHE_HOME, "eda", "compiled"));
await import("./command-line.ts");
