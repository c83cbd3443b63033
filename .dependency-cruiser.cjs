/** Which room of `src/` may import which: docs/architecture.md. Checked by `npm test`. */
const only = (name, from, to) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: "^(src|webview)/", pathNot: [from, ...to] },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    only("domain-stands-alone", "^src/domain/", []),
    only("protocol-speaks-domain", "^src/protocol/", ["^src/domain/"]),
    only("ports-speak-domain", "^src/ports/", ["^src/domain/"]),
    only("pipeline-knows-ports", "^src/pipeline/", ["^src/ports/", "^src/domain/"]),
    only("adapters-implement-ports", "^src/adapters/", ["^src/ports/", "^src/domain/"]),
    only("host-composes", "^src/host/", ["^src/(pipeline|adapters|ports|protocol|domain)/"]),
    only("cli-is-a-client", "^src/cli/", ["^src/(protocol|domain)/"]),
    only("extension-is-a-client", "^src/extension/", ["^src/(protocol|domain)/"]),
    only("pages-are-clients", "^webview/", ["^src/(protocol|domain)/", "^src/extension/(text/|tree/node)"]),
    {
      name: "adapters-are-strangers",
      comment: "One technology never reaches into another.",
      severity: "error",
      from: { path: "^src/adapters/([^/]+)/" },
      to: { path: "^src/adapters/", pathNot: "^src/adapters/$1/" },
    },
    {
      name: "domain-does-no-io",
      severity: "error",
      from: { path: "^src/domain/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer|util)$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".mjs", ".js"], conditionNames: ["import", "node", "default"] },
  },
};
