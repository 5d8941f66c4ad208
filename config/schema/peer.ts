/** The other half of a smart gate, and the officers' desk. */
import { z } from 'zod'
import { SHARED_FIELDS } from '../../gateway/identity/shared.ts'
import { about, brokerUrl, id, line } from './common.ts'
import { secret } from './secret.ts'
import { clientTls, tlsNeedsUrl } from './tls.ts'

const minutes = (def: number, min: number, max: number, title: string, description: string) =>
  z
    .number()
    .min(min)
    .max(max)
    .default(def)
    .meta(about(title, description, 'min'))

export const peer = z
  .strictObject({
    site: id.meta(about('Site', 'Site id of the other half. Both sides use the same topic root.')),
    hands_over: z
      .enum(['import', 'export'])
      .meta(
        about(
          'Hands over',
          'Vehicles cleared here in this direction leave for the other half; those of the other direction come from it. The Vietnamese half hands over `export`, the Chinese half `import`.',
        ),
      ),
    within_min: minutes(30, 1, 1_440, 'Within', 'A vehicle that left the other half should be here by then; else it is missing.'),
    share: z
      .array(z.enum(SHARED_FIELDS as [(typeof SHARED_FIELDS)[number], ...(typeof SHARED_FIELDS)[number][]]))
      .max(SHARED_FIELDS.length)
      .default(['trailer', 'container', 'tag'])
      .meta(
        about(
          'Share',
          'What the other half may know of a vehicle beside its plate, direction, lane and time. Nothing else leaves this site.',
        ),
      ),
    broker: z
      .strictObject({
        url: brokerUrl.meta(about('URL', 'mqtt:// or mqtts:// address of the broker.')),
        username: line(100).optional().meta(about('User name', 'When the broker asks for one.')),
        password: secret.optional().meta(about('Password', 'When the broker asks for one.')),
        tls: clientTls,
      })
      .refine(...tlsNeedsUrl)
      .optional()
      .meta(
        about(
          'Broker',
          "The other half's broker, or one that both reach. Absent: the other half connects to this site's broker (as a user with role `peer`), or a bridge between the two brokers carries the topics.",
        ),
      ),
    roads: z
      .record(id, id.meta(about('Their lane', 'Lane of the other half that it leads into.')))
      .default({})
      .meta(
        about(
          'Roads',
          'Lanes here that lead into a lane of the other half: own lane, its lane. Such a lane turns only when the other half agrees: its end of the road must be out of service and empty.',
        ),
      ),
    hotline_min: minutes(
      5,
      0.5,
      240,
      'Hotline',
      'A message between the two desks that no officer has acknowledged by then raises an alarm on both sides.',
    ),
    silent_min: minutes(5, 1, 1_440, 'Silent', 'The other half not heard for this long: alarm.'),
    clock_min: minutes(2, 0.1, 1_440, 'Clock', 'The two clocks further apart than this: alarm. Nothing else depends on it.'),
  })
  .optional()
  .meta(about('Peer', 'The other half of a smart gate. Absent: this site is no half of one.'))

export const desk = z
  .strictObject({
    take_min: minutes(5, 0.1, 240, 'Take', 'A referred vehicle that no officer has taken by then raises an alarm.'),
    decide_min: minutes(
      15,
      0.1,
      480,
      'Decide',
      'An officer who has taken a vehicle and not decided by then loses it again, and the alarm is raised.',
    ),
  })
  .prefault({})
  .meta(about('Desk', 'How long the desk may take over a referred vehicle before others are called.'))
