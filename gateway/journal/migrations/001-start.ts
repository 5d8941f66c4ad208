import type { Migration } from './migration.ts'

/**
 * The log and its projections. `entries` is only ever inserted into. An event has a `sequence` and a `type`, an input has
 * neither; `text` is the CloudEvents JSON of an event, or `[body, actions]` of an input. See chain.ts for `hash`.
 */
export const start: Migration = {
  version: 1,
  name: 'log, passages, documents, cursors',
  sql: `
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE entries (
      id INTEGER PRIMARY KEY,
      sequence INTEGER,
      type TEXT,
      lane TEXT,
      passage TEXT,
      at INTEGER NOT NULL,
      text TEXT NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX entries_sequence ON entries (sequence) WHERE sequence IS NOT NULL;
    CREATE INDEX entries_passage ON entries (passage) WHERE passage IS NOT NULL;
    CREATE TABLE passages (
      id TEXT PRIMARY KEY,
      lane TEXT NOT NULL,
      direction TEXT,
      plate TEXT,
      outcome TEXT,
      arrived_at INTEGER NOT NULL,
      decided_at INTEGER,
      ended_at INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX passages_open ON passages (arrived_at) WHERE ended_at IS NULL;
    CREATE INDEX passages_arrived ON passages (arrived_at);
    CREATE TABLE documents (
      collection TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (collection, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE cursors (target TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  `,
}
