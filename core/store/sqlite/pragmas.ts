/**
 * How a store is opened, by whoever opens it. The log beside the file may grow to 64 MB before it is copied into the
 * file: a page that is written often is then copied once for many commits.
 */
export const pragmas =
  "pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = 16384; pragma foreign_keys = off; " +
  "pragma temp_store = memory; pragma cache_size = -65536";
