/** `luong declarations import`: checks the whole file first, then hands it over to the gateway, or stores it where none runs. */
import { DeclarationFile } from '../declarations/read.ts'
import { type Answer, Spool } from '../declarations/spool.ts'
import { createJournal } from '../journal/create.ts'
import { sleep, systemClock } from '../kernel/clock.ts'
import { LuongError } from '../kernel/errors.ts'
import { ProblemsError, problemLine } from '../kernel/problems.ts'
import { type DataFolder, dataFolder } from './data-folder.ts'
import type { ImportOptions } from './declarations.ts'
import { printer } from './print.ts'
import { progressBar } from './progress.ts'

const POLL_MS = 100
/** How often it is tried whether the gateway has gone. */
const OWNER_MS = 5_000

export async function importFile(file: string, siteFile: string | undefined, options: ImportOptions): Promise<number> {
  const folder = await dataFolder(siteFile, options.data)
  const bar = progressBar()
  const source = new DeclarationFile(file, {
    ...(options.format === undefined ? {} : { format: options.format }),
    onProgress: ({ rows, bytes, total }) => bar.show(total === 0 ? 0 : bytes / total, `${rows} declarations read`),
  })
  const spool = new Spool(folder.dir)
  try {
    const count = options.dryRun
      ? await counted(source)
      : await spool.write({ file: file.slice(-4_096), replace: options.replace === true }, source.declarations())
    bar.clear()
    if (source.errors > 0) throw refused(source)
    for (const p of source.problems) process.stderr.write(`${problemLine(p)}\n`)
    if (options.dryRun)
      return told(
        options,
        { file, count, dry_run: true, warnings: source.warnings },
        `${file}: ${count} declarations, no mistake; nothing was taken (--dry-run)`,
      )
    await spool.ready()
    const how = await handOver(spool, folder, options.wait, bar)
    const words = how === 'gateway' ? 'the running gateway has taken them' : 'stored; the gateway knows them when it starts'
    const others = options.replace ? '; everything else is withdrawn' : ''
    return told(
      options,
      { file, count, by: how, replace: options.replace === true, warnings: source.warnings },
      `${file}: ${count} declarations: ${words}${others}`,
    )
  } catch (error) {
    bar.clear()
    await spool.withdraw()
    throw error
  }
}

async function told(options: ImportOptions, json: object, text: string): Promise<number> {
  await printer().line(options.json ? JSON.stringify(json) : text)
  return 0
}

async function counted(source: DeclarationFile): Promise<number> {
  let count = 0
  for await (const _ of source.declarations()) count++
  return count
}

/** Every mistake that was kept, and how many there are. */
function refused(source: DeclarationFile): ProblemsError {
  const shown = source.problems
  const errors = shown.filter((p) => p.severity === 'error').length
  const more = source.errors - errors
  return new ProblemsError('IMPORT_INVALID', [
    ...shown,
    {
      file: source.file,
      line: 1,
      column: 1,
      path: '',
      message: `${source.errors} ${source.errors === 1 ? 'mistake' : 'mistakes'} in ${source.rows} ${source.rows === 1 ? 'row' : 'rows'}: nothing of the file was taken${more > 0 ? `; ${more} more are not shown` : ''}`,
      severity: 'error',
    },
  ])
}

/** Stores it when the folder is free, else waits for the gateway that has it. Either may come and go meanwhile. */
async function handOver(
  spool: Spool,
  folder: DataFolder,
  waitS: number,
  bar: { show(share: number, words: string): void; clear(): void },
): Promise<'gateway' | 'store'> {
  const start = performance.now()
  let tried = Number.NEGATIVE_INFINITY
  for (;;) {
    const answer = await spool.answer()
    if (answer) {
      bar.clear()
      return accepted(answer, folder)
    }
    const waited = (performance.now() - start) / 1000
    if (waited > waitS) {
      bar.clear()
      if (!(await spool.withdraw()))
        throw new LuongError('DATA_IN_USE', `the gateway on ${folder.dir} is still at work on the import after ${waitS} s`, {
          hint: 'It may still be taken: look with `luong declarations list`, and in the log of the gateway.',
        })
      throw new LuongError('DATA_IN_USE', `the program that has ${folder.dir} did not take the import within ${waitS} s; it is withdrawn`, {
        hint: 'Is it a gateway of this version, and does it run? See its log.',
      })
    }
    if (performance.now() - tried > OWNER_MS) {
      tried = performance.now()
      if (await stored(spool, folder)) return 'store'
    }
    bar.show(0, `waiting for the gateway, ${Math.floor(waited)} s`)
    await sleep(systemClock, POLL_MS)
  }
}

function accepted(answer: Answer, folder: DataFolder): 'gateway' {
  if (answer.ok) return 'gateway'
  throw new LuongError('JOURNAL_UNAVAILABLE', `the gateway on ${folder.dir} refused the import: ${answer.error ?? 'no reason given'}`, {
    hint: 'Nothing of it was taken. See the log of the gateway.',
  })
}

/** True when this program could take the folder and has stored the import; false when a gateway has it. */
async function stored(spool: Spool, { dir, site, timezone, minFreeMb }: DataFolder): Promise<boolean> {
  const journal = createJournal({ dir, site, timezone, minFreeMb })
  try {
    await journal.open()
  } catch (error) {
    if (error instanceof LuongError && error.code === 'DATA_IN_USE') return false
    throw error
  }
  try {
    // A gateway that has just gone may have claimed it, or answered.
    if (!(await spool.claim())) return false
    try {
      await spool.apply(journal, Date.now(), { checked: true })
    } finally {
      await spool.finish(null)
    }
    return true
  } finally {
    await journal.close()
  }
}
