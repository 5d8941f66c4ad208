/** Users of whom only a hash is known: real connections, a real scrypt. What is counted is how often it was worked out, never time. */
import { connect as netConnect } from 'node:net'
import { MqttClient } from 'mqtt'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { BrokerAccount } from '../../../gateway/broker/acl.ts'
import type { RunningBroker } from '../../../gateway/broker/config.ts'
import { type Attempt, Passwords } from '../../../gateway/broker/passwords.ts'
import { systemClock } from '../../../gateway/kernel/clock.ts'
import { fitsHash, hashPassword, type PasswordHash, readPasswordHash } from '../../../gateway/kernel/password-hash.ts'
import { startBroker } from '../../harness/local-broker.ts'
import { BASE, TestLog, until } from '../uplink/helpers.ts'

/** As little work as a site file may ask for. */
const QUICK = { ln: 14, r: 8, p: 1 }
const bytes = (text: string) => Buffer.from(text)
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

let secret: PasswordHash
let other: PasswordHash
beforeAll(async () => {
  secret = readPasswordHash(await hashPassword('s3cret', QUICK))
  other = readPasswordHash(await hashPassword('0ther', QUICK))
})

const account = (name: string, password: BrokerAccount['password']): BrokerAccount => ({
  ...{ name, password, role: 'admin' },
  ...{ publish: [], subscribe: [] },
})

async function broker(users: readonly BrokerAccount[]): Promise<RunningBroker & { log: TestLog; url: string }> {
  const log = new TestLog()
  const running = await startBroker({ ...BASE, host: '127.0.0.1', port: 0, users, maxPayloadKb: 64 }, { log, clock: systemClock })
  cleanups.push(() => running.stop())
  return { ...running, log, url: `mqtt://127.0.0.1:${running.port}` }
}

interface Knock {
  readonly username: string
  readonly password: string
  readonly clientId?: string
  readonly from?: string
}

/** The return code of CONNACK (0: it is in), with the client. */
function knock(b: RunningBroker, { from, ...who }: Knock): Promise<{ code: number; client: MqttClient }> {
  const way = { port: b.port, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) }
  const client = new MqttClient(() => netConnect(way) as never, { ...who, reconnectPeriod: 0 })
  cleanups.push(() => client.endAsync(true))
  return new Promise((done, fail) => {
    client.once('connect', () => done({ code: 0, client }))
    client.on('error', (error) => ('code' in error && typeof error.code === 'number' ? done({ code: error.code, client }) : fail(error)))
  })
}

const code = async (b: RunningBroker, username: string, password: string) => (await knock(b, { username, password })).code

describe('a user whose password is only known as a hash', () => {
  it('gets in with the password and with nothing else; each is worked out once, however often it comes', async () => {
    const b = await broker([account('plain', 'pw'), account('hashed', secret)])
    expect(await code(b, 'hashed', 's3cret')).toBe(0)
    expect(b.stats().hashed).toBe(1)
    expect(await code(b, 'hashed', 's3cret')).toBe(0)
    expect(b.stats().hashed).toBe(1)
    for (const wrong of ['s3cre', 's3cret ', 'S3cret']) for (let n = 0; n < 3; n++) expect(await code(b, 'hashed', wrong)).toBe(4)
    expect(b.stats().hashed).toBe(4)
    // The other one's password, and the hash itself.
    expect(await code(b, 'hashed', 'pw')).toBe(4)
    expect(await code(b, 'hashed', Buffer.from(secret.hash).toString('base64'))).toBe(4)
    expect(await code(b, 'plain', 'pw')).toBe(0)
    expect(await code(b, 'plain', 's3cret')).toBe(4)
    // Whether a name is known does not show in how much is worked out.
    expect(b.stats().hashed).toBe(6)
    expect(await code(b, 'nobody', 's3cret')).toBe(4)
    expect(b.stats().hashed).toBe(7)
    expect(b.log.lines.filter((l) => /wrong or missing user name or password/.test(l.message)).length).toBeGreaterThan(0)
  })

  it('the gateway itself connects as ever', async () => {
    const b = await broker([account('hashed', secret)])
    const { username, password, stream } = b.internal
    const inside = new MqttClient(() => stream() as never, { username, password, reconnectPeriod: 0 })
    cleanups.push(() => inside.endAsync(true))
    await new Promise<void>((done, fail) => inside.once('connect', () => done()).once('error', fail))
    expect(b.stats().hashed).toBe(0)
  })

  it('is cut off when its hash is another one, stays when it is the same, and the new password counts at once', async () => {
    const b = await broker([account('a', secret), account('b', secret)])
    const [a, c] = [await knock(b, { username: 'a', password: 's3cret' }), await knock(b, { username: 'b', password: 's3cret' })]
    const closed = new Promise<void>((done) => a.client.once('close', () => done()))
    b.exchange({ users: [account('a', other), account('b', { ...secret })] })
    await closed
    expect(c.client.connected).toBe(true)
    expect(await code(b, 'a', 's3cret')).toBe(4)
    expect(await code(b, 'a', '0ther')).toBe(0)
  })

  it('is not let in when it was revoked while its password was worked out', async () => {
    const b = await broker([account('a', secret), account('b', secret)])
    const answer = knock(b, { username: 'a', password: 's3cret' })
    await until(() => b.stats().hashed === 1)
    b.exchange({ users: [account('b', secret)] })
    expect((await answer).code).toBe(4)
  })
})

