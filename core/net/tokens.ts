/** Access tokens: kept between runs, and refreshed by one caller whatever the number of callers. */
import type { Clock, Token, Tokens } from "../connector.ts";

/** Where tokens are kept, sealed, between runs. */
export interface Shelf {
  readonly load: (name: string) => Promise<Token | null>;
  readonly save: (name: string, token: Token | null) => Promise<void>;
}

/** A token that ends sooner is not lent any more: the call that takes it must still arrive in time. */
export const refreshBeforeMs = 30_000;

export function createTokens(shelf: Shelf, clock: Clock): Tokens {
  const held = new Map<string, Token>();
  const flights = new Map<string, Promise<Token>>();
  const turns = new Map<string, Promise<unknown>>();

  const isUsable = (token: Token | null | undefined): token is Token =>
    token !== null && token !== undefined && token.expiresAt - refreshBeforeMs > clock.now();

  /** One after the other for each name: a drop between a load and a save would bring a dead token back. */
  const inTurn = <A>(name: string, work: () => Promise<A>): Promise<A> => {
    const turn = (turns.get(name) ?? Promise.resolve()).then(work);
    turns.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  };

  const obtain = async (name: string, refresh: () => Promise<Token>): Promise<Token> => {
    const kept = await shelf.load(name);
    const token = isUsable(kept) ? kept : await refresh();
    if (token !== kept) await shelf.save(name, token);
    held.set(name, token);
    return token;
  };

  return {
    get: (name, refresh) => {
      const token = held.get(name);
      if (isUsable(token)) return Promise.resolve(token);
      const flying = flights.get(name);
      if (flying !== undefined) return flying;
      const flight = inTurn(name, () => obtain(name, refresh)).finally(() => flights.delete(name));
      flights.set(name, flight);
      return flight;
    },
    drop: (name, value) => {
      if (held.get(name)?.value === value) held.delete(name);
      return inTurn(name, async () => {
        const kept = await shelf.load(name);
        if (kept?.value === value) await shelf.save(name, null);
      });
    },
  };
}
