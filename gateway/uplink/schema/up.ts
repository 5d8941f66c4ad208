/** What goes up besides events: retained pictures of the present. Only the newest counts. */
import { z } from 'zod'
import { traffic } from '../../identity/declaration.ts'
import { clockQuality, direction, hash, instant, passageId, siteId } from './common.ts'

export const status = z
  .strictObject({
    site: siteId,
    online: z.boolean().meta({ title: 'Online', description: 'false is sent on a clean stop, and by the broker when the link breaks.' }),
    boot: z.string().max(64).meta({ title: 'Boot', description: 'Id of this run of the program.' }),
    version: z.string().max(64).meta({ title: 'Version', description: 'Of the program.' }),
    config: hash,
    clock: clockQuality,
    sequence: z
      .int()
      .min(0)
      .meta({ title: 'Sequence', description: 'Last event in the journal when this was made: with it a consumer sees a loss at the end.' }),
    at: instant.meta({ title: 'At', description: 'When this was made; in a last will, when the connection was.' }),
  })
  .meta({ title: 'Status', description: 'Whether the site is there. Birth message and last will.' })
export type Status = z.input<typeof status>

export const laneState = z
  .strictObject({
    phase: z
      .enum(['starting', 'idle', 'identifying', 'waiting', 'opening', 'passing', 'clearing', 'closing', 'fault', 'closed'])
      .meta({ title: 'Phase', description: 'Of the lane core.' }),
    direction,
    takes: z.array(traffic).meta({ title: 'Takes', description: 'Traffic classes that may use the lane.' }),
    barrier: z.enum(['open', 'closed', 'moving', 'unknown']).meta({ title: 'Barrier', description: 'Position of the arm.' }),
    light: z.enum(['red', 'green', 'amber', 'off']).nullable().meta({ title: 'Light', description: 'Signal shown; null: none fitted.' }),
    devices: z
      .record(
        z.string(),
        z.strictObject({
          ok: z.boolean().meta({ title: 'OK', description: 'Answers and believes itself.' }),
          why: z.string().max(300).optional().meta({ title: 'Why', description: 'What is wrong.' }),
        }),
      )
      .meta({ title: 'Devices', description: 'Health by device id.' }),
    queue: z.int().min(0).nullable().meta({ title: 'Queue', description: 'Vehicles waiting before the lane; null: not measured.' }),
    passage: z
      .strictObject({
        id: passageId,
        plate: z.string().max(16).nullable().meta({ title: 'Plate', description: 'Best plate so far.' }),
        arrived: instant,
        outcome: z.string().max(32).optional().meta({ title: 'Outcome', description: 'Decision so far.' }),
      })
      .nullable()
      .meta({ title: 'Passage', description: 'The vehicle in the lane, or null.' }),
    alarms: z.array(z.string().max(41)).max(64).meta({ title: 'Alarms', description: 'Codes of alarms raised and not cleared.' }),
    lists: z
      .strictObject({
        stale: z.boolean().meta({ title: 'Too old', description: 'Nobody passes on them: the lane refers what it would let pass.' }),
        contact: instant.nullable().meta({ title: 'Contact', description: 'When the platform was last heard; null: never.' }),
      })
      .optional()
      .meta({ title: 'Lists', description: 'How far the declarations and lists on site can be trusted.' }),
    why: z.string().max(500).optional().meta({ title: 'Why', description: 'Why the lane is in fault, waiting or closed.' }),
    at: instant,
  })
  .meta({ title: 'Lane state', description: 'The lane at present.' })
export type LaneState = z.input<typeof laneState>

const count = (description: string) => z.int().min(0).meta({ title: 'Count', description })
const summary = (title: string, description: string) =>
  z
    .strictObject({
      count: count('Passages that went into the figures.'),
      mean: z.number().min(0).nullable().meta({ title: 'Mean', description: 'ms; null: none yet.' }),
      p95: z.number().min(0).nullable().meta({ title: '95th percentile', description: 'ms; null: none yet.' }),
    })
    .meta({ title, description })

export const stats = z
  .strictObject({
    since: instant.meta({ title: 'Since', description: 'Start of the day counted, in the time zone of the site.' }),
    at: instant,
    lanes: z
      .record(
        z.string(),
        z.strictObject({
          arrived: count('Vehicles that came to the lane.'),
          cleared: count('Left through the barrier.'),
          refused: count('Turned away.'),
          referred: count('Sent to an officer.'),
          redirected: count('Sent to another lane.'),
          aborted: count('Left without passing.'),
        }),
      )
      .meta({ title: 'Lanes', description: 'Passages by lane and outcome.' }),
    waiting_ms: summary('Waiting', 'Arrival to decision, ms.'),
    passage_ms: summary('Passage', 'Arrival to cleared, ms.'),
    read_rate: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .meta({ title: 'Read rate', description: 'Share of passages with a sure plate; null: none yet.' }),
    empties_inside: z
      .int()
      .nullable()
      .meta({ title: 'Empties inside', description: 'Empty trucks that entered and have not gone back; null: not counted.' }),
  })
  .meta({ title: 'Statistics', description: 'Counts and times of the day so far.' })
export type Stats = z.input<typeof stats>
