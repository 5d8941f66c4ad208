/**
 * One gateway per data folder. The lock is SQLite's exclusive lock on an empty file of its own: the system lets go of it when
 * the process ends in any way, kill -9 included, and programs that only read the journal are not in its way.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { LuongError } from '../kernel/errors.ts'

export interface FolderLock {
  release(): void
}

/** @throws DATA_IN_USE when another gateway holds the folder */
export function lockFolder(dir: string): FolderLock {
  const owner = join(dir, 'gateway.pid')
  const db = new Database(join(dir, 'gateway.lock'), { timeout: 0 })
  try {
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error
    throw new LuongError('DATA_IN_USE', `${dir} is in use by another gateway${pidIn(owner)}`)
  }
  writeFileSync(owner, `${process.pid}\n`)
  return {
    release() {
      db.exec('ROLLBACK')
      db.close()
    },
  }
}

/** For the message only: the lock itself does not depend on it. */
function pidIn(file: string): string {
  try {
    return ` (process ${Number.parseInt(readFileSync(file, 'utf8'), 10)})`
  } catch {
    return ''
  }
}
