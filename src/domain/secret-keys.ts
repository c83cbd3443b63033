/** Keys of governed files that look as if they held a secret: refused with the way that there is. */

const SECRET_WORDS = /secret|passw|senha|token|credential|private|api_?key|connection_?string/iu;

/** By the section of `configs/eda.yaml` that the key was written in. */
const VARIABLES: Readonly<Record<string, string>> = {
  "stores.objects": "EDA_S3_SECRET_KEY",
  "stores.database": "EDA_DATABASE_PASSWORD",
  "stores.runLog": "EDA_MONGODB_PASSWORD",
  "stores.drive": "EDA_GOOGLE_CREDENTIALS_FILE",
  jupyter: "EDA_JUPYTER_TOKEN",
};

/** @returns what to tell about an unknown key; undefined when it does not look like a secret */
export function secretKeyAdvice(section: string, key: string): string | undefined {
  if (!SECRET_WORDS.test(key)) return undefined;
  const variable = VARIABLES[section];
  const way =
    variable === undefined ? "give it in the environment" : `set ${variable}${variable.endsWith("_FILE") ? "" : ` or ${variable}_FILE`}`;
  return `"${key}" looks like a secret, which never goes into a governed file: ${way}`;
}
