/** Every route of the API. A new resource is a file here and a line in this list. */
import type { Route } from "../route.ts";
import { auditRoutes } from "./audit.ts";
import { configRoutes } from "./config.ts";
import { conflictRoutes } from "./conflicts.ts";
import { connectionRoutes } from "./connections.ts";
import { customerRoutes } from "./customers.ts";
import { deadLetterRoutes } from "./dead-letters.ts";
import { decisionRoutes } from "./decide.ts";
import { explainRoutes } from "./explain.ts";
import { exportRoutes } from "./exports.ts";
import { fieldRoutes } from "./fields.ts";
import { keyRoutes } from "./keys.ts";
import { linkRoutes } from "./links.ts";
import { meRoutes } from "./me.ts";
import { runRoutes } from "./runs.ts";
import { searchRoutes } from "./search.ts";
import { undoRoutes } from "./undo.ts";

export const routes: ReadonlyArray<Route> = [
  ...meRoutes,
  ...fieldRoutes,
  ...customerRoutes("account"),
  ...customerRoutes("contact"),
  ...explainRoutes,
  ...decisionRoutes,
  ...linkRoutes,
  ...searchRoutes,
  ...conflictRoutes,
  ...undoRoutes,
  ...connectionRoutes,
  ...runRoutes,
  ...deadLetterRoutes,
  ...exportRoutes,
  ...auditRoutes,
  ...keyRoutes,
  ...configRoutes,
];
