/** `about.get`: who the account is and how much storage it has. */
import { isTrashed } from "./access.ts";
import type { Call } from "./call.ts";
import { EXPORT_TYPES } from "./export-types.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json } from "./http.ts";
import { userResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

export function getAbout({ parameters, store, email, view }: Call): Answer {
  const project = parseFields(parameters.text("fields"), SHAPES.about);
  const account = store.accounts.get(email);
  const usage = store.usageOf(email);
  const trash = [...store.all()].filter((item) => item.owner === email && isTrashed(store, item));
  const limit = account?.isService ? "0" : account?.quotaBytes?.toString();
  return json(
    project({
      kind: "drive#about",
      user: userResource(email, view),
      storageQuota: {
        ...(limit === undefined ? {} : { limit }),
        usage: String(usage),
        usageInDrive: String(usage),
        usageInDriveTrash: String(trash.reduce((sum, { content }) => sum + (content?.bytes.length ?? 0), 0)),
      },
      exportFormats: EXPORT_TYPES,
      canCreateDrives: false,
    }),
  );
}
