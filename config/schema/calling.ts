/** Lanes that lead into one place: who is called first when several have a vehicle that may pass. */
import { z } from 'zod'
import { about, id } from './common.ts'

const group = z
  .strictObject({
    lanes: z
      .array(id.meta(about('Lane', 'Name of a lane.')))
      .min(2)
      .max(32)
      .meta(about('Lanes', 'Lanes that lead into one place behind their barriers. A lane belongs to one group at most.')),
    at_once: z
      .int()
      .min(1)
      .max(31)
      .default(1)
      .meta(about('At once', 'Vehicles let in at a time, from when the arm is told to open until they are through.')),
    first: z
      .array(z.enum(['perishable', 'marked']))
      .max(2)
      .default(['perishable', 'marked'])
      .meta(
        about(
          'First',
          'Who is called before others. perishable: declared so; marked: agricultural traffic with its mark seen. Empty: everybody in the order of arrival.',
        ),
      ),
    overtaken: z
      .int()
      .min(0)
      .max(100)
      .default(3)
      .meta(about('Overtaken', 'Vehicles that came later and may be called before one that came earlier; then it is its turn.')),
    wait_s: z
      .int()
      .min(0)
      .max(3_600)
      .default(120)
      .meta(about('Wait', 'Who has waited longer than this since arrival is overtaken no more.', 'seconds')),
    stuck_s: z
      .int()
      .min(0)
      .max(3_600)
      .default(60)
      .meta(
        about(
          'Stuck',
          'A lane that is in fault, does not know its sensors, or whose vehicle stands under the arm for longer than `timing.abandoned_ms` holds up the others for at most this long; then they are let in without waiting for it.',
          'seconds',
        ),
      ),
  })
  .meta(about('Group', 'Lanes that lead into one place.'))
export type CallingConfig = z.output<typeof group>

export const calling = z
  .record(id, group)
  .default({})
  .meta(
    about(
      'Calling',
      'Groups of lanes, by name, whose vehicles are let in one after the other where they would meet behind the barriers: perishable goods first, and nobody waits for ever. A lane in no group opens as soon as its own vehicle may pass.',
    ),
  )
