/** `luong read`: plates in pictures. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Command } from 'commander'
import pc from 'picocolors'
import type { ReadResult } from '../../models/plate.ts'
import { WorkerReaderPool } from '../../models/pool.ts'
import { LuongError, messageOf } from '../kernel/errors.ts'

const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp'])
/** Pictures on their way per thread: one read, one loaded and waiting. */
const AHEAD = 2

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
    .option('--threads <n>', 'reader threads', threads, 1)
    .action(async (given: string[], options: Options) => {
      if (!(await readAll(given, options))) process.exitCode = 1
    })
}

function threads(text: string): number {
  const n = Number(text)
  if (!Number.isInteger(n) || n < 1 || n > 64) throw new LuongError('BAD_USAGE', `--threads ${text}: must be a whole number from 1 to 64`)
  return n
}

/** @returns whether all pictures could be read */
async function readAll(given: readonly string[], options: Options): Promise<boolean> {
  const ahead = options.threads * AHEAD
  const pool = new WorkerReaderPool({ workers: options.threads, queue: ahead, deadlineMs: 60_000 })
  await pool.start()
  const waiting: { file: string; work: Promise<ReadResult> }[] = []
  let ok = true
  const printNext = async (): Promise<void> => {
    const { file, work } = waiting.shift()!
    try {
      print(file, await work, options)
    } catch (error) {
      ok = false
      complain(file, error, options)
    }
  }
  try {
    for await (const file of pictures(given)) {
      const work = file.error ? Promise.reject(file.error) : readFile(file.path).then((bytes) => pool.submit('read', bytes, options))
      work.catch(() => undefined)
      waiting.push({ file: file.path, work })
      if (waiting.length >= ahead) await printNext()
    }
    while (waiting.length > 0) await printNext()
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

function complain(file: string, error: unknown, options: Options): void {
  const known = error instanceof LuongError ? error : new LuongError('IMAGE_INVALID', `cannot be read: ${messageOf(error)}`)
  const message = known.message.replace(/^read: /, '')
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ file, error: { code: known.code, message, hint: known.hint }, plates: [] })}\n`)
  }
  process.stderr.write(`${pc.red('error')} ${file}: ${message} (${known.code})\n`)
}

function print(file: string, result: ReadResult, options: Options): void {
  if (options.json) {
    const plates = result.plates.map(({ chars: _, ...plate }) => ({
      ...plate,
      confidence: digits(plate.confidence, 4),
      weakest: digits(plate.weakest, 4),
    }))
    const ms = { decode: digits(result.ms.decode, 1), detect: digits(result.ms.detect, 1), read: digits(result.ms.read, 1) }
    process.stdout.write(`${JSON.stringify({ file, plates, ms })}\n`)
    return
  }
  const ms = pc.dim(`${Math.round(result.ms.decode + result.ms.detect + result.ms.read)} ms`)
  if (result.plates.length === 0) process.stdout.write(`${file}  ${pc.yellow('no plate')}  ${ms}\n`)
  result.plates.forEach((plate, i) => {
    const sure = plate.accepted ? pc.green('sure') : pc.yellow('unsure')
    const about = `${plate.country} ${plate.colour}, ${plate.lines} line${plate.lines === 2 ? 's' : ''}`
    const percent = `${(plate.confidence * 100).toFixed(1)} %, weakest sign ${(plate.weakest * 100).toFixed(1)} %`
    const head = i === 0 ? file : ' '.repeat(file.length)
    process.stdout.write(`${head}  ${pc.bold(plate.text)}  ${sure} (${percent})  ${about}${i === 0 ? `  ${ms}` : ''}\n`)
  })
}

const digits = (x: number, n: number): number => Number(x.toFixed(n))
