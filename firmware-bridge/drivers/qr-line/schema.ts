/** What a site file says about a scanner that sends each code as a line of text. */
import { z } from 'zod'
import { holdMs, linkName, ms } from '../../settings.ts'

export const settings = z.strictObject({
  driver: z
    .literal('qr-line')
    .meta({ title: 'Driver', description: 'QR and bar code scanner on RS-232 or USB (CDC) that sends lines of text.' }),
  link: linkName('The serial or TCP link the scanner is on; one scanner a link.'),
  encoding: z
    .enum(['utf-8', 'gb18030'])
    .default('utf-8')
    .meta({ title: 'Encoding', description: 'How the scanner sends letters; gb18030 for scanners set to Chinese.' }),
  idle_ms: ms(50, 20, 1_000, 'Idle', 'A code without CR or LF ends after this long without a byte.'),
  hold_ms: holdMs,
})
export type Settings = z.output<typeof settings>
