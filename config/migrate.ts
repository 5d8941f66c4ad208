/**
 * Older site files are brought to the present version before they are read, so that an update of the program never
 * asks a technician to rewrite a working file.
 */

/** The version this program reads. */
export const CURRENT_VERSION = 1

/** From raw data of one version to the next; pure, and must not change its argument. The key is the version it starts from. */
export type Migrations = ReadonlyMap<number, (raw: Readonly<Record<string, unknown>>) => Record<string, unknown>>

/** Version 1 is the first: nothing to migrate from yet. */
export const MIGRATIONS: Migrations = new Map()

/**
 * Brings raw data to `current`, as far as `migrations` go. Data without a usable version comes back as it is: the schema
 * complains about it.
 */
export function migrate(raw: Record<string, unknown>, migrations: Migrations, current: number = CURRENT_VERSION): Record<string, unknown> {
  let data = raw
  for (let version = data.version; typeof version === 'number' && version < current; version = data.version) {
    const step = migrations.get(version)
    if (!step) return data
    data = { ...step(data), version: version + 1 }
  }
  return data
}
