/** Finding credentials in texts, by secretlint's recommended rules and those of Google, whose keys this project lives on. */
import type { lintSource } from "@secretlint/core";
import type { Finding } from "../../domain/errors.ts";
import { outputText } from "./output-text.ts";

/** Formats as Google documents them for API keys, OAuth client secrets and access tokens. */
const GOOGLE_PATTERNS = [
  { name: "Google API key", patterns: ["/\\bAIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/"] },
  { name: "Google OAuth client secret", patterns: ["/\\bGOCSPX-[0-9A-Za-z_-]{28}(?![0-9A-Za-z_-])/"] },
  { name: "Google OAuth access token", patterns: ["/\\bya29\\.[0-9A-Za-z_-]{40,}/"] },
  { name: "Google OAuth refresh token", patterns: ["/\\b1\\/\\/0[0-9A-Za-z_-]{60,}/"] },
];

type LintConfig = Parameters<typeof lintSource>[0]["options"]["config"];
type LintMessage = Awaited<ReturnType<typeof lintSource>>["messages"][number];

export type SecretFinder = (path: string, text: string) => Promise<Finding[]>;

/** Loads the rules, some 40 ms, when the first text is looked at. A line is let pass by a `secretlint-disable-line` comment on it. */
export function createSecretFinder(): SecretFinder {
  let loaded: ReturnType<typeof loadRules> | undefined;
  return async (path, text) => {
    loaded ??= loadRules();
    const lint = await loaded;
    return (await lint(path, text)).map((message) => findingOf(path, text, message));
  };
}

async function loadRules(): Promise<(path: string, text: string) => Promise<readonly LintMessage[]>> {
  const [{ lintSource }, preset, pattern] = await Promise.all([
    import("@secretlint/core"),
    import("@secretlint/secretlint-rule-preset-recommend"),
    import("@secretlint/secretlint-rule-pattern"),
  ]);
  const config: LintConfig = {
    rules: [
      { id: "@secretlint/secretlint-rule-preset-recommend", rule: preset.creator },
      { id: "@secretlint/secretlint-rule-pattern", rule: pattern.creator, options: { patterns: GOOGLE_PATTERNS } },
    ],
  };
  return async (filePath, content) => {
    const source = { filePath, content, contentType: "text" as const };
    return (await lintSource({ source, options: { config, maskSecrets: true, noPhysicFilePath: true } })).messages;
  };
}

function findingOf(path: string, text: string, { message, messageId, range, loc }: LintMessage): Finding {
  // The secret is masked already; cut with what follows, it gives away not even its length.
  const what = message.split(/[:(]?\s*\*{2,}/u, 1)[0] as string;
  const secret = text.slice(...range);
  const safe = what !== "" && !what.includes(secret);
  return {
    message: safe ? outputText(what) : `found a credential (${messageId})`,
    at: { file: path, line: loc.start.line, column: loc.start.column + 1 },
  };
}
