/** How results leave the extension host: printed on a line each, after a mark. */

/** What one test of the suite came to; `error` is null when it passed. */
export interface HostedResult {
  readonly name: string;
  readonly error: string | null;
}

export const RESULT_MARK = "eda-test-result ";
