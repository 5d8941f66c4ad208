/** `luong replay`: the recorded inputs of a passage through the lane core again; says where its actions differ. */
import type { Command } from 'commander'
import type { StoredInput } from '../journal/journal.ts'
import { openReader } from '../journal/reader.ts'
import { recording } from '../journal/recording.ts'
import { LuongError } from '../kernel/errors.ts'
import type { LaneInput, LaneSettings } from '../lane/model.ts'
import { initial, step } from '../lane/step.ts'
import { finish, printer } from './print.ts'

interface Options {
  readonly passage: string
  readonly json?: true
}

type State = ReturnType<typeof initial>

/** One input again. `same` is false where the core now answers otherwise, or where a recorded state is not the one reached. */
export interface ReplayedStep {
  readonly entry: number
  readonly input: unknown
  readonly recorded: readonly unknown[]
  readonly now: readonly unknown[]
  readonly same: boolean
}

export function replay(program: Command): void {
  program
    .command('replay')
    .argument('<data-dir>', 'data folder of a gateway, running or not')
    .description('run the recorded inputs of a passage through the lane core again, and compare what it does')
    .requiredOption('--passage <id>', 'the passage')
    .option('--json', 'one JSON object a step')
    .action((dir: string, options: Options) => finish(() => run(dir, options)))
}

async function run(dir: string, options: Options): Promise<number> {
  const reader = openReader(dir)
  let inputs: StoredInput[]
  try {
    inputs = recording(reader, options.passage)
  } finally {
    reader.close()
  }
  const out = printer()
  let steps = 0
  let different = 0
  for (const step of replaySteps(inputs)) {
    steps++
    if (!step.same) different++
    if (options.json) await out.line(JSON.stringify(step))
    else if (!step.same) {
      await out.line(`entry ${step.entry}: ${JSON.stringify(step.input)}`)
      await out.line(`  recorded  ${JSON.stringify(step.recorded)}`)
      await out.line(`  now       ${JSON.stringify(step.now)}`)
    }
  }
  if (!options.json) {
    const result = different === 0 ? 'the same actions' : `${different} with other actions`
    await out.line(`passage ${options.passage}, lane ${inputs[0]?.lane}: ${steps} inputs replayed, ${result}`)
  }
  return different === 0 ? 0 : 1
}

/**
 * A lane's record again. It begins with `{kind: 'settings', settings}` (the state is then `initial(settings)`) or with
 * `{kind: 'checkpoint', state, settings}`. A checkpoint further on is compared with the state reached, and taken from there.
 */
export function* replaySteps(inputs: readonly StoredInput[]): Generator<ReplayedStep> {
  let state: State | undefined
  let settings: LaneSettings | undefined
  for (const { id, body, actions } of inputs) {
    const record = body as { kind: string; state?: State; settings?: LaneSettings }
    // What a decision was made on is no input of the core: `luong rules test` reads it.
    if (record.kind === 'facts') continue
    if (record.kind === 'settings' && record.settings !== undefined) {
      settings = record.settings
      state = initial(settings)
    } else if (record.kind === 'checkpoint' && record.state !== undefined && record.settings !== undefined) {
      if (state !== undefined && canonical(state) !== canonical(record.state)) {
        yield { entry: id, input: { kind: 'checkpoint' }, recorded: [record.state], now: [state], same: false }
      }
      state = record.state
      settings = record.settings
    } else if (state === undefined || settings === undefined) {
      throw new LuongError('JOURNAL_CORRUPT', `entry ${id}: the record of the lane does not begin with its settings or a state`)
    } else {
      const [next, now] = step(state, body as LaneInput, settings)
      state = next
      yield { entry: id, input: body, recorded: actions, now, same: canonical(now) === canonical(actions) }
    }
  }
}

/** JSON with sorted keys: the order in which an object was built does not count, nor do absent against undefined values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : v,
  )
}
