/** Who can carry a training job to a runtime in this workspace. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openCliTrainer } from "../adapters/colab/cli-trainer.ts";
import type { SendToCloud } from "../adapters/colab/cloud.ts";
import { openDriveTrainer } from "../adapters/colab/drive-trainer.ts";
import { openEnterpriseTrainer } from "../adapters/colab/enterprise-trainer.ts";
import { localJobFolder } from "../adapters/jupyter/job-folder.ts";
import { openJupyterTrainer } from "../adapters/jupyter/trainer.ts";
import { EdaError } from "../domain/errors.ts";
import { SETTINGS_FILE } from "../domain/governed.ts";
import type { TrainerId } from "../domain/project.ts";
import type { Settings } from "../domain/settings.ts";
import { SCRATCH_FOLDER } from "../pipeline/scratch.ts";
import type { Drive } from "../ports/drive.ts";
import type { JobTrainer } from "../ports/job-trainer.ts";

const COLAB_URL = "https://colab.research.google.com/drive";

export interface TrainersOptions {
  /** Where eda is installed: what a runtime needs of it is read there. */
  readonly home: string;
  readonly stateFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly drive: Drive;
  readonly isGoogleDrive: boolean;
  readonly settings: Settings;
}

/** Each is opened when it is first asked for, and stays the same then: it knows the attempts of this process. */
export function openTrainers(options: TrainersOptions): (id: TrainerId) => JobTrainer {
  const open = new Map<TrainerId, JobTrainer>();
  return (id) => {
    const trainer = open.get(id) ?? openTrainer(id, options);
    open.set(id, trainer);
    return trainer;
  };
}

function openTrainer(id: TrainerId, options: TrainersOptions): JobTrainer {
  const { stateFolder, env, settings } = options;
  switch (id) {
    case "jupyter":
      return openJupyterTrainer({ stateFolder, env, ...(settings.jupyter.url === undefined ? {} : { url: settings.jupyter.url }) });
    case "colab-drive":
      return openDriveTrainer({
        drive: options.drive,
        ...driveRoot(options),
        openUrl: options.isGoogleDrive ? (fileId) => `${COLAB_URL}/${fileId}` : undefined,
        scratchFolder: join(stateFolder, SCRATCH_FOLDER),
        ...(settings.jobs.pollSeconds === undefined ? {} : { pollMs: settings.jobs.pollSeconds * 1_000 }),
      });
    case "colab-cli":
      return openCliTrainer({
        stateFolder,
        env,
        openFolder: localJobFolder,
        ...(settings.jobs.pollSeconds === undefined ? {} : { lookMs: settings.jobs.pollSeconds * 1_000 }),
      });
    case "colab-enterprise":
      return openEnterprise(options);
  }
}

/** @throws EdaError `precondition` `enterprise-not-configured` */
function openEnterprise({ home, env, settings }: TrainersOptions): JobTrainer {
  const { enterprise } = settings.colab;
  if (enterprise === undefined) {
    throw new EdaError("precondition", "enterprise-not-configured", "colab-enterprise needs a project and a bucket of Google Cloud.", {
      todo: `Set colab.enterprise (project, bucket, serviceAccount) in ${SETTINGS_FILE}.`,
      at: { file: SETTINGS_FILE },
    });
  }
  const { prefix = "", ...named } = enterprise;
  return openEnterpriseTrainer({
    ...named,
    prefix,
    send: cloudAccess(env),
    carrier: readFileSync(join(home, "notebooks", "eda_job_gcs.py"), "utf8"),
    ...(settings.jobs.pollSeconds === undefined ? {} : { pollMs: settings.jobs.pollSeconds * 1_000 }),
  });
}

/** With it comes Google's sign-in, which few hosts need. */
function cloudAccess(env: NodeJS.ProcessEnv): SendToCloud {
  let access: Promise<SendToCloud> | undefined;
  return async (request) => {
    access ??= import("./cloud-access.ts").then(({ openCloudAccess }) => openCloudAccess(env));
    return (await access)(request);
  };
}

/** The job's folder is found by its path, here and by the runtime that mounts the drive: an id or a link does not do. */
function driveRoot({ isGoogleDrive, settings }: TrainersOptions): { readonly root: string; readonly mountedRoot: string | undefined } {
  const { folder } = settings.colab;
  if (!isGoogleDrive) {
    if (folder !== undefined) return { root: folder, mountedRoot: undefined };
    throw new EdaError("precondition", "colab-folder-missing", "colab-drive needs a folder of the Drive to put jobs into.", {
      todo: `Set colab.folder in ${SETTINGS_FILE} to the mounted Drive folder, or sign in to Google Drive.`,
      at: { file: SETTINGS_FILE },
    });
  }
  const root = folder ?? "/";
  const shared = /^drive:[^/]+/iu.exec(root)?.[0];
  if (shared === undefined && !root.startsWith("/")) {
    throw new EdaError("precondition", "colab-folder-not-a-path", `colab.folder "${root}" is not a path.`, {
      todo: `Write it in ${SETTINGS_FILE} as /Folder of My Drive, or as drive:Shared drive/folder.`,
      at: { file: SETTINGS_FILE },
    });
  }
  const path = root.slice(shared?.length ?? 0);
  return {
    root,
    mountedRoot: path
      .split("/")
      .filter((name) => name !== "")
      .join("/"),
  };
}
