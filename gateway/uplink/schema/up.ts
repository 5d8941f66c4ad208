/** What goes up besides events: retained pictures of the present. Only the newest counts. */
import { z } from 'zod'
import { traffic } from '../../identity/declaration.ts'
import { clockQuality, direction, hash, instant, laneId, passageId, siteId } from './common.ts'

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
    historical: z
      .strictObject({
        from: z.int().min(1).meta({ title: 'From', description: 'The next one to come.' }),
        to: z.int().min(1).meta({ title: 'To', description: 'The last one; what has a higher sequence happens now.' }),
      })
      .optional()
      .meta({
        title: 'Historical',
        description:
          'Events with these sequences were recorded before this connection was there, and are sent late. Until they are through, newer ones may ' +
          'come before them: what is missing up to `to` is on its way and need not be asked for. Absent: nothing is late.',
      }),
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
    queue: z
      .int()
      .min(0)
      .nullable()
      .meta({ title: 'Queue', description: 'Vehicles waiting at the lane, as far as its loops see: 0 or 1; null: not measured.' }),
    passage: z
      .strictObject({
        id: passageId,
        plate: z.string().max(16).nullable().meta({ title: 'Plate', description: 'Best plate so far.' }),
        arrived: instant,
        outcome: z.string().max(32).optional().meta({ title: 'Outcome', description: 'Decision so far.' }),
        lane: laneId
          .optional()
          .meta({ title: 'To lane', description: 'Where a redirected vehicle should go: for the sign at the stop line.' }),
        taken_by: z.string().max(120).optional().meta({ title: 'Taken by', description: 'Officer who has taken it.' }),
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
    plan: z
      .strictObject({
        name: z.string().max(41).meta({ title: 'Name', description: 'Of the plan in force.' }),
        waiting: z.string().max(300).optional().meta({ title: 'Waiting', description: 'Why the change that it brings is not made yet.' }),
      })
      .optional()
      .meta({ title: 'Lane plan', description: 'Absent where there are no plans.' }),
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

const times = (title: string, description: string) =>
  z
    .strictObject({
      waiting_ms: summary('Waiting', 'Arrival to decision, ms.'),
      passage_ms: summary('Passage', 'Arrival to cleared, ms.'),
    })
    .meta({ title, description })
const hours = (title: string, description: string) => z.number().min(0).meta({ title, description, unit: 'h' })

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
          waiting_ms: summary('Waiting', 'Arrival to decision, ms.'),
          passage_ms: summary('Passage', 'Arrival to cleared, ms.'),
          last_hour: count('Cleared in the last 60 minutes: the throughput.'),
          busy: z
            .number()
            .min(0)
            .max(1)
            .meta({ title: 'Busy', description: 'Share of the last 60 minutes in which a vehicle was in the lane. Near 1 others wait.' }),
        }),
      )
      .meta({ title: 'Lanes', description: 'Passages by lane and outcome.' }),
    waiting_ms: summary('Waiting', 'Arrival to decision, ms.'),
    passage_ms: summary('Passage', 'Arrival to cleared, ms.'),
    perishable: times('Perishable', 'The same for vehicles with perishable goods.'),
    other: times('Other', 'The same for all others.'),
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
    empties: z
      .strictObject({
        inside: count('Empty trucks that entered and have not gone back.'),
        oldest_h: z
          .number()
          .min(0)
          .nullable()
          .meta({ title: 'Oldest', description: 'How long the first of them has stood, hours; null: there is none.' }),
        allowed: count('More are a backlog: `stays.empties` of the site file.'),
        backlog: z.boolean().meta({ title: 'Backlog', description: 'There are more; alarm empty-backlog is raised.' }),
      })
      .meta({ title: 'Empties', description: 'Backlog of empty trucks.' }),
    stays: z
      .strictObject({
        inside: count('Vehicles of the other side that came in and have not gone back.'),
        two_way: count('Those on two-way trips.'),
        over: count('Those that stay longer than `stays` of the site file allows.'),
        vehicles: z
          .array(
            z.strictObject({
              plate: z.string().max(16).meta({ title: 'Plate', description: 'Of the vehicle.' }),
              since: instant.meta({ title: 'Since', description: 'When it came in.' }),
              hours: hours('Hours', 'How long it has been here.'),
              limit_h: hours('Limit', 'How long it may stay.'),
              two_way: z.boolean().meta({ title: 'Two-way', description: 'It is on a two-way trip.' }),
            }),
          )
          .max(50)
          .meta({ title: 'Vehicles', description: 'Those over the limit, longest first; at most 50.' }),
      })
      .meta({ title: 'Stays', description: 'Vehicles inside and how long they may stay.' }),
  })
  .meta({ title: 'Statistics', description: 'Counts and times of the day so far.' })
export type Stats = z.input<typeof stats>
