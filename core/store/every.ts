/** Something that is done again and again, by whoever's clock. */

/** Does the work every so many milliseconds, until the answer is called. */
export type Every = (ms: number, work: () => void) => () => void;

/** Real time; it keeps no process alive. */
export const everyReal: Every = (ms, work) => {
  const timer = setInterval(work, ms).unref();
  return () => clearInterval(timer);
};
