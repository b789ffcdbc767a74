/** Command lines over two Memory systems, `left` and `right`, on sockets, with a clock that stands still. */
import { writeFileSync } from "node:fs";
import { createMemorySimulator, type MemorySimulator } from "../../connectors/memory/simulator.ts";
import { serveSimulator } from "../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "./cli-kit.ts";
import { type StillClock, stillClock } from "./clock.ts";

export interface PairKit extends Omit<CliKit, "remove"> {
  readonly clock: StillClock;
  readonly left: MemorySimulator;
  readonly right: MemorySimulator;
  /** Writes a configuration over both systems; `right` are more keys of that connection, `more` of the whole. */
  readonly configure: (file: string, more?: PairConfig) => string;
  readonly remove: () => Promise<void>;
}

export interface PairConfig {
  readonly right?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function createPairKit(): Promise<PairKit> {
  const clock = stillClock();
  const cli = createCliKit({ clock });
  const left = createMemorySimulator({ clock });
  const right = createMemorySimulator({ clock });
  const [one, two] = [await serveSimulator(left), await serveSimulator(right)];
  const key = { account: "Hub_Id", contact: "Hub_Id" };
  return {
    ...cli,
    clock,
    left,
    right,
    configure: (file, { right: ofRight = {}, more = {} } = {}) => {
      const connections = {
        left: { use: "memory", ...left.connection(one.url), key },
        right: { use: "memory", ...right.connection(two.url), key, ...ofRight },
      };
      const yaml = { hub: { store: `sqlite:${cli.file("hub.db")}` }, connections, ...more };
      writeFileSync(cli.file(file), JSON.stringify(yaml));
      return cli.file(file);
    },
    remove: async () => {
      await one.close();
      await two.close();
      cli.remove();
    },
  };
}
