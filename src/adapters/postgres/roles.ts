/** Least privilege: the roles that `sql/002.do.papeis.sql` makes, and taking one. */
import type { ClientBase, Pool } from "pg";
import { openDatabase, type SqlRow } from "./database.ts";

/** Works: registers and appends, and can neither rewrite a registered row nor the audit chain. */
export const APP_ROLE = "eda_app";
/** Reads projects, executions, inventories and lineage. */
export const READER_ROLE = "eda_leitor";
/** Reads these and the audit chain. */
export const AUDITOR_ROLE = "eda_auditor";

const NOT_ALLOWED = "42501";

/**
 * The connection works as the role from here on, where this database has given it its rights and the login is a member of it. Otherwise it
 * works as the login does: in a database that is not migrated yet, or whose owner may not make roles.
 */
export async function takeRole(client: ClientBase, role: string): Promise<void> {
  try {
    await client.query(
      `SELECT set_config('role', rolname, false) FROM pg_roles
       WHERE rolname = $1 AND has_table_privilege(oid, to_regclass('auditoria'), 'INSERT')`,
      [role],
    );
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== NOT_ALLOWED) throw error;
  }
}

export interface Access {
  readonly login: string;
  /** What inventory work is done as: a role of ours, or the login itself. */
  readonly worksAs: string;
  /** Roles of ours that this server lacks or that have no rights in this database. */
  readonly missingRoles: readonly string[];
}

/** Who works in this database, for people. */
export async function describeAccess(pool: Pool): Promise<Access> {
  const [access] = await openDatabase(pool).query<Access & SqlRow>(
    `SELECT session_user AS login, current_user AS "worksAs",
            ARRAY(SELECT papel FROM unnest($1::text[]) AS papel LEFT JOIN pg_roles ON rolname = papel
                  WHERE NOT coalesce(has_table_privilege(oid, to_regclass('inventario_dados'), 'SELECT'), false) ORDER BY papel) AS "missingRoles"`,
    [[APP_ROLE, READER_ROLE, AUDITOR_ROLE]],
  );
  return access as Access;
}
