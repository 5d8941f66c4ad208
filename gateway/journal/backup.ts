/** One file that holds a journal, and evidence if wanted; consistent while the gateway runs, verified before it counts. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import Database from 'better-sqlite3'
import { systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { RESTORED } from './continue.ts'
import { databaseFile, hasTable, syncFolder } from './database.ts'
import { corrupt, failure } from './failure.ts'
import { openFile, openReader } from './reader.ts'
import { type VerifyReport, verifyReader } from './verify.ts'

export interface BackupReport extends VerifyReport {
  readonly pictures: number
}

/**
 * Writes a copy of the journal in `dir` to `file`, which must not exist. One read transaction: what is appended meanwhile is not in it.
 * @throws BAD_USAGE, JOURNAL_CORRUPT (the copy does not verify; no file is left), JOURNAL_UNAVAILABLE
 */
export async function backup(dir: string, file: string, options: { evidence?: boolean } = {}): Promise<BackupReport> {
  if (existsSync(file))
    throw new LuongError('BAD_USAGE', `${file} exists already`, { hint: 'Choose another name; nothing is overwritten.' })
  const parent = dirname(resolve(file))
  if (!existsSync(parent)) throw new LuongError('BAD_USAGE', `${parent}: no such folder`, { hint: 'Make the folder for the backup first.' })
  const fresh = `${file}.new`
  rmSync(fresh, { force: true })
  try {
    const reader = openReader(dir)
    try {
      reader.db.prepare('VACUUM INTO ?').run(fresh)
    } finally {
      reader.close()
    }
    const pictures = options.evidence ? packEvidence(dir, fresh) : 0
    const report = await verifyFile(fresh)
    sync(fresh)
    renameSync(fresh, file)
    syncFolder(parent)
    return { ...report, pictures }
  } catch (error) {
    rmSync(fresh, { force: true })
    throw failure(error, dir)
  }
}

/**
 * Fills `dir`, which must be empty or absent, from a backup; the backup is verified first.
 * @throws BAD_USAGE, JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE
 */
export async function restore(file: string, dir: string): Promise<BackupReport> {
  if (!existsSync(file)) throw new LuongError('BAD_USAGE', `${file}: no such file`, { hint: 'Give a file written by `luong backup`.' })
  if (existsSync(dir) && readdirSync(dir).length > 0) {
    throw new LuongError('BAD_USAGE', `${dir} is not empty`, { hint: 'Restore into a new folder; nothing is overwritten.' })
  }
  const report = await verifyFile(file).catch((error: unknown) => {
    const { code, message } = failure(error, file)
    throw new LuongError(code, message, { hint: 'Nothing was restored. Give another file written by `luong backup`.', cause: error })
  })
  try {
    mkdirSync(dir, { recursive: true })
    const fresh = `${databaseFile(dir)}.new`
    copyFileSync(file, fresh)
    const pictures = unpackEvidence(fresh, dir)
    mark(fresh, report.head.sequence)
    sync(fresh)
    renameSync(fresh, databaseFile(dir))
    syncFolder(dir)
    return { ...report, pictures }
  } catch (error) {
    // It was empty: nothing half-done stays.
    for (const name of existsSync(dir) ? readdirSync(dir) : []) rmSync(join(dir, name), { recursive: true, force: true })
    throw failure(error, dir)
  }
}

async function verifyFile(file: string): Promise<VerifyReport> {
  const reader = openFile(file, file)
  try {
    const report = await verifyReader(reader, file)
    if (report.bad !== undefined) throw corrupt(file, `entry ${report.bad.entry}: ${report.bad.why}`)
    return report
  } finally {
    reader.close()
  }
}

function packEvidence(dir: string, file: string): number {
  const db = new Database(file)
  try {
    db.exec('CREATE TABLE evidence (path TEXT PRIMARY KEY, sha256 TEXT NOT NULL, image BLOB NOT NULL) STRICT')
    const insert = db.prepare('INSERT INTO evidence VALUES (?, ?, ?)')
    let count = 0
    db.transaction(() => {
      for (const path of pictures(dir)) {
        const image = readIfThere(join(dir, path))
        if (image === undefined) continue
        insert.run(path.split(sep).join('/'), createHash('sha256').update(image).digest('hex'), image)
        count++
      }
    })()
    return count
  } finally {
    db.close()
  }
}

function unpackEvidence(file: string, dir: string): number {
  const db = new Database(file)
  try {
    if (!hasTable(db, 'evidence')) return 0
    let count = 0
    for (const row of db
      .prepare<[], { path: string; sha256: string; image: Buffer }>('SELECT path, sha256, image FROM evidence')
      .iterate()) {
      const target = resolve(dir, row.path)
      if (!target.startsWith(resolve(dir, 'evidence') + sep)) throw corrupt(file, `picture with a path outside of evidence/: ${row.path}`)
      if (createHash('sha256').update(row.image).digest('hex') !== row.sha256) throw corrupt(file, `picture ${row.path} was changed`)
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, row.image, { flush: true })
      count++
    }
    db.exec('DROP TABLE evidence')
    db.exec('VACUUM')
    return count
  } finally {
    db.close()
  }
}

/** Notes where the backup ends: what comes after is this box's own. */
function mark(file: string, sequence: number): void {
  const db = new Database(file)
  try {
    db.prepare('INSERT OR REPLACE INTO documents (collection, key, value, at) VALUES (?, ?, ?, ?)').run(
      RESTORED,
      String(sequence),
      '{}',
      systemClock.now(),
    )
  } finally {
    db.close()
  }
}

/** `evidence/DAY/PASSAGE/NAME` of every finished picture, a passage's folder in memory at a time. */
function* pictures(dir: string): Generator<string> {
  for (const day of list(join(dir, 'evidence'))) {
    for (const passage of list(join(dir, 'evidence', day))) {
      for (const name of list(join(dir, 'evidence', day, passage))) {
        if (!name.startsWith('.')) yield join('evidence', day, passage, name)
      }
    }
  }
}

/** A running gateway may remove old pictures meanwhile. */
function list(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir).sort() : []
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

function sync(file: string): void {
  const fd = openSync(file, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