describe('a flood of wrong passwords', () => {
  it('holds up nobody else: who comes from another address is let in while it goes on, and who is known needs nothing worked out', async () => {
    const b = await broker([account('good', secret), account('target', other)])
    expect(await code(b, 'good', 's3cret')).toBe(0)
    const flood = Array.from({ length: 60 }, (_, n) => knock(b, { username: 'target', password: `guess ${n}`, from: '127.0.0.9' }))
    await until(() => b.stats().hashed > 1)
    const late = await knock(b, { username: 'target', password: '0ther', from: '127.0.0.3' })
    expect(late.code).toBe(0)
    // It waited for its turn behind one or two of the others, not behind all.
    expect(b.stats().hashed).toBeLessThan(15)
    expect(await code(b, 'good', 's3cret')).toBe(0)
    const codes = (await Promise.all(flood)).map((k) => k.code)
    expect(codes.every((c) => c === 3 || c === 4)).toBe(true)
    // What is worked out for one address is bounded: the rest was refused unseen, and counted.
    expect(codes.filter((c) => c === 4).length).toBeLessThan(35)
    expect(b.stats().limited.password_checks).toBe(codes.filter((c) => c === 3).length)
    expect(b.stats().limited.password_checks).toBeGreaterThan(0)
  })

  it('who does not wait for the answer costs nothing', async () => {
    const b = await broker([account('target', secret)])
    const text = (s: string) => Buffer.concat([Buffer.from([0, s.length]), bytes(s)])
    for (let n = 0; n < 30; n++) {
      const body = Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 60]), text(`c${n}`), text('target'), text(`guess ${n}`)])
      const socket = netConnect(b.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.end(Buffer.concat([Buffer.from([0x10, body.length]), body]), () => socket.destroy())
    }
    expect((await knock(b, { username: 'target', password: 's3cret', from: '127.0.0.4' })).code).toBe(0)
    await until(() => b.stats().connections <= 1)
    expect(b.stats().hashed).toBeLessThan(30)
  })
})

describe('the waiting room', () => {
  const attempt = (password: string, from: string, more: Partial<Attempt> = {}): Attempt => ({
    ...{ name: 'u', password: bytes(password), hash: secret, from },
    gone: () => false,
    ...more,
  })

  it('has a bound; whoever has most in it makes room for an address that has less; everybody gets an answer', async () => {
    const passwords = new Passwords(systemClock)
    const verdicts = { busy: 0, wrong: 0, right: 0 }
    const ask = async (one: Attempt) => {
      const verdict = await passwords.check(one, secret)
      verdicts[verdict]++
      return verdict
    }
    const crowd = Array.from({ length: 300 }, (_, n) => ask(attempt(`guess ${n}`, 'crowd')))
    expect(passwords.waiting).toBe(128)
    const guest = ask(attempt('s3cret', 'guest'))
    expect(passwords.waiting).toBe(128)
    expect(await guest).toBe('right')
    expect(passwords.checked).toBeLessThan(6)
    await Promise.all(crowd)
    expect(passwords.waiting).toBe(0)
    expect(verdicts.right).toBe(1)
    expect(verdicts.busy + verdicts.wrong).toBe(300)
    expect(verdicts.wrong).toBeLessThan(40)
  })

  it('the same one many times at once is worked out once', async () => {
    const passwords = new Passwords(systemClock)
    const all = await Promise.all(Array.from({ length: 20 }, () => passwords.check(attempt('s3cret', 'one'), secret)))
    expect(all).toEqual(Array(20).fill('right'))
    expect(passwords.checked).toBe(1)
  })
})

describe('what a hash may look like', () => {
  it('one that was made is read again, and fits its password only', async () => {
    const made = await hashPassword('mật khẩu 密码', QUICK)
    expect(made).toMatch(/^\$scrypt\$ln=14,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    expect(await hashPassword('mật khẩu 密码', QUICK)).not.toBe(made)
    expect(await fitsHash(bytes('mật khẩu 密码'), readPasswordHash(made))).toBe(true)
    expect(await fitsHash(bytes('mat khau'), readPasswordHash(made))).toBe(false)
    expect(await fitsHash(bytes(''), readPasswordHash(made))).toBe(false)
  })

  it('agrees with RFC 7914, section 12', async () => {
    const known = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    )
    const salt = Buffer.from('SodiumChloride').toString('base64').replace(/=+$/, '')
    const text = `$scrypt$ln=14,r=8,p=1$${salt}$${known.toString('base64').replace(/=+$/, '')}`
    expect(await fitsHash(bytes('pleaseletmein'), readPasswordHash(text))).toBe(true)
  })

  it.each([
    ['a password', 'hunter2', /it is no password hash/],
    ['bcrypt', '$2b$12$abcdefghijklmnopqrstuv', /it is made with 2b; only scrypt/],
    ['argon2', '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA', /it is made with argon2id/],
    ['weak', '$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA', /too weak/],
    ['too much work', '$scrypt$ln=18,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA', /too much work/],
    ['too much memory', '$scrypt$ln=10,r=999,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA', /too much work/],
    ['absurd', '$scrypt$ln=99,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA', /too much work/],
    ['short salt', '$scrypt$ln=15,r=8,p=1$c2Fs$aGFzaGhhc2hoYXNoaGFzaA', /salt must be 8 to 64/],
    ['short hash', '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$aGFz', /hash must be 16 to 64/],
    ['base64 with stray bits', '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHR$aGFzaGhhc2hoYXNoaGFzaA', /salt must be/],
    ['padding', '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ=$aGFzaGhhc2hoYXNoaGFzaA', /it is no password hash/],
    ['a line too much', '$scrypt$ln=15,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA\n', /it is no password hash/],
  ])('refused, without repeating it: %s', (_, text, why) => {
    expect(() => readPasswordHash(text)).toThrow(why)
    expect(() => readPasswordHash(text)).not.toThrow(/hunter2|c2FsdHNh/)
  })
})
