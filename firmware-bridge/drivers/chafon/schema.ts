/** What a site file says about a UHF reader of the UHFReader families (Chafon and many others). */
import { z } from 'zod'
import { holdMs, linkName, ms } from '../../settings.ts'

export const settings = z
  .strictObject({
    driver: z.literal('chafon').meta({ title: 'Driver', description: 'UHF tag reader of the UHFReader families: Chafon and many others.' }),
    link: linkName('The serial or TCP link the reader is on; one reader a link.'),
    family: z.enum(['18', '288']).default('18').meta({
      title: 'Family',
      description: '18: UHFReader18, one antenna, no signal strength. 288: UHFReader288 and UHFReader86, antennas and signal strength.',
    }),
    mode: z.enum(['ask', 'active']).default('ask').meta({
      title: 'Mode',
      description: 'ask: the reader is in answer mode and asked. active: it is set to send what it sees; nothing is written to it.',
    }),
    address: z
      .int()
      .min(0)
      .max(255)
      .default(255)
      .meta({ title: 'Address', description: 'Address of the reader; 255: whichever is there.' }),
    antennas: z
      .array(z.int().min(1).max(4).meta({ title: 'Antenna', description: 'Number on the housing.' }))
      .min(1)
      .max(4)
      .default([1])
      .meta({ title: 'Antennas', description: 'Asked in turn; family 288 in mode ask only.' }),
    scan_ms: z
      .int()
      .min(100)
      .max(3_000)
      .multipleOf(100)
      .default(200)
      .meta({ title: 'Scan', description: 'How long one look takes; family 288 in mode ask only.', unit: 'ms' }),
    poll_ms: ms(200, 50, 5_000, 'Poll', 'How often the reader is asked at most; mode ask only.'),
    answer_ms: ms(2_000, 100, 10_000, 'Answer', 'No answer in this time: it is asked again. A look of family 18 takes up to a second.'),
    silent_ms: z.int().min(1_000).max(120_000).optional().meta({
      title: 'Silent',
      description:
        'Nothing good heard for this long: the reader is down. Absent: 6000 in mode ask; in mode active silence means no tag. With heartbeats switched on in the reader, set it to three of them.',
      unit: 'ms',
    }),
    hold_ms: holdMs,
    min_rssi: z
      .int()
      .min(0)
      .max(255)
      .optional()
      .meta({ title: 'Least signal', description: 'Weaker reads are ignored; 0…255 as the reader counts, family 288 only.' }),
  })
  .superRefine((s, ctx) => {
    const only288 = (key: 'antennas' | 'min_rssi') =>
      ctx.addIssue({ code: 'custom', path: [key], message: 'readers of family 18 have one antenna and tell no signal strength' })
    if (s.family === '18' && s.antennas.some((a) => a !== 1)) only288('antennas')
    if (s.family === '18' && s.min_rssi !== undefined) only288('min_rssi')
    if (new Set(s.antennas).size !== s.antennas.length)
      ctx.addIssue({ code: 'custom', path: ['antennas'], message: 'name each antenna once' })
    if (s.mode === 'ask' && s.family === '288' && s.answer_ms < s.scan_ms + 100)
      ctx.addIssue({ code: 'custom', path: ['answer_ms'], message: `a look takes ${s.scan_ms} ms: at least ${s.scan_ms + 100}` })
  })
export type Settings = z.output<typeof settings>
