import { BEFORE_PUBLICATION } from "./labels.ts";
import { killEverywhere } from "./kill-everywhere.ts";

killEverywhere("a host killed before the results are published", BEFORE_PUBLICATION);
