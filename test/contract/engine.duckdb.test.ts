import { openEngine } from "../../src/adapters/duckdb/engine.ts";
import { engineContract } from "./engine.suite.ts";

engineContract("duckdb", openEngine);
