/** `permissions.list` and `permissions.create`, for accounts and for everybody with the link. */
import { z } from "zod";
import { itemFor } from "./access.ts";
import type { Call } from "./call.ts";
import { ApiError, notImplemented } from "./errors.ts";
import { parseFields } from "./fields.ts";
import { type Answer, json, parseObject, receiveAll } from "./http.ts";
import { type Grant, ROLES } from "./items.ts";
import { grantsOf, permissionResource } from "./resources.ts";
import { SHAPES } from "./shapes.ts";

const PERMISSION = z.strictObject({
  type: z.enum(["user", "anyone"]),
  role: z.enum(ROLES),
  emailAddress: z.string().optional(),
});

export function listPermissions({ parameters, access, id, pages, view }: Call): Answer {
  const project = parseFields(parameters.text("fields"), SHAPES.permissionList);
  const grants = new Map(grantsOf(itemFor(access, id, "writer")).map((grant) => [grant.to, grant]));
  const { ids, nextPageToken } = pages.page(parameters, () => [...grants.keys()], { absent: 100, most: 100 });
  const permissions = ids.flatMap((to) => grants.get(to) ?? []).map((grant) => permissionResource(grant, view));
  return json(project({ kind: "drive#permissionList", permissions, ...(nextPageToken === undefined ? {} : { nextPageToken }) }));
}

export async function createPermission({ request, parameters, access, id, view, store, faults }: Call): Promise<Answer> {
  const project = parseFields(parameters.text("fields"), SHAPES.permission);
  const parsed = PERMISSION.safeParse(parseObject(await receiveAll(request, faults)));
  if (!parsed.success) throw new ApiError("badRequest", { message: `Invalid value: ${z.prettifyError(parsed.error)}` });
  const { type, role, emailAddress } = parsed.data;
  if (role === "owner") throw notImplemented("transfers of ownership");
  if ((type === "user") !== (emailAddress !== undefined)) {
    throw new ApiError("badRequest", { message: "The permission type field and its address do not fit." });
  }
  const item = itemFor(access, id, "writer");
  const grant: Grant = { to: emailAddress ?? "anyone", role };
  store.put({ ...item, grants: [...item.grants.filter(({ to }) => to !== grant.to), grant] });
  return json(project(permissionResource(grant, view)));
}
