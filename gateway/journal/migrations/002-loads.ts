import type { Migration } from './migration.ts'

/**
 * What was declared of each passage, and the last crossing of each vehicle: what statistics, stays and used declarations are counted
 * from. Records of older versions hold no load, so `loads` begins empty; `vehicles` and `referred_at` are filled from the events.
 */
export const loads: Migration = {
  version: 2,
  name: 'loads, vehicles, when a passage was referred',
  sql: `
    CREATE TABLE loads (
      passage TEXT PRIMARY KEY,
      declaration TEXT,
      vehicle TEXT,
      valid_to INTEGER,
      text TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX loads_valid ON loads (valid_to) WHERE valid_to IS NOT NULL;
    CREATE TABLE vehicles (
      vehicle TEXT PRIMARY KEY,
      passage TEXT NOT NULL,
      entry INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX entries_site_alarms ON entries (id)
      WHERE lane IS NULL AND type IN ('luong.alarm.raised.v1', 'luong.alarm.cleared.v1');
    ALTER TABLE passages ADD COLUMN referred_at INTEGER;
    UPDATE passages SET referred_at = (
      SELECT at FROM entries WHERE passage = passages.id AND type = 'luong.passage.referred.v1' ORDER BY id LIMIT 1
    );
    INSERT INTO vehicles (vehicle, passage, entry)
      SELECT p.plate, p.id, max(e.id) FROM passages p JOIN entries e ON e.passage = p.id AND e.type = 'luong.passage.cleared.v1'
      WHERE p.outcome = 'cleared' AND p.plate IS NOT NULL GROUP BY p.plate;
  `,
}
