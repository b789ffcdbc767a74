/** Every route of the API. A new resource is a file here and a line in this list. */
import type { Route } from "../route.ts";
import { meRoutes } from "./me.ts";

export const routes: ReadonlyArray<Route> = [...meRoutes];
