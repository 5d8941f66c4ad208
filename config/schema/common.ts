/** Small schemas that the parts of the site file share. */
import { z } from 'zod'

/** What documentation and editors show of a setting. */
export const about = (title: string, description: string, unit?: string) => ({
  title,
  description,
  ...(unit === undefined ? {} : { unit }),
})

export const id = z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and dashes, at most 41')

/** `DEVICE.POINT`, e.g. `io-1.di3`. */
export const pointRef = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}\.[a-z0-9_-]{1,41}$/, 'write DEVICE.POINT, e.g. io-1.di3')
  .meta(about('Point', 'An input or output as DEVICE.POINT, e.g. io-1.di3.'))

/** Text of one line that is not empty. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line without control characters')

/** A name in the three languages of the gate. */
export const words = z.strictObject({
  vi: line(120).meta(about('Tiếng Việt', 'In Vietnamese.')),
  zh: line(120).meta(about('中文', 'In Chinese.')),
  en: line(120).meta(about('English', 'In English.')),
})

/** A whole number of milliseconds. */
export const ms = (def: number, min: number, max: number, title: string, description: string) =>
  z
    .int()
    .min(min)
    .max(max)
    .default(def)
    .meta(about(title, description, 'ms'))

export const host = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|[0-9A-Fa-f:]{2,45}|0\.0\.0\.0)$/,
    'write a host name or an IP address, without port or slashes',
  )

export const tcpPort = (min: 0 | 1) => z.int().min(min).max(65_535)

/** Address of an MQTT broker. Names and passwords have settings of their own, so that none ends in a log. */
export const brokerUrl = z
  .string()
  .max(300)
  .refine(isBrokerUrl, 'write mqtt://HOST:PORT, mqtts://HOST:PORT, ws://HOST/PATH or wss://HOST/PATH, without user name or password')

function isBrokerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return /^(mqtts?|wss?):$/.test(url.protocol) && url.hostname !== '' && url.username === '' && url.password === ''
}

/** MQTT topic filter, + and # allowed where MQTT 3.1.1 (4.7.1) allows them. */
export const topicFilter = z
  .string()
  .min(1)
  .max(500)
  .regex(
    /^(?:(?:\+|[^+#\0/]*)\/)*(?:\+|#|[^+#\0/]*)$/,
    'write an MQTT topic filter; + and # stand alone between slashes, # only at the end',
  )
