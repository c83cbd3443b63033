/** Requests about the workspace as a whole: init, demo, verify, doctor, recover. */
import type { MessageConnection } from "vscode-jsonrpc/node";
import { verify } from "../../pipeline/verify.ts";
import { CreateDemo, Doctor, InitWorkspace, Recover, Verify, WorkProgress } from "../../protocol/messages.ts";
import { doctor } from "../doctor.ts";
import type { Host } from "../host.ts";
import { recover } from "../recover.ts";
import { createDemo } from "../workspace/demo.ts";
import { initWorkspace } from "../workspace/init.ts";
import type { Registrar } from "./register.ts";
import { tell } from "./tell.ts";

export function registerWorkspace(registrar: Registrar, rpc: MessageConnection, host: Host): void {
  const { services } = host;
  registrar.handle(InitWorkspace, ({ project }) =>
    host.commitLock(() => initWorkspace(services, project === undefined ? {} : { project })),
  );
  registrar.handle(CreateDemo, () => host.commitLock(() => createDemo(services, host.home)));
  registrar.handle(Verify, async ({ project, token }, signal) => {
    const active = new Set(await host.runs.active());
    return verify(services, {
      ...(project === undefined ? {} : { project }),
      signal,
      onProgress: (progress) => tell(() => rpc.sendProgress(WorkProgress, token, progress)),
      isActive: (run) => active.has(run) || host.board.activeRuns().includes(run),
    });
  });
  registrar.handle0(Doctor, () => doctor(host));
  registrar.handle0(Recover, () => recover(host));
}
