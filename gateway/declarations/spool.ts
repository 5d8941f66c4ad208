/**
 * The hand-over of an import to whoever owns the data folder: a file in its `import` folder, one declaration a line, with its number in
 * the last one. Only a file that is whole gets the name that is looked for, so that half of one is never taken. The owner claims it by
 * renaming it, and leaves an answer beside it.
 */
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ulid } from 'ulid'
import { z } from 'zod'
import { type Declaration, declaration } from '../identity/declaration.ts'
import { syncFolder } from '../journal/database.ts'
import type { ImportRow, Journal } from '../journal/journal.ts'
import { LuongError } from '../kernel/errors.ts'
import { LISTS_STATE } from './state.ts'

const about = z.strictObject({
  /** Name of the file as the person gave it. */
  file: z.string().max(4_096),
  /** Everything else that is declared is withdrawn. */
  replace: z.boolean(),
})
export type About = z.output<typeof about>
/** How a line with a declaration begins: the schema gives its keys in order. */
const WRITTEN = /^\{"id":"([A-Za-z0-9._-]{1,64})",.*\}$/
/** The last line. */
const isEnding = (line: unknown): line is { count: number } => typeof line === 'object' && line !== null && 'count' in line

export const answer = z.strictObject({ ok: z.boolean(), count: z.int().optional(), error: z.string().optional() })
export type Answer = z.output<typeof answer>

/** Written and not whole yet; whole; claimed; answered. */
const STAGES = { writing: '.part', ready: '.ready', claimed: '.claimed', answered: '.answer' } as const
type Stage = keyof typeof STAGES

const WRITE_CHARS = 256 * 1024
/** Rows between two pauses for others on this thread. */
const PAUSE_ROWS = 200
/** What nobody asks for any more. */
const OLD_MS = 3_600_000

export const importFolder = (dataDir: string): string => join(dataDir, 'import')

/** One import on its way. */
export class Spool {
  readonly #dir: string
  readonly #id: string

  constructor(dataDir: string, id: string = ulid()) {
    this.#dir = importFolder(dataDir)
    this.#id = id
  }

  #path(stage: Stage): string {
    return join(this.#dir, `${this.#id}${STAGES[stage]}`)
  }

  /** Writes all of them, durable, but not yet to be found. Resolves to their number. */
  async write(info: About, declarations: AsyncIterable<Declaration>): Promise<number> {
    await mkdir(this.#dir, { recursive: true })
    const file = await open(this.#path('writing'), 'wx')
    let count = 0
    try {
      let text = `${JSON.stringify(info)}\n`
      for await (const d of declarations) {
        text += `${JSON.stringify(d)}\n`
        count++
        if (text.length < WRITE_CHARS) continue
        await file.write(text)
        text = ''
      }
      await file.write(`${text}${JSON.stringify({ count })}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    return count
  }

  /** From now on the owner of the folder finds it. */
  async ready(): Promise<void> {
    await rename(this.#path('writing'), this.#path('ready'))
    syncFolder(this.#dir)
  }

  /** Takes it: false when somebody else was quicker. */
  async claim(): Promise<boolean> {
    return rename(this.#path('ready'), this.#path('claimed')).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false
        throw error
      },
    )
  }

  /** Takes it back. False when it is being worked on: then it may still come true. */
  async withdraw(): Promise<boolean> {
    await rm(this.#path('writing'), { force: true })
    const mine = await rm(this.#path('ready')).then(
      () => true,
      () => false,
    )
    return mine || !(await exists(this.#path('claimed')))
  }

  /** The owner's answer, once; null while there is none. */
  async answer(): Promise<Answer | null> {
    const text = await readFile(this.#path('answered'), 'utf8').catch(() => null)
    if (text === null) return null
    await rm(this.#path('answered'), { force: true })
    return answer.parse(JSON.parse(text))
  }

  /** Done with, one way or the other. */
  async finish(said: Answer | null): Promise<void> {
    if (said) {
      const draft = `${this.#path('answered')}.part`
      await writeFile(draft, JSON.stringify(said))
      await rename(draft, this.#path('answered'))
    }
    await rm(this.#path('claimed'), { force: true })
  }

  /**
   * Puts what was claimed in force, all of it or nothing. `taken` hears every declaration before, unless `checked`: this process has
   * written it, and checked every declaration then.
   * @throws PAYLOAD_INVALID when the file is not as it was written, or what the journal throws
   */
  async apply(
    journal: Pick<Journal, 'importDocuments'>,
    now: number,
    { taken = () => {}, checked = false }: { readonly taken?: (d: Declaration) => void; readonly checked?: boolean } = {},
  ): Promise<About & { count: number }> {
    const lines = this.#lines()
    const first = await lines.next()
    const info = about.safeParse(this.#parsed(first.done ? undefined : first.value, 1))
    if (!info.success) throw this.#damaged(1)
    const rows = this.#rows(lines, taken, checked)
    const count = await journal.importDocuments('declarations', rows, {
      replace: info.data.replace,
      note: (n) => ({ collection: LISTS_STATE, key: 'import', value: { at: now, file: info.data.file, count: n } }),
    })
    return { ...info.data, count }
  }

  async *#lines(): AsyncGenerator<string> {
    const input = createReadStream(this.#path('claimed'), 'utf8')
    try {
      yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
    } finally {
      input.destroy()
    }
  }

  /** @param number of the line, from 1 */
  #parsed(line: string | undefined, number: number): unknown {
    try {
      return JSON.parse(line ?? '')
    } catch {
      throw this.#damaged(number)
    }
  }

  async *#rows(lines: AsyncGenerator<string>, taken: (d: Declaration) => void, checked: boolean): AsyncGenerator<ImportRow> {
    let count = 0
    for await (const line of lines) {
      // What this process has just written is not read again, only handed on.
      const known = checked ? WRITTEN.exec(line)?.[1] : undefined
      const value = known === undefined ? this.#parsed(line, count + 2) : null
      if (isEnding(value)) {
        if (value.count === count) return
        throw this.#damaged(count + 2)
      }
      if (known !== undefined) yield { key: known, text: line }
      else {
        const parsed = declaration.safeParse(value)
        if (!parsed.success) throw this.#damaged(count + 2)
        taken(parsed.data)
        yield { key: parsed.data.id, value: parsed.data }
      }
      if (++count % PAUSE_ROWS === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    throw this.#damaged(count + 2)
  }

  #damaged(line: number): LuongError {
    return new LuongError('PAYLOAD_INVALID', `${this.#path('claimed')}:${line}: not as it was written`, {
      hint: 'Nothing of it was taken. Import the file again.',
    })
  }
}

/** What waits in the folder, oldest first: claimed before a crash, or not claimed yet. Clears away what nobody asks for any more. */
export async function waiting(dataDir: string, now: number): Promise<{ spool: Spool; claimed: boolean }[]> {
  const dir = importFolder(dataDir)
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const out: { spool: Spool; claimed: boolean }[] = []
  for (const name of names.sort()) {
    const stage = (Object.keys(STAGES) as Stage[]).find((s) => name.endsWith(STAGES[s]))
    if (stage === 'ready' || stage === 'claimed')
      out.push({ spool: new Spool(dataDir, name.slice(0, -STAGES[stage].length)), claimed: stage === 'claimed' })
    else {
      const age = await stat(join(dir, name)).then(
        (s) => now - s.mtimeMs,
        () => 0,
      )
      if (age > OLD_MS) await rm(join(dir, name), { force: true })
    }
  }
  return out
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
