/** What every inventory does. Runs over real databases only, a new one for each test. */
import { describe } from "vitest";
import type { Pool } from "pg";
import type { Inventory } from "../../src/ports/inventory.ts";
import { inventoryAuditContract } from "./inventory-audit.suite.ts";
import { inventoryConnectionContract } from "./inventory-connection.suite.ts";
import { inventoryDatabaseContract } from "./inventory-database.suite.ts";
import { inventoryLineageContract } from "./inventory-lineage.suite.ts";
import { inventoryMemoryContract } from "./inventory-memory.suite.ts";
import { inventoryPublishContract } from "./inventory-publish.suite.ts";
import { inventoryRolesContract } from "./inventory-roles.suite.ts";
import { inventoryRowsContract } from "./inventory-rows.suite.ts";
import { inventoryRunsContract } from "./inventory-runs.suite.ts";

export interface InventoryWorld {
  /** Migrated. */
  readonly inventory: Inventory;
  /** Superuser's URL of the same database. */
  readonly url: string;
  /** Superuser's connections to it; the inventory works as the role of the application. */
  readonly pool: Pool;
  /** On an empty database, not migrated, of which the migrations may be given. */
  readonly empty: (migrationsFolder?: string) => Promise<Omit<InventoryWorld, "empty">>;
}

/** Opens a world of its own for a test, and closes it at the test's end. */
export type OpenInventory = () => Promise<InventoryWorld>;

export function inventoryContract(name: string, open: OpenInventory): void {
  describe(`inventory contract: ${name}`, () => {
    inventoryRowsContract(open);
    inventoryPublishContract(open);
    inventoryRunsContract(open);
    inventoryMemoryContract(open);
    inventoryLineageContract(open);
    inventoryAuditContract(open);
    inventoryDatabaseContract(open);
    inventoryRolesContract(open);
    inventoryConnectionContract(open);
  });
}
