/** What verification finds: each thing that was changed by hand, named once. */

export interface VerifyProblem {
  /** What disagrees. */
  readonly subject: "object" | "row" | "manifest" | "audit" | "commit" | "orphan";
  /** Object as `bucket/key@version`, row as `table/project/name`, manifest path, audit entry number, run id of a commit. */
  readonly name: string;
  readonly message: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  /** Object versions read again, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  readonly rows: number;
  readonly manifests: number;
  readonly auditEntries: number;
  readonly problems: readonly VerifyProblem[];
}
