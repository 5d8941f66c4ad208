/** `luong read`: plates in pictures. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Command } from 'commander'
import type { Doubt, ReadResult } from '../../models/plate.ts'
import { WorkerReaderPool } from '../../models/pool.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'
import { paint, paintError } from './colour.ts'
import { whole } from './options.ts'
import { type Printer, printer } from './print.ts'

const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp'])
/** Pictures on their way per thread: one read, one loaded and waiting. */
const AHEAD = 2

/** What a technician is told about an unsure reading. */
const WHY: Record<Doubt, string> = {
  farther: 'another vehicle is much nearer',
  edge: 'may go on beyond the edge of the picture',
  tiny: 'its characters are lower than six pixels',
  unclear: 'not clear enough',
  'looks-differ': 'two looks at it differ',
  'one-look': 'small or seen from the side, and not found again in a nearer look',
  rival: 'another kind of plate is nearly as likely',
  colour: 'no such plates in this colour',
  issuer: 'no such province or code is known',
}

interface Options {
  readonly crop?: boolean
  readonly json?: boolean
  readonly threads: number
}

/** Registers the command. Exit code 1 when a picture failed; the others are read all the same. */
export function registerRead(program: Command): void {
  program
    .command('read')
    .description('read the plates in pictures')
    .argument('<image...>', 'pictures, or folders that are searched through')
    .option('--crop', 'each picture is one plate: no search for plates in it')
    .option('--json', 'one JSON object a picture')
    .option('--threads <n>', 'reader threads', whole(1, 64), 1)
    .action(async (given: string[], options: Options) => {
      if (!(await readAll(given, options))) process.exitCode = 1
    })
}

/** @returns whether all pictures could be read */
async function readAll(given: readonly string[], options: Options): Promise<boolean> {
  const ahead = options.threads * AHEAD
  const pool = new WorkerReaderPool({ workers: options.threads, queue: ahead, deadlineMs: 60_000 })
  await pool.start()
  const waiting: { file: string; work: Promise<ReadResult> }[] = []
  const out = printer()
  let ok = true
  /** False once nobody reads what is printed. */
  const printNext = async (): Promise<boolean> => {
    const { file, work } = waiting.shift()!
    const answer = await work.then(
      (result) => ({ complaint: '', lines: options.json ? [json(file, result)] : words(file, result) }),
      (error: unknown) => failed(file, error, options),
    )
    if (answer.complaint) {
      ok = false
      process.stderr.write(answer.complaint)
    }
    return say(out, answer.lines)
  }
  try {
    for await (const file of pictures(given)) {
      const work = file.error ? Promise.reject(file.error) : readFile(file.path).then((bytes) => pool.submit('read', bytes, options))
      work.catch(() => undefined)
      waiting.push({ file: file.path, work })
      if (waiting.length >= ahead && !(await printNext())) return ok
    }
    while (waiting.length > 0) if (!(await printNext())) return ok
  } finally {
    await pool.close()
  }
  return ok
}

/** Files as given; the pictures of a folder sorted by path. */
async function* pictures(given: readonly string[]): AsyncGenerator<{ path: string; error?: Error }> {
  for (const path of given) {
    const about = await stat(path).catch((error: Error) => error)
    if (about instanceof Error) yield { path, error: about }
    else if (!about.isDirectory()) yield { path }
    else {
      const names = (await readdir(path, { recursive: true })).filter((n) => PICTURES.has(extname(n).toLowerCase())).sort()
      if (names.length === 0) yield { path, error: new LuongError('IMAGE_INVALID', 'no pictures in this folder') }
      for (const name of names) yield { path: join(path, name) }
    }
  }
}

async function say(out: Printer, lines: readonly string[]): Promise<boolean> {
  for (const line of lines) if (!(await out.line(line))) return false
  return true
}

function failed(file: string, error: unknown, options: Options): { complaint: string; lines: string[] } {
  const known = error instanceof LuongError ? error : new LuongError('IMAGE_INVALID', `cannot be read: ${messageOf(error)}`)
  const { code, hint } = known
  const message = known.message.replace(/^read: /, '')
  return {
    complaint: `${paintError.red('error')} ${file}: ${message} (${code})\n`,
    lines: options.json ? [JSON.stringify({ file, error: { code, message, hint }, plates: [] })] : [],
  }
}

function json(file: string, result: ReadResult): string {
  const plates = result.plates.map(({ chars: _, doubt: __, ...plate }) => ({
    ...plate,
    confidence: digits(plate.confidence, 4),
    weakest: digits(plate.weakest, 4),
  }))
  const ms = { decode: digits(result.ms.decode, 1), detect: digits(result.ms.detect, 1), read: digits(result.ms.read, 1) }
  return JSON.stringify({ file, plates, ms })
}

function words(file: string, result: ReadResult): string[] {
  const ms = paint.dim(`${Math.round(result.ms.decode + result.ms.detect + result.ms.read)} ms`)
  if (result.plates.length === 0) return [`${file}  ${paint.yellow('no plate')}  ${ms}`]
  return result.plates.map((plate, i) => {
    const sure = plate.accepted ? paint.green('sure') : paint.yellow('unsure')
    const why = plate.doubt ? `; ${WHY[plate.doubt]}` : ''
    const about = `${plate.country} ${plate.colour}, ${plate.lines} line${plate.lines === 2 ? 's' : ''}`
    const percent = `${(plate.confidence * 100).toFixed(1)} %, weakest sign ${(plate.weakest * 100).toFixed(1)} %${why}`
    const head = i === 0 ? file : ' '.repeat(file.length)
    return `${head}  ${paint.bold(plate.text)}  ${sure} (${percent})  ${about}${i === 0 ? `  ${ms}` : ''}`
  })
}

const digits = (x: number, n: number): number => Number(x.toFixed(n))
