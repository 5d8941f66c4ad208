/** SQLite's and the file system's errors in our words. */
import { LuongError, messageOf } from '../kernel/errors.ts'

export const CORRUPT_HINT =
  'Stop the gateway and keep the folder as it is: it is evidence. See how far it goes with `luong journal DIR --verify`, then ' +
  'start on an empty folder, or on one filled from a backup with `luong restore`.'

/** The journal's error for anything thrown by SQLite or the file system under `dir`. */
export function failure(error: unknown, dir: string): LuongError {
  if (error instanceof LuongError) return error
  const code = typeof error === 'object' && error !== null ? String((error as { code?: unknown }).code ?? '') : ''
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return corrupt(dir, messageOf(error), error)
  }
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC') {
    return new LuongError('JOURNAL_UNAVAILABLE', `the disk under ${dir} is full`, {
      hint: 'Free some space; it goes on by itself.',
      cause: error,
    })
  }
  if (/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/.test(code) || /^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST|ENOENT)$/.test(code)) {
    return new LuongError('JOURNAL_UNAVAILABLE', `cannot write in ${dir}: ${messageOf(error)}`, {
      hint: 'The folder must exist or be creatable, and belong to the user the gateway runs as.',
      cause: error,
    })
  }
  return new LuongError('JOURNAL_UNAVAILABLE', `the journal in ${dir} failed: ${messageOf(error)}`, { cause: error })
}

export function corrupt(dir: string, why: string, cause?: unknown): LuongError {
  return new LuongError('JOURNAL_CORRUPT', `the journal in ${dir} is damaged: ${why}`, { hint: CORRUPT_HINT, cause })
}
