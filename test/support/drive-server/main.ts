/** `node test/support/drive-server/main.ts [port]`: the fake Drive as a process; its first line is JSON with `url` and a token. */
import { startDriveServer } from "./server.ts";

const [port] = process.argv.slice(2);
const server = await startDriveServer(port === undefined ? {} : { port: Number(port) });
console.log(JSON.stringify({ url: server.url, account: "ana@example.com", accessToken: server.accessToken("ana@example.com") }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void server.close());
