import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { Secret } from '../../../config/schema/secret.ts'
import { createLogger, withoutCredentials } from '../../../gateway/site/logger.ts'

/** What is logged by `work`, as text. */
function logged(work: (log: ReturnType<typeof createLogger>) => void): string {
  let text = ''
  const destination = new Writable({
    write(chunk, _, done) {
      text += String(chunk)
      done()
    },
  })
  work(createLogger({ level: 'info', pretty: false, destination }))
  return text
}

it('writes one JSON object a line with level, time and message', () => {
  const [line] = logged((log) => log.info({ lane: 'import-1' }, 'ready')).split('\n')
  expect(JSON.parse(line!)).toMatchObject({ level: 'info', lane: 'import-1', msg: 'ready', time: expect.stringMatching(/^\d{4}-/) })
})

it.each([
  ['a password', { password: 'hunter2' }],
  ['one further in', { uplink: { password: 'hunter2' } }],
  ['one in a list of users', { users: [{ name: 'a', password: 'hunter2' }] }],
  ['a token', { client: { token: 'hunter2' } }],
  ['credentials in an address', { url: 'mqtts://gate:hunter2@platform.example.vn:8883' }],
])('never shows %s', (_, fields) => {
  const text = logged((log) => log.child({ part: 'x' }).warn(fields, 'failed at mqtt://u:hunter2@host/'))
  expect(text).not.toContain('hunter2')
  expect(text).toContain('redacted')
})

it('shows a configured secret as nothing but a secret', () => {
  const secret = new Secret({ env: 'X' })
  secret.resolve('hunter2')
  expect(logged((log) => log.info({ broker: { secret, key: secret } }, `is ${secret}`))).not.toContain('hunter2')
})

it('leaves addresses without credentials alone', () => {
  expect(withoutCredentials('mqtt://127.0.0.1:1883 and a@b')).toBe('mqtt://127.0.0.1:1883 and a@b')
})
