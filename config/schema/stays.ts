/** How long vehicles of the other side may stay, and how many empty ones may stand inside. */
import { z } from 'zod'
import { about } from './common.ts'

const hours = (def: number, title: string, description: string) =>
  z
    .number()
    .min(0.1)
    .max(8_760)
    .default(def)
    .meta(about(title, description, 'hours'))

export const stays = z
  .strictObject({
    home: z
      .enum(['vn', 'cn'])
      .default('vn')
      .meta(
        about('This side', 'Country on whose side this gate stands: vehicles come in by import where it is vn, by export where it is cn.'),
      ),
    counts: z
      .enum(['visitors', 'all'])
      .default('visitors')
      .meta(
        about(
          'Who counts',
          'visitors: vehicles with plates of the other country are inside until they go back; all: every vehicle that came in.',
        ),
      ),
    two_way_h: hours(36, 'Two-way stay', 'Longest stay of a vehicle on a two-way trip; alarm stay-over beyond it.'),
    empty_h: hours(24, 'Empty stay', 'Longest stay of a vehicle that came in empty; alarm stay-over beyond it.'),
    other_h: hours(24, 'Stay', 'Longest stay of any other vehicle; alarm stay-over beyond it.'),
    empties: z
      .int()
      .min(0)
      .max(100_000)
      .default(50)
      .meta(about('Empties', 'With more empty vehicles inside alarm empty-backlog is raised.')),
  })
  .prefault({})
  .meta(about('Stays', 'How long vehicles of the other side may stay, and how many empty ones.'))
