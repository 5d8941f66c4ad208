/** The lane plan: which lanes are open, and which way, by name; and when which plan is in force. */
import { z } from 'zod'
import { about, id } from './common.ts'

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

const planned = z
  .strictObject({
    open: z.boolean().default(true).meta(about('Open', 'false: out of service while the plan is in force.')),
    direction: z
      .enum(['import', 'export'])
      .optional()
      .meta(about('Direction', 'A tidal lane: another direction than the lane itself says. Its barrier needs a `closed_limit` switch.')),
  })
  .meta(about('Lane', 'What a plan makes of a lane.'))

export const lanePlan = z
  .strictObject({
    wait_s: z
      .int()
      .min(10)
      .max(86_400)
      .default(900)
      .meta(
        about(
          'Wait',
          'How long a change waits until it is safe: the lane empty, its arm shut, and to turn it, the other side agreed. Then it is given up and told.',
          'seconds',
        ),
      ),
    plans: z
      .record(id, z.record(id, planned))
      .refine((plans) => Object.keys(plans).length > 0, 'needs at least one plan')
      .meta(about('Plans', 'Plans by name. A lane that a plan does not name is open in its own direction.')),
    schedule: z
      .array(
        z
          .strictObject({
            plan: id.meta(about('Plan', 'Name of the plan.')),
            at: z
              .string()
              .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time as "07:00", in quotes')
              .meta(about('At', 'When it comes into force, in the time zone of the site.')),
            days: z
              .array(z.enum(WEEKDAYS))
              .min(1)
              .max(7)
              .default([...WEEKDAYS])
              .meta(about('Days', 'Days of the week; all when left out.')),
          })
          .meta(about('Switch', 'One time at which the plan changes.')),
      )
      .max(200)
      .default([])
      .meta(about('Schedule', 'Each entry holds until the next. Empty: plans change by the command `set-plan` only.')),
  })
  .meta(
    about('Lane plan', 'Lanes that open, close and turn by schedule or command. Absent: lanes are as their own settings and commands say.'),
  )
export type LanePlanConfig = z.output<typeof lanePlan>
