/** What a site file says about a camera that publishes pictures on MQTT. */
import { z } from 'zod'
import { jsonPointer, linkName, topic } from '../../settings.ts'

export const settings = z.strictObject({
  driver: z.literal('mqtt-camera').meta({ title: 'Driver', description: 'Camera that publishes pictures on MQTT.' }),
  link: linkName('The MQTT link the camera publishes on.'),
  topic: topic('Topic', 'Where the pictures arrive: raw JPEG, PNG or WebP, a data URI, base64, or JSON that holds one of these.'),
  pointer: jsonPointer(
    'Pointer',
    'Where in the JSON the picture is, e.g. /values/image; absent: the places known of common cameras are tried.',
  ).optional(),
  trigger: z
    .strictObject({
      topic: topic('Trigger topic', 'Where the camera listens for a request.'),
      payload: z.string().max(1_024).default('').meta({ title: 'Trigger payload', description: 'What is sent, as it is.' }),
    })
    .optional()
    .meta({ title: 'Trigger', description: 'How to ask the camera for a picture.' }),
  max_kb: z
    .int()
    .min(16)
    .max(65_536)
    .default(8_192)
    .meta({ title: 'Largest message', description: 'Larger messages are ignored, unread.', unit: 'KiB' }),
  stale_ms: z.int().min(1_000).max(86_400_000).optional().meta({
    title: 'Stale',
    description: 'No picture for this long means trouble. Absent for cameras that only send when a vehicle comes.',
    unit: 'ms',
  }),
})
export type Settings = z.output<typeof settings>
