/** The limit of the SCIM benchmark: scimmy-routers over a Map, with the same users. Prints its address; ends with its standard input. */
import { startScimmy } from "../../connectors/scim/servers.ts";
import { personOf } from "./person.ts";

const [countText = "0"] = process.argv.slice(2);
const { baseUrl, token } = await startScimmy(Number(countText), personOf);
console.log(JSON.stringify({ baseUrl, token }));
process.stdin.on("end", () => process.exit(0)).resume();
