/** Scripted scenes: which trucks come when, who drives them, and what breaks. One YAML file a scene. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { LuongError, messageOf } from '../../gateway/kernel/errors.ts'
import { ProblemsError } from '../../gateway/kernel/problems.ts'
import { parseYaml, zodProblems } from '../../gateway/kernel/yaml-source.ts'
import { FAULTS, misfit, PARTS } from './faults.ts'
import { HABITS, type HabitName } from './truck.ts'

const about = (title: string, description: string, unit?: string) => ({ title, description, ...(unit === undefined ? {} : { unit }) })
const seconds = (max: number) => z.number().min(0).max(max)
const lane = z
  .union([z.int().min(1).max(50), z.string().min(1).max(41)])
  .meta(about('Lane', 'Id of a lane, or its number in the site file, from 1; one too many counts from the first again.'))
const plate = z
  .string()
  .regex(
    /^(\d{2}[A-Z]{1,2}\d{4,5}|\p{Script=Han}[A-Z][A-Z0-9]{4,6}挂?)$/u,
    'write a plate without dots or dashes, e.g. 24C12345 or 云G1234挂',
  )

const tag = z.string().regex(/^([0-9A-F]{4}){2,31}$/, 'write an EPC as upper-case hex, e.g. E28068940000500012345678')

const declared = z.strictObject({
  plate: plate.optional().meta(about('Plate', 'Declared tractor plate, when it is not the true one.')),
  trailer: plate.nullable().optional().meta(about('Trailer', 'Declared trailer plate; null: none.')),
  tag: tag.nullable().optional().meta(about('Tag', 'Declared tag; null: none.')),
  direction: z.enum(['import', 'export']).optional().meta(about('Direction', 'Declared direction.')),
  traffic: z.string().max(30).optional().meta(about('Traffic', 'Declared traffic class.')),
  weight_kg: z
    .number()
    .min(0)
    .max(120_000)
    .optional()
    .meta(about('Weight', 'Declared gross weight.', 'kg')),
  channel: z.enum(['green', 'yellow', 'red']).optional().meta(about('Channel', 'Inspection channel.')),
  expired: z.boolean().default(false).meta(about('Expired', 'The declaration was valid only until yesterday.')),
})

const truck = z.strictObject({
  at: seconds(86_400).meta(about('At', 'When it comes into the world, from the start of the scene.', 's')),
  lane: lane.default(1),
  habit: z
    .enum(Object.keys(HABITS) as [HabitName, ...HabitName[]])
    .default('normal')
    .meta(about('Habit', 'How it is driven.')),
  body: z.enum(['rigid', 'semi', 'drawbar']).optional().meta(about('Body', 'Kind of vehicle; by chance when absent.')),
  plate: plate.optional().meta(about('Plate', 'Front plate; by chance when absent.')),
  trailer: plate.optional().meta(about('Trailer', "The trailer's plate; by chance when absent.")),
  tag: tag.nullable().optional().meta(about('Tag', 'EPC of the tag on the windscreen; null: none; by its number when absent.')),
  weight_kg: z
    .number()
    .min(0)
    .max(120_000)
    .optional()
    .meta(about('Weight', 'True gross weight.', 'kg')),
  declared: z.union([z.boolean(), declared]).default(true).meta(about('Declared', 'false: nothing; true: all as it is; or what differs.')),
  detained: z.boolean().default(false).meta(about('Detained', 'The plate is on the list of detained vehicles.')),
  reverse_after_s: seconds(3_600)
    .optional()
    .meta(about('Reverses after', 'Backs out after standing at the line this long.', 's')),
  stops: z
    .array(
      z.strictObject({
        at: z
          .number()
          .min(0)
          .max(60)
          .meta(about('At', 'Position of the front bumper after the stop line.', 'm')),
        for_s: seconds(86_400).meta(about('For', 'How long it stands.', 's')),
      }),
    )
    .max(10)
    .optional()
    .meta(about('Stops', 'Where it stands still on the way through.')),
})

const fault = z
  .strictObject({
    at: seconds(86_400).meta(about('At', 'When it breaks.', 's')),
    lane: lane.optional().meta(about('Lane', 'Where; absent: in every lane.')),
    part: z.enum(PARTS).default('all').meta(about('Part', 'What breaks.')),
    fault: z.enum(FAULTS).meta(about('Fault', 'How it breaks.')),
    for_s: seconds(86_400)
      .optional()
      .meta(about('For', 'How long; absent: for good.', 's')),
  })
  .superRefine((f, ctx) => {
    const why = misfit(f.part, f.fault)
    if (why) ctx.addIssue({ code: 'custom', path: ['fault'], message: why })
  })

export const scenario = z
  .strictObject({
    name: z.string().min(1).max(60).meta(about('Name', 'Short name of the scene.')),
    about: z.string().min(1).max(500).meta(about('About', 'What happens and what the gateway should make of it.')),
    traffic: z.boolean().default(false).meta(about('Traffic', 'Ordinary traffic comes as well.')),
    trucks: z.array(truck).max(500).default([]).meta(about('Trucks', 'Who comes.')),
    faults: z.array(fault).max(200).default([]).meta(about('Faults', 'What breaks.')),
    lasts_s: seconds(86_400)
      .default(0)
      .meta(about('Lasts', 'The scene lasts at least this long, and until every truck is gone.', 's')),
  })
  .meta(about('Scene', 'A scripted scene for the simulated world.'))
export type Scenario = z.output<typeof scenario>
export type ScenarioTruck = Scenario['trucks'][number]

const KEYS: Record<string, readonly string[]> = {
  '': Object.keys(scenario.shape),
  trucks: Object.keys(truck.shape),
  faults: Object.keys(fault.shape),
  declared: Object.keys(declared.shape),
}

/** Reads a scene. Throws CONFIG_INVALID with every problem as `file:line:column`, or BAD_USAGE when there is no such file. */
export function loadScenario(file: string): Scenario {
  let words: string
  try {
    words = readFileSync(file, 'utf8')
  } catch (error) {
    throw new LuongError('BAD_USAGE', `cannot read the scenario ${file}: ${messageOf(error)}`, { cause: error })
  }
  return parseScenario(file, words)
}

export function parseScenario(file: string, words: string): Scenario {
  const source = parseYaml(file, words)
  if (source.problems.length > 0) throw new ProblemsError('CONFIG_INVALID', source.problems)
  const parsed = scenario.safeParse(source.data)
  if (parsed.success) return parsed.data
  const known = (path: readonly PropertyKey[]) => KEYS[String(path.findLast((p) => typeof p === 'string') ?? '')] ?? []
  throw new ProblemsError('CONFIG_INVALID', zodProblems(source, parsed.error.issues, { known }))
}
