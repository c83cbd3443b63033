/**
 * Outputs of cells, from kernel messages (https://jupyter-client.readthedocs.io/en/stable/messaging.html#messages-on-the-iopub-pub-sub-channel)
 * to what nbformat keeps, bounded: a notebook that prints without end must not fill memory or disk.
 */
import type { JsonObject } from "../../domain/json.ts";
import { sourceLines } from "../../domain/notebook.ts";
import type { IopubMessage } from "./kernel.ts";

/** Text of one cell's streams, characters. */
const MAX_STREAM_CHARS = 1024 * 1024;
/** JSON text of one rich output (an image, an HTML table). */
const MAX_RICH_CHARS = 8 * 1024 * 1024;
/** All outputs of the notebook together. */
const MAX_TOTAL_CHARS = 64 * 1024 * 1024;

type MimeBundle = Record<string, unknown>;

export type NotebookOutput =
  | { output_type: "stream"; name: "stdout" | "stderr"; text: string[] }
  | { output_type: "display_data"; data: MimeBundle; metadata: MimeBundle }
  | { output_type: "execute_result"; data: MimeBundle; metadata: MimeBundle; execution_count: number | null }
  | { output_type: "error"; ename: string; evalue: string; traceback: string[] };

/** The bounds that all cells of one job share. */
export class OutputBudget {
  #chars = 0;
  /** Outputs that `update_display_data` may change later, by display id. */
  readonly displays = new Map<string, { data: MimeBundle; metadata: MimeBundle }[]>();

  take(chars: number): boolean {
    if (this.#chars + chars > MAX_TOTAL_CHARS) return false;
    this.#chars += chars;
    return true;
  }
}

type StreamName = "stdout" | "stderr";

/** Collects what one cell puts out. */
export class CellOutputs {
  readonly #budget: OutputBudget;
  #outputs: (NotebookOutput | { readonly stream: StreamName; readonly parts: string[] })[] = [];
  #streamChars = 0;
  #truncated = false;
  #clearOnNext = false;

  constructor(budget: OutputBudget) {
    this.#budget = budget;
  }

  handle(message: IopubMessage): void {
    const content = message.content as Record<string, unknown>;
    switch (message.header.msg_type) {
      case "stream":
        this.#stream(content.name === "stderr" ? "stderr" : "stdout", String(content.text));
        break;
      case "display_data":
        this.#rich({ output_type: "display_data", ...bundles(content) }, displayId(content));
        break;
      case "execute_result":
        this.#rich(
          { output_type: "execute_result", ...bundles(content), execution_count: Number(content.execution_count) },
          displayId(content),
        );
        break;
      case "update_display_data":
        this.#update(content);
        break;
      case "error":
        this.#error(String(content.ename), String(content.evalue), (content.traceback as string[]) ?? []);
        break;
      case "clear_output":
        if (content.wait === true) this.#clearOnNext = true;
        else this.#outputs = [];
        break;
      default:
      // status, execute_input, comm messages: nothing that a notebook keeps.
    }
  }

  finish(): NotebookOutput[] {
    return this.#outputs.map((output) =>
      "parts" in output ? { output_type: "stream", name: output.stream, text: sourceLines(output.parts.join("")) } : output,
    );
  }

  #stream(name: StreamName, text: string): void {
    if (this.#truncated) return;
    const wanted = text.slice(0, MAX_STREAM_CHARS - this.#streamChars);
    const kept = this.#budget.take(wanted.length) ? wanted : "";
    if (kept.length < text.length) {
      this.#truncated = true;
      this.#append(name, `${kept}\n[eda] further output of this cell was left out\n`);
      return;
    }
    this.#streamChars += text.length;
    this.#append(name, text);
  }

  #append(name: StreamName, text: string): void {
    this.#clearIfAsked();
    const last = this.#outputs.at(-1);
    if (last !== undefined && "parts" in last && last.stream === name) last.parts.push(text);
    else this.#outputs.push({ stream: name, parts: [text] });
  }

  #rich(output: Extract<NotebookOutput, { data: MimeBundle }>, id: string | undefined): void {
    this.#clearIfAsked();
    const size = JSON.stringify(output.data).length;
    if (size > MAX_RICH_CHARS || !this.#budget.take(size)) {
      output.data = { "text/plain": `[eda] an output of ${size} characters was left out` };
      output.metadata = {};
    }
    this.#outputs.push(output);
    if (id !== undefined) this.#budget.displays.set(id, [...(this.#budget.displays.get(id) ?? []), output]);
  }

  #update(content: Record<string, unknown>): void {
    const id = displayId(content);
    const { data, metadata } = bundles(content);
    if (id === undefined || JSON.stringify(data).length > MAX_RICH_CHARS) return;
    for (const output of this.#budget.displays.get(id) ?? []) Object.assign(output, { data, metadata });
  }

  #error(ename: string, evalue: string, traceback: readonly string[]): void {
    this.#clearIfAsked();
    this.#outputs.push({
      output_type: "error",
      ename,
      evalue: evalue.slice(0, MAX_STREAM_CHARS),
      traceback: traceback.map((line) => line.slice(0, MAX_STREAM_CHARS)),
    });
  }

  #clearIfAsked(): void {
    if (!this.#clearOnNext) return;
    this.#clearOnNext = false;
    this.#outputs = [];
  }
}

function bundles(content: Record<string, unknown>): { data: MimeBundle; metadata: MimeBundle } {
  return { data: { ...((content.data as JsonObject) ?? {}) }, metadata: { ...((content.metadata as JsonObject) ?? {}) } };
}

function displayId(content: Record<string, unknown>): string | undefined {
  const id = (content.transient as { readonly display_id?: unknown } | undefined)?.display_id;
  return typeof id === "string" ? id : undefined;
}
