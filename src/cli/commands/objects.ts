/** `eda objects ls`: the object store, as folders. */
import type { Command } from "commander";
import { BUCKETS, type BucketName } from "../../domain/stage.ts";
import { ListBuckets, ListObjects, type ObjectEntry } from "../../protocol/messages.ts";
import type { Cli, GlobalOptions } from "../context.ts";
import { formatBytes, formatTime } from "../output/format.ts";
import { printListing } from "../output/listing.ts";
import type { Column } from "../output/table.ts";
import { addPaging, collectPages, type Listing, type PageChoice } from "../paging.ts";
import { type HostSession, withHost } from "../session.ts";
import { unknownName } from "../suggest.ts";
import { requireWorkspace } from "../workspace.ts";

interface ObjectsOptions extends GlobalOptions, PageChoice {}

interface Place {
  readonly bucket: BucketName;
  readonly prefix: string;
}

const HELP = `
Examples:
  $ eda objects ls                         the buckets
  $ eda objects ls raw-data/vendas
  $ eda objects ls datasets/vendas --all --json`;

export function addObjects(program: Command, cli: Cli): void {
  const objects = program.command("objects").summary("list buckets and objects").description("Looks into the object store.");
  const ls = objects
    .command("ls")
    .summary("list buckets, or what a prefix holds")
    .description("Lists the buckets, or the prefixes and objects in a bucket or prefix.")
    .argument("[place]", "BUCKET or BUCKET/PREFIX", parsePlace);
  addPaging(ls, 1000)
    .addHelpText("after", HELP)
    .action(async (place: Place | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<ObjectsOptions>();
      await withHost(cli, requireWorkspace(cli, options), async (session) => {
        if (place === undefined) return listBuckets(cli, session, options);
        const listing = await listPlace(session, place, options);
        printListing(cli, options, listing, COLUMNS, `There is nothing in ${place.bucket}/${place.prefix}`);
      });
    });
}

async function listBuckets(cli: Cli, session: HostSession, options: GlobalOptions): Promise<void> {
  const buckets = await session.ask0(ListBuckets);
  const listing = { items: buckets.map((bucket) => ({ bucket })), cursor: null };
  printListing(cli, options, listing, [{ header: "BUCKET", value: ({ bucket }) => bucket }], "There is no bucket yet.");
}

/** A prefix is read as a folder first, then as the beginning of names, as a shell would complete it. */
async function listPlace(session: HostSession, { bucket, prefix }: Place, choice: PageChoice): Promise<Listing<ObjectEntry>> {
  const list = (each: string) => collectPages(choice, (page) => session.ask(ListObjects, { bucket, prefix: each, ...page }));
  if (prefix === "" || prefix.endsWith("/") || choice.cursor !== undefined) return list(prefix);
  const inside = await list(`${prefix}/`);
  return inside.items.length > 0 ? inside : list(prefix);
}

const COLUMNS: readonly Column<ObjectEntry>[] = [
  { header: "KEY", value: ({ key }) => key, shrink: "middle" },
  { header: "SIZE", value: ({ size }) => (size === null ? "" : formatBytes(size)), align: "right" },
  { header: "TYPE", value: ({ type, mediaType }) => mediaType ?? type, shrink: "end", drop: 4 },
  { header: "VERSION", value: ({ versionId }) => versionId ?? "", drop: 1 },
  { header: "SHA256", value: ({ sha256 }) => sha256?.slice(0, 12) ?? "", drop: 3 },
  { header: "STORED", value: ({ storedAt }) => (storedAt === null ? "" : formatTime(storedAt)), drop: 2 },
];

function parsePlace(text: string): Place {
  const [name = "", ...rest] = text.replace(/^\/+/u, "").split("/");
  const bucket = BUCKETS.find((known) => known === name);
  if (bucket === undefined) throw unknownName("bucket", name, BUCKETS);
  return { bucket, prefix: rest.join("/") };
}
