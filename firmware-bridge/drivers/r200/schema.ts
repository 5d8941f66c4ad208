/** What a site file says about a UHF reader that speaks BB … 7E. */
import { z } from 'zod'
import { holdMs, linkName, ms } from '../../settings.ts'

export const settings = z.strictObject({
  driver: z.literal('r200').meta({ title: 'Driver', description: 'UHF tag reader with an R200, YRM100, M100 or JRD module.' }),
  link: linkName('The serial or TCP link the reader is on; one reader a link.'),
  mode: z.enum(['single', 'multi']).default('single').meta({
    title: 'Mode',
    description: 'single: each look is asked for. multi: the reader looks by itself once started, and is started again when it stops.',
  }),
  poll_ms: ms(100, 20, 5_000, 'Poll', 'How often the reader is asked for a look at most.'),
  answer_ms: ms(500, 50, 5_000, 'Answer', 'No answer in this time: it is asked again.'),
  silent_ms: ms(3_000, 500, 60_000, 'Silent', 'Nothing good heard for this long: the reader is down.'),
  hold_ms: holdMs,
  min_rssi: z
    .int()
    .min(-128)
    .max(0)
    .optional()
    .meta({ title: 'Least signal', description: 'Weaker reads are ignored: tags of the neighbouring lane.', unit: 'dBm' }),
})
export type Settings = z.output<typeof settings>
